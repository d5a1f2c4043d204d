"""What the pages of the administration show: the queue, failures by class, orphans, and what goes with a model."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Min, Prefetch, Q, QuerySet, Sum, Window
from django.db.models.functions import RowNumber

from atlas.states import ComponentState, FailureClass, ModelState, State
from storage.components import Component
from storage.models import Benchmark, DatasetVersion, LogEntry, Model, Orphan, Removal, StoreReport
from storage.queries._lists import LONG_FIELDS
from storage.retention import COMPONENT as RETENTION

Keys = Iterable[int] | QuerySet[Any, Any]
"""Of rows: numbers, or a query set of one column."""


def running() -> QuerySet[Benchmark]:
    """What engines run now, that which runs longest first."""
    return _with_names(Benchmark.objects.filter(state=State.RUNNING)).order_by("started", "pk")


def queue() -> QuerySet[Benchmark]:
    """What waits, in the order in which engines take it, each with its `position` from 1 on.

    Narrow it no further: the position counts the rows of this query set.
    """
    order = (F("priority").desc(), F("dataset_version_id").asc(), F("pk").asc())
    waiting = _with_names(Benchmark.objects.filter(state=State.QUEUED))
    return waiting.annotate(position=Window(RowNumber(), order_by=order)).order_by(*order)


def _with_names(benchmarks: QuerySet[Benchmark]) -> QuerySet[Benchmark]:
    """Names are fetched for the rows that are shown: joined, they would be looked up for all that the window counts."""
    versions = DatasetVersion.objects.select_related("tag").only("number", "tag__name")
    named = (Prefetch("model", Model.objects.only("name")), Prefetch("dataset_version", versions))
    return benchmarks.prefetch_related(*named).defer(*LONG_FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCounts:
    """How many benchmarks run, wait, and failed for good."""

    running: int
    queued: int
    failed: int


def queue_counts() -> QueueCounts:
    """How many benchmarks stand where someone may be needed, each counted from an index."""
    running, queued, failed = (
        Benchmark.objects.filter(state=state).count() for state in (State.RUNNING, State.QUEUED, State.FAILED)
    )
    return QueueCounts(running=running, queued=queued, failed=failed)


def failures_by_class(since: datetime) -> list[tuple[FailureClass, int]]:
    """How many benchmarks failed since then, by class, the most frequent first."""
    failed = Benchmark.objects.filter(state=State.FAILED, finished__gte=since)
    counted = failed.values_list("failure_class").annotate(number=Count("pk")).order_by("-number", "failure_class")
    return [(FailureClass(name), number) for name, number in counted if name]


_WORST_FIRST = (ComponentState.DOWN, ComponentState.DEGRADED, None, ComponentState.HEALTHY)


def worst_first(components: Iterable[Component]) -> list[Component]:
    """Components in the order in which they need someone, those in one state as they were."""
    return sorted(components, key=lambda component: _WORST_FIRST.index(component.state))


def orphans() -> QuerySet[Orphan]:
    """The objects that nothing refers to, as the engine found them last, by key."""
    return Orphan.objects.order_by("key")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatus:
    """The object store as the engine knows it: its last report, if it made one, the size of all orphans in bytes, how
    many removals wait for an engine, the oldest since `removals_since`, and what was removed last for being old."""

    report: StoreReport | None
    orphans: int
    orphan_bytes: int
    removals: int
    removals_since: datetime | None
    retention: LogEntry | None


def store_status() -> StoreStatus:
    """How the object store is."""
    found = Orphan.objects.aggregate(number=Count("pk"), size=Sum("size_bytes"))
    oldest = Removal.objects.order_by("asked").values_list("asked", flat=True).first()
    return StoreStatus(
        report=StoreReport.objects.first(),
        orphans=found["number"],
        orphan_bytes=found["size"] or 0,
        removals=Removal.objects.count(),
        removals_since=oldest,
        retention=LogEntry.objects.filter(component=RETENTION).order_by("-pk").first(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """What is deleted with some models or benchmarks.

    `objects` are files in the object store, the models' own with them; `model_bytes` is the size of those alone, as the
    tables know no other.
    """

    models: int
    model_bytes: int
    benchmarks: int
    unfinished: int
    results: int
    explanations: int
    objects: int


def what_goes_with(models: Keys) -> Going:
    """What is deleted with these models.

    Args:
        models: their keys, or a query for them. Files that are duplicates of them go too.
    """
    ready = Model.objects.filter(pk__in=models, state=ModelState.READY).values("digest")
    going = Model.objects.filter(Q(pk__in=models) | Q(state=ModelState.DUPLICATE, digest__in=ready))
    files = going.aggregate(number=Count("pk"), size=Sum("size_bytes"))
    return _going(Benchmark.objects.filter(model__in=models), files["number"], files["size"] or 0)


def what_goes_with_benchmarks(benchmarks: Keys) -> Going:
    """What is deleted with these benchmarks, given as keys or as a query for them."""
    return _going(Benchmark.objects.filter(pk__in=benchmarks), 0, 0)


def _going(benchmarks: QuerySet[Benchmark], models: int, model_bytes: int) -> Going:
    counted = benchmarks.order_by().aggregate(
        benchmarks=Count("pk"),
        unfinished=Count("pk", filter=Q(state__in=(State.QUEUED, State.RUNNING))),
        results=Count("pk", filter=Q(provenance__isnull=False)),
        explanations=Count("pk", filter=Q(explanation__impossible="")),
        predictions=Count("pk", filter=~Q(predictions_key="")),
    )
    objects = models + counted.pop("predictions") + 2 * counted["explanations"]
    return Going(models=models, model_bytes=model_bytes, objects=objects, **counted)


def benchmarks_of(models: Keys) -> QuerySet[Benchmark, int]:
    """The keys of all benchmarks of some models."""
    return Benchmark.objects.filter(model__in=models).values_list("pk", flat=True)


def queued() -> QuerySet[Benchmark, int]:
    """The keys of all benchmarks that wait."""
    return Benchmark.objects.filter(state=State.QUEUED).values_list("pk", flat=True)


def longest_wait(now: datetime) -> timedelta:
    """For how long a benchmark has waited that may be run, at most; nothing if none waits."""
    waiting = Benchmark.objects.filter(state=State.QUEUED, not_before__lte=now)
    oldest = waiting.aggregate(oldest=Min("queued"))["oldest"]
    return timedelta() if oldest is None else now - oldest


def names_of_models(pks: Iterable[int]) -> list[str]:
    """The names of some models, in order."""
    return list(Model.objects.filter(pk__in=pks).order_by("name").values_list("name", flat=True))
