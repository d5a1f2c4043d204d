"""How Atlas is doing: queue, components, counters, log."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query
from ninja.responses import Status

from atlas.access import Right, Verb, Via
from atlas.api import (
    BenchmarkSummary,
    ComponentStatus,
    Counters,
    LogLine,
    Page,
    PauseNotice,
    PauseRequest,
    Queue,
    QueuePlace,
)
from atlas.states import Level
from atlas_web.api import documents
from atlas_web.api.authentication import caller_of
from atlas_web.api.lists import Key, Paging, Search, Since, Until, Words, narrowed, page_of, whole
from atlas_web.api.operations import Operations
from atlas_web.api.problems import ConflictError
from storage import queries, records
from ui.filters import matching

operations = Operations("running")


class LogFilters(Paging):
    """What the log is narrowed by; `model` and `benchmark` are keys."""

    q: Search = ""
    level: Level | None = None
    component: Words = ""
    model: Key | None = None
    benchmark: Key | None = None
    since: Since | None = None
    until: Until | None = None


@operations.declare("GET", "queue", Right.READ, {200: Queue})
def get_queue(request: HttpRequest, response: HttpResponse, asked: Query[Paging]) -> Queue:
    """What waits, in the order in which engines take it, and the pause, if there is one."""
    begins = (asked.page - 1) * asked.page_size
    rows = page_of(request, response, queries.waiting(), asked, documents.benchmark_summary, Page[BenchmarkSummary])
    places = (QueuePlace(**row.model_dump(), position=begins + place) for place, row in enumerate(rows.items, 1))
    return Queue(items=tuple(places), total=rows.total, next=rows.next, pause=_pause())


@operations.declare("POST", "queue/pause", Right.ADMINISTER, {200: PauseNotice}, 409)
def pause_queue(request: HttpRequest, asked: PauseRequest) -> PauseNotice:
    """Let no engine start a benchmark; what runs goes on."""
    caller, now = caller_of(request), timezone.now()
    reason = asked.reason.strip()
    if not records.pause(by=caller.name, reason=reason, now=now):
        raise ConflictError("The queue is paused already.")
    records.record_action(caller.name, Verb.PAUSED, "queue", "queue", via=Via.API, detail=reason, now=now)
    records.log("dashboard", f"Queue paused by {caller.name}{f': {reason}' if reason else ''}.", now=now)
    return PauseNotice(by=caller.name, since=now, reason=reason)


@operations.declare("POST", "queue/resume", Right.ADMINISTER, {204: None}, 409)
def resume_queue(request: HttpRequest) -> Status[None]:
    """Let engines start benchmarks again."""
    caller, now = caller_of(request), timezone.now()
    if not records.resume():
        raise ConflictError("The queue is not paused.")
    records.record_action(caller.name, Verb.RESUMED, "queue", "queue", via=Via.API, now=now)
    records.log("dashboard", f"Queue resumed by {caller.name}.", now=now)
    return Status(204, None)


@operations.declare("GET", "components", Right.READ, {200: Page[ComponentStatus]})
def list_components(request: HttpRequest) -> Page[ComponentStatus]:  # noqa: ARG001  # ninja finds it by its name
    """How each component of the pipeline is doing."""
    found = queries.components(timezone.now(), queued=queries.counters().queued)
    return whole(map(_component, found), Page[ComponentStatus])


def _component(row: queries.Component) -> ComponentStatus:
    return ComponentStatus(
        name=row.name,
        state=row.state,
        message=row.message,
        seen=row.seen,
        silent=row.silent,
        waiting=row.waiting,
    )


@operations.declare("GET", "counters", Right.READ, {200: Counters})
def get_counters(request: HttpRequest) -> Counters:  # noqa: ARG001  # ninja finds it by its name
    """How much of everything there is."""
    found = queries.counters()
    return Counters(
        models=found.models,
        invalid_files=found.invalid_files,
        benchmarks=found.benchmarks,
        tags=found.tags,
        versions=found.versions,
        authors=found.authors,
    )


@operations.declare("GET", "logs", Right.READ, {200: Page[LogLine]})
def list_log(request: HttpRequest, response: HttpResponse, asked: Query[LogFilters]) -> Page[LogLine]:
    """What components did and met, the latest first."""
    rows = narrowed(
        matching(queries.log(), asked.q, ("message", "detail")),
        level=asked.level,
        component=asked.component,
        model=asked.model,
        benchmark=asked.benchmark,
        time__gte=asked.since,
        time__lte=asked.until,
    )
    return page_of(request, response, rows, asked, documents.log_line, Page[LogLine])


def _pause() -> PauseNotice | None:
    found = queries.pause()
    return PauseNotice(by=found.by, since=found.since, reason=found.reason) if found else None
