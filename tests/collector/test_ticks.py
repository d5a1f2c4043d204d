"""All sensors tick at the same moments, whenever they were started and however the clock is set."""

import threading
from collections.abc import Iterator
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from atlas_collector.ticks import NANOSECONDS, ticks

START = 1_800_000_000 * NANOSECONDS + 123_456_789


class Time(threading.Event):
    """A clock that moves on while somebody waits."""

    def __init__(self, start: int = START) -> None:
        super().__init__()
        self.now = start

    def wait(self, timeout: float | None = None) -> bool:
        self.now += round((timeout or 0) * NANOSECONDS)
        return self.is_set()

    def ticks(self, interval: float) -> Iterator[int]:
        return ticks(interval, self, lambda: self.now)


@given(
    starts=st.lists(st.integers(START, START + NANOSECONDS - 1), min_size=2, max_size=4),
    interval=st.sampled_from([0.1, 0.2, 0.25, 1.0, 2.0]),
)
def test_whoever_starts_whenever_ticks_at_the_same_multiples(starts: list[int], interval: float) -> None:
    step = round(interval * NANOSECONDS)
    ticked = [list(islice(Time(start).ticks(interval), 30)) for start in starts]
    for numbers, start in zip(ticked, starts, strict=True):
        assert numbers == [(start // step + count) * step for count in range(1, 31)]


def test_no_tick_comes_before_its_time() -> None:
    time = Time()
    for tick in islice(time.ticks(0.2), 10):
        assert time.now >= tick


def test_whoever_comes_late_gets_the_newest_tick_alone() -> None:
    time = Time()
    source = time.ticks(1.0)
    first = next(source)
    time.now = first + 3 * NANOSECONDS + 1
    assert next(source) == first + 3 * NANOSECONDS
    assert next(source) == first + 4 * NANOSECONDS


def test_a_clock_set_back_a_little_gives_no_tick_twice() -> None:
    time = Time()
    source = time.ticks(1.0)
    first = next(source)
    time.now = first - 1_000_000
    assert next(source) == first + NANOSECONDS


def test_ticks_go_on_at_once_when_the_clock_is_set_by_an_hour() -> None:
    time = Time()
    source = time.ticks(1.0)
    for hour in (-3600, 3600):
        time.now = next(source) + hour * NANOSECONDS + 5_000_000
        began = time.now
        tick = next(source)
        assert abs(tick - began) <= NANOSECONDS
        assert tick % NANOSECONDS == 0
        assert next(source) == tick + NANOSECONDS


def test_ticks_end_when_they_are_told_to() -> None:
    time = Time()
    source = time.ticks(1.0)
    next(source)
    time.set()
    assert next(source, None) is None
