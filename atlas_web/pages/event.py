"""The page of one event: what it truly is, what was predicted, and why."""

import re
from urllib.parse import quote, urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from atlas.errors import AtlasError
from atlas_web import evidence, words
from atlas_web.pages import trouble
from atlas_web.pages.events import asked_for, judged, of_benchmark, query
from atlas_web.selection import Event, Selection
from atlas_web.signals import told_apart
from atlas_web.why import why
from storage import queries
from ui import components, formats

AROUND_SECONDS = 2.0
"""So much of the recording before and after an event's beginning is shown at first."""
NOT_KEPT = "Of so large events only some were kept, and this is none of them."


def event(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One event of a benchmark. The address carries the filters and the order of the list that it was opened from."""
    page = _page(pk)
    try:
        predicted = evidence.predictions(page)
    except AtlasError as error:
        return trouble.instead(request, page, f"Event {name}", error)
    place = predicted.place(name)
    if place is None:
        raise Http404
    known = why(page, name)
    everything = of_benchmark(predicted, known.explained)
    shown = everything.event(place)
    context = {
        "benchmark": page.benchmark,
        "crumbs": [*trouble.crumbs(page), ("Events", reverse("events", args=[pk]) + query(request.GET))],
        "event": shown,
        "badge": "" if predicted.is_regression else judged(shown.error),
        "facts": _facts(shown),
        "verdict": _verdict(shown),
        "tone": _tone(shown),
        "why": known,
        "query": query(request.GET),
        "recording": recording_of(name),
        "again": _again(page, name),
        "has_rows": bool(shown.is_explained and page.explanation and page.explanation.events_key),
        **_around(asked_for(request.GET, everything), place),
    }
    return render(request, "pages/event.html", context)


def signals(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """What the dataset has of one event, to be put into its page: raw signals as charts, other columns as a table."""
    page = _page(pk)
    try:
        row = evidence.dataset_row(page, name)
    except AtlasError as error:
        return render(request, "pages/parts/signals.html", {"problem": trouble.reason(error)})
    context = {"columns": told_apart(row)} if row else {"problem": NOT_KEPT}
    return render(request, "pages/parts/signals.html", context)


def recording_of(name: str) -> str:
    """Where the signals round an event can be looked at; nothing if its id names no recording, or no pages show them.

    The ingestion engine calls an event after its recording and, unless it has a name, after the second it begins at.
    """
    recording, slash, place = name.partition("/")
    if not (settings.ATLAS_INGESTION_PAGES and recording and slash):
        return ""
    address = f"{settings.ATLAS_INGESTION_PAGES.rstrip('/')}/recordings/{quote(recording, safe='')}/signals/"
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", place):
        return address
    return f"{address}?from={max(float(place) - AROUND_SECONDS, 0):g}&to={float(place) + AROUND_SECONDS:g}"


def _again(page: queries.BenchmarkPage, event: str) -> str:
    """Where another model is asked for the same event."""
    version = page.benchmark.dataset_version
    chosen = {"source": "dataset", "dataset": f"{version.tag.name}:{version.number}", "events": event}
    return f"{reverse('predict')}?{urlencode(chosen)}"


def _page(pk: int) -> queries.BenchmarkPage:
    page = queries.benchmark_page(pk)
    if page is None:
        raise Http404
    return page


def _facts(shown: Event) -> list[tuple[str, object]]:
    facts: list[tuple[str, object]] = [("Truth", words.told(shown.truth)), ("Predicted", words.told(shown.predicted))]
    if isinstance(shown.truth, float):
        return [*facts, ("Off by", formats.figure(shown.error))]
    return [*facts, ("Confidence", formats.share(shown.confidence))]


def _verdict(shown: Event) -> str:
    truth, predicted = words.told(shown.truth), words.told(shown.predicted)
    if isinstance(shown.truth, float):
        return f"Predicted {predicted}, and truly {truth}: off by {formats.figure(shown.error)}."
    sure = (
        f", with a confidence of {formats.share(shown.confidence, 0)}" if shown.confidence == shown.confidence else ""
    )
    return f"Predicted as {predicted}{sure}, " + (f"but truly {truth}." if shown.error else "which is right.")


def _tone(shown: Event) -> components.Tone:
    if isinstance(shown.truth, float):
        return "info"
    return "bad" if shown.error else "ok"


def _around(selection: Selection, place: int) -> dict[str, str]:
    """The events before and after this one in its list, among those that can be opened, and where it stands there."""
    opened = selection.where(selection.explained)
    before, after = opened.around(place)
    rank = opened.rank(place)
    return {
        "before": before,
        "after": after,
        "rank": f"{rank:,} of {words.plural(len(opened), 'explained event')}" if rank else "",
    }
