"""The signals of a recording for the chart that shows them, and for the ear."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from django import forms
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from atlas.access import Right
from atlas.errors import AtlasError
from ingestion_engine import histories
from ingestion_engine.archives import archive_of
from ingestion_engine.examples import as_wav
from ingestion_engine.models import Recording, RecordingState
from ingestion_engine.pages import shown
from ingestion_engine.places import object_store
from ingestion_engine.spans import Span, time_of
from ui.access import requires

LEAST_SOUND_HZ = 3000.0
"""What is sampled more slowly is no sound, and browsers play nothing slower."""
LONGEST_SOUND_SECONDS = 60.0
MOST_POINTS = 4000
MOST_EVENTS = 2000
"""So many events can be told apart on a chart; of more only their number is told."""


class WindowForm(forms.Form):
    """A part of one channel."""

    channel = forms.ChoiceField()
    start = forms.FloatField(min_value=0)
    end = forms.FloatField()

    def __init__(self, data: Any, recording: Recording) -> None:
        super().__init__(data)
        choices = [(each["name"], each["name"]) for each in recording.channels]
        self.fields["channel"] = forms.ChoiceField(choices=choices)
        self.duration = recording.duration_seconds or 0.0

    def clean(self) -> dict[str, Any]:
        """The part, which ends with the recording at the latest."""
        start, end = self.cleaned_data.get("start"), self.cleaned_data.get("end")
        if start is not None and end is not None:
            if not (math.isfinite(start) and math.isfinite(end) and start < end):
                self.add_error("end", "It comes after the start.")
            self.cleaned_data["end"] = min(end, max(self.duration, start))
        return self.cleaned_data

    @property
    def problem(self) -> str:
        """What is wrong, in a sentence for each field."""
        return " ".join(f"{name}: {' '.join(map(str, texts))}" for name, texts in self.errors.items())


class EnvelopeForm(WindowForm):
    """A part of one channel, drawn with at most so many points."""

    points = forms.IntegerField(min_value=2, max_value=MOST_POINTS)


@requires(Right.READ)
@require_safe
def envelope(request: HttpRequest, name: str) -> HttpResponse:
    """The lowest and highest values of a channel in each stretch of a part of it, and the events there."""
    recording = _decoded(name)
    form = EnvelopeForm(request.GET, recording)
    if not form.is_valid():
        return JsonResponse({"detail": form.problem}, status=422)
    asked = form.cleaned_data
    try:
        archive = archive_of(object_store(), recording)
        found = archive.envelope(asked["channel"], asked["start"], asked["end"], asked["points"])
    except AtlasError as error:
        return JsonResponse({"detail": str(error)}, status=503)
    drawn = {
        "times": _plain(found.times),
        "minima": _plain(found.minima),
        "maxima": _plain(found.maxima),
    }
    return JsonResponse(drawn | _events_between(recording, Span(asked["start"], asked["end"])))


@requires(Right.READ)
@require_safe
def sound(request: HttpRequest, name: str) -> HttpResponse:
    """A part of a channel as a WAV file, at most a minute of it."""
    recording = _decoded(name)
    form = WindowForm(request.GET, recording)
    if not form.is_valid():
        return HttpResponse(form.problem, status=422, content_type="text/plain")
    asked = form.cleaned_data
    rates = {each["name"]: each["rate_hz"] or 0.0 for each in recording.channels}
    rate, end = rates[asked["channel"]], min(asked["end"], asked["start"] + LONGEST_SOUND_SECONDS)
    if rate < LEAST_SOUND_HZ:
        return HttpResponse("channel: it is no sound.", status=422, content_type="text/plain")
    try:
        values = archive_of(object_store(), recording).values(asked["channel"], asked["start"], end).values
    except AtlasError as error:
        return HttpResponse(str(error), status=503, content_type="text/plain")
    headers = {"Cache-Control": "private, max-age=3600"}
    return HttpResponse(as_wav(values.astype(np.float64), rate), content_type="audio/wav", headers=headers)


def _decoded(name: str) -> Recording:
    """The recording of this name, if it is decoded and has signals.

    Raises:
        Http404: it is not, or has none.
    """
    return get_object_or_404(Recording.objects.exclude(channels=[]), name=name, state=RecordingState.READY)


def _plain(values: np.ndarray) -> list[float | None]:
    """Numbers for JSON, which knows none that is not finite."""
    return [value if math.isfinite(value) else None for value in np.asarray(values, float).tolist()]


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
