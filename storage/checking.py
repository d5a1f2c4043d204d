"""What the engine reads to compare results with those on earlier versions: which have to be, and with what."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, Max, Min, OuterRef

from atlas.manifest import manifest_of
from atlas.results import MetricValue
from atlas.states import State
from atlas.vocabulary import Task
from storage.models import Benchmark, Metric, Model

UNFINISHED = (State.QUEUED, State.RUNNING)
ModelOnTag = tuple[int, int]
"""The keys of a model and of a dataset tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResult:
    """A benchmark that is done.

    Attributes:
        benchmark: its key.
        version: the number of the dataset version.
        stored: when.
        rows: how many events it predicted.
        predictions_key: of its predictions in the object store; empty if none were kept.
        metrics: the primary one first.
    """

    benchmark: int
    version: int
    stored: datetime
    rows: int
    predictions_key: str
    metrics: tuple[MetricValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultStream:
    """The results of one model on the versions of one tag.

    Attributes:
        model: its name.
        task: what it does.
        classes: as text, in its own order; none of a regression.
        results: the oldest version first.
        due: the benchmarks that are to be compared with what comes before them.
    """

    model: str
    task: Task
    classes: tuple[str, ...]
    results: tuple[StoredResult, ...]
    due: frozenset[int]


def streams_to_check(most: int) -> list[ModelOnTag]:
    """Where results are to be compared, those first that something came to last.

    A result waits for those on earlier versions that are queued or running: without these its stream is incomplete.

    Args:
        most: how many.
    """
    earlier = Benchmark.objects.filter(
        model=OuterRef("model"),
        state__in=UNFINISHED,
        dataset_version__tag=OuterRef("dataset_version__tag"),
        dataset_version__number__lt=OuterRef("dataset_version__number"),
    )
    due = Benchmark.objects.filter(~Exists(earlier), state=State.DONE, check_due=True)
    grouped = due.values_list("model", "dataset_version__tag").annotate(last=Max("finished"))
    return [(model, tag) for model, tag, _ in grouped.order_by("-last", "model")[:most]]


def result_stream(of: ModelOnTag) -> ResultStream | None:
    """All results of a model on the versions of a tag; None if the model is gone."""
    row = Model.objects.filter(pk=of[0]).only("name", "task", "manifest").first()
    if row is None:
        return None
    return ResultStream(
        model=row.name,
        task=Task(row.task),
        classes=tuple(map(str, manifest_of(row.manifest or {}).classes)),
        results=_results(of),
        due=_due(of),
    )


def _results(of: ModelOnTag) -> tuple[StoredResult, ...]:
    metrics = _metrics(of)
    found = Benchmark.objects.filter(model=of[0], dataset_version__tag=of[1], state=State.DONE, finished__isnull=False)
    fields = ("pk", "dataset_version__number", "finished", "predictions", "predictions_key")
    return tuple(
        StoredResult(
            benchmark=pk,
            version=number,
            stored=stored,
            rows=rows or 0,
            predictions_key=key,
            metrics=tuple(metrics[pk]),
        )
        for pk, number, stored, rows, key in found.order_by("dataset_version__number", "pk").values_list(*fields)
    )


def _metrics(of: ModelOnTag) -> dict[int, list[MetricValue]]:
    """The metrics of each benchmark, the primary one first."""
    measured = Metric.objects.filter(benchmark__model=of[0], benchmark__dataset_version__tag=of[1])
    fields = ("benchmark", "name", "value", "low", "high", "greater_is_better")
    found: dict[int, list[MetricValue]] = defaultdict(list)
    for pk, name, value, low, high, greater in measured.order_by("-primary", "pk").values_list(*fields):
        metric = MetricValue(name=name, value=value, low=low, high=high, greater_is_better=greater)
        found[pk].append(metric)
    return found


def _due(of: ModelOnTag) -> frozenset[int]:
    """The benchmarks that are to be compared, and can be: all before the first version that is still to be measured."""
    own = Benchmark.objects.filter(model=of[0], dataset_version__tag=of[1])
    first = own.filter(state__in=UNFINISHED).aggregate(first=Min("dataset_version__number"))["first"]
    due = own.filter(state=State.DONE, check_due=True)
    if first is not None:
        due = due.filter(dataset_version__number__lte=first)
    return frozenset(due.values_list("pk", flat=True))
