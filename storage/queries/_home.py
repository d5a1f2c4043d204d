"""What the home page shows."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import (
    Count,
    F,
    Q,
    QuerySet,
)

from atlas.states import ModelState, State
from storage.models import (
    Benchmark,
    DatasetTag,
    DatasetVersion,
    Model,
    Pause,
)
from storage.queries._lists import authors_of_models, benchmark_counts, benchmarks


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """The numbers of the home page."""

    models: int
    invalid_files: int
    benchmarks: dict[State, int]
    tags: int
    versions: int
    authors: int

    @property
    def done(self) -> int:
        """Benchmarks that have a result."""
        return self.benchmarks[State.DONE]

    @property
    def running(self) -> int:
        """Benchmarks that an engine runs."""
        return self.benchmarks[State.RUNNING]

    @property
    def queued(self) -> int:
        """Benchmarks that wait."""
        return self.benchmarks[State.QUEUED]

    @property
    def failed(self) -> int:
        """Benchmarks that failed for good."""
        return self.benchmarks[State.FAILED]


def counters() -> Counters:
    """How much of everything there is."""
    files = dict(Model.objects.values_list("state").annotate(number=Count("*")).order_by())
    return Counters(
        models=files.get(ModelState.READY, 0),
        invalid_files=files.get(ModelState.INVALID, 0),
        benchmarks=benchmark_counts(),
        tags=DatasetTag.objects.count(),
        versions=DatasetVersion.objects.count(),
        authors=authors_of_models().count(),
    )


def pause() -> Pause | None:
    """Who paused the queue, when and why, while it is paused."""
    return Pause.objects.first()


def failures_since(moment: datetime) -> QuerySet[Benchmark]:
    """Benchmarks that failed since then, the latest first."""
    return benchmarks().filter(state=State.FAILED, finished__gte=moment).order_by("-finished", "-pk")


_MOST_LOOKED_AT = 200
"""So many of the latest results are compared with the version before: the home page asks for it every few seconds."""


def regressions_since(moment: datetime) -> QuerySet[Benchmark]:
    """Benchmarks among the latest that were done since then whose score is worse than on the version before by more
    than noise: the 95 % intervals of both have no value in common. The latest first."""
    latest = Benchmark.objects.filter(state=State.DONE, finished__gte=moment).order_by("-finished", "-pk")
    lower = Q(greater_is_better=True, high__lt=F("earlier_low"))
    higher = Q(greater_is_better=False, low__gt=F("earlier_high"))
    found = benchmarks().filter(pk__in=latest.values("pk")[:_MOST_LOOKED_AT])
    return found.filter(lower | higher).order_by("-finished", "-pk")


def invalid_files_since(moment: datetime) -> QuerySet[Model]:
    """Files that arrived since then and are not usable bundles, the latest first."""
    found = Model.objects.filter(state=ModelState.INVALID, arrived__gte=moment)
    return found.defer("manifest").order_by("-arrived", "-pk")


def troubled_tags() -> QuerySet[DatasetTag]:
    """Dataset tags that the ingestion engine gives no answer for."""
    return DatasetTag.objects.exclude(problem="")
