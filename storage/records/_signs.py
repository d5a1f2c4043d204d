"""The pause of the queue, the log, and signs of life."""

from datetime import datetime

from atlas.states import ComponentState, Level
from storage.models import (
    Benchmark,
    ComponentStatus,
    LogEntry,
    Model,
    Pause,
)

_THE_PAUSE = 1


def pause(*, by: str, reason: str, now: datetime) -> bool:
    """Let no engine start a benchmark until `resume`; what runs goes on. Whether it was not paused already."""
    _, new = Pause.objects.get_or_create(pk=_THE_PAUSE, defaults={"by": by, "reason": reason, "since": now})
    return new


def resume() -> bool:
    """Let engines start benchmarks again; whether the queue was paused."""
    return Pause.objects.all().delete()[0] > 0


def log(
    component: str,
    message: str,
    *,
    now: datetime,
    level: Level = Level.INFO,
    detail: str = "",
    model: int | None = None,
    benchmark: int | None = None,
) -> None:
    """Keep a line for people. What it is about may have been deleted meanwhile."""
    LogEntry.objects.create(
        time=now,
        level=level,
        component=component,
        message=message,
        detail=detail,
        model_id=_still_there(Model, model),
        benchmark_id=_still_there(Benchmark, benchmark),
    )


def _still_there(table: type[Model] | type[Benchmark], pk: int | None) -> int | None:
    return pk if pk is not None and table.objects.filter(pk=pk).exists() else None


def report_status(component: str, state: ComponentState, message: str, *, now: datetime) -> None:
    """Keep a component's sign of life."""
    ComponentStatus.objects.update_or_create(name=component, defaults={"state": state, "message": message, "seen": now})


def say_goodbye(component: str) -> None:
    """Forget a component that was stopped in good order, so that nobody takes it for dead."""
    ComponentStatus.objects.filter(name=component).delete()
