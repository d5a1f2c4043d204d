"""What a recording's file holds, whatever its format: channels, and when their samples were taken."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from atlas.errors import AtlasError

NANOSECONDS = 1_000_000_000
_ROUNDING = 1e-3  # of a sample: times are whole nanoseconds, so that a sample's own time may lie just after it


class UnreadableError(AtlasError):
    """Nothing of the file can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One signal.

    Attributes:
        name: unique within the recording, such as `microphone.3` or `air/pm2_5`.
        unit: such as `Pa` or `°C`; nothing if it is not known.
        values: (n,) whole or floating numbers, as they were recorded; perhaps mapped from a file.
        rate_hz: of a channel whose samples come at one rate, else None.
        times: (n,) int64 nanoseconds since 1970, ascending, of a channel without a rate.
        start_ns: nanoseconds since 1970 of a first sample at a rate.
        gaps: from and to in nanoseconds since 1970 where samples are missing; a channel with a rate has zeros there.
    """

    name: str
    unit: str = ""
    values: npt.NDArray[np.generic]
    rate_hz: float | None = None
    times: npt.NDArray[np.int64] | None = None
    start_ns: int = 0
    gaps: Sequence[tuple[int, int]] = ()

    def index_at(self, time_ns: int) -> int:
        """The number of the first sample at or after a time; n if there is none."""
        if self.times is not None:
            return int(np.searchsorted(self.times, time_ns))
        before = math.ceil((time_ns - self.start_ns) * (self.rate_hz or 0.0) / NANOSECONDS - _ROUNDING)
        return min(max(before, 0), len(self.values))

    def time_at(self, index: int) -> int:
        """When sample `index` was taken, in nanoseconds since 1970."""
        if self.times is not None:
            return int(self.times[index])
        return self.start_ns + round(index * NANOSECONDS / (self.rate_hz or 1.0))

    @property
    def end_ns(self) -> int:
        """When it ends: one sample after the last at a rate, else at the last."""
        if self.times is not None:
            return int(self.times[-1]) if len(self.times) else self.start_ns
        return self.time_at(len(self.values))


@dataclass(frozen=True, kw_only=True)
class Signals:
    """The channels of a recording.

    Attributes:
        channels: those with at least one sample.
        is_dated: whether the times are true; a file that does not tell its time begins in 1970.
        losses: what could not be saved of a damaged file, each as a sentence for a person.
    """

    channels: tuple[Channel, ...]
    is_dated: bool = True
    losses: tuple[str, ...] = ()

    @cached_property
    def start_ns(self) -> int:
        """When the first channel begins, in nanoseconds since 1970."""
        return min((channel.time_at(0) for channel in self.channels), default=0)

    @cached_property
    def duration_seconds(self) -> float:
        """From the first sample to the last end."""
        return max((channel.end_ns - self.start_ns for channel in self.channels), default=0) / NANOSECONDS
