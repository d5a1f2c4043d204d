"""Chunks of sound, such as `atlas_collector/AudioChunk`, put together; what is missing between them is silence."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bags.losses import Losses
from bags.messages import Field
from bags.raw import mapped, new_file
from bags.signals import NANOSECONDS, Channel

_FRAME_KINDS = ("uint8", "uint16", "uint32", "uint64", "int32", "int64")
_MOST_SILENCE_BYTES = 1 << 30  # besides four times what was recorded: numbers of frames are claims
_CLOCK_SECONDS, _CLOCK_DRIFT = 1.0, 1e-3  # how far frames and times may part before frames count anew


def is_sound(fields: Sequence[Field]) -> bool:
    """Whether messages with these fields are chunks: `uint8[] data`, `sample_rate` and `channels`."""
    kinds = {field.name: (field.kind, field.length) for field in fields}
    has_data = kinds.get("data") in (("uint8", 0), ("byte", 0), ("octet", 0))
    return has_data and all(
        name in kinds and kinds[name][0] in _FRAME_KINDS and kinds[name][1] is None
        for name in ("sample_rate", "channels")
    )


class Sound:
    """Interleaved samples of 16 bits, little end first, as they come in chunks.

    A chunk's place is the number of its first frame, or behind the one before if chunks have no such number. Where the
    number does not fit the chunk's time, the recorder was started anew, and the time gives the place. Chunks with such
    a number hold what was heard until their time, those without what was heard from it on.
    """

    def __init__(self, name: str, folder: Path, losses: Losses) -> None:
        self._name, self._losses = name, losses
        self._path = new_file(folder)
        self._rate = self._width = 0
        self._start_ns = self._base = self._end = self._received = 0
        self._gaps: list[tuple[int, int]] = []  # in frames

    def add(self, time_ns: int, chunk: Any) -> None:
        """Adds a chunk that was taken at a time in nanoseconds since 1970."""
        time_ns -= _heard_before_ns(chunk)
        if not self._rate:
            self._begin(time_ns, chunk)
        if (chunk.sample_rate, chunk.channels) != (self._rate, self._width) or not self._rate:
            self._losses.count(f"chunks of sound {self._name} have another rate or number of channels")
            return
        frames = len(chunk.data) // (2 * self._width)
        place = self._place(time_ns, getattr(chunk, "first_frame", None))
        most = (self._received * 4 * self._width * 2 + _MOST_SILENCE_BYTES) // (2 * self._width)
        if place < 0 or place - self._end > most:
            self._losses.count(f"chunks of sound {self._name} lie before its beginning or too far behind the others")
            return
        self._write(place, frames, bytes(chunk.data[: frames * 2 * self._width]))

    def _begin(self, time_ns: int, chunk: Any) -> None:
        if chunk.sample_rate > 0 and chunk.channels > 0:
            self._rate, self._width, self._start_ns = int(chunk.sample_rate), int(chunk.channels), time_ns
            self._base = int(getattr(chunk, "first_frame", 0))

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

    def _write(self, place: int, frames: int, content: bytes) -> None:
        with self._path.open("r+b" if self._path.exists() else "wb") as stream:
            stream.seek(place * 2 * self._width)
            stream.write(content)
        if place > self._end:
            self._gaps.append((self._end, place))
        elif place < self._end:
            self._gaps = [part for gap in self._gaps for part in _without(gap, place, place + frames)]
        self._end = max(self._end, place + frames)
        self._received += frames

    def channels(self) -> Iterator[Channel]:
        """One for each microphone: `topic.1`, `topic.2`, …"""
        if not self._end:
            return
        values = mapped(self._path, "<i2", (self._end, self._width))
        gaps = [(self._time_of(first), self._time_of(stop)) for first, stop in self._gaps]
        if missing := sum(stop - first for first, stop in self._gaps):
            seconds = missing / self._rate
            self._losses.add(f"{seconds:.3f} s of sound {self._name} are missing, in {len(gaps)} gaps.")
        for number in range(self._width):
            yield Channel(
                name=f"{self._name}.{number + 1}",
                values=values[:, number],
                rate_hz=float(self._rate),
                start_ns=self._start_ns,
                gaps=gaps,
            )

    def _time_of(self, frame: int) -> int:
        return self._start_ns + round(frame * NANOSECONDS / self._rate)


def _heard_before_ns(chunk: Any) -> int:
    """How long before the chunk's time its first frame was heard."""
    frame_bytes = 2 * int(chunk.channels)
    if not hasattr(chunk, "first_frame") or frame_bytes <= 0 or chunk.sample_rate <= 0:
        return 0
    return round(len(chunk.data) // frame_bytes * NANOSECONDS / int(chunk.sample_rate))


def _without(gap: tuple[int, int], first: int, stop: int) -> Iterator[tuple[int, int]]:
    """What remains of a gap when frames come late."""
    for part in ((gap[0], min(gap[1], first)), (max(gap[0], stop), gap[1])):
        if part[0] < part[1]:
            yield part
