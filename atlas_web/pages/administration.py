"""Administration: whether everything runs, what waits, what went wrong, and what lies about."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from atlas.access import Right, Verb, Via
from atlas.states import FailureClass
from atlas_web import words
from storage import queries, records
from storage.retries import RETRIES
from ui.access import requires

RECENT = timedelta(days=7)
"""Failures are counted for so long."""
FIRST = 10
"""How many of those that wait the page shows; the page of the queue shows all."""
ON_A_PAGE = 50
MOST_RUNNING = 200
REFRESH_SECONDS = 10


@requires(Right.READ)
@require_safe
def administration(request: HttpRequest) -> HttpResponseBase:
    """Components, the head of the queue, failures by class, and the object store."""
    now, counters = timezone.now(), queries.queue_counts()
    context = {
        "components": queries.worst_first(queries.components(now, queued=counters.queued)),
        "failures": _failures(now),
        "store": queries.store_status(),
        **_queue(counters, queries.queue()[:FIRST], now),
        "first": FIRST,
    }
    return render(request, "pages/administration.html", context)


@requires(Right.READ)
@require_safe
def queue(request: HttpRequest) -> HttpResponseBase:
    """All that runs and waits, page by page."""
    counters = queries.queue_counts()
    shown = _page(queries.queue(), request)
    return render(
        request, "pages/queue.html", {"page": shown, "crumbs": _crumbs(), **_queue(counters, shown, timezone.now())}
    )


def _queue(counters: queries.QueueCounts, waiting: Any, now: datetime) -> dict[str, Any]:
    return {
        "counters": counters,
        "running": queries.running()[:MOST_RUNNING],
        "waiting": waiting,
        "pause": queries.pause(),
        "now": now,
        "attempts": RETRIES.attempts,
        "seconds": REFRESH_SECONDS,
    }


def _crumbs() -> list[tuple[str, str]]:
    return [("Administration", reverse("administration"))]


def _failures(now: datetime) -> list[tuple[FailureClass, int, str]]:
    """Each class of failures with their number, and what can help."""
    counted = queries.failures_by_class(now - RECENT)
    helps = {True: "tried again by itself before it failed", False: "the model or the data have to change"}
    return [(found, number, helps[found.retry_helps]) for found, number in counted]


def _page(rows: QuerySet[Any], request: HttpRequest) -> "Page[Any]":
    return Paginator(rows, ON_A_PAGE).get_page(request.GET.get("page"))


@requires(Right.ADMINISTER)
@require_POST
def change_queue(request: HttpRequest) -> HttpResponse:
    """Move a benchmark to the front, cancel one, or cancel all that wait."""
    now, by = timezone.now(), str(request.user)
    back = redirect("queue" if request.POST.get("page") == "queue" else "administration")
    if "cancel_all" in request.POST:
        number = records.cancel_all(queries.queued(), by=by, now=now)
        _tell(request, Verb.CANCELLED, words.plural(number, "benchmark"), done=number > 0)
        return back
    front = "front" in request.POST
    key = request.POST.get("front" if front else "cancel", "")
    page = queries.benchmark_page(int(key)) if key.isdecimal() and len(key) < 19 else None
    if page is None:
        messages.warning(request, "There is no such benchmark; it may have been deleted.")
        return back
    pk, name = page.benchmark.pk, str(page.benchmark)
    if front:
        _tell(request, Verb.CHANGED, name, done=records.move_to_front(pk, now=now), detail="moved to the front")
    else:
        _tell(request, Verb.CANCELLED, name, done=records.cancel(pk, by=by, now=now))
    return back


def _tell(request: HttpRequest, verb: Verb, thing: str, *, done: bool, detail: str = "") -> None:
    what = detail or verb.value
    if not done:
        messages.warning(request, f"{thing} could not be {what}: it does not wait any more.")
        return
    records.record_action(str(request.user), verb, "benchmark", thing, detail=detail, now=timezone.now())
    records.log("dashboard", f"{what.capitalize()} by {request.user}: {thing}.", now=timezone.now())
    messages.success(request, f"{what.capitalize()}: {thing}.")


@requires(Right.READ)
@require_safe
def orphans(request: HttpRequest) -> HttpResponseBase:
    """The objects that nothing refers to, as the engine found them last."""
    waiting = int(queries.queued().exists())
    engine = next(each for each in queries.components(timezone.now(), queued=waiting) if each.name == "engine")
    context = {
        "crumbs": _crumbs(),
        "store": queries.store_status(),
        "engine": engine,
        "page": _page(queries.orphans(), request),
    }
    return render(request, "pages/orphans.html", context)


@requires(Right.ADMINISTER)
@require_POST
def clean_up(request: HttpRequest) -> HttpResponse:
    """Have the chosen orphans deleted, or all of them."""
    keys = None if request.POST.get("all") == "yes" else request.POST.getlist("key")
    number = records.clean_up_orphans(str(request.user), Via.PAGE, timezone.now(), keys)
    if number:
        files = words.plural(number, "object")
        records.log("dashboard", f"Clean-up of {files} asked for by {request.user}.", now=timezone.now())
        messages.success(request, f"The engine deletes {files}.")
    else:
        messages.warning(request, "Nothing is chosen. Tick the boxes of the objects that are to go.")
    return redirect("orphans")
