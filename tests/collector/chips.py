"""Chips on an I2C bus, emulated register by register."""

import threading
from collections import deque
from collections.abc import Iterable
from typing import ClassVar

from atlas_collector.drivers import accelerometer

Sample = tuple[int, int, int]


class Chip:
    """Registers that keep what is written to them; unplugged, it does not answer."""

    def __init__(self, registers: dict[int, int]) -> None:
        self.registers = registers
        self.is_plugged_in = True
        self.written: list[tuple[int, int]] = []
        self.buses_open = 0

    def connect(self, _number: int) -> "Chip":
        """The bus that the chip is on."""
        self.buses_open += 1
        return self

    def close(self) -> None:
        self.buses_open -= 1

    def _answer(self) -> None:
        if not self.is_plugged_in:
            raise OSError(121, "Remote I/O error")

    def read_byte_data(self, i2c_addr: int, register: int) -> int:
        self._answer()
        return self.registers.get(register, 0)

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
        return [self.read_byte_data(i2c_addr, register + offset) for offset in range(length)]

    def write_byte_data(self, i2c_addr: int, register: int, value: int) -> None:
        self._answer()
        self.written.append((register, value))
        self.registers[register] = value


class GasChip(Chip):
    """A BME680 with its calibration, which has always just measured the same."""

    CALIBRATION: ClassVar[dict[str, int]] = {
        "t1": 26125, "t2": 26462, "t3": 3,
        "p1": 36185, "p2": -10316, "p3": 88, "p4": 6956, "p5": -82, "p6": 30, "p7": 42, "p8": -2745,
        "p9": -2606, "p10": 30,
        "h1": 777, "h2": 1022, "h3": 0, "h4": 45, "h5": 20, "h6": 120, "h7": -100,
    }  # fmt: skip

    def __init__(self, *, temperature: int = 486_000, pressure: int = 344_000, humidity: int = 21_000) -> None:
        """The arguments are what the converter of the chip counts."""
        super().__init__({0xD0: 0x61, 0xF0: 0x00, 0x1D: 0x80, 0x00: 0x2A, 0x02: 0x16, 0x04: 0x03})
        self._calibrate(self.CALIBRATION)
        for register, count in ((0x1F, pressure), (0x22, temperature)):
            self._put(register, count >> 12, count >> 4 & 0xFF, (count & 0x0F) << 4)
        self._put(0x25, humidity >> 8, humidity & 0xFF)
        self.set_gas(count=600, range_=3, is_warm=True)

    def set_gas(self, *, count: int, range_: int, is_warm: bool) -> None:
        """What the gas sensor measures, and whether its heater is as warm as it should be."""
        self._put(0x2A, count >> 2, (count & 0x03) << 6 | 0x20 | is_warm << 4 | range_)

    def _calibrate(self, numbers: dict[str, int]) -> None:
        for register, name in ((0x8A, "t2"), (0x8E, "p1"), (0x90, "p2"), (0x94, "p4"), (0x96, "p5"), (0x9C, "p8")):
            self._put(register, numbers[name] & 0xFF, numbers[name] >> 8 & 0xFF)
        self._put(0x9E, numbers["p9"] & 0xFF, numbers["p9"] >> 8 & 0xFF, numbers["p10"])
        for register, name in ((0x8C, "t3"), (0x92, "p3"), (0x98, "p7"), (0x99, "p6")):
            self._put(register, numbers[name] & 0xFF)
        h1, h2 = numbers["h1"], numbers["h2"]
        self._put(0xE1, h2 >> 4, (h2 & 0x0F) << 4 | h1 & 0x0F, h1 >> 4)
        self._put(0xE4, *(numbers[name] & 0xFF for name in ("h3", "h4", "h5", "h6", "h7")))
        self._put(0xE9, numbers["t1"] & 0xFF, numbers["t1"] >> 8)

    def _put(self, register: int, *values: int) -> None:
        self.registers.update(enumerate(values, register))


class AccelerometerChip(Chip):
    """An ADXL345: keeps its newest 32 samples until they are fetched one by one."""

    def __init__(self) -> None:
        super().__init__({accelerometer.DEVICE_ID: accelerometer.ADXL345})
        self._waiting: deque[Sample] = deque(maxlen=accelerometer.FIFO_SAMPLES)
        self._lock = threading.Lock()

    def measure(self, samples: Iterable[Sample]) -> None:
        """The chip measures this, in steps of 1/256 of gravity."""
        with self._lock:
            self._waiting.extend(samples)

    def read_byte_data(self, i2c_addr: int, register: int) -> int:
        with self._lock:
            self.registers[accelerometer.FIFO_STATUS] = len(self._waiting)
        return super().read_byte_data(i2c_addr, register)

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
        self._answer()
        assert (register, length) == (accelerometer.SAMPLE, 6)
        with self._lock:
            sample = self._waiting.popleft()
        return list(b"".join(value.to_bytes(2, "little", signed=True) for value in sample))
