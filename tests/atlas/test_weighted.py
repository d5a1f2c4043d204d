"""Each statistic against scikit-learn's function with `sample_weight`, on the same weights."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from atlas.intervals import BY_FORMULA, draw_weights
from atlas.metrics import REGISTRY, Metric, Predictions, metrics_for
from atlas.vocabulary import Task
from atlas.weighted import BUILDERS, LEVELS, Rows, Statistic
from tests.predictions import ROWS, by_scikit_learn, sample

AREAS = ("roc_auc_ovr", "roc_auc_ovr_weighted", "roc_auc_ovo", "roc_auc_ovo_weighted")
"""The metrics that take no weights for more than two classes in scikit-learn."""


def cases() -> Iterator[Any]:
    for task in Task:
        for entry in metrics_for(task):
            if entry.name in BUILDERS and not (task is Task.MULTICLASS and entry.name in AREAS):
                yield pytest.param(task, entry, id=f"{task}, {entry.name}")


def rows_of(entry: Metric, truth: np.ndarray, predictions: Predictions, unit: np.ndarray | None = None) -> Rows:
    own = np.arange(len(truth)) if unit is None else unit
    return Rows(*entry.arguments_for(truth, predictions), own, int(own.max()) + 1)


def statistic_of(entry: Metric, truth: np.ndarray, predictions: Predictions) -> Statistic:
    return BUILDERS[entry.name](rows_of(entry, truth, predictions))


def weights_of(rows: int, draws: int) -> np.ndarray:
    return np.concatenate(list(draw_weights(np.random.default_rng(5), rows, draws)))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("task", "entry"), list(cases()))
def test_a_weighted_metric_is_what_scikit_learn_computes_with_these_weights(task: Task, entry: Metric) -> None:
    truth, predictions = sample(task)
    weights = weights_of(ROWS, 20)
    expected = [by_scikit_learn(entry, truth, predictions, drawn) for drawn in weights]
    tolerance = 2e-2 if entry.name == "d2_absolute_error_score" else 1e-10
    assert statistic_of(entry, truth, predictions)(weights) == pytest.approx(expected, rel=1e-9, abs=tolerance)


@pytest.mark.parametrize("name", AREAS)
def test_a_weighted_area_is_that_of_rows_repeated(name: str) -> None:
    truth, predictions = sample(Task.MULTICLASS)
    weights = weights_of(ROWS, 10)
    assert predictions.probabilities is not None
    expected = []
    for drawn in weights:
        rows = np.repeat(np.arange(ROWS), drawn.astype(int))
        repeated = Predictions(
            labels=predictions.labels[rows],
            probabilities=predictions.probabilities[rows],
            classes=predictions.classes,
        )
        expected.append(REGISTRY[name].compute(truth[rows], repeated))
    assert statistic_of(REGISTRY[name], truth, predictions)(weights) == pytest.approx(expected, rel=1e-9)


def test_every_metric_but_the_largest_error_has_a_formula_or_a_statistic() -> None:
    assert REGISTRY.keys() - BUILDERS.keys() - BY_FORMULA == {"max_error"}


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_many_different_scores_lose_next_to_nothing(name: str) -> None:
    truth, predictions = sample(Task.BINARY, rows=20 * LEVELS, decimals=9)
    exact = REGISTRY[name].compute(truth, predictions)
    levelled = statistic_of(REGISTRY[name], truth, predictions)(np.ones((1, len(truth))))
    assert levelled == pytest.approx(exact, abs=2e-3)


@pytest.mark.parametrize("name", ["f1_macro", "matthews_corrcoef", "log_loss", "roc_auc_ovo_weighted"])
def test_groups_of_rows_are_weighted_as_a_whole(name: str) -> None:
    truth, predictions = sample(Task.MULTICLASS)
    entry, unit = REGISTRY[name], np.arange(ROWS) % 10
    weights = np.random.default_rng(1).integers(0, 4, (5, 10)).astype(float)
    grouped = BUILDERS[name](rows_of(entry, truth, predictions, unit))(weights)
    assert grouped == pytest.approx(statistic_of(entry, truth, predictions)(weights[:, unit]), rel=1e-12)


def test_an_area_without_a_positive_row_is_not_a_number() -> None:
    truth, predictions = (
        np.array(["a", "a", "b"]),
        Predictions(labels=np.array(["a", "a", "b"]), scores=np.array([0.1, 0.2, 0.3]), classes=("a", "b")),
    )
    values = statistic_of(REGISTRY["roc_auc"], truth, predictions)(np.array([[1.0, 2.0, 0.0], [1.0, 1.0, 1.0]]))
    assert values == pytest.approx([np.nan, 1.0], nan_ok=True)
