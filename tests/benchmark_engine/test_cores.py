"""How many cores the engine thinks that it may use."""

import os
from pathlib import Path

import pytest

from benchmark_engine.cores import usable_cores

ALL = 8


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(ALL)))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own"
    path.write_text("0::/atlas.slice/engine.service\n")
    return path


def limited(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text + "\n")


def test_without_control_groups_it_is_those_that_the_process_is_bound_to(tmp_path: Path) -> None:
    assert usable_cores(tmp_path / "groups", tmp_path / "own") == ALL


def test_a_limit_of_the_group_or_of_one_above_it_counts(tmp_path: Path, own: Path) -> None:
    groups = tmp_path / "groups"
    limited(groups / "atlas.slice/engine.service/cpu.max", "max 100000")
    assert usable_cores(groups, own) == ALL
    limited(groups / "atlas.slice/cpu.max", "400000 100000")
    assert usable_cores(groups, own) == 4
    limited(groups / "atlas.slice/engine.service/cpu.max", "100000 50000")
    assert usable_cores(groups, own) == 2


def test_a_container_s_limit_counts_in_the_older_form_too(tmp_path: Path, own: Path) -> None:
    groups = tmp_path / "groups"
    limited(groups / "cpu/cpu.cfs_period_us", "100000")
    limited(groups / "cpu/cpu.cfs_quota_us", "-1")
    assert usable_cores(groups, own) == ALL
    limited(groups / "cpu/cpu.cfs_quota_us", "300000")
    assert usable_cores(groups, own) == 3


def test_of_a_share_each_core_that_is_begun_counts(tmp_path: Path, own: Path) -> None:
    limited(tmp_path / "groups/cpu.max", "150000 100000")
    assert usable_cores(tmp_path / "groups", own) == 2
    limited(tmp_path / "groups/cpu.max", "10000 100000")
    assert usable_cores(tmp_path / "groups", own) == 1


def test_a_limit_beyond_the_machine_means_nothing(tmp_path: Path, own: Path) -> None:
    limited(tmp_path / "groups/cpu.max", "6400000 100000")
    assert usable_cores(tmp_path / "groups", own) == ALL
