"""Which metrics there are to choose from."""

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
