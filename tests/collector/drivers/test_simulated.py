"""The simulated car: the same for everyone who asks at the same time, without gaps, and with impacts one knows of."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from atlas_collector.drivers import Driver
from atlas_collector.drivers.impacts import KINDS, RING_SECONDS, impacts_between
from atlas_collector.drivers.simulated import Acceleration, Air, Gas, Microphones

START = 1_800_000_000.0
RATE = 8000
LOUD = {"impact_every": 2.0, "seed": 3}


class Time:
    """A wall clock that can be set, and one that cannot."""

    def __init__(self, wall: float = START) -> None:
        self.passed, self._wall = 50.0, wall - 50.0

    def wall(self) -> float:
        return self._wall + self.passed

    def monotonic(self) -> float:
        return self.passed

    def set_by(self, seconds: float) -> None:
        self._wall += seconds


def driven(driver: Driver, time: Time, steps: Sequence[float]) -> list[Mapping[str, Any]]:
    """What is read after each of these times."""
    read = []
    for step in steps:
        time.passed += step
        fields = driver.read()
        assert fields is not None
        read.append(fields)
    return read


def microphones(time: Time, **settings: object) -> Microphones:
    return Microphones({"rate": RATE, **LOUD, **settings}, time.wall, time.monotonic)


def frames(messages: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.int16]:
    """(frames, channels)."""
    channels = messages[0]["channels"]
    return np.concatenate([np.frombuffer(message["data"], "<i2") for message in messages]).reshape(-1, channels)


def axes(messages: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.float64]:
    """(3, samples)."""
    return np.array([[value for message in messages for value in message[axis]] for axis in "xyz"])


def test_sound_is_gapless_and_the_same_however_often_it_is_read() -> None:
    time, other = Time(), Time()
    often = driven(microphones(time), time, [0.25] * 24)
    seldom = driven(microphones(other), other, [1.0, 2.0, 3.0])
    assert [message["first_frame"] for message in often] == [2000 * count for count in range(24)]
    assert np.array_equal(frames(often), frames(seldom))
    assert len(frames(often)) == 6 * RATE


def test_another_seed_is_another_drive() -> None:
    time, other = Time(), Time()
    first, second = microphones(time), microphones(other, seed=4)
    assert not np.array_equal(frames(driven(first, time, [1.0])), frames(driven(second, other, [1.0])))


def test_seven_microphones_hear_and_the_eighth_channel_is_silent() -> None:
    time = Time()
    heard = np.abs(frames(driven(microphones(time), time, [4.0])).astype(int)).max(axis=0)
    assert (heard[:7] > 1000).all()
    assert heard[7] == 0


def test_impacts_are_heard_and_felt_at_the_same_moments() -> None:
    time = Time()
    sound, shaken = microphones(time), Acceleration(LOUD, time.wall, time.monotonic)
    heard, felt = [], []
    for _ in range(20):
        heard += driven(sound, time, [1.0])
        felt += driven(shaken, time, [0.0])
    loudness = np.abs(frames(heard)[:, 0].astype(int))
    shock = np.abs(axes(felt) - [[0], [0], [9.80665]]).sum(axis=0)
    impacts = impacts_between(START, START + 20 - RING_SECONDS, seed=3, every=2.0)
    assert len(impacts) >= 8
    quiet_sound, quiet_shock = np.median(loudness), np.median(shock)
    for impact in impacts:
        after = impact.time - START
        assert loudness[_window(after, RATE)].max() > 10 * quiet_sound
        assert shock[_window(after, 400)].max() > 4 * quiet_shock
        before = after - 0.05
        assert loudness[_window(before, RATE)].max() < 10 * quiet_sound


def _window(seconds: float, rate: int) -> slice:
    return slice(math.floor(seconds * rate), math.floor((seconds + 0.04) * rate))


def test_impacts_of_a_time_are_the_same_from_wherever_it_is_seen() -> None:
    whole = impacts_between(START, START + 600, seed=1)
    parts = [each for second in range(600) for each in impacts_between(START + second, START + second + 1, seed=1)]
    assert whole == parts
    assert {impact.kind for impact in whole} == set(KINDS)
    times = [impact.time for impact in whole]
    assert 60 < len(times) < 90
    assert min(np.diff(times)) > RING_SECONDS


def test_a_clock_that_is_set_moves_the_impacts_and_loses_no_sample() -> None:
    time = Time()
    sound = microphones(time)
    before = driven(sound, time, [1.0])
    time.set_by(3600)
    after = driven(sound, time, [1.0])
    other = Time(START + 3601)
    expected = driven(microphones(other), other, [1.0])
    assert after[0]["first_frame"] == len(frames(before)) == RATE
    assert np.array_equal(frames(after), frames(expected))


def test_a_sensor_that_nobody_reads_for_long_loses_samples_and_says_so() -> None:
    time = Time()
    sound = microphones(time)
    (message,) = driven(sound, time, [60.0])
    assert message["first_frame"] == sound.lost == 50 * RATE
    assert len(frames([message])) == 10 * RATE


@pytest.mark.parametrize("kind", [Microphones, Acceleration])
def test_nothing_is_new_before_the_next_sample(kind: type[Microphones] | type[Acceleration]) -> None:
    time = Time()
    assert kind({}, time.wall, time.monotonic).read() is None


def test_air_and_gas_are_plausible_and_the_same_for_everyone() -> None:
    for kind, bounds in (
        (Air, {"age": (0, 1), "pm1_0": (0, 40), "pm2_5": (0, 50), "pm10": (0, 60)}),
        (Gas, {"temperature": (10, 35), "humidity": (20, 70), "pressure": (980, 1030), "gas_resistance": (5e4, 2e5)}),
    ):
        time, other = Time(), Time()
        read = driven(kind({}, time.wall, time.monotonic), time, [7.0] * 300)
        assert read == driven(kind({}, other.wall, other.monotonic), other, [7.0] * 300)
        for name, (least, most) in bounds.items():
            values = [fields[name] for fields in read]
            assert least <= min(values) < max(values) <= most
