"""Which of two models is better: exact tests, resampled differences, and what they say, against brute force."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from atlas.intervals import wilson
from atlas.metrics import Predictions, metrics_for
from atlas.paired import (
    Answers,
    Difference,
    Discordance,
    Finding,
    Method,
    discordance,
    holm,
    judged,
    mcnemar,
    paired,
    pareto_front,
    unpaired,
)
from atlas.results import MetricValue
from atlas.vocabulary import Task
from tests.predictions import sample

counts = st.integers(0, 3000)


def binary(truth: np.ndarray, labels: np.ndarray, seed: int = 0, draws: int = 1_000) -> Answers:
    names = np.array(["intact", "damaged"])
    return Answers(names[truth], Predictions(labels=names[labels], classes=("intact", "damaged")), seed, draws)


def two_models(random: np.random.Generator, events: int, rights: tuple[float, float]) -> tuple[Answers, Answers]:
    """Models that are right so often, whose errors go together."""
    truth = random.integers(0, 2, events)
    hardness = random.random(events)
    own = 0.7 * hardness + 0.3 * random.random((2, events))
    ends = np.quantile(
        0.7 * np.random.default_rng(0).random(10**5) + 0.3 * np.random.default_rng(1).random(10**5), rights
    )
    labels = [np.where(one < end, truth, 1 - truth) for one, end in zip(own, ends, strict=True)]
    return binary(truth, labels[0]), binary(truth, labels[1])


@given(counts, counts)
def test_mcnemar_s_p_is_that_of_the_exact_binomial_test(one: int, other: int) -> None:
    expected = binomtest(one, one + other, 0.5).pvalue if one + other else 1.0
    assert mcnemar(one, other) == pytest.approx(expected, rel=1e-9)
    assert mcnemar(one, other) == mcnemar(other, one)


def test_mcnemar_s_test_counts_the_events_on_which_one_model_alone_is_right() -> None:
    truth = np.array([0, 0, 1, 1, 1])
    one, other = binary(truth, np.array([0, 1, 1, 0, 0])), binary(truth, np.array([0, 0, 0, 1, 1]))
    assert discordance(one, other) == Discordance(only_reference=1, only_other=3, p=0.625)


def test_sets_of_labels_are_right_as_a_whole_and_numbers_never() -> None:
    truth, predictions = sample(Task.MULTILABEL)
    perfect = replace(predictions, labels=truth)
    found = discordance(Answers(truth, perfect), Answers(truth, predictions))
    assert found is not None
    assert (found.only_reference, found.only_other) == (int((predictions.labels != truth).any(axis=1).sum()), 0)
    numbers = Answers(*sample(Task.REGRESSION))
    assert discordance(numbers, numbers) is None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("task", list(Task))
def test_every_metric_but_the_largest_error_has_a_paired_interval_that_holds_the_difference(task: Task) -> None:
    truth, predictions = sample(task, decimals=6)
    other = _worse(truth, predictions)
    one, two = Answers(truth, predictions, draws=200), Answers(truth, other, draws=200)
    for entry in metrics_for(task):
        found = paired(one, two, entry.name)
        assert found.method is Method.PAIRED
        assert found.rows == len(truth)
        expected = entry.compute(truth, other) - entry.compute(truth, predictions)
        assert found.value == pytest.approx(expected)
        if entry.name == "max_error":
            assert not found.is_known
        else:
            assert found.low is not None, entry.name
            assert found.high is not None
            assert found.low <= expected <= found.high


def _worse(truth: np.ndarray, predictions: Predictions) -> Predictions:
    """The same with the answers to a few events mixed up."""
    places = np.arange(len(truth))
    places[::7] = np.roll(places[::7], 1)
    chances = predictions.probabilities
    return replace(
        predictions, labels=predictions.labels[places], probabilities=None if chances is None else chances[places]
    )


def test_the_interval_is_that_of_resampling_the_events_by_brute_force() -> None:
    one, two = two_models(np.random.default_rng(4), 300, (0.8, 0.86))
    found = paired(one, two, "f1")
    random = np.random.default_rng(0)
    drawn = random.integers(0, 300, (1_000, 300))
    differences = _f1(two, drawn) - _f1(one, drawn)
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(differences, (2.5, 97.5))), abs=0.01)


def _f1(answers: Answers, drawn: np.ndarray) -> np.ndarray:
    """Of each sample of events, (samples, events)."""
    true, predicted = ((each[drawn] == "damaged") for each in (answers.truth, answers.predictions.labels))
    return np.asarray(2 * (true & predicted).sum(axis=1) / (true.sum(axis=1) + predicted.sum(axis=1)))


@pytest.mark.parametrize("events", [300, 5_000])
def test_the_paired_interval_holds_the_true_difference_about_as_often_as_it_says(events: int) -> None:
    random, held, rounds = np.random.default_rng(11), 0, 150
    for _ in range(rounds):
        one, two = two_models(random, events, (0.8, 0.84))
        found = paired(replace(one, draws=400), replace(two, draws=400), "accuracy")
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.04 <= found.high
    assert 0.90 * rounds <= held <= 0.99 * rounds


def test_pairs_tell_more_than_both_intervals_do() -> None:
    one, two = two_models(np.random.default_rng(2), 1_000, (0.8, 0.84))
    found = paired(one, two, "accuracy")
    apart = unpaired(share(0.8, 0.775, 0.824), share(0.84, 0.816, 0.861))
    assert _width(found) < 0.8 * _width(apart)


def _width(found: Difference) -> float:
    assert found.low is not None
    assert found.high is not None
    return found.high - found.low


def test_models_that_answer_alike_do_not_differ() -> None:
    one, _ = two_models(np.random.default_rng(2), 100, (0.8, 0.8))
    found = paired(one, one, "accuracy")
    assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_two_perfect_models_say_nothing_of_other_events() -> None:
    truth = np.array([0, 1] * 20)
    assert not paired(binary(truth, truth), binary(truth, truth), "accuracy").is_known


def test_the_same_seed_gives_the_same_interval() -> None:
    one, two = two_models(np.random.default_rng(2), 3_000, (0.8, 0.84))
    again = replace(one), replace(two)
    assert paired(one, two, "accuracy") == paired(*again, "accuracy")


def test_answers_to_other_events_or_on_other_samples_are_refused() -> None:
    one, two = two_models(np.random.default_rng(2), 100, (0.8, 0.84))
    with pytest.raises(ValueError, match="the same events"):
        paired(one, replace(two, seed=1), "accuracy")


def share(value: float | None, low: float | None, high: float | None) -> MetricValue:
    return MetricValue(name="accuracy", value=value, greater_is_better=True, low=low, high=high)


def test_unpaired_intervals_of_normal_scores_are_those_of_their_difference() -> None:
    found = unpaired(share(0.5, 0.4, 0.6), share(0.7, 0.6, 0.8))
    half = 0.1 * 2**0.5
    assert (found.low, found.high) == pytest.approx((0.2 - half, 0.2 + half))
    assert found.p == pytest.approx(2 * norm.sf(0.2 / (half / norm.ppf(0.975))))
    assert found.method is Method.UNPAIRED


def test_newcombe_s_interval_of_two_shares_is_met() -> None:
    """56 of 70 and 48 of 80: Newcombe (1998), Interval estimation for the difference between independent proportions,
    table II, case (a), method 10."""
    one, other = wilson(48, 80), wilson(56, 70)
    assert one is not None
    assert other is not None
    found = unpaired(share(48 / 80, one.low, one.high), share(56 / 70, other.low, other.high))
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize("other", [share(0.7, None, None), share(None, None, None)])
def test_without_both_intervals_nothing_is_told(other: MetricValue) -> None:
    found = unpaired(share(0.5, 0.4, 0.6), other)
    assert not found.is_known
    assert judged([found], greater_is_better=True)[0].finding is Finding.CANNOT_TELL


def test_p_values_are_corrected_by_holm_s_method() -> None:
    assert holm([0.01, 0.04, None, 0.03]) == pytest.approx([0.03, 0.06, None, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_corrected_p_values_keep_their_order_and_never_shrink(values: list[float]) -> None:
    adjusted = [p for p in holm(values) if p is not None]
    assert all(value <= p <= 1 for value, p in zip(values, adjusted, strict=True))
    order = np.argsort(values, kind="stable")
    assert list(np.array(adjusted)[order]) == sorted(adjusted)


@pytest.mark.parametrize(
    ("value", "low", "high", "greater_is_better", "finding"),
    [
        (0.1, 0.05, 0.15, True, Finding.BETTER),
        (0.1, 0.05, 0.15, False, Finding.WORSE),
        (-0.1, -0.15, -0.05, True, Finding.WORSE),
        (-0.1, -0.15, -0.05, False, Finding.BETTER),
        (0.1, -0.05, 0.15, True, Finding.WITHIN_NOISE),
        (0.1, None, None, True, Finding.CANNOT_TELL),
    ],
)
def test_a_difference_is_better_or_worse_only_if_its_interval_excludes_0(
    value: float, low: float | None, high: float | None, greater_is_better: bool, finding: Finding
) -> None:
    difference = Difference(value=value, low=low, high=high, p=None if low is None else 0.01)
    assert judged([difference], greater_is_better=greater_is_better)[0].finding is finding


def test_what_is_more_than_noise_alone_may_not_be_among_several() -> None:
    difference = Difference(value=0.1, low=0.01, high=0.2, p=0.03)
    assert judged([difference], greater_is_better=True)[0].finding is Finding.BETTER
    found = judged([difference, difference], greater_is_better=True)
    assert {each.finding for each in found} == {Finding.WITHIN_NOISE}
    assert {each.adjusted_p for each in found} == {0.06}


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12), st.tuples(st.booleans(), st.booleans()))
def test_the_front_is_of_the_points_that_no_other_beats(
    points: list[tuple[int, int]], greater_is_better: tuple[bool, bool]
) -> None:
    def beats(one: tuple[int, int], other: tuple[int, int]) -> bool:
        gains = [(a - b) if up else (b - a) for a, b, up in zip(one, other, greater_is_better, strict=True)]
        return min(gains) >= 0 and max(gains) > 0

    expected = [not any(beats(other, one) for other in points) for one in points]
    assert pareto_front(points, greater_is_better) == expected


def test_points_of_many_directions_have_a_front_too() -> None:
    points = [*product((0, 1), repeat=3)]
    assert [point for point, on in zip(points, pareto_front(points, (True, False, True)), strict=True) if on] == [
        (1, 0, 1)
    ]
