"""Which metrics there are to choose from."""

from atlas.results import MetricValue
from atlas.states import State
from storage.models import Benchmark, Metric, Model
from storage.queries._distinct import each_once

_LATEST = 200
"""The benchmarks that ended last, whose metrics are offered: all millions of values would take too long to look at."""


def metric_names() -> list[str]:
    """The primary metrics of all models, and what else the latest benchmarks measured, by name."""
    latest = Benchmark.objects.filter(state=State.DONE).order_by("-finished").values("pk")[:_LATEST]
    measured = Metric.objects.filter(benchmark__in=latest).order_by().values_list("name", flat=True).distinct()
    return sorted({*measured, *each_once(Model, "primary_metric", "state = 'ready'")})


def metric_value(stored: Metric) -> MetricValue:
    """A stored metric as the engine measured it."""
    return MetricValue(
        name=stored.name,
        value=stored.value,
        greater_is_better=stored.greater_is_better,
        reason=stored.reason,
        low=stored.low,
        high=stored.high,
    )
