"""What this machine keeps of models and datasets: made once, shared by all that need it, the least used removed.

Several processes may share a folder, such as the workers of one node of a cluster.
"""

import fcntl
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmark_engine import metrics

LOCKS = ".locks"
PARTIAL = ".part"
HIT, MISS = "hit", "miss"

logger = logging.getLogger(__name__)


class Cache:
    """Files and folders by name. None is removed while it is used."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        """Keep at most `max_bytes` in `folder`, and more only where what is used at one time needs more."""
        self._folder = folder
        self._locks = folder / LOCKS
        self._max_bytes = max_bytes
        self._evicting = threading.Lock()
        self._locks.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)  # who may read what is in it is given it by descriptor
        self._remove_leftovers()
        metrics.CACHE_LIMIT.set(max_bytes)
        metrics.CACHE_BYTES.set(sum(self._sizes().values()))

    @property
    def folder(self) -> Path:
        """Where it is on the disk."""
        return self._folder

    @contextmanager
    def entry(self, name: str, make: Callable[[Path], None]) -> Iterator[Path]:
        """A file or folder, made by `make` if it is not there; it stays while the block runs.

        Raises:
            Exception: what `make` raises; nothing is kept then.
        """
        path, result = self._folder / name, HIT
        while True:
            with self._locked(name, fcntl.LOCK_SH):
                if path.exists():
                    metrics.CACHE_REQUESTS.labels(result).inc()
                    now = time.time_ns()  # finer than the kernel's own time stamps
                    os.utime(self._locks / name, ns=(now, now))
                    yield path
                    return
            result = MISS
            self._make(name, make)

    def holds(self, name: str) -> bool:
        """Whether there is such an entry now."""
        return (self._folder / name).exists()

    def _make(self, name: str, make: Callable[[Path], None]) -> None:
        path = self._folder / name
        with self._locked(name, fcntl.LOCK_EX):
            if path.exists():
                return
            partial = self._partial(name)
            _remove(partial)
            try:
                make(partial)
                _let_others_read(partial)
                partial.replace(path)
            finally:
                _remove(partial)
        self._evict(besides=name)

    def _evict(self, *, besides: str) -> None:
        """Remove what was not used for longest and is not in use, until the rest is small enough."""
        with self._evicting:
            sizes = self._sizes()
            total = sum(sizes.values())
            for name in sorted(sizes, key=self._last_use):
                if total <= self._max_bytes:
                    break
                if name != besides and self._removed(name):
                    total -= sizes[name]
                    metrics.CACHE_EVICTIONS.inc()
                    logger.info("Removed %s from the cache: %s MiB.", name, sizes[name] >> 20)
            metrics.CACHE_BYTES.set(total)

    def _sizes(self) -> dict[str, int]:
        """The bytes of each entry."""
        return {path.name: _size_bytes(path) for path in self._folder.iterdir() if not path.name.startswith(".")}

    def _last_use(self, name: str) -> float:
        try:
            return (self._locks / name).stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def _removed(self, name: str) -> bool:
        """Whether an entry could be removed: it is not in use."""
        try:
            with self._locked(name, fcntl.LOCK_EX | fcntl.LOCK_NB):
                _remove(self._folder / name)
                (self._locks / name).unlink()
        except BlockingIOError:
            return False
        return True

    def _remove_leftovers(self) -> None:
        """What a process that was killed had not finished."""
        for partial in self._folder.glob(f".*{PARTIAL}"):
            try:
                with self._locked(_entry_of(partial.name), fcntl.LOCK_EX | fcntl.LOCK_NB):
                    _remove(partial)
            except BlockingIOError:
                continue

    def _partial(self, name: str) -> Path:
        return self._folder / f".{name}{PARTIAL}"

    @contextmanager
    def _locked(self, name: str, how: int) -> Iterator[None]:
        """Hold the lock of an entry, shared or alone; whoever waited for one that was removed takes the new one."""
        path = self._locks / name
        while True:
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, how)
                if _is_at(lock, path):
                    yield
                    return
            finally:
                os.close(lock)


def _is_at(opened: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(opened), path.stat())
    except FileNotFoundError:
        return False


def _entry_of(partial: str) -> str:
    """The entry that a partial file or folder is to become; what is downloaded to one may be partial itself."""
    while partial.startswith(".") and partial.endswith(PARTIAL):
        partial = partial.removeprefix(".").removesuffix(PARTIAL)
    return partial


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _let_others_read(path: Path) -> None:
    """Whoever is given a descriptor may be another user."""
    for each in (path, *path.rglob("*")):
        each.chmod(0o755 if each.is_dir() else 0o644)


def _size_bytes(path: Path) -> int:
    try:
        files = path.rglob("*") if path.is_dir() else (path,)
        return sum(file.stat().st_size for file in files)
    except FileNotFoundError:  # another process removed it
        return 0
