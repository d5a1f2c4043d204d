"""Whose folders are removed, and when. A process that is killed closes its descriptors, which is done here by hand."""

import os
import tempfile
from pathlib import Path

import pytest

from benchmark_engine.sandbox.base import Base


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of all engines of this test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def used() -> Base:
    """The folder of an engine that has run a benchmark."""
    base = Base()
    scratch = base.path / "benchmark" / "scratch"
    scratch.mkdir(parents=True)
    (scratch / "labels").write_text("left")
    return base


def test_an_engine_that_stops_leaves_nothing(temporary: Path) -> None:
    used().close()
    assert list(temporary.iterdir()) == []


def test_what_a_killed_engine_has_left_is_removed_by_the_next(temporary: Path) -> None:
    killed = used()
    os.close(killed.lock)
    following = Base()
    assert list(temporary.iterdir()) == [following.path]
    following.close()


def test_the_folder_of_an_engine_that_runs_is_left_alone() -> None:
    running = used()
    Base().close()
    assert (running.path / "benchmark").exists()
    running.close()


def test_the_folder_of_a_killed_engine_is_left_to_its_zygote_while_that_lives() -> None:
    killed = used()
    zygote = os.dup(killed.lock)
    os.close(killed.lock)
    Base().close()
    assert (killed.path / "benchmark").exists()
    os.close(zygote)
    Base().close()
    assert not killed.path.exists()


def test_a_folder_that_only_looks_like_one_is_not_followed(temporary: Path) -> None:
    precious = temporary / "precious"
    precious.mkdir()
    (temporary / "atlas-sandbox-link").symlink_to(precious)
    Base().close()
    assert precious.exists()
