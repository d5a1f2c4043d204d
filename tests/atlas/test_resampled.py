"""The statistics of metrics whose own intervals have formulas, against scikit-learn with the same weights."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from atlas.intervals import draw_weights
from atlas.metrics import REGISTRY, Metric, Predictions, metrics_for
from atlas.resampled import MEDIAN_LEVELS, STATISTICS
from atlas.vocabulary import Task
from atlas.weighted import BUILDERS, Rows
from tests.predictions import ROWS, by_scikit_learn, sample

MEDIAN = "median_absolute_error"


def cases() -> Iterator[Any]:
    for task in Task:
        for entry in metrics_for(task):
            if entry.name in STATISTICS.keys() - BUILDERS.keys() - {MEDIAN}:
                yield pytest.param(task, entry, id=f"{task}, {entry.name}")


def values(entry: Metric, truth: np.ndarray, predictions: Predictions, weights: np.ndarray) -> np.ndarray:
    rows = Rows(*entry.arguments_for(truth, predictions), np.arange(len(truth)), len(truth))
    return STATISTICS[entry.name](rows)(weights)


def weights_of(rows: int, draws: int = 20) -> np.ndarray:
    return np.concatenate(list(draw_weights(np.random.default_rng(5), rows, draws)))


@pytest.mark.parametrize(("task", "entry"), list(cases()))
def test_a_weighted_metric_is_what_scikit_learn_computes_with_these_weights(task: Task, entry: Metric) -> None:
    truth, predictions = sample(task)
    weights = weights_of(ROWS)
    expected = [by_scikit_learn(entry, truth, predictions, drawn) for drawn in weights]
    assert values(entry, truth, predictions, weights) == pytest.approx(expected)


def test_a_weighted_median_is_that_of_rows_repeated() -> None:
    truth, predictions = sample(Task.REGRESSION, rows=151)
    errors = np.abs(truth - predictions.labels)
    weights = weights_of(151)
    expected = [np.median(np.repeat(errors, drawn.astype(int))) for drawn in weights]
    assert values(REGISTRY[MEDIAN], truth, predictions, weights) == pytest.approx(expected)


def test_the_median_of_many_rows_is_among_levels_that_lie_close_together() -> None:
    rows = 20 * MEDIAN_LEVELS
    truth, predictions = sample(Task.REGRESSION, rows=rows)
    errors = np.abs(truth - predictions.labels)
    weights = weights_of(rows, 5)
    expected = [np.median(np.repeat(errors, drawn.astype(int))) for drawn in weights]
    assert values(REGISTRY[MEDIAN], truth, predictions, weights) == pytest.approx(expected, rel=2e-3)


def test_every_metric_but_the_largest_error_has_a_statistic() -> None:
    assert REGISTRY.keys() - STATISTICS.keys() == {"max_error"}
