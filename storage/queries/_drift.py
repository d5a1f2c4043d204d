"""How far data have moved over dataset versions: whatever the model, and from what a model was trained on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Count, Max, QuerySet

from atlas.drift import ColumnDrift, TableDrift
from atlas.states import State
from storage.models import Benchmark, DatasetTag, DatasetVersion, Drift, VersionDrift

DRIFT_WINDOW = 20
"""So many versions are read at a time: each has a document with the distribution of every column."""


_OF_BENCHMARK = (
    *("dataset_version__number", "dataset_version__created", "drift__document", "drift__unknown"),
    *("drift__predictions", "pk"),
)


class Since(StrEnum):
    """From where versions of a dataset have moved."""

    PREVIOUS = "previous"
    FIRST = "first"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftPoint:
    """What is known at one dataset version.

    Attributes:
        number: of the version.
        created: when it was made.
        is_measured: whether it was looked at already.
        drift: how far the data have moved; None where there is nothing to compare with, or nothing can be told.
        unknown: why nothing can be told, or nothing of a model's predictions.
        predictions_since: how far a model's predictions have moved from those on the version before.
        benchmark: the key of that model's benchmark.
    """

    number: int
    created: datetime
    is_measured: bool
    drift: TableDrift | None
    unknown: str = ""
    predictions_since: ColumnDrift | None = None
    benchmark: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftHistory:
    """Some versions of a tag.

    Attributes:
        points: the versions, the oldest first.
        window: which `DRIFT_WINDOW` versions they are, from the newest, 1, on.
        versions: how many there are in all.
    """

    points: Sequence[DriftPoint]
    window: int
    versions: int

    @property
    def windows(self) -> int:
        """How many windows there are."""
        return max(-(-self.versions // DRIFT_WINDOW), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftScore:
    """The drift in short: the share of columns that moved, and the largest Jensen-Shannon distance of one."""

    number: int
    share_moved: float | None
    farthest: float | None


def dataset_drift(tag: str, since: Since, window: int = 1) -> DriftHistory | None:
    """How far the versions of a tag have moved; a window beyond the last is the last. None if there is no such tag."""
    if not DatasetTag.objects.filter(name=tag).exists():
        return None
    versions = DatasetVersion.objects.filter(tag__name=tag).order_by("-number")
    return _history(versions, window, _of_versions(since), _of_version)


def _of_versions(since: Since) -> tuple[str, ...]:
    return ("number", "created", "drift__pk", f"drift__from_{since}", "drift__problem")


def _of_version(number: int, created: datetime, pk: int | None, document: object, problem: str | None) -> DriftPoint:
    drift = None if document is None else TableDrift.model_validate(document)
    unknown = "" if drift else problem or ""
    return DriftPoint(number=number, created=created, is_measured=pk is not None, drift=drift, unknown=unknown)


def drift_tags(model: int) -> list[str]:
    """The tags on whose versions a model was benchmarked, the one with the latest version first."""
    done = Benchmark.objects.filter(model=model, state=State.DONE).order_by()
    found = done.values_list("dataset_version__tag__name").annotate(latest=Max("dataset_version__created"))
    return [tag for tag, _ in found.order_by("-latest", "dataset_version__tag__name")]


def model_drift(model: int, tag: str, window: int = 1) -> DriftHistory:
    """How far the versions of a tag that a model was benchmarked on lie from what it was trained on."""
    done = Benchmark.objects.filter(model=model, dataset_version__tag__name=tag, state=State.DONE)
    return _history(done.order_by("-dataset_version__number", "-pk"), window, _OF_BENCHMARK, _of_benchmark)


def _of_benchmark(
    number: int,
    created: datetime,
    document: object,
    unknown: str | None,
    predictions: object,
    benchmark: int,
) -> DriftPoint:
    return DriftPoint(
        number=number,
        created=created,
        is_measured=document is not None or bool(unknown),  # predictions alone may be known
        drift=None if document is None else TableDrift.model_validate(document),
        unknown=unknown or "",
        predictions_since=None if predictions is None else ColumnDrift.model_validate(predictions),
        benchmark=benchmark,
    )


def _history(rows: QuerySet[Any], window: int, fields: Sequence[str], point: Callable[..., DriftPoint]) -> DriftHistory:
    """A window of rows from the newest on, each as `point` makes one of its fields."""
    versions = rows.aggregate(number=Count("pk"))["number"]
    window = max(1, min(window, -(-versions // DRIFT_WINDOW)))
    cut = rows[(window - 1) * DRIFT_WINDOW : window * DRIFT_WINDOW]
    points = [point(*row) for row in cut.values_list(*fields)][::-1]
    latest = {each.number: each for each in points}  # of several benchmarks on one version
    return DriftHistory(points=list(latest.values()), window=window, versions=versions)


def drift_scores(tag: str, until: int) -> list[DriftScore]:
    """How far the versions of a tag moved from the one before each, up to a version's number: the latest `DRIFT_WINDOW`
    that were measured, the oldest first, without their documents."""
    known = VersionDrift.objects.filter(version__tag__name=tag, version__number__lte=until, share_moved__isnull=False)
    return _scores(known.order_by("-version__number"), "version__number")


def drift_scores_of_model(model: int, tag: str, until: int) -> list[DriftScore]:
    """The same of the versions that a model was benchmarked on, from what it was trained on."""
    number = "benchmark__dataset_version__number"
    known = Drift.objects.filter(benchmark__model=model, benchmark__dataset_version__tag__name=tag)
    wanted = known.filter(share_moved__isnull=False, **{f"{number}__lte": until})
    return _scores(wanted.order_by(f"-{number}"), number)


def _scores(rows: QuerySet[Any], number: str) -> list[DriftScore]:
    found = list(rows.values_list(number, "share_moved", "farthest")[:DRIFT_WINDOW])
    return [DriftScore(number=number, share_moved=share, farthest=far) for number, share, far in reversed(found)]


def version_drift(tag: str, number: int, since: Since) -> DriftPoint | None:
    """What is known at one version of a tag; None if there is no such version."""
    found = DatasetVersion.objects.filter(tag__name=tag, number=number).values_list(*_of_versions(since)).first()
    return None if found is None else _of_version(*found)


def benchmark_drift(benchmark: int) -> DriftPoint | None:
    """What is known of the data of one benchmark; None if there is no such benchmark."""
    found = Benchmark.objects.filter(pk=benchmark).values_list(*_OF_BENCHMARK).first()
    return None if found is None else _of_benchmark(*found)
