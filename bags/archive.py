"""A decoded recording in two files that are read in parts: any zoom of any channel costs a bounded number of bytes.

`samples.bin` holds, of each channel, its samples, then levels of minima and maxima: a block of level k covers 16 ** k
samples. The times of channels without a rate have levels too: each sixteenth time of the level below, to search in.
`index.json` says where what is, and what the samples are like as a whole; it is written last.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from atlas.errors import AtlasError
from bags import statistics
from bags.signals import NANOSECONDS, Channel, Signals
from bags.statistics import Statistics, Summary

SAMPLES_FILE = "samples.bin"
INDEX_FILE = "index.json"
VERSION = 1
FACTOR = 16
MAX_POINTS = 4000

_TOP_BLOCKS = 1024  # a level this short has none above it
_PIECE = FACTOR << 12  # samples that are in memory at once: few enough for a processor's cache


class ArchiveError(AtlasError):
    """The archive was written by a newer version of Atlas, or has no such channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedChannel:
    """A channel without its samples.

    Attributes:
        samples: how many there are.
        dtype: of the samples, as numpy writes it.
        end_ns: one sample after the last at a rate, else the last.
        offset: the first byte of its samples in `samples.bin`; their levels follow.
        times_offset: the same of its times; None at a rate.
    """

    name: str
    unit: str
    rate_hz: float | None
    samples: int
    dtype: str
    gaps: tuple[tuple[int, int], ...]
    start_ns: int
    end_ns: int
    offset: int
    times_offset: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What to draw of a window: each point covers the samples from its time to the next point's.

    Attributes:
        times: (n,) seconds since the recording began.
        minima, maxima: (n,) over the samples of each point; NaN where all of them are.
    """

    times: npt.NDArray[np.float64]
    minima: npt.NDArray[np.float64]
    maxima: npt.NDArray[np.float64]


def write(signals: Signals, folder: Path) -> list[Path]:
    """Writes an archive into a folder that exists; the files in the order in which they are to be stored."""
    times: dict[int, int] = {}
    samples, index = folder / SAMPLES_FILE, folder / INDEX_FILE
    found = [_with_pauses(channel) for channel in signals.channels]
    with samples.open("w+b") as stream:
        channels = [asdict(_write_channel(stream, channel, times)) for channel in found]
    document = {
        "version": VERSION,
        "start_ns": signals.start_ns,
        "duration_seconds": signals.duration_seconds,
        "is_dated": signals.is_dated,
        "losses": signals.losses,
        "channels": channels,
        "statistics": [asdict(statistics.of(channel)) for channel in found],
    }
    index.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return [samples, index]


def in_folder(folder: Path) -> "Archive":
    """The archive whose files lie in a folder, as `write` leaves them."""
    return Archive(lambda name, first, stop: _part(folder / name, first, stop))


def _part(path: Path, first: int, stop: int) -> bytes:
    """Some bytes of a file. Whoever reads to its end may ask for far more: memory is taken for those that there are."""
    with path.open("rb") as stream:
        stop = min(stop, stream.seek(0, os.SEEK_END))
        stream.seek(first)
        return stream.read(stop - first)


class Archive:
    """Reads an archive in parts.

    Args:
        read: the bytes of a file of the archive: its name, the first byte, and the one after the last.

    Raises:
        ArchiveError: by any method, for a name that no channel has or an archive of a newer version.
    """

    def __init__(self, read: Callable[[str, int, int], bytes], *, index: bytes | None = None) -> None:
        self._read = read
        self._document = json.loads(read(INDEX_FILE, 0, 1 << 30) if index is None else index)
        if self._document["version"] > VERSION:
            raise ArchiveError("the decoded recording was written by a newer version of Atlas; install that one")

    @cached_property
    def channels(self) -> tuple[ArchivedChannel, ...]:
        """In the order of the recording."""
        return tuple(_channel_from(document) for document in self._document["channels"])

    @property
    def start_ns(self) -> int:
        """When the first channel begins, in nanoseconds since 1970."""
        return int(self._document["start_ns"])

    @property
    def duration_seconds(self) -> float:
        """From the first sample to the last end."""
        return float(self._document["duration_seconds"])

    @property
    def is_dated(self) -> bool:
        """Whether the times are true; a file that does not tell its time begins in 1970."""
        return bool(self._document["is_dated"])

    @property
    def losses(self) -> tuple[str, ...]:
        """What could not be saved of a damaged file, each as a sentence."""
        return tuple(self._document["losses"])

    def envelope(self, name: str, start_seconds: float, end_seconds: float, points: int) -> Envelope:
        """At most `points` (of 4000 at most) minima and maxima of a window, in seconds since the recording began.

        Reads about 32 values for each point, however long the window is.
        """
        channel, points = self.channel(name), min(max(points, 1), MAX_POINTS)
        first, stop = self._window(channel, start_seconds, end_seconds)
        level = _level_for(stop - first, points, len(_level_sizes(channel.samples)))
        block = FACTOR**level
        first, stop = first // block, -(-stop // block)
        low, high = self._extremes(channel, level, first, stop)
        starts = np.unique(np.linspace(0, stop - first, points, endpoint=False).astype(np.int64))
        if stop == first:
            starts = starts[:0]
        return Envelope(
            times=self._seconds(channel, level, first, stop)[starts],
            minima=np.fmin.reduceat(low, starts) if len(starts) else low,
            maxima=np.fmax.reduceat(high, starts) if len(starts) else high,
        )

    def values(self, name: str, start_seconds: float, end_seconds: float) -> Channel:
        """The samples of a window, in seconds since the recording began: those from its start until before its end."""
        span = self.span(name, start_seconds, end_seconds)
        found = self.samples(name, span)
        start_ns = found.start_ns if found.times is None else self._moment(start_seconds)
        end_ns = self._moment(end_seconds)
        gaps = [gap for gap in found.gaps if gap[0] < end_ns and gap[1] > start_ns]
        return replace(found, start_ns=start_ns, gaps=gaps)

    def span(self, name: str, start_seconds: float, end_seconds: float) -> range:
        """Which samples of a channel are in a window: their numbers, for `samples`."""
        return range(*self._window(self.channel(name), start_seconds, end_seconds))

    def samples(self, name: str, span: range) -> Channel:
        """A channel's samples by their numbers; with all gaps of the channel."""
        channel = self.channel(name)
        first, stop = span.start, span.stop
        return Channel(
            name=name,
            unit=channel.unit,
            values=self._array(channel.offset, np.dtype(channel.dtype), first, stop),
            rate_hz=channel.rate_hz,
            times=None if channel.times_offset is None else self._times(channel, 0, first, stop),
            start_ns=channel.start_ns if channel.times_offset is not None else _time_at(channel, first),
            gaps=channel.gaps,
        )

    def channel(self, name: str) -> ArchivedChannel:
        """The channel of this name."""
        for channel in self.channels:
            if channel.name == name:
                return channel
        raise ArchiveError(f"the recording has no channel {name!r}")

    def statistics(self, name: str) -> Statistics:
        """What the channel's samples are like. They are all read if the archive does not tell, as older ones do not."""
        number = self.channels.index(self.channel(name))
        known = self._document.get("statistics")
        return Statistics(**known[number]) if known else self._summed(self.channels[number])

    def _summed(self, channel: ArchivedChannel) -> Statistics:
        summary, rate = Summary(), channel.rate_hz
        for first in range(0, channel.samples, statistics.PIECE):
            stop = min(first + statistics.PIECE, channel.samples)
            statistics.add(summary, self.samples(channel.name, range(first, stop)))
        if rate is None:
            rate = statistics.average_rate(channel.samples, channel.end_ns - channel.start_ns)
        return summary.statistics(rate_hz=rate, gaps=channel.gaps)

    def _moment(self, seconds: float) -> int:
        return self.start_ns + round(seconds * NANOSECONDS)

    def _window(self, channel: ArchivedChannel, start_seconds: float, end_seconds: float) -> tuple[int, int]:
        first, stop = (self._index_at(channel, self._moment(seconds)) for seconds in (start_seconds, end_seconds))
        return first, max(first, stop)

    def _index_at(self, channel: ArchivedChannel, time_ns: int) -> int:
        if channel.times_offset is None:
            whole = np.broadcast_to(np.int8(0), (channel.samples,))  # of no memory
            return Channel(
                name=channel.name, values=whole, rate_hz=channel.rate_hz, start_ns=channel.start_ns
            ).index_at(time_ns)
        sizes = _level_sizes(channel.samples)
        first, stop = 0, sizes[-1]
        for level in range(len(sizes) - 1, -1, -1):
            found = first + int(np.searchsorted(self._times(channel, level, first, stop), time_ns))
            first, stop = max(found - 1, 0) * FACTOR, min(found * FACTOR, sizes[level - 1])
        return found

    def _extremes(
        self, channel: ArchivedChannel, level: int, first: int, stop: int
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        dtype = np.dtype(channel.dtype)
        if level == 0:
            values: npt.NDArray[np.float64] = self._array(channel.offset, dtype, first, stop).astype(np.float64)
            return values, values
        before = _bytes_before(channel.samples, level, dtype.itemsize, of_one=2 * dtype.itemsize)
        pairs = self._array(channel.offset + before, dtype, 2 * first, 2 * stop).reshape(-1, 2)
        return pairs[:, 0].astype(np.float64), pairs[:, 1].astype(np.float64)

    def _seconds(self, channel: ArchivedChannel, level: int, first: int, stop: int) -> npt.NDArray[np.float64]:
        if channel.times_offset is not None:
            since: npt.NDArray[np.int64] = self._times(channel, level, first, stop) - self.start_ns
            return since.astype(np.float64) / NANOSECONDS
        samples = np.arange(first, stop, dtype=np.float64) * float(FACTOR**level)
        return (channel.start_ns - self.start_ns) / NANOSECONDS + samples / (channel.rate_hz or 1.0)

    def _times(self, channel: ArchivedChannel, level: int, first: int, stop: int) -> npt.NDArray[np.int64]:
        before = _bytes_before(channel.samples, level, 8, of_one=8)
        return self._array((channel.times_offset or 0) + before, np.dtype("<i8"), first, stop)

    def _array(self, offset: int, dtype: np.dtype[Any], first: int, stop: int) -> npt.NDArray[Any]:
        if stop <= first:
            return np.empty(0, dtype)
        content = self._read(SAMPLES_FILE, offset + first * dtype.itemsize, offset + stop * dtype.itemsize)
        return np.frombuffer(content, dtype)


def _channel_from(document: dict[str, Any]) -> ArchivedChannel:
    return ArchivedChannel(**{**document, "gaps": tuple((start, end) for start, end in document["gaps"])})


def _time_at(channel: ArchivedChannel, index: int) -> int:
    return channel.start_ns + round(index * NANOSECONDS / (channel.rate_hz or 1.0))


def _level_sizes(samples: int) -> list[int]:
    """How many blocks each level has; level 0 are the samples."""
    sizes = [samples]
    while sizes[-1] > _TOP_BLOCKS:
        sizes.append(-(-sizes[-1] // FACTOR))
    return sizes


def _level_for(samples: int, points: int, levels: int) -> int:
    """The coarsest level that has a block for each point."""
    level = 0
    while level + 1 < levels and samples // FACTOR ** (level + 1) >= points:
        level += 1
    return level


def _bytes_before(samples: int, level: int, of_sample: int, *, of_one: int) -> int:
    sizes = _level_sizes(samples)[:level]
    return samples * of_sample + sum(sizes[1:]) * of_one if level else 0


def _with_pauses(channel: Channel) -> Channel:
    """The channel; one without a rate with the gaps in which its sensor said nothing."""
    if channel.times is None or channel.gaps:
        return channel
    return replace(channel, gaps=statistics.pauses(channel.times))


def _write_channel(stream: BinaryIO, channel: Channel, known_times: dict[int, int]) -> ArchivedChannel:
    values = channel.values.view(np.uint8) if channel.values.dtype == bool else channel.values
    dtype = values.dtype.newbyteorder("<")
    offset = _aligned_end(stream)
    for piece in _pieces(values):
        stream.write(np.ascontiguousarray(piece, dtype).data)
    _write_levels(stream, values, dtype)
    return ArchivedChannel(
        name=channel.name,
        unit=channel.unit,
        rate_hz=channel.rate_hz,
        samples=len(values),
        dtype=dtype.str,
        gaps=tuple((int(start), int(end)) for start, end in channel.gaps),
        start_ns=channel.time_at(0) if len(values) else channel.start_ns,
        end_ns=channel.end_ns,
        offset=offset,
        times_offset=None if channel.times is None else _write_times(stream, channel.times, known_times),
    )


def _aligned_end(stream: BinaryIO) -> int:
    stream.write(b"\0" * (-stream.tell() % 8))
    return stream.tell()


def _pieces(values: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    for first in range(0, len(values), _PIECE):
        yield values[first : first + _PIECE]


def _write_levels(stream: BinaryIO, values: npt.NDArray[Any], dtype: np.dtype[Any]) -> None:
    low, high = values, values
    for size in _level_sizes(len(values))[1:]:
        start = stream.tell()
        for below, above in zip(_pieces(low), _pieces(high), strict=True):
            pairs = [_blocks(np.fmin, below), _blocks(np.fmax, above)]
            stream.write(np.stack(pairs, axis=1).astype(dtype, copy=False).data)
        stream.flush()
        level = np.memmap(stream, dtype, "r", start, (size, 2))
        low, high = level[:, 0], level[:, 1]


def _blocks(extreme: np.ufunc, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The extreme of each block, found between halves: of so few samples a reduction takes several times as long."""
    if missing := -len(values) % FACTOR:
        values = np.pad(values, (0, missing), "edge")
    for _ in range(FACTOR.bit_length() - 1):
        values = extreme(values[::2], values[1::2])
    return values


def _write_times(stream: BinaryIO, times: npt.NDArray[np.int64], known: dict[int, int]) -> int:
    """Channels of one message type share their times: these are written once."""
    if id(times) not in known:
        known[id(times)] = _aligned_end(stream)
        for level in range(len(_level_sizes(len(times)))):
            for piece in _pieces(times[:: FACTOR**level]):
                stream.write(np.ascontiguousarray(piece, "<i8").data)
    return known[id(times)]
