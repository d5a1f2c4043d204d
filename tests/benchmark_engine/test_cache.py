"""What a cache keeps, what it removes, and that nobody loses a file that is in use."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmark_engine.cache import Cache


def of_size(size: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(bytes(size))

    return make


def use(cache: Cache, name: str, size: int = 10) -> None:
    with cache.entry(name, of_size(size)) as path:
        assert path.stat().st_size == size


def entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_an_entry_is_made_once_for_all_that_ask_at_the_same_time(tmp_path: Path) -> None:
    """Also those of another process, which has a cache of its own over the same folder."""
    made, start = [], threading.Barrier(8)

    def make(path: Path) -> None:
        made.append(path)
        path.mkdir()
        (path / "part").write_text("whole")

    def ask(number: int) -> str:
        cache = Cache(tmp_path, max_bytes=1_000)
        start.wait()
        with cache.entry("folder", make) as path:
            return (path / "part").read_text()

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(8))) == ["whole"] * 8
    assert len(made) == 1


def test_what_was_not_used_for_longest_is_removed_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, max_bytes=25)
    for name in ("one", "two", "one", "three"):
        use(cache, name)
    assert entries(tmp_path) == {"one", "three"}


def test_what_is_in_use_stays(tmp_path: Path) -> None:
    cache, other = Cache(tmp_path, max_bytes=25), Cache(tmp_path, max_bytes=25)
    with cache.entry("in use", of_size(20)) as path:
        use(other, "new", 20)
        assert path.stat().st_size == 20
    use(cache, "newer", 20)
    assert entries(tmp_path) == {"newer"}


def test_what_is_larger_than_the_cache_is_kept_while_it_is_needed(tmp_path: Path) -> None:
    cache = Cache(tmp_path, max_bytes=5)
    use(cache, "large", 100)
    assert cache.holds("large")
    use(cache, "small", 1)
    assert entries(tmp_path) == {"small"}


def test_an_entry_that_was_removed_is_made_again(tmp_path: Path) -> None:
    cache = Cache(tmp_path, max_bytes=15)
    for name in ("one", "two", "one", "two"):
        use(cache, name)
    assert entries(tmp_path) == {"two"}


def test_nothing_is_kept_of_an_entry_that_cannot_be_made(tmp_path: Path) -> None:
    cache = Cache(tmp_path, max_bytes=100)

    def fail(path: Path) -> None:
        path.write_text("half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), cache.entry("name", fail):
        pass
    assert entries(tmp_path) == set()
    use(cache, "name")


def test_what_a_killed_process_left_half_made_is_removed(tmp_path: Path) -> None:
    Cache(tmp_path, max_bytes=100)
    (tmp_path / ".folder.part").mkdir()
    (tmp_path / ".folder.part" / "half").write_text("half")
    Cache(tmp_path, max_bytes=100)
    assert list(tmp_path.glob(".*.part")) == []


def test_what_another_process_is_making_is_left_alone(tmp_path: Path) -> None:
    """Also what it downloads to a name of the download's own."""

    def make(path: Path) -> None:
        download = path.with_name(f".{path.name}.part")
        download.write_bytes(bytes(10))
        Cache(tmp_path, max_bytes=100)
        download.replace(path)

    with Cache(tmp_path, max_bytes=100).entry("name", make) as path:
        assert path.stat().st_size == 10


def test_only_its_owner_can_enter_the_folder_and_whoever_is_given_an_entry_can_read_it(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", max_bytes=100)
    with cache.entry("name", of_size(1)) as path:
        assert path.stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
