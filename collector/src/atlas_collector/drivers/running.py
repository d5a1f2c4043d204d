"""Samples that wait for the next tick, numbered so that a loss shows."""

import threading
from collections import deque


class Running:
    """Samples of equal size, numbered from 0 since the first; safe to use from two threads.

    Attributes:
        lost: samples that were lost so far.
    """

    def __init__(self, *, sample_bytes: int, most: int) -> None:
        """Keeps at most so many samples: when nobody takes them, the oldest are lost."""
        self._size, self._most = sample_bytes, most
        self._runs: deque[tuple[int, bytearray]] = deque()  # each with the number of its first sample
        self._next = self._kept = self.lost = 0
        self._lock = threading.Lock()

    def add(self, samples: bytes) -> None:
        """Adds whole samples."""
        if not samples:
            return
        count = len(samples) // self._size
        with self._lock:
            if not self._runs or self._end() != self._next:
                self._runs.append((self._next, bytearray()))
            self._runs[-1][1].extend(samples)
            self._next += count
            self._kept += count
            self._shorten()

    def skip(self, samples: int) -> None:
        """Notes that so many samples were lost behind those that were added."""
        with self._lock:
            self._next += max(0, samples)
            self.lost += max(0, samples)

    def take(self) -> tuple[int, bytes] | None:
        """The number of the first sample and all up to the next loss; None if there are none."""
        with self._lock:
            if not self._runs:
                return None
            first, samples = self._runs.popleft()
            self._kept -= len(samples) // self._size
            return first, bytes(samples)

    def _end(self) -> int:
        first, samples = self._runs[-1]
        return first + len(samples) // self._size

    def _shorten(self) -> None:
        while (excess := self._kept - self._most) > 0:
            first, samples = self._runs.popleft()
            count = len(samples) // self._size
            if count > excess:
                del samples[: excess * self._size]
                self._runs.appendleft((first + excess, samples))
            gone = min(count, excess)
            self._kept -= gone
            self.lost += gone
