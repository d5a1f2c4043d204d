"""What the home page shows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import (
    Count,
    QuerySet,
)

from atlas.states import ComponentState, ModelState, State
from storage.models import (
    ComponentStatus,
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


SILENCE = timedelta(minutes=2)
"""A component that gave no sign of life for so long is down, whatever it said last."""

_ENGINE = "engine"
_PIPELINE = ("ingestion", "training", "storage", _ENGINE)
_SELDOM = "training"
"""The component that gives a sign of life only when it sends a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """How a component of the pipeline is doing. `state` and `seen` are None if nobody has heard of it.

    `waiting` is the number of benchmarks that wait for an engine which does not answer.
    """

    name: str
    state: ComponentState | None
    message: str
    seen: datetime | None
    silent: bool = False
    waiting: int = 0

    @property
    def troubled(self) -> bool:
        """Whether it is known not to be well."""
        return self.state not in (None, ComponentState.HEALTHY)


def components(now: datetime, *, queued: int) -> list[Component]:
    """The components of the pipeline in its order, whether or not they were heard of, then all others.

    An engine that nobody has heard of is down if benchmarks are queued.
    """
    known = {status.name: status for status in ComponentStatus.objects.order_by("name")}
    names = dict.fromkeys((*_PIPELINE, *known))
    return [_component(name, known.get(name), now, queued if name == _ENGINE else 0) for name in names]


def _component(name: str, status: ComponentStatus | None, now: datetime, queued: int) -> Component:
    if status is None:
        state = ComponentState.DOWN if queued else None
        return Component(name=name, state=state, message="", seen=None, waiting=queued)
    silent = name != _SELDOM and now - status.seen > SILENCE
    state = ComponentState.DOWN if silent else ComponentState(status.state)
    waiting = queued if silent else 0
    return Component(name=name, state=state, message=status.message, seen=status.seen, silent=silent, waiting=waiting)


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
