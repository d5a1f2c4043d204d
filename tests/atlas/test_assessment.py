"""All measurements of a model's answers together, and what they may cost."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from atlas import intervals
from atlas.assessment import FLOOR_SECONDS, SHARE, assess
from atlas.errors import MetricError
from atlas.intervals import draw_weights, with_intervals
from atlas.metrics import default_metrics, measure, metric
from atlas.slices import slice_metrics
from atlas.vocabulary import Task
from tests.predictions import ROWS, sample

CARS = {"car": np.array(["A1", "B2"])[np.arange(ROWS) % 2]}
LONG = 1_000.0


@pytest.mark.parametrize("task", list(Task))
def test_together_they_are_what_each_is_alone(task: Task) -> None:
    truth, predictions = sample(task)
    names = default_metrics(task)
    found = assess(names, truth, predictions, CARS, predict_seconds=LONG)
    measured = measure([metric(name) for name in names], truth, predictions)
    assert found.metrics == with_intervals(measured, truth, predictions, seconds=LONG)
    assert found.slice_metrics == slice_metrics(CARS, truth, predictions, names, seconds=LONG)


def test_slices_have_the_primary_metric_first() -> None:
    truth, predictions = sample(Task.BINARY)
    found = assess(["f1", "roc_auc"], truth, predictions, CARS, predict_seconds=LONG, primary="roc_auc")
    assert [value.name for value in found.metrics] == ["f1", "roc_auc"]
    assert [value.name for value in found.slice_metrics[0].metrics] == ["roc_auc", "f1"]


def test_a_metric_that_is_none_is_refused() -> None:
    with pytest.raises(MetricError, match="acuracy"):
        assess(["acuracy"], *sample(Task.BINARY), {}, predict_seconds=1)


class Clock:
    """The time of this thread, in which bootstrap samples alone cost anything."""

    SECONDS = 0.1
    """A draw of samples: so slow that no time is long enough for all of them."""

    def __init__(self) -> None:
        self.now = 0.0

    def draw(self, *given: Any) -> Iterator[np.ndarray]:
        for weights in draw_weights(*given):
            self.now += self.SECONDS
            yield weights


@pytest.mark.parametrize(("predict_seconds", "seconds"), [(0.0, FLOOR_SECONDS), (4.0, SHARE * 4.0)])
def test_many_rows_cost_no_more_than_their_share_of_the_prediction(
    monkeypatch: pytest.MonkeyPatch, predict_seconds: float, seconds: float
) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "thread_time", lambda: clock.now)
    monkeypatch.setattr(intervals, "draw_weights", clock.draw)
    rows = 20_000
    truth, predictions = sample(Task.MULTICLASS, rows, decimals=9)
    columns = {name: np.arange(rows) * factor % 10 for name, factor in (("car", 1), ("environment", 7))}
    found = assess(default_metrics(Task.MULTICLASS), truth, predictions, columns, predict_seconds=predict_seconds)
    assert seconds / 2 < clock.now <= seconds + clock.SECONDS
    assert all(value.value is not None for each in found.slice_metrics for value in each.metrics)
    assert all(value.low is not None for value in found.metrics)
