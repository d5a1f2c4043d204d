"""Particles in the air: a Plantower PMS5003 on a serial line.

The sensor sends 32 bytes at its own rhythm, every 0.2 to 2.3 s: 0x42 0x4D, the length of the rest, thirteen numbers of
two bytes, high byte first, and the sum of all bytes before it. The numbers 4 to 6 are concentrations in the atmosphere.
"""

import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass

import serial

from atlas_collector.drivers import Driver, SensorError, options
from atlas_collector.drivers.background import Background

FRAME_START = b"\x42\x4d\x00\x1c"
FRAME_BYTES = 32
_BAUD = 9600
_WAIT = 0.2  # seconds that the thread waits for bytes


@dataclass(frozen=True, slots=True)
class Concentrations:
    """Micrograms per cubic metre of particles of at most 1, 2.5 and 10 micrometres."""

    pm1_0: int
    pm2_5: int
    pm10: int


class Frames:
    """Finds frames in bytes as they come, whatever noise is between them."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, content: bytes) -> list[Concentrations]:
        """The frames that these bytes complete."""
        self._pending += content
        found = []
        while (start := self._pending.find(FRAME_START)) >= 0 and len(self._pending) - start >= FRAME_BYTES:
            frame = bytes(self._pending[start : start + FRAME_BYTES])
            words = struct.unpack(">16H", frame)
            if words[15] == sum(frame[:30]):
                found.append(Concentrations(*words[5:8]))
                del self._pending[: start + FRAME_BYTES]
            else:  # noise that looks like a start may be followed by a frame
                del self._pending[: start + 1]
        del self._pending[: start if start >= 0 else 1 - len(FRAME_START)]
        return found


class Particles(Driver):
    """Reads the newest value that the sensor sent, and says how old it is.

    Settings:
        port: the serial line, `/dev/serial0` unless set.
        silence: seconds without a value after which the sensor counts as unplugged, 5 unless set.
    """

    message = "ParticulateMatter"

    def __init__(self, settings: Mapping[str, object]) -> None:
        super().__init__(settings)
        self._port = options.text(settings, "port", "/dev/serial0")
        self._silence = options.number(settings, "silence", 5.0, least=0.1, most=60.0)
        self._line: serial.Serial | None = None
        self._thread: Background | None = None
        self._newest: tuple[float, Concentrations | None] = (0.0, None)  # with the monotonic time

    def open(self) -> None:
        """Opens the serial line."""
        try:
            line = serial.Serial(self._port, _BAUD, timeout=_WAIT)
        except OSError as error:
            raise SensorError(
                f"the serial line {self._port} cannot be opened ({error}): is the particle sensor plugged in, and the "
                "serial port switched on with raspi-config?"
            ) from error
        frames = Frames()
        self._line, self._newest = line, (time.monotonic(), None)
        self._thread = Background(lambda: self._receive(line, frames))

    def _receive(self, line: serial.Serial, frames: Frames) -> None:
        try:
            found = frames.feed(line.read(max(1, line.in_waiting)))
        except OSError as error:
            raise SensorError(f"the serial line {self._port} has gone ({error}): plug it in again") from error
        if found:
            self._newest = time.monotonic(), found[-1]

    def read(self) -> Mapping[str, object] | None:
        """The newest value with its age; None if none has come since opening."""
        if self._thread is not None:
            self._thread.check()
        measured_at, newest = self._newest
        age = time.monotonic() - measured_at
        if age > self._silence:
            raise SensorError(f"the particle sensor on {self._port} has sent nothing for {age:.0f} s: check its cable")
        if newest is None:
            return None
        return {"age": age, "pm1_0": newest.pm1_0, "pm2_5": newest.pm2_5, "pm10": newest.pm10}

    def close(self) -> None:
        """Closes the serial line."""
        if self._thread is not None and self._line is not None:
            self._thread.stop()
            self._line.close()
        self._thread = self._line = None
