"""Chunks of samples at a rate put together; what is missing between them is silence.

They are chunks of sound, such as `atlas_collector/AudioChunk`, or of other signals, such as
`atlas_collector/Acceleration`.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bags.losses import Losses
from bags.messages import Field
from bags.raw import by_channel, new_file
from bags.signals import NANOSECONDS, Channel

_FRAME_KINDS = ("uint8", "uint16", "uint32", "uint64", "int32", "int64")
_RATE_KINDS = ("float32", "float64", *_FRAME_KINDS)
_LOWEST_RATE, _HIGHEST_RATE = 1e-3, 1e7  # samples per second
_MOST_SILENCE_BYTES = 1 << 30  # besides four times what was recorded: numbers of frames are claims
_CLOCK_SECONDS, _CLOCK_DRIFT = 2.0, 1e-3  # how far frames and times may part before frames count anew


class Chunk(NamedTuple):
    """A chunk of sound or of another signal; `data` are its frames one after the other."""

    sample_rate: float
    channels: int
    first_frame: int
    data: bytes


def is_sound(fields: Sequence[Field]) -> bool:
    """Whether messages with these fields are chunks: `uint8[] data`, `sample_rate` and `channels`."""
    kinds = {field.name: (field.kind, field.length) for field in fields}
    has_data = kinds.get("data") in (("uint8", 0), ("byte", 0), ("octet", 0))
    return has_data and all(
        name in kinds and kinds[name][0] in _FRAME_KINDS and kinds[name][1] is None
        for name in ("sample_rate", "channels")
    )


def signals_of(fields: Sequence[Field]) -> list[str]:
    """The fields that are signals, of chunks of several: `float32[]` beside `sample_rate` and `first_sample`."""
    kinds = {field.name: (field.kind, field.length) for field in fields}
    rate, first = (kinds.get(name, ("", 0)) for name in ("sample_rate", "first_sample"))
    if rate[1] is not None or first[1] is not None or rate[0] not in _RATE_KINDS or first[0] not in _FRAME_KINDS:
        return []
    return [name for name, kind in kinds.items() if kind == ("float32", 0)]


def chunk_of(message: Any, names: Sequence[str]) -> Chunk | None:
    """The signals of a message as one chunk; None if they are not equally long or their rate is none."""
    signals = [np.asarray(getattr(message, name), "<f4") for name in names]
    rate = float(message.sample_rate)
    if len({len(signal) for signal in signals}) != 1 or not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
        return None
    return Chunk(rate, len(names), int(message.first_sample), np.stack(signals, axis=1).tobytes())


class Chunks:
    """Interleaved samples as they come in chunks: of 16 bits, little end first, unless another type is named.

    A chunk was sent when it was complete: its time is that of its end. Its place is the number of its first frame, or
    behind the one before if chunks have no such number. Where the number does not fit the chunk's time, the recorder
    was started anew, and the time gives the place.
    """

    def __init__(self, name: str, folder: Path, losses: Losses, dtype: str = "<i2") -> None:
        """Takes chunks of what `name` says, such as `sound microphones`."""
        self._name, self._losses = name, losses
        self._path, self._dtype = new_file(folder), np.dtype(dtype)
        self._rate, self._width, self._frame_bytes = 0.0, 0, 1
        self._start_ns = self._base = self._end = self._received = 0
        self._gaps: list[tuple[int, int]] = []  # in frames

    def add(self, time_ns: int, chunk: Any) -> None:
        """Adds a chunk that was complete at a time in nanoseconds since 1970."""
        if not self._rate:
            self._begin(time_ns, chunk)
        if (chunk.sample_rate, chunk.channels) != (self._rate, self._width) or not self._rate:
            self._losses.count(f"chunks of {self._name} have another rate or number of channels")
            return
        frames = len(chunk.data) // self._frame_bytes
        place = self._place(self._start_of(time_ns, frames), getattr(chunk, "first_frame", None))
        most = self._received * 4 + _MOST_SILENCE_BYTES // self._frame_bytes
        if place < 0 or place - self._end > most:
            self._losses.count(f"chunks of {self._name} lie before its beginning or too far behind the others")
            return
        self._write(place, frames, memoryview(chunk.data)[: frames * self._frame_bytes])

    def _begin(self, time_ns: int, chunk: Any) -> None:
        if chunk.sample_rate > 0 and chunk.channels > 0:
            self._rate, self._width = float(chunk.sample_rate), int(chunk.channels)
            self._frame_bytes = self._dtype.itemsize * self._width
            self._start_ns = max(0, self._start_of(time_ns, len(chunk.data) // self._frame_bytes))
            self._base = int(getattr(chunk, "first_frame", 0))

    def _start_of(self, end_ns: int, frames: int) -> int:
        return end_ns - round(frames * NANOSECONDS / self._rate)

    def _place(self, time_ns: int, first_frame: int | None) -> int:
        if first_frame is None:
            return self._end
        seconds = (time_ns - self._start_ns) / NANOSECONDS
        place = int(first_frame) - self._base
        if abs(place / self._rate - seconds) <= _CLOCK_SECONDS + abs(seconds) * _CLOCK_DRIFT:
            return place
        place = max(round(seconds * self._rate), self._end)
        self._base = int(first_frame) - place
        return place

    def _write(self, place: int, frames: int, content: memoryview) -> None:
        with self._path.open("r+b" if self._path.exists() else "wb") as stream:
            stream.seek(place * self._frame_bytes)
            stream.write(content)
        if place > self._end:
            self._gaps.append((self._end, place))
        elif place < self._end:
            self._gaps = [part for gap in self._gaps for part in _without(gap, place, place + frames)]
        self._end = max(self._end, place + frames)
        self._received += frames

    def channels(self, name_of: Callable[[int], tuple[str, str]]) -> Iterator[Channel]:
        """The channels, whose names and units are asked by their numbers from 0 on."""
        if not self._end:
            return
        values = by_channel(self._path, self._dtype.str, (self._end, self._width))
        gaps = [(self._time_of(first), self._time_of(stop)) for first, stop in self._gaps]
        if missing := sum(stop - first for first, stop in self._gaps):
            seconds = missing / self._rate
            self._losses.add(f"{seconds:.3f} s of {self._name} are missing, in {len(gaps)} gap{'s' * (len(gaps) > 1)}.")
        for number in range(self._width):
            name, unit = name_of(number)
            yield Channel(
                name=name,
                unit=unit,
                values=values[number],
                rate_hz=self._rate,
                start_ns=self._start_ns,
                gaps=gaps,
            )

    def _time_of(self, frame: int) -> int:
        return self._start_ns + round(frame * NANOSECONDS / self._rate)


def _without(gap: tuple[int, int], first: int, stop: int) -> Iterator[tuple[int, int]]:
    """What remains of a gap when frames come late."""
    for part in ((gap[0], min(gap[1], first)), (max(gap[0], stop), gap[1])):
        if part[0] < part[1]:
            yield part
