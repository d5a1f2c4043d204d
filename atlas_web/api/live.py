"""Models on live data: what they run on, and how they do there while labels are missing."""

from dataclasses import asdict
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Path, Query
from ninja.responses import Status
from pydantic import Field

from atlas.access import Right, Via
from atlas.api import LiveRunEntry, LiveTag, Page
from atlas.states import ModelState
from atlas_web.api.authentication import caller_of
from atlas_web.api.lists import Paging, page_of
from atlas_web.api.models import model_called
from atlas_web.api.operations import Operations
from atlas_web.api.problems import ConflictError, UnknownError
from storage import queries, records
from storage.queries import LiveRun, Watched

operations = Operations("live data")
TagName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
"""A name that a dataset tag may have."""


@operations.declare("GET", "models/{model}/live", Right.READ, {200: Page[LiveTag]})
def list_live_tags(request: HttpRequest, response: HttpResponse, model: str, asked: Query[Paging]) -> Page[LiveTag]:
    """The tags that a model runs on live, by name, then those that it ran on."""
    rows = queries.watched_by(model_called(model).pk)
    return page_of(request, response, rows, asked, _tag, Page[LiveTag])


@operations.declare("GET", "models/{model}/live/{tag}", Right.READ, {200: Page[LiveRunEntry]})
def list_live_runs(
    request: HttpRequest, response: HttpResponse, model: str, tag: Path[TagName], asked: Query[Paging]
) -> Page[LiveRunEntry]:
    """A model on the newest versions of a tag of live data, the oldest first."""
    row = model_called(model)
    if tag not in {each.tag for each in queries.watched_by(row.pk)}:
        raise UnknownError(f"{row.name} does not run on {tag}.")
    return page_of(request, response, queries.live_runs(row.pk, tag), asked, _run, Page[LiveRunEntry])


@operations.declare("PUT", "models/{model}/live/{tag}", Right.WRITE, {200: LiveTag}, 409)
def watch_live_tag(request: HttpRequest, model: str, tag: Path[TagName]) -> LiveTag:
    """Have a model run on the newest version of a tag and on each that comes; that it does so already is no fault."""
    row = model_called(model)
    if row.state != ModelState.READY:
        raise ConflictError(f"{row.name} cannot run, since Atlas cannot use its file. {row.reason}".rstrip())
    records.watch_live(row.pk, tag, by=caller_of(request).name, via=Via.API, now=timezone.now())
    return next(_tag(each) for each in queries.watched_by(row.pk) if each.tag == tag)


@operations.declare("DELETE", "models/{model}/live/{tag}", Right.WRITE, {204: None})
def unwatch_live_tag(request: HttpRequest, model: str, tag: Path[TagName]) -> Status[None]:
    """Run a model no longer on a tag. What it predicted stays."""
    row = model_called(model)
    if not records.unwatch_live(row.pk, tag, by=caller_of(request).name, via=Via.API, now=timezone.now()):
        raise UnknownError(f"{row.name} does not run on {tag}.")
    return Status(204, None)


def _tag(found: Watched) -> LiveTag:
    return LiveTag.model_validate(asdict(found))


def _run(found: LiveRun) -> LiveRunEntry:
    return LiveRunEntry(
        number=found.number,
        created=found.created,
        state=found.state,
        reason=found.reason,
        finished=found.finished,
        rows=found.rows,
        live=found.live,
    )
