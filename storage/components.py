"""How the components of the pipeline are doing, by their signs of life: for pages and for the engine's alerts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from atlas.states import ComponentState
from storage.models import ComponentStatus

SILENCE = timedelta(minutes=2)
"""A component that gave no sign of life for so long is down, whatever it said last."""

FORGOTTEN = timedelta(days=1)
"""An engine among several that was silent for so long is taken to have been given up, and not listed any more."""
NAME_LENGTH = 50

_ENGINE = "engine"
_ONE_ENGINE = f"{_ENGINE} "
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
    def logged_as(self) -> str:
        """The name of its lines on the log page."""
        return logged_as(self.name)

    @property
    def troubled(self) -> bool:
        """Whether it is known not to be well."""
        return self.state not in (None, ComponentState.HEALTHY)


def component_of_engine(name: str) -> str:
    """The component that one engine is beside the others. `engine` is all of them: it lives while one of them does."""
    return f"{_ONE_ENGINE}{name}"[:NAME_LENGTH]


def logged_as(component: str) -> str:
    """The name of a component's lines on the log page: all engines have the same."""
    return _ENGINE if component.startswith(_ONE_ENGINE) else component


def components(now: datetime, *, queued: int) -> list[Component]:
    """The components of the pipeline in its order, whether or not they were heard of, then all others.

    Where there are several engines, each is a component of its own too. `engine` is down if nobody has heard of it
    while benchmarks are queued.
    """
    known = _known(now)
    names = dict.fromkeys((*_PIPELINE, *known))
    return [_component(name, known.get(name), now, queued if name == _ENGINE else 0) for name in names]


def alive(now: datetime) -> list[str]:
    """The engines that gave a sign of life a short while ago. One that is stopped in good order says so at once."""
    engines = ComponentStatus.objects.filter(name__startswith=_ONE_ENGINE, seen__gt=now - SILENCE)
    return list(engines.order_by("name").values_list("name", flat=True))


def _known(now: datetime) -> dict[str, ComponentStatus]:
    """The components that were heard of, by name; a single engine is none beside `engine`."""
    known = {status.name: status for status in ComponentStatus.objects.order_by("name")}
    engines = {name for name in known if name.startswith(_ONE_ENGINE)}
    listed = {name for name in engines if now - known[name].seen <= FORGOTTEN}
    unlisted = engines - listed if len(listed) > 1 else engines
    return {name: status for name, status in known.items() if name not in unlisted}


def _component(name: str, status: ComponentStatus | None, now: datetime, queued: int) -> Component:
    if status is None:
        state = ComponentState.DOWN if queued else None
        return Component(name=name, state=state, message="", seen=None, waiting=queued)
    silent = name != _SELDOM and now - status.seen > SILENCE
    state = ComponentState.DOWN if silent else ComponentState(status.state)
    waiting = queued if silent else 0
    return Component(name=name, state=state, message=status.message, seen=status.seen, silent=silent, waiting=waiting)
