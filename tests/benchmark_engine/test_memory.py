"""How much memory the engine thinks that it may use."""

from pathlib import Path

import psutil
import pytest

from benchmark_engine.memory import usable_memory
from benchmark_engine.settings import EngineSettings

TOTAL = psutil.virtual_memory().total


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own"
    path.write_text("0::/atlas.slice/engine.service\n")
    return path


def limited(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(text + "\n")


def test_without_control_groups_it_is_the_machine_s(tmp_path: Path) -> None:
    assert usable_memory(tmp_path / "groups", tmp_path / "own") == TOTAL


def test_a_limit_of_the_group_or_of_one_above_it_counts(tmp_path: Path, own: Path) -> None:
    groups = tmp_path / "groups"
    limited(groups / "atlas.slice/engine.service", "max")
    assert usable_memory(groups, own) == TOTAL
    limited(groups / "atlas.slice", str(1 << 30))
    assert usable_memory(groups, own) == 1 << 30
    limited(groups / "atlas.slice/engine.service", str(1 << 29))
    assert usable_memory(groups, own) == 1 << 29


def test_a_container_s_limit_counts_whatever_its_group_is_called(tmp_path: Path, own: Path) -> None:
    limited(tmp_path / "groups", str(1 << 28))
    assert usable_memory(tmp_path / "groups", own) == 1 << 28


def test_a_limit_in_the_older_form_counts(tmp_path: Path) -> None:
    limit = tmp_path / "groups/memory/memory.limit_in_bytes"
    limit.parent.mkdir(parents=True)
    limit.write_text("1073741824\n")
    assert usable_memory(tmp_path / "groups", tmp_path / "own") == 1 << 30


def test_a_limit_beyond_the_machine_means_nothing(tmp_path: Path, own: Path) -> None:
    limited(tmp_path / "groups", str(1 << 60))
    assert usable_memory(tmp_path / "groups", own) == TOTAL


def test_benchmarks_get_four_fifths_of_it_or_what_is_set() -> None:
    assert EngineSettings().memory_bytes == pytest.approx(0.8 * usable_memory(), rel=0.01)
    assert EngineSettings(memory_mb=1_000).memory_bytes == 1_000 << 20
