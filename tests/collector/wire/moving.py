"""Chips that measure by themselves, in the nodes that tests start."""

import time

from tests.collector.chips import AccelerometerChip, GasChip

__all__ = ["GasChip", "MovingChip"]

RATE = 400  # samples per second


class MovingChip(AccelerometerChip):
    """Has measured at its rate whenever it is asked how much it has; a sample's x counts them."""

    def __init__(self) -> None:
        super().__init__()
        self._began, self._measured = time.monotonic(), 0

    def read_byte_data(self, i2c_addr: int, register: int) -> int:
        due = int((time.monotonic() - self._began) * RATE)
        self.measure((number % 1000, 0, 256) for number in range(self._measured, due))
        self._measured = due
        return super().read_byte_data(i2c_addr, register)
