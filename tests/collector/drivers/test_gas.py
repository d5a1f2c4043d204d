"""The gas sensor's library measures what the registers of an emulated chip mean."""

import math
from collections.abc import Mapping

import pytest

from atlas_collector.drivers import SensorError
from atlas_collector.drivers.gas import Gas
from atlas_collector.drivers.options import OptionError
from tests.collector.chips import GasChip


def opened(chip: GasChip, **settings: object) -> Gas:
    gas = Gas(settings, chip.connect)
    gas.open()
    return gas


def celsius(count: int) -> float:
    """As the chip's data sheet defines it."""
    t1, t2, t3 = (GasChip.CALIBRATION[name] for name in ("t1", "t2", "t3"))
    return ((count / 16384 - t1 / 1024) * t2 + (count / 131072 - t1 / 8192) ** 2 * t3 * 16) / 5120


def ohms(count: int) -> float:
    """As the chip's data sheet defines it for range 3, which it corrects by nothing."""
    return 1 / (0.125e-6 * 8 * ((count - 512) / 1340 + 1))


def read(gas: Gas) -> Mapping[str, float]:
    fields = gas.read()
    assert fields is not None
    return {name: value for name, value in fields.items() if isinstance(value, float)}


@pytest.mark.parametrize("count", [440_000, 486_000, 560_000])
def test_the_temperature_is_what_the_data_sheet_says(count: int) -> None:
    assert read(opened(GasChip(temperature=count)))["temperature"] == pytest.approx(celsius(count), abs=0.011)


@pytest.mark.parametrize("count", [100, 512, 1000])
def test_the_resistance_is_what_the_data_sheet_says(count: int) -> None:
    chip = GasChip()
    chip.set_gas(count=count, range_=3, is_warm=True)
    assert read(opened(chip))["gas_resistance"] == pytest.approx(ohms(count), rel=1e-3)


def test_pressure_and_humidity_have_the_units_of_the_message() -> None:
    fields = read(opened(GasChip()))
    assert fields["pressure"] == pytest.approx(1018.2, abs=0.1)  # hPa
    assert fields["humidity"] == pytest.approx(43.7, abs=0.1)  # %


def test_without_a_warm_heater_there_is_no_resistance() -> None:
    chip = GasChip()
    chip.set_gas(count=600, range_=3, is_warm=False)
    assert math.isnan(read(opened(chip))["gas_resistance"])


def test_a_warm_casing_can_be_allowed_for() -> None:
    usual, cooler = read(opened(GasChip())), read(opened(GasChip(), temperature_offset=-4.0))
    assert cooler["temperature"] == pytest.approx(usual["temperature"] - 4, abs=0.02)


def test_the_heater_is_set_up() -> None:
    chip = GasChip()
    opened(chip, heater_milliseconds=100)
    assert chip.registers[0x64] == 25 | 1 << 6  # 25 times 4 ms
    assert chip.registers[0x71] & 0x10  # the gas sensor is on


def test_a_chip_that_was_unplugged_is_set_up_anew_when_it_is_back() -> None:
    chip = GasChip()
    gas = opened(chip)
    chip.is_plugged_in = False
    with pytest.raises(SensorError, match=r"at 0x76 of I2C bus 1 does not answer .*: check its wires"):
        gas.read()
    gas.close()
    with pytest.raises(SensorError, match="check its wires"):
        gas.open()
    gas.close()
    chip.is_plugged_in = True
    chip.written.clear()
    gas.open()
    assert (0x64, 0x65) in chip.written
    assert read(gas)["temperature"] == pytest.approx(celsius(486_000), abs=0.011)
    gas.close()
    assert chip.buses_open == 0


def test_another_chip_at_the_address_is_refused() -> None:
    chip = GasChip()
    chip.registers[0xD0] = 0x58
    with pytest.raises(SensorError, match="0x58"):
        opened(chip)


def test_a_chip_that_measures_nothing_counts_as_unplugged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    chip = GasChip()
    gas = opened(chip)
    chip.registers[0x1D] = 0
    with pytest.raises(SensorError, match="it measures nothing"):
        gas.read()


@pytest.mark.parametrize("wrong", [{"address": 0x10}, {"bus": "1"}, {"heater_temperature": True}])
def test_a_wrong_setting_is_named(wrong: dict[str, object]) -> None:
    with pytest.raises(OptionError, match=next(iter(wrong))):
        Gas(wrong)


def test_a_bus_that_is_not_there_is_told() -> None:
    with pytest.raises(SensorError, match=r"the I2C bus 98 cannot be opened .* switch it on with raspi-config"):
        Gas({"bus": 98}).open()
