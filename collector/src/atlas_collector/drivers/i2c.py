"""The bus of two wires on the Pi's pin header."""

from typing import Protocol, cast

import smbus2

from atlas_collector.drivers import SensorError


class Bus(Protocol):
    """What drivers ask of a bus; each call raises OSError if no chip answers."""

    def read_byte_data(self, i2c_addr: int, register: int) -> int:
        """One register."""

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
        """Registers one after the other."""

    def write_byte_data(self, i2c_addr: int, register: int, value: int) -> None:
        """Writes one register."""

    def close(self) -> None:
        """Gives the bus back."""


def connect(number: int) -> Bus:
    """The bus `/dev/i2c-<number>`.

    Raises:
        SensorError: there is none.
    """
    try:
        return cast(Bus, smbus2.SMBus(number))
    except OSError as error:
        raise SensorError(
            f"the I2C bus {number} cannot be opened ({error}): switch it on with raspi-config, and let the collector's "
            "user be in the group i2c"
        ) from error
