"""Acceleration: an Analog Devices ADXL345 on the I2C bus.

The chip measures at its own rate, and keeps its newest 32 samples until they are fetched; a thread fetches them often.
"""

import sys
import time
from array import array
from collections.abc import Callable, Mapping

from atlas_collector.drivers import Driver, SensorError, i2c, options
from atlas_collector.drivers.background import Background
from atlas_collector.drivers.running import Running

STANDARD_GRAVITY = 9.80665  # m/s²
METRES_PER_STEP = STANDARD_GRAVITY / 256  # what one step of a sample means at full resolution

DEVICE_ID, RATE, POWER, FORMAT, SAMPLE, FIFO, FIFO_STATUS = 0x00, 0x2C, 0x2D, 0x31, 0x32, 0x38, 0x39  # registers
ADXL345 = 0xE5  # what the device's register says
FIFO_SAMPLES = 32

_RATES = {100: 0x0A, 200: 0x0B, 400: 0x0C, 800: 0x0D}  # samples per second, as the chip writes them
_STANDBY, _MEASURE = 0x00, 0x08
_FULL_RESOLUTION_16_G = 0x0B
_BYPASS, _STREAM = 0x00, 0x80
_SAMPLE_BYTES = 6
_MOST_SECONDS = 10  # that wait for a tick
_SILENCE = 1.0  # seconds
_FETCHED = 8  # samples at once, about: a quarter of what the chip keeps


class Accelerometer(Driver):
    """Gives all samples since the last time.

    Settings:
        bus: the number of the I2C bus, 1 unless set.
        address: of the chip on the bus, 83 (0x53) unless set, or 29 (0x1D).
        rate: samples per second: 100, 200, 400 (unless set) or 800, which needs a bus of 400 kHz.
    """

    message = "Acceleration"

    def __init__(self, settings: Mapping[str, object], connect: Callable[[int], i2c.Bus] | None = None) -> None:
        super().__init__(settings)
        self._connect = connect or i2c.connect
        self._number = options.whole(settings, "bus", 1, least=0, most=99)
        self._address = options.whole(settings, "address", 0x53, least=0x1D, most=0x53)
        self._rate = options.whole(settings, "rate", 400, least=min(_RATES), most=max(_RATES))
        if self._rate not in _RATES:
            raise options.OptionError(f"rate: {self._rate} is none of {', '.join(map(str, _RATES))}")
        self._samples = Running(sample_bytes=_SAMPLE_BYTES, most=self._rate * _MOST_SECONDS)
        self._bus: i2c.Bus | None = None
        self._thread: Background | None = None
        self._fetched_at = self._opened_at = 0.0

    @property
    def lost(self) -> int:
        """Samples that were lost so far."""
        return self._samples.lost

    def open(self) -> None:
        """Looks for the chip and lets it measure."""
        self._bus = bus = self._connect(self._number)
        try:
            device = bus.read_byte_data(self._address, DEVICE_ID)
            if device != ADXL345:
                raise self._gone(f"another chip is there, 0x{device:02x}")
            for register, value in self._setup():
                bus.write_byte_data(self._address, register, value)
        except OSError as error:
            raise self._gone(error) from error
        self._opened_at = time.monotonic()
        self._fetched_at = self._fetched_at or self._opened_at
        self._thread = Background(lambda: self._fetch(bus))

    def _setup(self) -> tuple[tuple[int, int], ...]:
        return (
            (POWER, _STANDBY),
            (RATE, _RATES[self._rate]),
            (FORMAT, _FULL_RESOLUTION_16_G),
            (FIFO, _BYPASS),  # which empties it
            (FIFO, _STREAM),
            (POWER, _MEASURE),
        )

    def _fetch(self, bus: i2c.Bus) -> None:
        try:
            waiting = bus.read_byte_data(self._address, FIFO_STATUS) & 0x3F
            samples = b"".join(self._sample(bus) for _ in range(waiting))
        except OSError as error:
            raise self._gone(error) from error
        if waiting:
            self._add(waiting, samples, time.monotonic())
        time.sleep(_FETCHED / self._rate)

    def _sample(self, bus: i2c.Bus) -> bytes:
        return bytes(bus.read_i2c_block_data(self._address, SAMPLE, _SAMPLE_BYTES))

    def _add(self, count: int, samples: bytes, now: float) -> None:
        """Where the chip could keep no more, or was away, the time says how many samples are missing."""
        if count >= FIFO_SAMPLES or self._fetched_at < self._opened_at:
            self._samples.skip(round((now - self._fetched_at) * self._rate) - count)
        self._fetched_at = now
        self._samples.add(samples)

    def read(self) -> Mapping[str, object] | None:
        """All samples since the last time, up to the next loss."""
        if self._thread is None:
            return None
        taken = self._samples.take()
        if taken is not None:
            return self._message(*taken)
        self._thread.check()
        if time.monotonic() - max(self._fetched_at, self._opened_at) > _SILENCE:
            raise self._gone("it measures nothing")
        return None

    def _message(self, first: int, samples: bytes) -> Mapping[str, object]:
        steps = array("h", samples)
        if sys.byteorder == "big":
            steps.byteswap()
        x, y, z = ([step * METRES_PER_STEP for step in steps[axis::3]] for axis in range(3))
        return {"sample_rate": float(self._rate), "first_sample": first, "x": x, "y": y, "z": z}

    def close(self) -> None:
        """Lets the thread end and gives the bus back."""
        if self._thread is not None:
            self._thread.stop()
        if self._bus is not None:
            self._bus.close()
        self._thread = self._bus = None

    def _gone(self, reason: object) -> SensorError:
        return SensorError(
            f"the accelerometer at 0x{self._address:02x} of I2C bus {self._number} does not answer ({reason}): "
            "check its wires"
        )
