"""How much memory processes take together, from what the kernel says of each: Linux only."""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

SAMPLE_SECONDS = 0.1


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    with suppress(psutil.NoSuchProcess):
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    return []


def shared_out(pids: Iterable[int]) -> int:
    """The processes' memory in bytes, where what several share counts once: the sum of proportional set sizes.

    Files that are mapped count as far as they are in memory.
    """
    return sum(_kilobytes(pid, "Pss") for pid in pids) << 10


def private(pids: Iterable[int]) -> int:
    """The memory in bytes that is no file's: what each process allocated for itself."""
    return sum(_kilobytes(pid, "Anonymous") for pid in pids) << 10


def _kilobytes(pid: int, field: str) -> int:
    """One field of `smaps_rollup`; nothing of a process that is gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1])
    return 0


class Peak:
    """The most that a measure of memory came to while the block ran, looked at ten times a second."""

    def __init__(self, measure: Callable[[], int]) -> None:
        self._measure = measure
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.size_bytes = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            self.size_bytes = max(self.size_bytes, self._measure())
            time.sleep(SAMPLE_SECONDS)
