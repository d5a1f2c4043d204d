"""Differences between versions that share events, from the answers to each: beside formulas and brute force."""

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from atlas.intervals import with_intervals
from atlas.metrics import REGISTRY, Predictions, measure
from atlas.paired import Difference, Finding, Method
from monitoring.regressions import FALSE_ALERTS, VERSIONS, Measurement, by_intervals, changes
from monitoring.shared import Answered, ByEvents

CLASSES = ("damaged", "intact")


def answered(numbers: np.ndarray, is_right: np.ndarray) -> Answered:
    """Answers to events, of which those are right that `is_right` says by number."""
    truth = np.random.default_rng(0).integers(0, 2, len(is_right))
    labels = np.where(is_right, truth, 1 - truth)
    names = np.array(CLASSES)
    predictions = Predictions(labels=names[labels[numbers]], classes=CLASSES)
    return Answered(events=numbers.astype(str), truth=names[truth[numbers]], predictions=predictions)


def measurement(version: int, of: Answered, name: str = "accuracy") -> Measurement:
    values = measure([REGISTRY[name]], of.truth, of.predictions)
    (metric,) = with_intervals(values, of.truth, of.predictions, draws=300, seconds=60)
    return Measurement(version=version, metric=metric, events=frozenset(map(str, of.events)))


def difference(one: Answered, other: Answered, name: str = "accuracy", draws: int = 1_000) -> Difference:
    differ = ByEvents({1: one, 2: other}, draws=draws)
    return differ(measurement(1, one, name), measurement(2, other, name))


def two(random: np.random.Generator, rates: tuple[float, float] = (0.8, 0.8)) -> tuple[Answered, Answered]:
    """Versions of 600 events of which 400 are shared; the rates are of the shared ones and of all others."""
    is_right = random.random(800) < np.where((np.arange(800) >= 200) & (np.arange(800) < 600), *rates)
    return answered(np.arange(600), is_right), answered(np.arange(200, 800), is_right)


def test_the_interval_is_as_wide_as_the_events_that_are_not_shared_ask() -> None:
    one, other = two(np.random.default_rng(1))
    found = difference(one, other)
    assert found.low is not None
    assert found.high is not None
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * sqrt(2 * 200 * 0.16) / 600, rel=0.15)


@pytest.mark.parametrize("name", ["f1", "balanced_accuracy", "matthews_corrcoef"])
def test_other_metrics_are_drawn_too(name: str) -> None:
    one, other = two(np.random.default_rng(2))
    found = difference(one, other, name)
    entry = REGISTRY[name]
    values = [entry.compute(each.truth, each.predictions) for each in (one, other)]
    assert found.value == pytest.approx(values[1] - values[0])
    assert None not in (found.low, found.high, found.p)


def test_the_order_of_events_does_not_matter() -> None:
    one, other = two(np.random.default_rng(3))
    order = np.random.default_rng(4).permutation(600)
    labels = replace(one.predictions, labels=one.predictions.labels[order])
    shuffled = Answered(events=one.events[order], truth=one.truth[order], predictions=labels)
    assert difference(shuffled, other) == difference(one, other)


def test_the_other_way_round_a_difference_has_the_other_sign() -> None:
    one, other = two(np.random.default_rng(5), (0.9, 0.7))
    there, back = difference(one, other, "f1"), difference(other, one, "f1")
    assert None not in (there.value, there.low, there.high)
    assert (back.value, back.low, back.high) == pytest.approx(
        (-(there.value or 0), -(there.high or 0), -(there.low or 0)), abs=1e-12
    )
    assert back.p == pytest.approx(there.p)


def test_what_is_not_shared_or_hardly_different_is_told_by_intervals() -> None:
    is_right = np.random.default_rng(6).random(1200) < 0.8
    whole = answered(np.arange(600), is_right)
    for other in (answered(np.arange(600, 1200), is_right), answered(np.arange(650), is_right)):
        differ = ByEvents({1: whole, 2: other})
        pair = measurement(1, whole), measurement(2, other)
        assert differ(*pair) == by_intervals(*pair)
        assert differ(*pair).method is Method.UNPAIRED


def test_a_version_whose_answers_are_lost_is_told_by_intervals() -> None:
    one, other = two(np.random.default_rng(7))
    pair = measurement(1, one), measurement(2, other)
    assert ByEvents({2: other})(*pair) == by_intervals(*pair)


def test_of_many_events_groups_are_drawn() -> None:
    is_right = np.random.default_rng(8).random(6000) < 0.8
    one, other = answered(np.arange(4000), is_right), answered(np.arange(2000, 6000), is_right)
    found = difference(one, other, "balanced_accuracy", draws=400)
    assert found.low is not None
    assert found.high is not None
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * sqrt(2 * 2000 * 0.16) / 4000, rel=0.2)


def streams(seed: int, rates: np.ndarray) -> tuple[list[Measurement], dict[int, Answered]]:
    """Versions of 400 events, half of which are new in each; `rates` are those of new events."""
    random = np.random.default_rng(seed)
    is_right = random.random(200 * (len(rates) + 1)) < np.repeat([rates[0], *rates], 200)
    known = {place: answered(np.arange(200 * place, 200 * place + 400), is_right) for place in range(len(rates))}
    return [measurement(version, of) for version, of in known.items()], known


def test_a_known_change_is_found_at_its_version_and_not_before() -> None:
    found, known = streams(9, np.array([0.9] * 7 + [0.5] * 3))
    told = [change.finding for change in changes(found, ByEvents(known))]
    assert Finding.WORSE not in told[:7]
    assert set(told[7:]) == {Finding.WORSE}


@pytest.mark.system
def test_of_two_hundred_streams_without_a_change_at_most_the_documented_share_has_a_finding() -> None:
    alerts = 0
    for seed in range(200):
        found, known = streams(seed, np.full(VERSIONS, 0.9))
        told = {change.finding for change in changes(found, ByEvents(known, draws=300))}
        alerts += bool({Finding.WORSE, Finding.BETTER} & told)
    assert alerts <= 200 * FALSE_ALERTS
