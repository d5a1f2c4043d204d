"""Where zygotes keep what numba has compiled: in a folder that nobody else can write to."""

import os
from pathlib import Path

import pytest

from benchmark_engine.sandbox.launcher import compiled_code


@pytest.fixture(autouse=True)
def cache_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_the_folder_is_this_user_s_alone(cache_home: Path) -> None:
    folder = compiled_code()
    assert folder == cache_home / "atlas" / "compiled"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_may_write_to_is_not_used(cache_home: Path) -> None:
    (cache_home / "atlas" / "compiled").mkdir(parents=True)
    (cache_home / "atlas" / "compiled").chmod(0o777)
    assert compiled_code() is None


def test_another_s_folder_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled_code()
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert compiled_code() is None


def test_without_a_home_there_is_none(cache_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cache_home / "atlas").write_text("a file")
    assert compiled_code() is None
