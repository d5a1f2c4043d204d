"""Sets hold what was measured at the same time, a message at most once, and all that is dropped is counted."""

import math
import random
import threading
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas_collector.clock import NANOSECONDS, ClockWatch, Instant
from atlas_collector.synchroniser import Drop, MessageSet, Synchronisation, Synchroniser

TOPICS = ("/acceleration", "/air", "/gas", "/microphones")
MILLISECOND = NANOSECONDS // 1000
START = 1_800_000_000 * NANOSECONDS
TOLERANCE_MS = 50

Sent = tuple[str, int]  # topic, stamp in milliseconds after START


def at(milliseconds: float, wall: float | None = None) -> Instant:
    """A moment after START; the wall clock may say something else."""
    wall_ms = milliseconds if wall is None else wall
    return Instant(START + round(wall_ms * MILLISECOND), 100 + milliseconds / 1000)


def synchroniser(topics: Sequence[str] = TOPICS, optional: Sequence[str] = (), queue_size: int = 20) -> Synchroniser:
    required = {topic: topic not in optional for topic in topics}
    return Synchroniser(
        Synchronisation(required=required, tolerance_seconds=TOLERANCE_MS / 1000, queue_size=queue_size)
    )


def add(filter_: Synchroniser, topic: str, stamp_ms: int, now: Instant | None = None) -> list[MessageSet]:
    return filter_.add(topic, START + stamp_ms * MILLISECOND, f"{topic} {stamp_ms}", now or at(stamp_ms))


def sets_of(sent: Sequence[Sent], queue_size: int = 20) -> list[MessageSet]:
    """The sets that are made of messages which all come within the time that they may wait."""
    filter_ = synchroniser(queue_size=queue_size)
    now = at(max((stamp for _, stamp in sent), default=0))
    return [found for topic, stamp in sent for found in add(filter_, topic, stamp, now)]


def dropped(filter_: Synchroniser, topic: str) -> dict[Drop, int]:
    return {reason: count for reason, count in filter_.counts().dropped[topic].items() if count}


def named(found: Sequence[MessageSet]) -> set[tuple[object, ...]]:
    return {tuple(message.content for message in each.messages) for each in found}


anything = st.lists(st.tuples(st.sampled_from(TOPICS), st.integers(0, 4000)), max_size=80)


@given(anything)
def test_no_message_is_in_two_sets(sent: list[Sent]) -> None:
    used = [message for found in sets_of(sent) for message in found.messages]
    assert len(used) == len({(message.topic, message.stamp_ns) for message in used})


@given(anything)
def test_every_set_has_all_topics_within_the_tolerance(sent: list[Sent]) -> None:
    for found in sets_of(sent):
        assert tuple(message.topic for message in found.messages) == TOPICS
        assert found.spread_seconds <= TOLERANCE_MS / 1000


@given(anything, st.integers(1, 6))
def test_every_message_is_in_a_set_or_waits_or_is_counted_as_dropped(sent: list[Sent], queue_size: int) -> None:
    filter_ = synchroniser(queue_size=queue_size)
    now = at(4000)
    used = sum(len(found.messages) for topic, stamp in sent for found in add(filter_, topic, stamp, now))
    lost = sum(sum(dropped(filter_, topic).values()) for topic in TOPICS)
    assert used + filter_.waiting + lost == len(sent)
    assert filter_.waiting <= queue_size * len(TOPICS)


ticks = st.lists(st.integers(0, TOLERANCE_MS // 2), min_size=4 * 10, max_size=4 * 10)


@given(ticks, st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_aligned_ticks_lose_nothing_in_whatever_order_they_come(jitter: list[int], order: random.Random) -> None:
    sent = [(topic, tick * 200 + jitter.pop()) for tick in range(10) for topic in TOPICS]
    expected = {tuple(f"{topic} {stamp}" for topic, stamp in sent[first : first + 4]) for first in range(0, 40, 4)}
    order.shuffle(sent)
    assert named(sets_of(sent)) == expected


@given(st.lists(st.tuples(st.sampled_from(TOPICS), st.integers(0, 9)), unique=True), st.randoms(use_true_random=False))
def test_with_gaps_too_any_order_gives_the_same_sets(sent: list[tuple[str, int]], order: random.Random) -> None:
    stamped = [(topic, tick * 200) for topic, tick in sent]
    shuffled = list(stamped)
    order.shuffle(shuffled)
    assert named(sets_of(stamped)) == named(sets_of(shuffled))


def test_a_message_goes_to_the_closest_partners() -> None:
    sent = [("/a", 0), ("/a", 40), ("/b", 45)]
    filter_ = synchroniser(("/a", "/b"))
    found = [each for topic, stamp in sent for each in add(filter_, topic, stamp, at(50))]
    assert named(found) == {("/a 40", "/b 45")}


def test_a_stamp_in_the_future_is_refused_until_the_clock_itself_has_moved() -> None:
    filter_ = synchroniser(("/a", "/b"))
    assert add(filter_, "/a", 3_600_000, at(0)) == []
    assert dropped(filter_, "/a") == {Drop.FUTURE: 1}
    moved = at(10, wall=3_600_010)
    assert add(filter_, "/a", 3_600_000, moved) == []
    assert len(add(filter_, "/b", 3_600_000, moved)) == 1


def test_a_stamp_within_the_tolerance_of_now_is_no_future() -> None:
    filter_ = synchroniser(("/a",))
    assert len(add(filter_, "/a", TOLERANCE_MS, at(0))) == 1


def test_duplicates_are_dropped_also_of_what_is_in_a_set_already() -> None:
    filter_ = synchroniser(("/a", "/b"))
    add(filter_, "/a", 0)
    add(filter_, "/a", 0)
    add(filter_, "/b", 0)
    add(filter_, "/b", 0)
    assert dropped(filter_, "/a") == dropped(filter_, "/b") == {Drop.DUPLICATE: 1}
    assert filter_.waiting == 0


def test_what_comes_later_than_anything_waits_is_too_old() -> None:
    filter_ = synchroniser(("/a", "/b"))
    add(filter_, "/a", 0, at(5001))
    assert dropped(filter_, "/a") == {Drop.TOO_OLD: 1}


def test_a_message_without_partners_is_dropped_when_its_time_is_over() -> None:
    filter_ = synchroniser(("/a", "/b"))
    add(filter_, "/a", 0)
    assert filter_.expire(at(5000).monotonic) == []
    assert dropped(filter_, "/a") == {}
    assert filter_.expire(at(5001).monotonic) == []
    assert dropped(filter_, "/a") == {Drop.NO_PARTNER: 1}


def test_a_set_says_how_many_messages_were_dropped_since_the_one_before() -> None:
    filter_ = synchroniser(("/a", "/b"))
    add(filter_, "/a", 0)
    add(filter_, "/a", 0)
    assert [found.dropped for found in add(filter_, "/b", 0)] == [1]
    add(filter_, "/a", 200)
    assert [found.dropped for found in add(filter_, "/b", 200)] == [0]


def test_without_a_required_sensor_there_are_no_sets() -> None:
    filter_ = synchroniser(("/a", "/b"))
    assert [found for tick in range(0, 20_000, 1000) for found in add(filter_, "/a", tick)] == []
    assert filter_.waiting <= 6


def test_without_a_sensor_that_is_not_required_sets_go_on_once_it_is_gone_for_long() -> None:
    filter_ = synchroniser(("/a", "/b", "/c"), optional=("/c",))
    for topic in ("/c", "/a"):
        add(filter_, topic, 0)
    (whole,) = add(filter_, "/b", 0)
    assert len(whole.messages) == 3
    found = [each for tick in range(1000, 12_000, 1000) for topic in ("/a", "/b") for each in add(filter_, topic, tick)]
    assert named(found) == {(f"/a {tick}", f"/b {tick}") for tick in range(1000, 12_000, 1000)}
    add(filter_, "/c", 12_000)
    add(filter_, "/a", 12_000)
    (again,) = add(filter_, "/b", 12_000)
    assert len(again.messages) == 3


def test_at_the_end_nothing_waits_any_more_for_a_sensor_that_is_not_required() -> None:
    filter_ = synchroniser(("/a", "/b", "/c"), optional=("/c",))
    for topic in ("/c", "/a", "/b"):
        add(filter_, topic, 0)
    assert [each for topic in ("/a", "/b") for each in add(filter_, topic, 1000)] == []
    assert named(filter_.expire(math.inf)) == {("/a 1000", "/b 1000")}


def test_after_the_clock_was_set_nothing_of_before_is_used() -> None:
    filter_ = synchroniser(("/a", "/b"))
    add(filter_, "/a", 0)
    filter_.forget()
    assert dropped(filter_, "/a") == {Drop.CLOCK: 1}
    assert add(filter_, "/b", 0) == []


def test_a_topic_of_no_sensor_is_an_error() -> None:
    with pytest.raises(KeyError):
        add(synchroniser(("/a",)), "/b", 0)


def test_threads_lose_and_double_nothing() -> None:
    filter_ = synchroniser(queue_size=2000)
    found: dict[str, list[MessageSet]] = {topic: [] for topic in TOPICS}

    def send(topic: str) -> None:
        for tick in range(200):
            found[topic].extend(add(filter_, topic, tick * 200, at(200 * 200, wall=tick * 200 + 4000)))

    threads = [threading.Thread(target=send, args=(topic,)) for topic in TOPICS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sets = [each for of_topic in found.values() for each in of_topic]
    assert len(sets) == len(named(sets)) == filter_.counts().sets == 200


@pytest.mark.parametrize("step", [3600, -3600, 1.5, -1.5])
def test_a_clock_that_is_set_is_noticed_once(step: float) -> None:
    watch = ClockWatch(at(0))
    assert watch.jumped(at(1000)) is None
    assert watch.jumped(at(2000, wall=2000 + step * 1000)) == pytest.approx(step)
    assert watch.jumped(at(3000, wall=3000 + step * 1000)) is None


def test_a_clock_that_is_slewed_is_left_alone() -> None:
    watch = ClockWatch(at(0))
    assert [watch.jumped(at(tick * 1000, wall=tick * 1000.5)) for tick in range(10_000)] == [None] * 10_000
