"""How far a running benchmark is: its own thread says so, and the dispatcher writes it down now and then."""

import math
import time

from atlas.results import Progress

SECONDS = 1.0
"""Progress is written no more often than this."""


class ProgressReport:
    """What one benchmark said last. It is called by one thread and read by another."""

    def __init__(self) -> None:
        self._latest: Progress | None = None
        self._taken: Progress | None = None
        self._taken_at = -math.inf

    def __call__(self, progress: Progress) -> None:
        """Say how far the benchmark is."""
        self._latest = progress

    def take(self) -> Progress | None:
        """What is to be written down now: None if it is written already, or something was a moment ago."""
        latest, now = self._latest, time.monotonic()
        if latest == self._taken or now - self._taken_at < SECONDS:
            return None
        self._taken, self._taken_at = latest, now
        return latest
