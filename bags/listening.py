"""A part of a channel as a WAV file of which any bytes can be read, without the rest."""

import struct

import numpy as np

from bags.archive import Archive, ArchiveError

LOUDEST = 0.9
"""What the greatest sample becomes, of what a file can hold."""
LEAST_SOUND_HZ = 3000.0
"""What is sampled more slowly is no sound, and browsers play nothing slower."""

_HEADER_BYTES = 44
_SAMPLE_BYTES = 2
_LARGEST = (1 << 32) - 1 - _HEADER_BYTES  # bytes of samples that a WAV file can tell


class Listening:
    """One channel as 16-bit mono WAV: about the middle of the part's extremes, and scaled to them; so a quiet part is
    heard as well. Missing samples are silent.

    Args:
        archive: of the recording.
        name: the channel's.
        start_seconds, end_seconds: the part, since the recording began.

    Raises:
        ArchiveError: there is no such channel, or it is no sound.
    """

    def __init__(self, archive: Archive, name: str, start_seconds: float, end_seconds: float) -> None:
        channel = archive.channel(name)
        if (channel.rate_hz or 0.0) < LEAST_SOUND_HZ:
            raise ArchiveError(
                f"the channel {name!r} is no sound: it has fewer than {LEAST_SOUND_HZ:g} samples a second"
            )
        self._archive, self._name = archive, name
        self._rate = round(channel.rate_hz or 0.0)
        span = archive.span(name, start_seconds, end_seconds)
        self._span = span[: _LARGEST // _SAMPLE_BYTES]
        self._middle, self._gain = _scale(archive, name, start_seconds, end_seconds)

    @property
    def size_bytes(self) -> int:
        """Of the whole file."""
        return _HEADER_BYTES + _SAMPLE_BYTES * len(self._span)

    def read(self, first: int, stop: int) -> bytes:
        """The file's bytes from `first` until before `stop`."""
        start, end = (max(byte - _HEADER_BYTES, 0) for byte in (first, min(stop, self.size_bytes)))
        sample = start // _SAMPLE_BYTES
        content = self._content(sample, -(-end // _SAMPLE_BYTES))
        cut = content[start - sample * _SAMPLE_BYTES :][: max(end - start, 0)]
        return self._header()[first:stop] + cut if first < _HEADER_BYTES else cut

    def _header(self) -> bytes:
        size = _SAMPLE_BYTES * len(self._span)
        sound_format = (16, 1, 1, self._rate, _SAMPLE_BYTES * self._rate, _SAMPLE_BYTES, 8 * _SAMPLE_BYTES)
        parts = (b"RIFF", size + _HEADER_BYTES - 8, b"WAVE", b"fmt ", *sound_format, b"data", size)
        return struct.pack("<4sI4s4sIHHIIHH4sI", *parts)

    def _content(self, first: int, stop: int) -> bytes:
        samples = self._archive.samples(self._name, self._span[first:stop])
        scaled = (np.asarray(samples.values, np.float64) - self._middle) * self._gain
        return bytes(np.nan_to_num(np.clip(scaled, -32767, 32767)).astype("<i2").tobytes())


def _scale(archive: Archive, name: str, start_seconds: float, end_seconds: float) -> tuple[float, float]:
    """The middle of a part's least and greatest sample, and by what to multiply the distance from it."""
    found = archive.envelope(name, start_seconds, end_seconds, 1)
    if not len(found.times) or not np.isfinite(found.minima[0]):
        return 0.0, 0.0
    low, high = float(found.minima[0]), float(found.maxima[0])
    return (low + high) / 2, LOUDEST * 32767 * 2 / (high - low) if high > low else 0.0
