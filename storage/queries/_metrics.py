"""Which metrics there are to choose from."""

from atlas.states import ModelState, State
from storage.models import Benchmark, Metric, Model

_LATEST = 200
"""The benchmarks that ended last, whose metrics are offered: all millions of values would take too long to look at."""


def metric_names() -> list[str]:
    """The primary metrics of all models, and what else the latest benchmarks measured, by name."""
    models = Model.objects.filter(state=ModelState.READY)
    latest = Benchmark.objects.filter(state=State.DONE).order_by("-finished").values("pk")[:_LATEST]
    measured = Metric.objects.filter(benchmark__in=latest).order_by().values_list("name", flat=True).distinct()
    primary = models.order_by().values_list("primary_metric", flat=True).distinct()
    return sorted({*measured, *primary})
