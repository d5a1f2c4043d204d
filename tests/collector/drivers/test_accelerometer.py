"""The accelerometer's samples come all and in order, and a loss is a jump of their number."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from atlas_collector.drivers import SensorError
from atlas_collector.drivers.accelerometer import METRES_PER_STEP, STANDARD_GRAVITY, Accelerometer
from atlas_collector.drivers.options import OptionError
from tests.collector.chips import AccelerometerChip
from tests.collector.waiting import until


@pytest.fixture
def chip() -> AccelerometerChip:
    return AccelerometerChip()


@pytest.fixture
def driver(chip: AccelerometerChip, monkeypatch: pytest.MonkeyPatch) -> Iterator[Accelerometer]:
    monkeypatch.setattr("atlas_collector.drivers.accelerometer._SILENCE", 60.0)
    driver = Accelerometer({"rate": 800}, chip.connect)
    driver.open()
    yield driver
    driver.close()


def read(driver: Accelerometer, count: int) -> list[Mapping[str, Any]]:
    """Messages until they hold so many samples."""
    messages: list[Mapping[str, Any]] = []
    while sum(len(message["x"]) for message in messages) < count:
        messages.append(until(driver.read))
    return messages


def test_samples_are_metres_per_second_squared(chip: AccelerometerChip, driver: Accelerometer) -> None:
    chip.measure([(-256, 0, 256), (1, -4096, 4095)])
    (message,) = read(driver, 2)
    assert (message["sample_rate"], message["first_sample"]) == (800.0, 0)
    assert message["x"] == pytest.approx([-STANDARD_GRAVITY, METRES_PER_STEP])
    assert message["y"] == pytest.approx([0, -16 * STANDARD_GRAVITY])
    assert message["z"] == pytest.approx([STANDARD_GRAVITY, 4095 * METRES_PER_STEP])


def test_no_sample_is_lost_or_comes_twice(chip: AccelerometerChip, driver: Accelerometer) -> None:
    messages = []
    for begin in range(0, 600, 20):
        chip.measure((number, 0, 0) for number in range(begin, begin + 20))
        messages += read(driver, 20)
    numbers = [round(x / METRES_PER_STEP) for message in messages for x in message["x"]]
    assert numbers == list(range(600))
    for message in messages:
        assert message["first_sample"] == round(message["x"][0] / METRES_PER_STEP)
    assert driver.lost == 0


def test_what_the_chip_could_not_keep_is_a_jump(chip: AccelerometerChip, driver: Accelerometer) -> None:
    chip.measure([(0, 0, 0)])
    read(driver, 1)
    time.sleep(0.1)  # 80 samples
    chip.measure((number, 0, 0) for number in range(80))
    (message,) = read(driver, 32)
    assert message["first_sample"] == 1 + driver.lost
    assert driver.lost >= 80 - 32 - 1


def test_the_chip_is_set_to_its_rate_and_measures(chip: AccelerometerChip, driver: Accelerometer) -> None:
    assert chip.registers.items() >= {0x2C: 0x0D, 0x2D: 0x08, 0x31: 0x0B, 0x38: 0x80}.items()


def test_a_chip_that_was_unplugged_goes_on_behind_a_jump(chip: AccelerometerChip, driver: Accelerometer) -> None:
    chip.measure([(1, 0, 0)] * 10)
    read(driver, 10)
    chip.is_plugged_in = False
    with pytest.raises(SensorError, match=r"at 0x53 of I2C bus 1 does not answer .*: check its wires"):
        until(driver.read)
    driver.close()
    time.sleep(0.1)
    chip.is_plugged_in = True
    driver.open()
    chip.measure([(2, 0, 0)] * 10)
    (message,) = read(driver, 10)
    assert message["first_sample"] == 10 + driver.lost
    assert driver.lost >= 80 - 10


def test_what_was_fetched_before_the_chip_went_away_is_not_lost(chip: AccelerometerChip, driver: Accelerometer) -> None:
    chip.measure([(1, 0, 0)] * 5)
    until(lambda: None if chip.read_byte_data(0x53, 0x39) else True)
    chip.is_plugged_in = False
    assert len(read(driver, 5)) == 1
    with pytest.raises(SensorError, match="check its wires"):
        until(driver.read)


def test_another_chip_at_the_address_is_refused(chip: AccelerometerChip) -> None:
    chip.registers[0] = 0x58
    driver = Accelerometer({}, chip.connect)
    with pytest.raises(SensorError, match="another chip is there, 0x58"):
        driver.open()
    driver.close()
    assert chip.buses_open == 0


def test_a_chip_that_measures_nothing_counts_as_unplugged(
    chip: AccelerometerChip, driver: Accelerometer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atlas_collector.drivers.accelerometer._SILENCE", 0.05)
    time.sleep(0.1)
    with pytest.raises(SensorError, match="it measures nothing"):
        driver.read()


def test_a_rate_that_the_chip_has_not_is_named() -> None:
    with pytest.raises(OptionError, match="rate: 500 is none of 100, 200, 400, 800"):
        Accelerometer({"rate": 500})
