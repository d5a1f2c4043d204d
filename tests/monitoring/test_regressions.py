"""Regressions of a model over the versions of its data: by hand, what must hold of any stream, and false alerts."""

from collections.abc import Sequence
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.intervals import wilson
from atlas.paired import Difference, Finding
from atlas.results import MetricValue
from monitoring.regressions import (
    FALSE_ALERTS,
    LEVEL,
    VERSIONS,
    Measurement,
    by_intervals,
    changes,
    correlation,
    covariance,
    latest,
    shift,
)

values = st.floats(-10, 10)
halves = st.floats(0.01, 5)


def measured(
    version: int, value: float | None, half: float | None = 0.1, *, greater: bool = True, events: Sequence[int] = ()
) -> Measurement:
    ends = {} if value is None or half is None else {"low": value - half, "high": value + half}
    metric = MetricValue(name="r2" if greater else "log_loss", value=value, greater_is_better=greater, **ends)
    return Measurement(version=version, metric=metric, events=frozenset(map(str, events)))


def stream(*given_values: float | None, half: float = 0.1, greater: bool = True) -> list[Measurement]:
    return [measured(version, value, half, greater=greater) for version, value in enumerate(given_values, 1)]


def right(version: int, is_right: np.ndarray, first: int = 0) -> Measurement:
    """The accuracy of a model that is right on some of the events that are numbered from `first`."""
    hits, rows = int(is_right.sum()), len(is_right)
    interval = wilson(hits, rows)
    assert interval is not None
    metric = MetricValue(
        name="accuracy", value=hits / rows, greater_is_better=True, low=interval.low, high=interval.high
    )
    return Measurement(version=version, metric=metric, events=frozenset(map(str, range(first, first + rows))))


def findings(found: Sequence[Measurement]) -> list[Finding]:
    return [change.finding for change in changes(found)]


def difference_of(found: Sequence[Measurement]) -> Difference:
    comparison = latest(found).before
    assert comparison is not None
    return comparison.difference


# By hand


def test_the_difference_s_interval_is_that_of_both_versions() -> None:
    difference = difference_of([measured(1, 0.8, 0.03), measured(2, 0.7, 0.04)])
    assert (difference.value, difference.low, difference.high) == pytest.approx((-0.1, -0.15, -0.05))
    assert difference.p == pytest.approx(8.9e-5, rel=0.02)  # 3.92 standard deviations
    assert difference.finding is Finding.WORSE


@pytest.mark.parametrize(
    ("greater", "value", "finding"),
    [
        (True, 0.2, Finding.WORSE),
        (True, 0.8, Finding.BETTER),
        (False, 0.2, Finding.BETTER),
        (False, 0.8, Finding.WORSE),
        (True, 0.45, Finding.WITHIN_NOISE),
    ],
)
def test_a_metric_s_direction_says_what_is_worse(greater: bool, value: float, finding: Finding) -> None:
    assert findings(stream(0.5, value, half=0.05, greater=greater)) == [Finding.CANNOT_TELL, finding]


def test_a_slow_decay_is_seen_beside_the_best_before_it_is_beside_the_version_before() -> None:
    *_, last = changes(stream(0.9, 0.87, 0.84, 0.81, 0.78, half=0.03))
    assert last.before is not None
    assert last.best is not None
    assert (last.before.reference, last.before.difference.finding) == (4, Finding.WITHIN_NOISE)
    assert (last.best.reference, last.best.difference.finding) == (1, Finding.WORSE)
    assert last.finding is Finding.WORSE


def test_a_recovery_that_is_still_below_the_best_is_a_regression() -> None:
    *_, last = changes(stream(0.9, 0.5, 0.7, half=0.03))
    assert last.before is not None
    assert last.before.difference.finding is Finding.BETTER
    assert last.finding is Finding.WORSE


def test_every_version_that_could_have_been_the_best_counts() -> None:
    *_, last = changes(stream(0.9, 0.85, 0.86, 0.8, half=0.05))
    assert last.before is not None
    assert last.best is not None
    before, best = last.before.difference, last.best.difference
    assert before.p is not None
    assert best.p is not None
    assert before.adjusted_p == pytest.approx(min(1, 2 * before.p))
    assert best.adjusted_p == pytest.approx(4 * best.p)


def test_where_the_version_before_is_the_best_both_comparisons_are_one() -> None:
    last = latest(stream(0.5, 0.9, 0.6))
    assert last.before is last.best


def test_shared_events_make_a_difference_surer() -> None:
    one, other = measured(1, 0.9, 0.03, events=range(400)), measured(2, 0.88, 0.03, events=range(200, 600))
    assert correlation(one, other) == 0.5
    shared = by_intervals(one, other)
    assert shared.low == pytest.approx(-0.02 - 0.03)  # √(a² + a² - a²)
    assert by_intervals(measured(1, 0.9, 0.03), measured(2, 0.88, 0.03)).low == pytest.approx(-0.02 - 0.03 * sqrt(2))


def test_a_few_new_events_tell_nothing_by_themselves() -> None:
    one = right(1, np.arange(1000) >= 100)
    other = right(2, np.concatenate([np.arange(1000) >= 100, np.zeros(3, dtype=bool)]))
    assert correlation(one, other) == 0.0
    assert findings([one, other])[-1] is Finding.WITHIN_NOISE


# What is missing


def test_a_version_without_a_value_tells_nothing_and_the_next_is_beside_the_one_before_it() -> None:
    found = changes(stream(0.9, None, 0.5, half=0.03))
    assert [change.finding for change in found] == [Finding.CANNOT_TELL, Finding.CANNOT_TELL, Finding.WORSE]
    assert found[2].before is not None
    assert found[2].before.reference == 1


def test_without_intervals_there_is_a_difference_but_no_finding() -> None:
    difference = difference_of([measured(1, 0.9, None), measured(2, 0.1, None)])
    assert difference.value == pytest.approx(-0.8)
    assert difference.finding is Finding.CANNOT_TELL


def test_a_version_without_an_interval_does_not_hide_those_that_have_one() -> None:
    change = latest([measured(1, 0.8, 0.01), measured(2, 0.95, None), measured(3, 0.5, 0.01)])
    assert change.before is not None
    assert (change.before.reference, change.finding) == (1, Finding.WORSE)


@pytest.mark.parametrize("found", [[], [measured(1, 0.5), measured(2, 0.5, greater=False)]], ids=["none", "two"])
def test_a_stream_is_of_one_metric(found: list[Measurement]) -> None:
    with pytest.raises(ValueError, match="one metric"):
        latest(found)


# What must hold of any stream


@given(values, halves, values, halves, st.integers(100, 300))
def test_the_other_way_round_a_difference_has_the_other_sign(
    one: float, half: float, other: float, other_half: float, shared: int
) -> None:
    first = measured(1, one, half, events=range(400))
    second = measured(2, other, other_half, events=range(400 - shared, 800 - shared))
    there, back = by_intervals(first, second), by_intervals(second, first)
    assert None not in (there.value, there.low, there.high)
    assert (back.value, back.low, back.high) == pytest.approx(
        (-(there.value or 0), -(there.high or 0), -(there.low or 0)), abs=1e-9
    )
    assert back.p == pytest.approx(there.p, rel=1e-6, abs=1e-300)


@given(st.lists(st.tuples(values, halves), min_size=2, max_size=6), st.sampled_from([0.001, 7.0, 1e4]))
def test_a_metric_s_unit_does_not_matter(found: list[tuple[float, float]], scale: float) -> None:
    plain = [measured(place, value, half) for place, (value, half) in enumerate(found)]
    scaled = [measured(place, scale * value, scale * half) for place, (value, half) in enumerate(found)]
    for one, other in zip(changes(plain)[1:], changes(scaled)[1:], strict=True):
        assert one.before is not None
        assert other.before is not None
        assert other.before.difference.p == pytest.approx(one.before.difference.p, rel=1e-4, abs=1e-300)


@given(st.lists(st.tuples(values, halves), min_size=1, max_size=6))
def test_a_metric_with_the_other_direction_has_the_other_findings(found: list[tuple[float, float]]) -> None:
    plain = [measured(place, value, half) for place, (value, half) in enumerate(found)]
    mirrored = [measured(place, -value, half, greater=False) for place, (value, half) in enumerate(found)]
    assert findings(plain) == findings(mirrored)


@given(st.permutations(range(500)))
def test_the_order_of_events_does_not_matter(order: list[int]) -> None:
    events = np.random.default_rng(0).random(500) < 0.8
    plain, shuffled = right(1, events), right(1, events[order])
    later = right(2, events[:450], first=200)
    assert changes([plain, later]) == changes([shuffled, later])


@given(st.lists(st.tuples(values, halves), min_size=2, max_size=6))
def test_what_comes_later_changes_no_earlier_finding(found: list[tuple[float, float]]) -> None:
    whole = [measured(place, value, half) for place, (value, half) in enumerate(found)]
    assert changes(whole)[:-1] == changes(whole[:-1])


# Streams


def simulated(
    random: np.random.Generator, rates: Sequence[float], rows: int = 400, new: int = 200
) -> list[Measurement]:
    """Accuracies over versions that take `new` events each and drop as many old ones; a rate is that of new events."""
    is_right = np.concatenate([random.random(rows) < rates[0], *(random.random(new) < rate for rate in rates[1:])])
    starts = [new * place for place in range(len(rates))]
    return [right(place, is_right[start : start + rows], start) for place, start in enumerate(starts, 1)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("at", [3, 9, 16])
def test_a_known_change_is_found_at_its_version_and_not_before(seed: int, at: int) -> None:
    found = findings(simulated(np.random.default_rng(seed), [0.9] * (at - 1) + [0.65] * (21 - at), new=400))
    assert Finding.WORSE not in found[: at - 1]
    assert found[at - 1] is Finding.WORSE
    assert set(found[at:]) == {Finding.WORSE}  # still below its best


def test_a_lasting_change_is_placed_where_it_happened_once_two_versions_show_it() -> None:
    found = simulated(np.random.default_rng(2), [0.9] * 9 + [0.7] * 3, new=400)
    shifts = [shift(found[:length]) for length in range(8, 13)]
    seen = [each.version if each and each.finding is Finding.WORSE else None for each in shifts]
    assert seen == [None, None, None, 10, 10]
    assert shifts[-1] is not None
    assert shifts[-1].step.low < -0.2 < shifts[-1].step.high


def test_of_two_hundred_streams_without_a_change_at_most_the_documented_share_has_a_finding() -> None:
    random = np.random.default_rng(8)
    alerts = 0
    for _ in range(200):
        found = findings(simulated(random, [0.9] * VERSIONS))
        alerts += bool({Finding.WORSE, Finding.BETTER} & set(found))
    assert alerts <= 200 * FALSE_ALERTS


def test_a_shift_needs_eight_versions_with_an_interval() -> None:
    assert shift(stream(*[0.9] * 7)) is None
    assert shift(stream(*[0.9] * 7, None)) is None
    assert shift([measured(version, 0.9, None) for version in range(9)]) is None
    quiet = shift(stream(0.9, 0.91, 0.9, 0.9, 0.91, 0.92, 0.91, 0.92))
    assert quiet is not None
    assert quiet.finding is Finding.WITHIN_NOISE


def test_a_step_is_found_in_data_that_grow_by_few_events() -> None:
    random = np.random.default_rng(4)
    is_right = np.concatenate([random.random(750) < 0.9, random.random(50) < 0.2, random.random(400) < 0.85])
    found = [right(number, is_right[: 400 + 50 * number]) for number in range(1, 13)]
    steps = [shift(found[:length]) for length in range(8, 13)]
    assert {step.version for step in steps if step and step.finding is Finding.WORSE} == {8}
    assert steps[-1] is not None
    assert steps[-1].finding is Finding.WORSE


@given(st.lists(st.frozensets(st.integers(0, 300), min_size=1), min_size=2, max_size=8))
def test_whatever_versions_share_no_series_of_values_has_a_negative_variance(events: list[frozenset[int]]) -> None:
    found = covariance([measured(number, 0.9, 0.1, events=sorted(held)) for number, held in enumerate(events)])
    assert np.linalg.eigvalsh(found).min() > -1e-9 * found.max()


def test_versions_that_few_events_tell_apart_differ_as_if_a_hundred_did() -> None:
    near = covariance([measured(1, 0.9, events=range(1_000)), measured(2, 0.9, events=range(1_010))])
    far = covariance([measured(1, 0.9, events=range(1_000)), measured(2, 0.9, events=range(1_100))])
    less = np.array([1, -1])
    assert less @ near @ less == pytest.approx(less @ far @ less, rel=0.1)


def test_values_vary_by_their_intervals_and_together_by_their_shared_events() -> None:
    found = [
        measured(1, 0.9, 0.0196, events=range(400)),
        measured(2, 0.9, 0.0392, events=range(200, 600)),
        measured(3, 0.9, 0.0196),
    ]
    expected = [[1e-4, 1e-4, 0], [1e-4, 4e-4, 0], [0, 0, 1e-4]]
    assert covariance(found) == pytest.approx(np.array(expected), rel=1e-3, abs=1e-12)
    assert pytest.approx(0.0025) == LEVEL
