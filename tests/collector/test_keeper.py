"""A sensor that is unplugged is opened again, and the log says so once each way."""

import logging
from collections.abc import Mapping

import pytest

from atlas_collector.drivers import Driver, SensorError
from atlas_collector.keeper import LONGEST_PAUSE, Keeper


class Plug(Driver):
    """A sensor on a plug."""

    message = "GasReading"
    is_in = True
    has_value = True
    opened = closed = losses = 0

    @property
    def lost(self) -> int:
        return self.losses

    def open(self) -> None:
        self.opened += 1
        if not self.is_in:
            raise SensorError("there is no plug: plug it in")

    def read(self) -> Mapping[str, object] | None:
        if not self.is_in:
            raise SensorError("the plug has gone: plug it in again")
        return {"humidity": 50.0} if self.has_value else None

    def close(self) -> None:
        self.closed += 1


class Bench:
    """A plug that is kept, and a clock."""

    def __init__(self) -> None:
        self.now = 100.0
        self.plug = Plug({})
        self.keeper = Keeper("gas", self.plug, logging.getLogger("bench"), lambda: self.now)

    def read_for(self, seconds: int) -> list[Mapping[str, object] | None]:
        """Reads each second."""
        read = []
        for _ in range(seconds):
            read.append(self.keeper.read())
            self.now += 1
        return read


@pytest.fixture
def bench(caplog: pytest.LogCaptureFixture) -> Bench:
    caplog.set_level(logging.INFO)
    return Bench()


def test_a_sensor_that_answers_is_opened_once(bench: Bench) -> None:
    assert bench.read_for(3) == [{"humidity": 50.0}] * 3
    assert (bench.plug.opened, bench.plug.closed) == (1, 0)


def test_an_unplugged_sensor_is_back_soon_after_it_is_plugged_in(bench: Bench) -> None:
    bench.read_for(5)
    bench.plug.is_in = False
    assert bench.read_for(120) == [None] * 120
    assert bench.plug.closed == bench.plug.opened
    bench.plug.is_in = True
    assert bench.read_for(round(LONGEST_PAUSE) + 1)[-1] == {"humidity": 50.0}


def test_a_sensor_that_stays_away_is_tried_less_and_less_often(bench: Bench) -> None:
    bench.plug.is_in = False
    bench.read_for(600)
    assert 600 / LONGEST_PAUSE - 5 < bench.plug.opened <= 600 / LONGEST_PAUSE + 5


def test_the_log_has_one_line_when_it_goes_and_one_when_it_is_back(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.read_for(3)
    bench.plug.is_in = False
    bench.read_for(60)
    bench.plug.is_in = True
    bench.read_for(10)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "gas: it answers."),
        ("WARNING", "gas: the plug has gone: plug it in again. Trying again until it answers."),
        ("INFO", "gas: it answers again, after 64 s."),
    ]


def test_a_sensor_that_can_be_opened_but_says_nothing_is_not_back(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.plug.is_in = False
    bench.read_for(10)
    bench.plug.is_in, bench.plug.has_value = True, False
    assert bench.read_for(20) == [None] * 20
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_lost_samples_are_told_at_most_once_a_minute(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(90):
        bench.plug.losses += 10
        bench.read_for(1)
    losses = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert losses == ["gas: 10 samples were lost, 10 in all.", "gas: 600 samples were lost, 610 in all."]


def test_what_is_no_fault_of_the_sensor_is_not_hidden(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.plug, "read", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bench.keeper.read()
