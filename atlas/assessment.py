"""All that is measured of a model's answers, within a share of the time that the answers took."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from atlas.intervals import Sample, told
from atlas.metrics import Events, Predictions, measure_events, metric
from atlas.results import MetricValue, SliceMetrics
from atlas.slices import Values, slices_until

SHARE = 0.2
"""How much of the time of prediction the metrics, their intervals and their slices may take."""
FLOOR_SECONDS = 0.25
"""How long intervals and slices may take in any case, in seconds of a core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The metrics with their intervals, on all events and on slices of them."""

    metrics: tuple[MetricValue, ...]
    slice_metrics: tuple[SliceMetrics, ...]


def assess(
    names: Sequence[str],
    truth: np.ndarray,
    predictions: Predictions,
    columns: Mapping[str, Values],
    *,
    predict_seconds: float,
    primary: str = "",
    seed: int = 0,
) -> Assessment:
    """Measure a model's answers.

    The metrics are always measured on all events. Then their intervals have half of the time that is left, and the
    slices the rest; what has begun by then is brought to its end.

    Args:
        names: of metrics of the registry.
        truth: as in `atlas.metrics.measure`.
        predictions: likewise.
        columns: by whose values metrics are told apart, as in `atlas.slices.slice_metrics`.
        predict_seconds: how long the answers took.
        primary: the metric that slices are measured by first.
        seed: of the random numbers that intervals need.

    Raises:
        MetricError: the registry has no metric of that name.
    """
    started = time.thread_time()
    events = Events(truth, predictions)
    measured = measure_events([metric(name) for name in names], events)
    now = time.thread_time()
    seconds = max(FLOOR_SECONDS, SHARE * predict_seconds - (now - started))
    metrics = told(measured, Sample(events, seed), deadline=now + seconds / 2)
    ordered = sorted(names, key=lambda name: name != primary)
    return Assessment(metrics=metrics, slice_metrics=slices_until(now + seconds, columns, events, ordered, seed=seed))
