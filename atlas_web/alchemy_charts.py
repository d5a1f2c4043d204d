"""What the workbench draws: a metric over versions, confusion matrices and their differences, quality against cost."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from atlas.paired import pareto_front
from atlas_web import confusions, histories, words
from atlas_web.alchemy import Cost, View
from storage import queries
from storage.queries import ChosenBenchmark, HistoryPoint
from ui import charts, components

MOST_CLASSES = 12
"""Matrices of more classes are no use side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A metric over the versions of one tag, for the models that are chosen."""

    tag: str
    chart: charts.History
    label: str


def over_versions(view: View) -> list[History]:
    """The metric over the versions of each tag that a chosen benchmark is on."""
    models = {each.benchmark.model_id for each in view.chosen}
    tags = dict.fromkeys(each.benchmark.dataset_version.tag.name for each in view.chosen)
    points = queries.history(models, metric=view.metric)
    return [_history(view, tag, [point for point in points if point.tag == tag]) for tag in tags]


def _history(view: View, tag: str, points: Sequence[HistoryPoint]) -> History:
    main = view.reference.benchmark.model.name if view.reference else ""
    there = [point.model for point in points]
    drawn = histories.chart(view.metric, main if main in there or not there else there[0], points)
    return History(tag=tag, chart=drawn, label=histories.described(drawn))


# Confusion matrices -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A benchmark's confusion matrix, and below it its difference from the reference's, if it has the same classes."""

    mark: str
    name: str
    classes: Sequence[str]
    counts: Sequence[Sequence[int]]
    change: Sequence[Sequence[components.Shift]]

    @property
    def id(self) -> str:
        """Of its element."""
        return f"confusion-{self.mark}"


def matrices(view: View) -> list[Matrix]:
    """The confusion matrices of the chosen benchmarks, the reference's first; none if a person could not read them."""
    ordered = [view.reference, *view.others] if view.reference else []
    return [
        Matrix(
            mark=view.mark(each),
            name=words.short_name(each.benchmark.model.name),
            classes=each.confusion_matrix[0],
            counts=each.confusion_matrix[1],
            change=_shifts(view.reference, each),
        )
        for each in ordered
        if each and each.confusion_matrix and len(each.confusion_matrix[0]) <= MOST_CLASSES
    ]


def _shifts(reference: ChosenBenchmark | None, other: ChosenBenchmark) -> list[list[components.Shift]]:
    """By how much each cell differs; empty for the reference itself, and if the classes are others."""
    base, own = reference and reference.confusion_matrix, other.confusion_matrix
    if not base or not own or other is reference or base[0] != own[0]:
        return []
    return confusions.shifts(base[1], own[1], counts=_is_same_data(reference, other))


def _is_same_data(reference: ChosenBenchmark | None, other: ChosenBenchmark) -> bool:
    return reference is not None and reference.benchmark.dataset_version_id == other.benchmark.dataset_version_id


# Quality against cost -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A cost: its name, how to read it of a benchmark in its unit, and what is said of what no other one beats."""

    title: str
    label: str
    read: Callable[[Any], float | None]
    best: str


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


AXES: Mapping[Cost, Axis] = MappingProxyType(
    {
        Cost.LATENCY: Axis(
            title="Latency p95",
            label="Latency p95 of one event, ms",
            read=lambda benchmark: _scaled(benchmark.latency_p95_seconds, 1e3),
            best="faster",
        ),
        Cost.MEMORY: Axis(
            title="Peak memory",
            label="Peak memory, MiB",
            read=lambda benchmark: _scaled(benchmark.peak_memory_bytes, 2**-20),
            best="smaller in memory",
        ),
        Cost.SIZE: Axis(
            title="Size of the file",
            label="Size of the file, MiB",
            read=lambda benchmark: _scaled(benchmark.model.size_bytes, 2**-20),
            best="smaller on disk",
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Quality against a cost, as a chart and as its label and text."""

    chart: charts.Pareto
    label: str
    text: str


def quality(view: View) -> Quality | None:
    """The metric against a cost, of the chosen benchmarks and of the best others of its use case on its version.

    None if nothing has both.
    """
    if view.reference is None or not view.metric:
        return None
    axis = AXES[view.cost]
    primary = next(metric for metric in view.reference.metrics if metric.name == view.metric)
    found = [*_chosen_points(view, axis), *_other_points(view, axis, primary.greater_is_better)]
    if not found:
        return None
    front = pareto_front([(point.cost, point.value) for point in found], (False, primary.greater_is_better))
    points = [replace(point, front=on) for point, on in zip(found, front, strict=True)]
    title = words.metric_title(view.metric)
    best = [point.name for point in points if point.front]
    chart = charts.Pareto(
        metric=title, cost=axis.label, greater_is_better=primary.greater_is_better, points=sorted(points, key=_by_cost)
    )
    return Quality(
        chart=chart,
        label=f"Scatter of {title} against {axis.title.lower()}; on the front: {', '.join(best)}",
        text=f"The chosen benchmarks and the best others for {view.reference.benchmark.model.use_case} on "
        f"{view.reference.benchmark.dataset_version}. Of filled points none is both {axis.best} and better.",
    )


def _by_cost(point: charts.Point) -> float:
    return point.cost


def _found(name: str, mark: str, benchmark: Any, metric: Any, axis: Axis) -> Iterator[charts.Point]:
    cost = axis.read(benchmark)
    if cost is not None and metric.value is not None:
        ends = {"low": metric.low, "high": metric.high}
        yield charts.Point(name=name, mark=mark, benchmark=benchmark.pk, cost=cost, value=metric.value, **ends)


def _chosen_points(view: View, axis: Axis) -> Iterable[charts.Point]:
    for each in view.chosen:
        metric = next((metric for metric in each.metrics if metric.name == view.metric), None)
        name = words.short_name(each.benchmark.model.name)
        if metric:
            on = "" if _is_same_data(view.reference, each) else f" on {each.benchmark.dataset_version}"
            yield from _found(f"{name}{on}", view.mark(each), each.benchmark, metric, axis)


def _other_points(view: View, axis: Axis, greater_is_better: bool) -> Iterable[charts.Point]:
    if view.reference is None:
        return
    chosen = set(view.keys)
    for metric in queries.field_of(view.reference.benchmark, view.metric, greater_is_better=greater_is_better):
        if metric.benchmark_id not in chosen:
            yield from _found(words.short_name(metric.benchmark.model.name), "", metric.benchmark, metric, axis)
