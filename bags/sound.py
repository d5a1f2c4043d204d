"""Files of sound as channels `sound.1`, `sound.2`, …: WAV, FLAC, OGG and what else libsndfile reads."""

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile

from bags import dates
from bags.losses import Losses
from bags.raw import by_channel, new_file
from bags.signals import Channel, Signals, UnreadableError

MAGICS = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"FORM", b"caff")
_FRAMES = 1 << 16  # read at once
_DTYPES = {"PCM_S8": "int16", "PCM_U8": "int16", "PCM_16": "int16", "PCM_24": "int32", "PCM_32": "int32"}
_WAV_FORMATS = {(1, 8): "PCM_U8", (1, 16): "PCM_16", (1, 24): "PCM_24", (1, 32): "PCM_32", (3, 32): "FLOAT"}
_WAV_FORMATS |= {(3, 64): "DOUBLE", (6, 8): "ALAW", (7, 8): "ULAW"}
_EXTENSIBLE = 0xFFFE


def read(path: Path, folder: Path, *, filename: str) -> Signals:
    """The sound of a file; of one whose recorder was stopped, all samples that it holds.

    Raises:
        UnreadableError: it holds no sound that can be read.
    """
    losses = Losses()
    raw = _raw_wav(path, losses)
    start_ns = dates.from_filename(filename)
    try:
        with _opened(path, raw) as sound:
            channels = _channels(sound, folder, start_ns or 0, losses)
    except soundfile.LibsndfileError as error:
        raise UnreadableError(f"the sound cannot be read: {error}") from error
    return Signals(channels=channels, is_dated=start_ns is not None, losses=losses.sentences)


@dataclass(frozen=True, kw_only=True)
class _RawSound:
    """Samples without a header that can be trusted."""

    offset: int
    rate_hz: int
    channels: int
    subtype: str


class _Tail(io.RawIOBase):
    """A file from a position on, as if it began there."""

    def __init__(self, stream: BinaryIO, offset: int) -> None:
        self._stream, self._offset = stream, offset
        stream.seek(offset)

    def readinto(self, buffer: Any) -> int:
        content = self._stream.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        start = self._offset if whence == io.SEEK_SET else 0
        return max(self._stream.seek(start + position, whence) - self._offset, 0)

    def tell(self) -> int:
        return self._stream.tell() - self._offset


@contextmanager
def _opened(path: Path, raw: _RawSound | None) -> Iterator[soundfile.SoundFile]:
    with path.open("rb") as stream:
        if raw is None:
            with soundfile.SoundFile(stream) as sound:
                yield sound
            return
        tail = _Tail(stream, raw.offset)
        with soundfile.SoundFile(
            tail, samplerate=raw.rate_hz, channels=raw.channels, subtype=raw.subtype, format="RAW", endian="LITTLE"
        ) as sound:
            yield sound


def _channels(sound: soundfile.SoundFile, folder: Path, start_ns: int, losses: Losses) -> tuple[Channel, ...]:
    dtype, path = np.dtype(_DTYPES.get(sound.subtype, "float32")), new_file(folder)
    frames = 0
    with path.open("wb") as stream:
        for block in _blocks(sound, dtype, losses):
            stream.write(block.tobytes())
            frames += len(block)
    if frames < sound.frames < 1 << 62:
        losses.add(f"The file ends early: {sound.frames - frames} of {sound.frames} samples of each channel are lost.")
    values = by_channel(path, dtype, (frames, sound.channels))
    return tuple(
        Channel(name=f"sound.{number + 1}", values=values[number], rate_hz=float(sound.samplerate), start_ns=start_ns)
        for number in range(sound.channels if frames else 0)
    )


def _blocks(sound: soundfile.SoundFile, dtype: np.dtype[Any], losses: Losses) -> Iterator[Any]:
    try:
        while len(block := sound.read(_FRAMES, dtype=dtype.name, always_2d=True)):
            yield block
    except soundfile.LibsndfileError as error:
        losses.add(f"The sound is damaged behind what was read: {error}")


def _raw_wav(path: Path, losses: Losses) -> _RawSound | None:
    """Where the samples are if the header's sizes are wrong, as a recorder leaves them that is stopped midway."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(12)
        if start[:4] != b"RIFF" or start[8:12] != b"WAVE":
            return None
        sound_format: tuple[int, ...] = ()
        while len(head := stream.read(8)) == 8:
            name, length = struct.unpack("<4sI", head)
            if name == b"data":
                return _if_cut(stream.tell(), length, size, sound_format, losses)
            content = stream.read(min(length, 40)) if name == b"fmt " else b""
            sound_format = _wav_format(content) or sound_format
            stream.seek(length + length % 2 - len(content), io.SEEK_CUR)
    return None


def _wav_format(content: bytes) -> tuple[int, ...]:
    """Its code, channels, rate, bytes a second, bytes a frame and bits; nothing of another chunk."""
    if len(content) < 16:
        return ()
    code, *others = struct.unpack_from("<HHIIHH", content)
    if code == _EXTENSIBLE and len(content) >= 26:
        (code,) = struct.unpack_from("<H", content, 24)
    return (code, *others)


def _if_cut(offset: int, length: int, size: int, sound_format: tuple[int, ...], losses: Losses) -> _RawSound | None:
    is_open = length in (0, 0xFFFFFFFF)
    if len(sound_format) != 6 or offset >= size or (offset + length <= size and not is_open):
        return None
    code, channels, rate_hz, _, frame_bytes, bits = sound_format
    subtype = _WAV_FORMATS.get((code, bits))
    if subtype is None or not channels or not rate_hz or frame_bytes != channels * bits // 8:
        return None
    if is_open:
        losses.add("The recorder was stopped before it wrote how long the sound is; all samples in the file were read.")
    else:
        missing = (offset + length - size) // frame_bytes
        losses.add(f"The file ends early: the last {missing} samples of each channel are lost.")
    return _RawSound(offset=offset, rate_hz=rate_hz, channels=channels, subtype=subtype)
