"""How the components of the pipeline are doing, by their signs of life: for pages and for the engine's alerts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from atlas.states import ComponentState
from storage.models import ComponentStatus

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


def alive(now: datetime) -> list[str]:
    """The names of the components that gave a sign of life a short while ago, and did not say that they are down."""
    seen = ComponentStatus.objects.filter(seen__gt=now - SILENCE).exclude(state=ComponentState.DOWN)
    return list(seen.order_by("name").values_list("name", flat=True))


def _component(name: str, status: ComponentStatus | None, now: datetime, queued: int) -> Component:
    if status is None:
        state = ComponentState.DOWN if queued else None
        return Component(name=name, state=state, message="", seen=None, waiting=queued)
    silent = name != _SELDOM and now - status.seen > SILENCE
    state = ComponentState.DOWN if silent else ComponentState(status.state)
    waiting = queued if silent else 0
    return Component(name=name, state=state, message=status.message, seen=status.seen, silent=silent, waiting=waiting)
