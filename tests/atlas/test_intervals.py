"""How sure a number is: formulas, the bootstrap, how often the truth lies inside, and what has no interval."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.intervals import MOST_ROWS, class_metrics, draw_weights, wilson, with_intervals
from atlas.metrics import Predictions, default_metrics, measure, metric
from atlas.results import Estimate, MetricValue
from atlas.vocabulary import Task
from tests.predictions import by_scikit_learn, sample

NO_HURRY = 60.0


def told(
    names: list[str] | tuple[str, ...],
    truth: np.ndarray,
    predictions: Predictions,
    *,
    seconds: float = NO_HURRY,
    draws: int = 1_000,
    seed: int = 0,
) -> dict[str, MetricValue]:
    measured = measure([metric(name) for name in names], truth, predictions)
    found = with_intervals(measured, truth, predictions, seconds=seconds, draws=draws, seed=seed)
    return {value.name: value for value in found}


def noisy(random: np.random.Generator, rows: int) -> tuple[np.ndarray, Predictions]:
    """Events of two classes, whose scores are normal and lie 1.5 apart."""
    truth = random.integers(0, 2, rows)
    scores = random.normal(1.5 * truth, 1.0)
    return truth, Predictions(labels=(scores > 0.75).astype(int), scores=scores, classes=(0, 1))


def test_a_share_has_wilsons_interval() -> None:
    found = wilson(8, 10)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((0.49016, 0.94331), abs=1e-5)  # statsmodels, method="wilson"


def test_a_share_of_all_is_not_certain() -> None:
    found = wilson(10, 10)
    assert found is not None
    assert found.high == 1.0
    assert found.low == pytest.approx(1 / (1 + 1.959963984540054**2 / 10))


def test_a_share_of_nothing_has_no_interval() -> None:
    assert wilson(0, 0) is None


@given(st.integers(1, 10_000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_wilsons_interval_holds_the_share_and_stays_a_share(case: tuple[int, int]) -> None:
    found = wilson(*case)
    assert found is not None
    assert 0 <= found.low <= case[0] / case[1] <= found.high <= 1
    assert found.low < found.high


@pytest.mark.parametrize("task", list(Task))
def test_an_interval_is_that_of_a_naive_bootstrap_on_the_same_draws(task: Task) -> None:
    truth, predictions = sample(task)
    name = {
        Task.BINARY: "average_precision",
        Task.MULTICLASS: "f1_macro",
        Task.MULTILABEL: "f1_micro",
        Task.REGRESSION: "root_mean_squared_error",
    }[task]
    found = told([name], truth, predictions, draws=200, seed=4)[name]
    draws = np.concatenate(list(draw_weights(np.random.default_rng(4), len(truth), 200)))
    naive = [by_scikit_learn(metric(name), truth, predictions, weights) for weights in draws]
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(naive, (2.5, 97.5))), rel=1e-9)


@pytest.mark.parametrize("task", list(Task))
def test_every_default_metric_but_the_largest_error_has_an_interval_that_holds_it(task: Task) -> None:
    for value in told(default_metrics(task), *sample(task)).values():
        if value.name == "max_error":
            assert (value.low, value.high) == (None, None)
        else:
            assert value.value is not None
            assert value.low is not None
            assert value.high is not None
            assert value.low <= value.value <= value.high
            assert value.low < value.high


def test_the_truth_lies_in_an_interval_as_often_as_it_says() -> None:
    """In 200 samples, 95 % of intervals hold the truth give or take 3 % (two standard deviations)."""
    names = ("accuracy", "recall", "f1", "balanced_accuracy", "roc_auc")
    population = noisy(np.random.default_rng(1), 200_000)
    true = {value.name: value.value for value in measure([metric(name) for name in names], *population)}
    held = dict.fromkeys(names, 0)
    for seed in range(200):
        found = told(names, *noisy(np.random.default_rng(100 + seed), 250), draws=300, seed=seed)
        for name in names:
            value = found[name]
            assert value.low is not None
            assert value.high is not None
            held[name] += value.low <= (true[name] or 0.0) <= value.high
    assert all(0.92 <= number / 200 <= 0.98 for number in held.values()), held


def test_of_many_rows_groups_tell_the_same_interval() -> None:
    """The standard error of the mean of |error| is known; the groups' own error is about 2 %."""
    rows = 5 * MOST_ROWS
    truth, error = np.zeros(rows), np.random.default_rng(2).exponential(1.0, rows)
    found = told(["mean_absolute_error"], truth, Predictions(labels=error))["mean_absolute_error"]
    assert found.low is not None
    assert found.high is not None
    assert (found.high - found.low) / 2 == pytest.approx(1.96 / np.sqrt(rows), rel=0.15)


def test_the_same_seed_gives_the_same_interval_and_another_one_another() -> None:
    truth, predictions = sample(Task.BINARY)
    once, again, other = (told(["roc_auc"], truth, predictions, seed=seed) for seed in (1, 1, 2))
    assert once == again
    assert once != other


def test_a_metric_has_the_same_interval_in_any_company() -> None:
    truth, predictions = sample(Task.BINARY)
    together = told(default_metrics(Task.BINARY), truth, predictions)
    assert told(["log_loss"], truth, predictions)["log_loss"] == together["log_loss"]


def test_without_time_shares_have_their_interval_and_the_rest_has_none() -> None:
    found = told(["accuracy", "f1", "roc_auc"], *sample(Task.BINARY), seconds=0)
    assert found["accuracy"].low is not None
    assert found["f1"].low is not None
    assert found["roc_auc"].low is None


def test_few_draws_give_an_interval_by_their_spread() -> None:
    truth, predictions = sample(Task.BINARY)
    few, many = (told(["roc_auc"], truth, predictions, draws=draws)["roc_auc"] for draws in (100, 1_000))
    assert few.low is not None
    assert few.high is not None
    assert many.low is not None
    assert many.high is not None
    assert few.high - few.low == pytest.approx(many.high - many.low, rel=0.3)
    assert told(["roc_auc"], truth, predictions, draws=20)["roc_auc"].low is None


def test_a_model_without_an_error_has_no_interval_where_only_draws_could_tell_one() -> None:
    truth = np.array([0, 1] * 20)
    perfect = Predictions(labels=truth, scores=truth.astype(float), classes=(0, 1))
    found = told(["accuracy", "balanced_accuracy", "roc_auc"], truth, perfect)
    assert (found["accuracy"].low, found["accuracy"].high) == pytest.approx((0.9124, 1.0), abs=1e-4)
    assert found["balanced_accuracy"].low is None
    assert found["roc_auc"].low is None


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("task", list(Task))
def test_one_or_two_rows_are_no_trouble(task: Task, rows: int) -> None:
    truth, predictions = sample(task, rows)
    for value in told(default_metrics(task), truth, predictions).values():
        assert value.value is None or value.low is None or value.low <= value.value <= (value.high or 0.0)


def test_a_constant_prediction_has_a_share_but_no_spread_of_its_ranking() -> None:
    truth = np.array([0, 1, 1, 0, 1] * 10)
    constant = Predictions(labels=np.ones(50, int), scores=np.ones(50), classes=(0, 1))
    found = told(["accuracy", "matthews_corrcoef", "roc_auc"], truth, constant)
    assert found["accuracy"].low is not None
    assert found["matthews_corrcoef"].low is None
    assert (found["roc_auc"].value, found["roc_auc"].low) == (0.5, None)


def test_a_metric_without_a_value_has_no_interval() -> None:
    only_one_class = Predictions(labels=np.zeros(9, int), scores=np.arange(9.0), classes=(0, 1))
    found = told(["roc_auc"], np.zeros(9, int), only_one_class)["roc_auc"]
    assert (found.value, found.low, found.high) == (None, None, None)


def test_what_an_author_measured_is_left_as_it_is() -> None:
    own = MetricValue(name="cost_of_misses", value=3.0, greater_is_better=False)
    assert with_intervals([own], *sample(Task.BINARY)) == (own,)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=60))
def test_whatever_the_labels_an_interval_holds_its_value_and_lies_in_its_range(pairs: list[tuple[int, int]]) -> None:
    truth, labels = (np.array(column) for column in zip(*pairs, strict=True))
    names = ["accuracy", "balanced_accuracy", "f1_macro", "f1_micro", "jaccard_weighted", "precision_macro"]
    for value in told(names, truth, Predictions(labels=labels, classes=(0, 1, 2)), draws=200).values():
        if value.value is not None and value.low is not None and value.high is not None:
            assert -1e-12 <= value.low <= value.value <= value.high <= 1 + 1e-12


def test_each_class_has_its_own_values() -> None:
    truth, labels = np.array(["a"] * 6 + ["b"] * 4), np.array(["a"] * 5 + ["b"] * 4 + ["a"])
    first, second, third = class_metrics(truth, Predictions(labels=labels, classes=("a", "b", "c")))
    assert (first.label, first.rows, second.rows, third.rows) == ("a", 6, 4, 0)
    assert (first.precision.value, first.recall.value, first.f1.value) == pytest.approx((5 / 6, 5 / 6, 5 / 6))
    assert (second.precision.value, second.recall.value) == (0.75, 0.75)
    recall = wilson(5, 6)
    assert recall is not None
    assert (first.recall.low, first.recall.high) == (recall.low, recall.high)
    assert (third.precision, third.recall, third.f1) == (Estimate(), Estimate(), Estimate())


def test_a_label_that_is_no_class_counts_against_the_classes() -> None:
    truth, labels = np.array(["a", "a", "x"]), np.array(["a", "b", "a"])
    first, second = class_metrics(truth, Predictions(labels=labels, classes=("a", "b")))
    assert (first.rows, first.precision.value, second.rows, second.precision.value) == (2, 0.5, 0, 0.0)


def test_sets_of_labels_have_values_for_each_class() -> None:
    truth, predictions = sample(Task.MULTILABEL)
    for place, each in enumerate(class_metrics(truth, predictions)):
        assert each.rows == truth[:, place].sum()
        hits = (truth[:, place] * predictions.labels[:, place]).sum()
        assert each.recall.value == pytest.approx(hits / each.rows)


def test_a_regression_has_no_classes() -> None:
    assert class_metrics(*sample(Task.REGRESSION)) == ()
