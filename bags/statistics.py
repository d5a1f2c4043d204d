"""What a channel's samples are like as a whole, found in one pass over pieces of them, with flat memory."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bags.signals import NANOSECONDS, Channel

PIECE = 1 << 16
"""So many samples are in memory at once: few enough for a processor's cache."""

_TOLD = 1 << 16  # intervals that tell whether samples come regularly
_REGULAR = 0.5  # of the median, by which nine of ten intervals differ at most where they do
_PAUSE = 2.5  # medians without a sample
_MOST_PAUSES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Of a channel, or a part of it.

    Attributes:
        samples: how many there are, with those that are missing.
        rate_hz: its rate, or how many samples there are in a second on average; None of a single sample.
        missing: how many samples have no value: those in gaps, and those that are not finite.
        minimum, maximum, mean, rms, deviation: of those that have one; None if none has. The deviation is that of the
            samples themselves (divided by n).
        gaps: how often samples are missing.
        longest_gap_seconds: 0 without a gap.
    """

    samples: int
    rate_hz: float | None
    missing: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    rms: float | None
    deviation: float | None
    gaps: int
    longest_gap_seconds: float

    @property
    def share_missing(self) -> float:
        """Of the samples, from 0 to 1."""
        return self.missing / self.samples if self.samples else 0.0


class Summary:
    """Takes the samples of a channel piece by piece.

    Sums of squares are of differences to the first sample, so that a small ripple on a large constant is not lost.
    """

    def __init__(self) -> None:
        self.samples = 0
        self._known = 0
        self._low, self._high = math.inf, -math.inf
        self._origin: float | None = None
        self._sum = self._squares = 0.0

    def add(self, values: npt.NDArray[Any]) -> None:
        """The next samples."""
        self.samples += len(values)
        known = np.ascontiguousarray(values)
        if known.dtype.kind == "f":
            known = known[np.isfinite(known)]
        if not len(known):
            return
        self._known += len(known)
        self._low, self._high = min(self._low, float(known.min())), max(self._high, float(known.max()))
        self._origin = float(known[0]) if self._origin is None else self._origin
        offsets = np.subtract(known, self._origin, dtype=np.float64)
        self._sum += float(offsets.sum())
        self._squares += float(np.einsum("i,i", offsets, offsets))  # np.dot would wait for threads at each piece

    def skip(self, samples: int) -> None:
        """The next samples are missing."""
        self.samples += samples

    def statistics(self, *, rate_hz: float | None, gaps: Sequence[tuple[int, int]]) -> Statistics:
        """Of all that was added; gaps from and to in nanoseconds."""
        low, high = (self._low, self._high) if self._known else (None, None)
        mean, rms, deviation = self._moments() if self._known else (None, None, None)
        return Statistics(
            samples=self.samples,
            rate_hz=rate_hz,
            missing=self.samples - self._known,
            minimum=low,
            maximum=high,
            mean=mean,
            rms=rms,
            deviation=deviation,
            gaps=len(gaps),
            longest_gap_seconds=max((end - start for start, end in gaps), default=0) / NANOSECONDS,
        )

    def _moments(self) -> tuple[float, float, float]:
        """Mean, root of the mean square, standard deviation."""
        offset = self._sum / self._known
        variance = max(self._squares / self._known - offset * offset, 0.0)
        mean = (self._origin or 0.0) + offset
        return mean, math.sqrt(mean * mean + variance), math.sqrt(variance)


def of(channel: Channel) -> Statistics:
    """Of all samples of a channel, whose values may be mapped from a file; zeros in its gaps count as missing."""
    summary = Summary()
    add(summary, channel)
    return summary.statistics(rate_hz=rate_of(channel), gaps=channel.gaps)


def add(summary: Summary, channel: Channel) -> None:
    """Add the samples of a channel, or of a part of one, to a summary."""
    for first, stop, is_missing in _stretches(channel):
        if is_missing:
            summary.skip(stop - first)
            continue
        for start in range(first, stop, PIECE):
            summary.add(channel.values[start : min(start + PIECE, stop)])


def rate_of(channel: Channel) -> float | None:
    """Samples a second: its rate, or the average from its first sample to its last."""
    if channel.rate_hz is not None or channel.times is None or len(channel.times) < 2:
        return channel.rate_hz
    return average_rate(len(channel.times), int(channel.times[-1] - channel.times[0]))


def average_rate(samples: int, nanoseconds: int) -> float | None:
    """Samples a second on average, of which the first and the last are so far apart."""
    return (samples - 1) * NANOSECONDS / nanoseconds if nanoseconds > 0 else None


def pauses(times: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Where a sensor that reports regularly did not: from the moment at which a sample was due to the next sample.

    It is quiet if nothing came for two and a half intervals. Of samples that come when something happens nothing is
    missing: there must be at least ten, and nine of ten intervals about as long as their median.
    """
    told = np.diff(times[:_TOLD])
    if len(told) < 10:
        return []
    median = float(np.median(told))
    low, high = np.percentile(told, (5, 95))
    if median <= 0 or low < (1 - _REGULAR) * median or high > (1 + _REGULAR) * median:
        return []
    return list(_pauses(times, round(median)))[:_MOST_PAUSES]


def _pauses(times: npt.NDArray[np.int64], interval: int) -> Iterator[tuple[int, int]]:
    for first in range(0, len(times) - 1, PIECE):
        piece = times[first : first + PIECE + 1]
        for index in np.flatnonzero(np.diff(piece) > _PAUSE * interval):
            yield int(piece[index]) + interval, int(piece[index + 1])


def _stretches(channel: Channel) -> Iterator[tuple[int, int, bool]]:
    """First and stop of each stretch of samples, and whether they are missing; in a channel without a rate none is."""
    done, total = 0, len(channel.values)
    for start, end in channel.gaps if channel.rate_hz is not None else ():
        first, stop = max(channel.index_at(start), done), max(channel.index_at(end), done)
        yield done, first, False
        yield first, stop, True
        done = stop
    yield done, total, False
