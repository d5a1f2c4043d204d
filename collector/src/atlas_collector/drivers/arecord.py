"""ALSA's recorder `arecord`, run as a child: what a sound card offers, and its samples."""

import os
import re
import selectors
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from atlas_collector.drivers import SensorError
from atlas_collector.drivers.background import Background

SAMPLE_BYTES = {"S16_LE": 2, "S32_LE": 4}  # by format; the first that a card offers is used

_SECONDS = 5.0  # that a question to a card may take
_PERIOD_MICROSECONDS = 20_000  # how late frames come at most
_BUFFER_MICROSECONDS = 1_000_000  # how long the card waits for a busy machine before it loses frames
_CARD = re.compile(r"^card (\d+): .*, device (\d+): ", re.MULTILINE)
_OFFERED = re.compile(r"^(FORMAT|CHANNELS|RATE): +(.*)$", re.MULTILINE)
_OVERRUN = re.compile(rb"overrun!!! \(at least ([\d.]+) ms long\)")
_UNBOUNDED = 1 << 32
_PIECE = 1 << 16
_MOST_COMPLAINTS = 4096
_WAIT = 0.2  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a sound card can record.

    Attributes:
        formats: of samples, as ALSA names them.
        channels: the fewest and the most.
        rates: the lowest and the highest, in frames per second.
    """

    formats: frozenset[str]
    channels: tuple[int, int]
    rates: tuple[int, int]


def only_card() -> str:
    """The device of the only sound card that records.

    Raises:
        SensorError: there is none, or there are several.
    """
    cards = [f"hw:{card},{device}" for card, device in _CARD.findall(_ask("-l").stdout)]
    if not cards:
        raise SensorError("no sound card that records is plugged in: check the USB cable of the microphones")
    if len(cards) > 1:
        raise SensorError(f"several sound cards record: set 'device' of the microphones to one of {', '.join(cards)}")
    return cards[0]


def offer(device: str, *, channels: int, rate: int) -> Offer:
    """What a card can record; it is asked for one frame.

    Raises:
        SensorError: it is not there, or something else is recording from it.
    """
    asked = _ask("--dump-hw-params", "--samples=1", *_options(device, "S16_LE", channels, rate), "/dev/null")
    offered = dict(_OFFERED.findall(asked.stderr))
    if offered.keys() != {"FORMAT", "CHANNELS", "RATE"}:
        raise SensorError(f"the sound card {device} does not answer ({last_line(asked.stderr)}): is it plugged in?")
    formats = frozenset(offered["FORMAT"].split())
    return Offer(formats=formats, channels=_bounds(offered["CHANNELS"]), rates=_bounds(offered["RATE"]))


class Recording:
    """A child that records until it is closed, and the thread that listens to it."""

    def __init__(
        self,
        device: str,
        sample_format: str,
        *,
        channels: int,
        rate: int,
        hear: Callable[[bytes], None],
        lose: Callable[[float], None],
    ) -> None:
        """Starts to record.

        Args:
            hear: is given whole frames of 16 bits as they come.
            lose: is given how many seconds the card lost because nobody fetched them.
        """
        times = (f"--period-time={_PERIOD_MICROSECONDS}", f"--buffer-time={_BUFFER_MICROSECONDS}")
        command = ("arecord", "-q", *times, *_options(device, sample_format, channels, rate))
        self._child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment())
        self._device, self._hear, self._lose = device, hear, lose
        self._sample_bytes = SAMPLE_BYTES[sample_format]
        self._frame_bytes = channels * self._sample_bytes
        self._begun = self._complaints = b""  # the start of a frame, and what was complained last
        self._streams = selectors.DefaultSelector()
        self._streams.register(self._stream(self._child.stdout), selectors.EVENT_READ, self._receive)
        self._streams.register(self._stream(self._child.stderr), selectors.EVENT_READ, self._note)
        self._thread = Background(self._step)

    def check(self) -> None:
        """Raises SensorError if the child has ended."""
        self._thread.check()

    def close(self) -> None:
        """Ends the child."""
        self._child.kill()
        self._thread.stop()
        self._streams.close()
        self._child.communicate()

    def _stream(self, stream: IO[bytes] | None) -> IO[bytes]:
        if stream is None:
            raise ValueError("the child has no pipes")
        return stream

    def _step(self) -> None:
        for key, _ in self._streams.select(_WAIT):
            key.data(os.read(key.fd, _PIECE))

    def _receive(self, content: bytes) -> None:
        if not content:
            said = last_line(self._complaints.decode(errors="replace"))
            raise SensorError(f"the sound card {self._device} records no more ({said}): is it plugged in?")
        content = self._begun + content
        whole = len(content) - len(content) % self._frame_bytes
        self._begun = content[whole:]
        self._hear(high_halves(content[:whole]) if self._sample_bytes == 4 else content[:whole])

    def _note(self, complaint: bytes) -> None:
        if not complaint:
            self._streams.unregister(self._stream(self._child.stderr))
        lines = (self._complaints + complaint)[-_MOST_COMPLAINTS:]
        for milliseconds in _OVERRUN.findall(lines):
            self._lose(float(milliseconds) / 1000)
        self._complaints = _OVERRUN.sub(b"", lines)


def high_halves(samples: bytes) -> bytes:
    """The high 16 of each 32 bits, low byte first."""
    halves = bytearray(len(samples) // 2)
    halves[0::2], halves[1::2] = samples[2::4], samples[3::4]
    return bytes(halves)


def last_line(complaints: str) -> str:
    """What a program said last."""
    return (complaints.strip().splitlines() or ["it says nothing"])[-1]


def _options(device: str, sample_format: str, channels: int, rate: int) -> tuple[str, ...]:
    return ("-D", device, "-t", "raw", "-f", sample_format, "-c", str(channels), "-r", str(rate))


def _ask(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ("arecord", *arguments),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            env=_environment(),
            check=False,
        )
    except FileNotFoundError as error:
        raise SensorError("the program arecord is not installed: install Debian's package alsa-utils") from error
    except subprocess.TimeoutExpired as error:
        raise SensorError(f"the sound card has not answered for {_SECONDS:.0f} s: plug it in again") from error


def _environment() -> dict[str, str]:
    """Complaints are read, so they must be English."""
    return {**os.environ, "LC_ALL": "C"}


def _bounds(text: str) -> tuple[int, int]:
    """Of `8`, `[1 8]`, `(0 48000]` or `ALL`."""
    numbers = [int(digits) for digits in re.findall(r"\d+", text)] or [0, _UNBOUNDED]
    return numbers[0], numbers[-1]
