"""The signals of recordings that the engine keeps: a page to look at them, and what it and the labelling page ask."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Max, QuerySet
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from atlas.access import Right
from bags.export import ExportError
from ingestion_engine import histories
from ingestion_engine.archives import archive_of
from ingestion_engine.models import Recording, RecordingState
from ingestion_engine.pages import opened, shown, signals
from ingestion_engine.pages.recording import facts_of
from ingestion_engine.places import object_store
from ingestion_engine.spans import Span, time_of
from ui.access import requires

MOST_EVENTS = 2000
"""So many events can be told apart on a chart; of more only their number is told."""
ASKED = ("envelope", "sound", "spectrogram", "statistics", "export")
"""What the page asks for: the names of the addresses."""


@requires(Right.READ)
@require_safe
def viewer(request: HttpRequest, name: str) -> HttpResponseBase:
    """A recording's sensors, their signals over time, and what they are like; of one without signals its own page."""
    if not _have_signals().filter(name=name).exists():
        return redirect("recording", name)
    return opened.page(request, _opened(_decoded(name)))


@requires(Right.READ)
@require_safe
@signals.answers
def envelope(request: HttpRequest, name: str) -> HttpResponseBase:
    """The lowest and highest values of a channel in each stretch of a part of it, and the events there."""
    recording = _decoded(name)
    archive = archive_of(object_store(), recording)
    asked = signals.EnvelopeForm(request.GET, archive).asked()
    events = _events_between(recording, Span(asked["start"], asked["end"]))
    return JsonResponse(signals.envelope(archive, asked) | events)


@requires(Right.READ)
@require_safe
@signals.answers
def sound(request: HttpRequest, name: str) -> HttpResponseBase:
    """A part of a channel as a WAV file."""
    return signals.sound(request, archive_of(object_store(), _decoded(name)))


@requires(Right.READ)
@require_safe
@signals.answers
def spectrogram(request: HttpRequest, name: str) -> HttpResponseBase:
    """How strong each frequency is in a part of a channel."""
    return signals.spectrogram(request, archive_of(object_store(), _decoded(name)))


@requires(Right.READ)
@require_safe
@signals.answers
def statistics(request: HttpRequest, name: str) -> HttpResponseBase:
    """A part of the page: what each channel is like, and what is missing."""
    return opened.statistics(request, archive_of(object_store(), _decoded(name)))


@requires(Right.READ)
@require_safe
@signals.answers
def export(request: HttpRequest, name: str) -> HttpResponseBase:
    """A part of some channels as a file; or the page, with what is wrong."""
    found = _opened(_decoded(name))
    try:
        return signals.exported(request, found.archive, name)
    except (signals.UnfitPartError, ExportError) as error:
        return opened.page(request, found, problem=str(error), status=422)


def _decoded(name: str) -> Recording:
    """The recording of this name, if it is decoded and has signals.

    Raises:
        Http404: it is not, or has none.
    """
    return get_object_or_404(_have_signals(), name=name)


def _have_signals() -> QuerySet[Recording]:
    return Recording.objects.exclude(channels=[]).filter(state=RecordingState.READY)


def _opened(recording: Recording) -> opened.Opened:
    return opened.Opened(
        name=recording.name,
        archive=archive_of(object_store(), recording),
        addresses={each: reverse(each, args=[recording.name]) for each in ASKED},
        facts=facts_of(recording),
        crumbs=[("Recordings", reverse("recordings"))],
        labels=reverse("recording", args=[recording.name]),
    )


def _events_between(recording: Recording, part: Span) -> dict[str, Any]:
    present = histories.present_events(recording)
    longest = present.aggregate(longest=Max("duration_seconds"))["longest"] or 0.0
    first = time_of(recording, Span(part.start_seconds - longest, 0.0))
    near = present.filter(time__gte=first, time__lte=time_of(recording, Span(part.end_seconds, 0.0)))
    found = list(near[: MOST_EVENTS + 1])
    if len(found) > MOST_EVENTS:
        return {"events": [], "untold": near.count()}
    return {"events": list(_told(recording, found)), "untold": 0}


def _told(recording: Recording, events: list[Any]) -> Iterator[dict[str, Any]]:
    for event in events:
        start, end = shown.span(event, recording) or (0.0, 0.0)
        yield {
            "id": shown.local_id(event.event_id, recording),
            "since": event.since,
            "start": start,
            "end": end,
            "label": shown.label(event.label),
            "car": event.car,
            "environment": event.environment,
        }
