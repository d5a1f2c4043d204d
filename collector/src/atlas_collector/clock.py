"""The computer's two clocks: the wall clock, which jumps when the network's time arrives, and the monotonic."""

import time
from dataclasses import dataclass

NANOSECONDS = 1_000_000_000
JUMP_SECONDS = 1.0  # more than a clock that is being slewed moves between two looks


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment on both clocks.

    Attributes:
        wall_ns: nanoseconds since 1970, as the wall clock believes.
        monotonic: seconds since the computer was started; never jumps.
    """

    wall_ns: int
    monotonic: float

    @classmethod
    def now(cls) -> "Instant":
        """This moment."""
        return cls(time.time_ns(), time.monotonic())


class ClockWatch:
    """Notices that the wall clock was set: it then moved otherwise than the monotonic clock did.

    A clock that is only slewed (at most 0.5 ms a second) is never reported, however long it takes.
    """

    def __init__(self, start: Instant) -> None:
        self._last = start

    def jumped(self, now: Instant) -> float | None:
        """By how many seconds the wall clock was moved since the last look; None if it was left alone."""
        elapsed = now.monotonic - self._last.monotonic
        moved = (now.wall_ns - self._last.wall_ns) / NANOSECONDS - elapsed
        self._last = now
        return moved if abs(moved) > JUMP_SECONDS else None
