"""What the home page shows."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import (
    Count,
    QuerySet,
)

from atlas.states import ModelState, State
from storage.models import (
    DatasetTag,
    DatasetVersion,
    Model,
    Pause,
)
from storage.queries._lists import authors_of_models, benchmark_counts


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


def invalid_files_since(moment: datetime) -> QuerySet[Model]:
    """Files that arrived since then and are not usable bundles, the latest first."""
    found = Model.objects.filter(state=ModelState.INVALID, arrived__gte=moment)
    return found.defer("manifest").order_by("-arrived", "-pk")


def troubled_tags() -> QuerySet[DatasetTag]:
    """Dataset tags that the ingestion engine gives no answer for."""
    return DatasetTag.objects.exclude(problem="")
