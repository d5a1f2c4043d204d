"""Gas, pressure, humidity and temperature: a Bosch BME680 on the I2C bus, read by its maker's library."""

import math
from collections.abc import Callable, Mapping

import bme680

from atlas_collector.drivers import Driver, SensorError, i2c, options

_TRIES = 3  # of 0.1 s: the heater takes longer than the library waits at once


class Gas(Driver):
    """Measures when it is read, which takes 0.2 s while the gas sensor is heated.

    Settings:
        bus: the number of the I2C bus, 1 unless set.
        address: of the chip on the bus, 118 (0x76) unless set, or 119 (0x77).
        heater_temperature: °C, 320 unless set.
        heater_milliseconds: how long it is heated for each measurement, 150 unless set.
        temperature_offset: °C that are added to the temperature, for a casing that warms it; 0 unless set.
    """

    message = "GasReading"

    def __init__(self, settings: Mapping[str, object], connect: Callable[[int], i2c.Bus] | None = None) -> None:
        super().__init__(settings)
        self._connect = connect or i2c.connect
        self._number = options.whole(settings, "bus", 1, least=0, most=99)
        self._address = options.whole(settings, "address", 0x76, least=0x76, most=0x77)
        self._heater_temperature = options.whole(settings, "heater_temperature", 320, least=200, most=400)
        self._heater_milliseconds = options.whole(settings, "heater_milliseconds", 150, least=1, most=250)
        self._offset = options.number(settings, "temperature_offset", 0.0, least=-20.0, most=20.0)
        self._bus: i2c.Bus | None = None
        self._chip: bme680.BME680 | None = None

    def open(self) -> None:
        """Looks for the chip, reads its calibration and sets it up."""
        self._bus = self._connect(self._number)
        try:
            chip = bme680.BME680(self._address, self._bus)
            chip.set_temp_offset(self._offset)
            chip.set_gas_heater_profile(self._heater_temperature, self._heater_milliseconds)
            chip.select_gas_heater_profile(0)
        except (OSError, RuntimeError) as error:  # the library raises the latter if no such chip answers
            raise self._gone(error) from error
        self._chip = chip

    def read(self) -> Mapping[str, object] | None:
        """Measures; the resistance is NaN while the heater is not as warm as it should be."""
        if self._chip is None:
            return None
        try:
            is_measured = any(self._chip.get_sensor_data() for _ in range(_TRIES))
        except OSError as error:
            raise self._gone(error) from error
        if not is_measured:
            raise self._gone("it measures nothing")
        data = self._chip.data
        return {
            "temperature": data.temperature,
            "humidity": data.humidity,
            "pressure": data.pressure,
            "gas_resistance": data.gas_resistance if data.heat_stable else math.nan,
        }

    def close(self) -> None:
        """Gives the bus back; the library's object is of no use after an error, and a new one is made on opening."""
        if self._bus is not None:
            self._bus.close()
        self._bus = self._chip = None

    def _gone(self, reason: object) -> SensorError:
        return SensorError(
            f"the gas sensor at 0x{self._address:02x} of I2C bus {self._number} does not answer ({reason}): "
            "check its wires"
        )
