"""How strong each frequency of a channel is over time, of a part of any length, from a bounded number of samples."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import signal

from bags.archive import Archive, ArchiveError
from bags.signals import NANOSECONDS

MAX_COLUMNS = 800
MAX_ROWS = 512
RANGE_DB = 80.0
"""From the weakest that is told apart to the strongest that the channel can be."""

_FAINTEST_DB = -400.0  # of nothing at all
_SHORTEST = 16  # samples of a segment, for a signal that has few
_SEGMENTS = 4  # of a column of a long part at most, each overlapping the one before by half
_AT_ONCE = 1 << 22  # samples of a part that is read in one go


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectrogram:
    """Levels over time and frequency.

    Attributes:
        levels: (rows, columns) float32, in dB of the amplitude of a sine, rows from 0 Hz to `highest_hz`, columns from
            the part's start to its end; NaN where samples are missing.
        start_seconds, end_seconds: of the part, since the recording began.
        highest_hz: half the rate.
        top_db: the level of the strongest sine that fits between the channel's least and greatest sample; one of whole
            numbers is compared with the greatest number of its type, another with 1 of its unit.
        is_sampled: whether only some of each column's samples were looked at, since the part is long: what is shorter
            than a column may not be seen.
    """

    levels: npt.NDArray[np.float32]
    start_seconds: float
    end_seconds: float
    highest_hz: float
    top_db: float
    is_sampled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """Which samples are looked at: of each column so many, from its middle."""

    segment: int
    taken: int
    columns: int
    samples: int

    @property
    def is_sampled(self) -> bool:
        return self.samples > self.taken * self.columns

    def first(self, column: int) -> int:
        """The number of a column's first sample, within the part."""
        middle = (column + 0.5) * self.samples / self.columns
        return min(max(round(middle - self.taken / 2), 0), self.samples - self.taken)


def spectrogram(
    archive: Archive, name: str, start_seconds: float, end_seconds: float, *, columns: int = 600, rows: int = 256
) -> Spectrogram:
    """The spectrogram of a part of a channel: Hann windows, of each segment's mean freed, powers of a column averaged.

    Args:
        archive: of the recording.
        name: the channel's.
        start_seconds, end_seconds: of the part, since the recording began.
        columns, rows: at most so many are returned, and never more than `MAX_COLUMNS` and `MAX_ROWS`.

    Raises:
        ArchiveError: there is no such channel, it has no rate, or the part has fewer than 16 samples.
    """
    channel = archive.channel(name)
    if channel.rate_hz is None:
        raise ArchiveError(f"the channel {name!r} has samples at times of its own: it has no spectrum")
    whole = archive.envelope(name, 0.0, archive.duration_seconds, 1)
    scale = _full_scale(np.dtype(channel.dtype))
    span = archive.span(name, start_seconds, end_seconds)
    plan = _planned(len(span), min(columns, MAX_COLUMNS), min(rows, MAX_ROWS))
    levels = _levels(_Reader(archive, name, span, plan), plan, scale)
    offset = (channel.start_ns - archive.start_ns) / NANOSECONDS
    return Spectrogram(
        levels=levels,
        start_seconds=offset + span.start / channel.rate_hz,
        end_seconds=offset + span.stop / channel.rate_hz,
        highest_hz=channel.rate_hz / 2,
        top_db=_decibels(float(np.ptp([*whole.minima, *whole.maxima]) / 2 / scale) if len(whole.times) else 0.0),
        is_sampled=plan.is_sampled,
    )


def _planned(samples: int, columns: int, rows: int) -> _Plan:
    if samples < _SHORTEST:
        raise ArchiveError(f"the part has {samples} samples; a spectrum needs {_SHORTEST}: choose a longer part")
    widest = 1 << ((2 * max(rows - 1, 1)).bit_length() - 1)
    segment = max(min(widest, 1 << (samples.bit_length() - 1)), _SHORTEST)
    columns = max(min(columns, 2 * samples // segment), 1)
    step = segment // 2
    further = max(-(-(-(-samples // columns) - segment) // step), 0)  # segments that cover all of a column
    if samples > _AT_ONCE:
        further = min(further, _SEGMENTS - 1)
    taken = min(segment + step * further, samples)
    return _Plan(segment=segment, taken=taken, columns=columns, samples=samples)


class _Reader:
    """The samples of each column: those of a short part are read at once, of a long one only those that are used."""

    def __init__(self, archive: Archive, name: str, span: range, plan: _Plan) -> None:
        self._archive, self._name, self._span, self._plan = archive, name, span, plan
        self._all = archive.samples(name, span).values if plan.samples <= _AT_ONCE else None

    def column(self, number: int) -> npt.NDArray[np.float64]:
        first = self._plan.first(number)
        stop = first + self._plan.taken
        if self._all is not None:
            return np.asarray(self._all[first:stop], np.float64)
        return np.asarray(self._archive.samples(self._name, self._span[first:stop]).values, np.float64)


def _levels(reader: _Reader, plan: _Plan, scale: float) -> npt.NDArray[np.float32]:
    window = signal.get_window("hann", plan.segment)
    gain = 2.0 / (window.sum() * scale)
    levels = np.empty((plan.segment // 2 + 1, plan.columns), np.float32)
    for column in range(plan.columns):
        samples = reader.column(column)
        views = np.lib.stride_tricks.sliding_window_view(samples, plan.segment)[:: plan.segment // 2]
        powers = np.abs(np.fft.rfft(signal.detrend(views, type="constant") * window)) ** 2
        with np.errstate(divide="ignore"):
            levels[:, column] = np.maximum(10 * np.log10(powers.mean(axis=0) * gain * gain), _FAINTEST_DB)
        if not np.isfinite(samples).all() or not samples.any():
            levels[:, column] = np.nan
    return levels


def _full_scale(dtype: np.dtype[Any]) -> float:
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0


def _decibels(amplitude: float) -> float:
    return 20 * math.log10(amplitude) if amplitude > 0 else 0.0
