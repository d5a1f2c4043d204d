"""How much there is of everything, and how long it has waited: figures of the whole, counted in the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from django.db.models import Count, Min, QuerySet

from atlas.states import FailureClass, ModelState, State
from atlas.watching import AlertKind, AlertState, DeliveryState
from storage.components import Component, components
from storage.models import Alert, Benchmark, DatasetVersion, Delivery, Model, Pause
from storage.queries import in_state

Kind = TypeVar("Kind", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Numbers by state or kind; what there is none of is 0.

    Attributes:
        failures: benchmarks that failed for good, by class.
        waits_since: when the benchmark that has waited longest could have been started first; None if none waits.
        paused: whether a person pauses the queue.
        alerts: those that have not recovered and that nobody has acknowledged.
        messages: about alerts, that have not been sent yet and will be tried again.
    """

    benchmarks: Mapping[State, int]
    failures: Mapping[FailureClass, int]
    waits_since: datetime | None
    paused: bool
    models: Mapping[ModelState, int]
    versions: int
    alerts: Mapping[AlertKind, int]
    messages: int
    components: list[Component]


def figures(now: datetime) -> Figures:
    """The figures of this moment, with a fixed number of queries."""
    benchmarks = _by(Benchmark.objects.all(), "state", State)
    failed = Benchmark.objects.filter(state=State.FAILED)
    due = Benchmark.objects.filter(state=State.QUEUED, not_before__lte=now)
    return Figures(
        benchmarks=benchmarks,
        failures=_by(failed, "failure_class", FailureClass),
        waits_since=due.aggregate(since=Min("not_before"))["since"],
        paused=Pause.objects.exists(),
        models=_by(Model.objects.all(), "state", ModelState),
        versions=DatasetVersion.objects.count(),
        alerts=_by(Alert.objects.filter(in_state(AlertState.OPEN)), "kind", AlertKind),
        messages=Delivery.objects.filter(state=DeliveryState.WAITING).count(),
        components=components(now, queued=benchmarks[State.QUEUED]),
    )


def _by(rows: QuerySet[Any], field: str, kinds: type[Kind]) -> dict[Kind, int]:
    """How many rows there are of each kind. No column but this one is read, so that an index of it is enough."""
    found = dict(rows.order_by().values_list(field).annotate(number=Count("*")))
    return {kind: found.get(kind.value, 0) for kind in kinds}
