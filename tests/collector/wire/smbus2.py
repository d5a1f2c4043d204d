"""Takes the place of smbus2 in the nodes that tests start: the bus leads to emulated chips.

A chip is unplugged while a file with its address, such as `0x76.unplugged`, is in the folder ATLAS_TEST_WIRE.
"""

import os
from pathlib import Path
from typing import Any

GAS, ACCELERATION = 0x76, 0x53


class SMBus:
    """The bus, as smbus2 has it."""

    def __init__(self, number: int) -> None:
        from tests.collector.wire.moving import GasChip, MovingChip  # which import the drivers, and they this

        self._chips: dict[int, Any] = {GAS: GasChip(), ACCELERATION: MovingChip()}

    def read_byte_data(self, i2c_addr: int, register: int) -> Any:
        return self._chip(i2c_addr).read_byte_data(i2c_addr, register)

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> Any:
        return self._chip(i2c_addr).read_i2c_block_data(i2c_addr, register, length)

    def write_byte_data(self, i2c_addr: int, register: int, value: int) -> None:
        self._chip(i2c_addr).write_byte_data(i2c_addr, register, value)

    def close(self) -> None:
        pass

    def _chip(self, address: int) -> Any:
        chip = self._chips[address]
        chip.is_plugged_in = not (Path(os.environ["ATLAS_TEST_WIRE"]) / f"{address:#x}.unplugged").exists()
        return chip
