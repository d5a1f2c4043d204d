"""Metrics over dataset versions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from atlas.states import State
from storage.models import (
    Metric,
)


def trends(models: Iterable[int]) -> dict[int, list[float]]:
    """The values of the primary metric of some models, each over the versions of its latest tag, oldest first."""
    found = (
        Metric.objects.filter(benchmark__model__in=list(models), benchmark__state=State.DONE)
        .filter(primary=True)
        .order_by("benchmark__dataset_version__created", "benchmark__pk")
        .values_list("benchmark__model", "benchmark__dataset_version__tag", "value")
    )
    by_tag: dict[int, dict[int, list[float]]] = {}
    for model, tag, value in found:
        if value is not None:
            lines = by_tag.setdefault(model, {})
            lines[tag] = [*lines.pop(tag, []), value]  # the tag of the latest value comes last
    return {model: list(lines.values())[-1] for model, lines in by_tag.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPoint:
    """A metric of one model on one dataset version."""

    metric: str
    model: str
    benchmark: int
    tag: str
    version: int
    created: datetime
    value: float
    low: float | None = None
    high: float | None = None


def history(models: Iterable[int], *, tag: str = "", metric: str = "") -> list[HistoryPoint]:
    """The values of all metrics, or of one, of some models over the versions of all tags, or of one, oldest first."""
    found = Metric.objects.filter(benchmark__model__in=list(models), benchmark__state=State.DONE)
    if tag:
        found = found.filter(benchmark__dataset_version__tag__name=tag)
    if metric:
        found = found.filter(name=metric)
    version = "benchmark__dataset_version"
    ordered = found.order_by(f"{version}__tag__name", f"{version}__number", "benchmark__model__name", "pk")
    fields = ("name", "benchmark__model__name", "benchmark", f"{version}__tag__name", f"{version}__number")
    return [
        HistoryPoint(
            metric=name,
            model=model,
            benchmark=benchmark,
            tag=on,
            version=number,
            created=created,
            value=value,
            low=low,
            high=high,
        )
        for name, model, benchmark, on, number, created, value, low, high in ordered.values_list(
            *fields, f"{version}__created", "value", "low", "high"
        )
        if value is not None
    ]
