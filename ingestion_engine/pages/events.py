"""Adding, moving, relabelling and deleting events, and the page of one: what it is, and what it was."""

from collections.abc import Callable, Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from atlas.access import Right
from atlas.errors import AtlasError
from atlas.ingestion import EventState
from ingestion_engine import histories, labelling
from ingestion_engine.archives import cutter
from ingestion_engine.errors import ConflictError, RefusedError, UnknownError
from ingestion_engine.models import Event, Recording
from ingestion_engine.pages import shown
from ingestion_engine.pages.event_forms import FactsForm, SeenForm, SpanForm, View
from ingestion_engine.places import object_store
from ui import components, formats
from ui.access import requires

AWAY = "The object store does not answer, so nothing was changed. Try again in a moment."


@requires(Right.WRITE)
@require_POST
def add(request: HttpRequest, name: str) -> HttpResponseBase:
    """Add an event, and go back to the part of the recording that was looked at."""
    recording = get_object_or_404(Recording, name=name)
    form, view = SpanForm(request.POST, recording=recording), View(request.POST)

    def added() -> None:
        store, facts = object_store(), form.span | form.facts
        labelling.add_event(recording, **facts, **_made_by(request), store=store, cut=cutter(store))

    if form.is_valid() and _done(form, added):
        return redirect(reverse("recording", args=[name]) + view.query)
    context = {"form": form, "view": view, "crumbs": _crumbs(recording), "recording": recording}
    return render(request, "ingestion_engine/new_event.html", context, status=_status(form))


@requires(Right.READ)
@require_safe
def event(request: HttpRequest, name: str, event: str) -> HttpResponseBase:
    """What is known of an event, the form that changes it, and all that it ever was."""
    recording = get_object_or_404(Recording, name=name)
    return _page(request, recording, event)


@requires(Right.WRITE)
@require_POST
def change(request: HttpRequest, name: str, event: str) -> HttpResponseBase:
    """Move or relabel an event, as far as the form says so."""
    recording = get_object_or_404(Recording, name=name)
    now = _present(recording, event)
    form, seen = _form(request.POST, recording, now), SeenForm(request.POST)

    def changed() -> None:
        store = object_store()
        known = {"seen": seen.cleaned_data["seen"], "store": store, **_made_by(request), **form.facts}
        if isinstance(form, SpanForm):
            labelling.move_event(recording, f"{name}/{event}", cut=cutter(store), **form.span, **known)
        else:
            labelling.relabel_event(recording, f"{name}/{event}", **known)

    if seen.is_valid() and form.is_valid() and _done(form, changed):
        messages.success(request, f"{event} is changed.")
        return redirect(reverse("recording", args=[name]) + View(request.POST).query)
    return _page(request, recording, event, form=form, status=_status(form))


@requires(Right.WRITE)
@require_POST
def delete(request: HttpRequest, name: str, event: str) -> HttpResponseBase:
    """Delete an event: no query selects it any more, versions that have it keep it."""
    recording = get_object_or_404(Recording, name=name)
    form, seen = _form(None, recording, _present(recording, event)), SeenForm(request.POST)

    def deleted() -> None:
        made_by = _made_by(request)
        labelling.delete_event(recording, f"{name}/{event}", seen=seen.cleaned_data["seen"], **made_by)

    if seen.is_valid() and _done(form, deleted):
        messages.success(request, f"{event} is deleted. Its history stays.")
        return redirect(reverse("recording", args=[name]) + View(request.POST).query)
    return _page(request, recording, event, problem=" ".join(map(str, form.non_field_errors())), status=409)


def _made_by(request: HttpRequest) -> dict[str, Any]:
    return {"who": request.user.get_username(), "now": timezone.now()}


def _done(form: forms.Form, act: Callable[[], object]) -> bool:
    """Whether the change was made; why not is told by the form. The worker makes new versions of it."""
    try:
        act()
    except RefusedError as error:
        form.conflict = isinstance(error, ConflictError)  # type: ignore[attr-defined]
        field, colon, text = str(error).partition(": ")
        known = bool(colon) and field in form.fields
        _tell(form, field if known else NON_FIELD_ERRORS, text if known else str(error))
        return False
    except AtlasError:
        _tell(form, NON_FIELD_ERRORS, AWAY)
        return False
    return True


def _tell(form: forms.Form, field: str, text: str) -> None:
    """Say what is wrong at the field. What was filled in stays, which `add_error` would take away."""
    form.errors.setdefault(field, form.error_class()).append(text)


def _status(form: forms.Form) -> int:
    return 409 if getattr(form, "conflict", False) else 422


def _present(recording: Recording, event: str) -> Event | None:
    return histories.present_events(recording).filter(event_id=f"{recording.name}/{event}").first()


def _form(sent: Any, recording: Recording, now: Event | None) -> FactsForm:
    """The form for an event, filled in with what it is."""
    known: dict[str, Any] = {"recording": recording, "label_type": now.label_type if now else ""}
    if now is None:
        return FactsForm(sent, **known)
    facts = {"label": shown.label(now.label), "car": now.car, "environment": now.environment}
    place = shown.span(now, recording)
    if place is None:
        return FactsForm(sent, initial=facts, **known)
    return SpanForm(sent, initial=facts | {"start": place[0], "end": round(place[1], 9)}, **known)


def _page(
    request: HttpRequest,
    recording: Recording,
    event: str,
    *,
    form: FactsForm | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponseBase:
    try:
        history = histories.history(f"{recording.name}/{event}")
    except UnknownError as error:
        raise Http404(str(error)) from error
    now = _present(recording, event)
    context = {
        "recording": recording,
        "name": event,
        "crumbs": _crumbs(recording),
        "event": now,
        "facts": _facts(history[0]),
        "columns": list(_columns(history[0])),
        "form": (form or _form(None, recording, now)) if now else None,
        "problem": problem,
        "view": View(request.GET if request.method == "GET" else request.POST),
        "history": [(state, shown.label(state.label) or shown.UNLABELLED) for state in history],
        "verbs": shown.VERBS,
        "engine": shown.ENGINE,
    }
    return render(request, "ingestion_engine/event.html", context, status=status)


def _columns(state: EventState) -> Iterator[tuple[str, object]]:
    for name, value in state.columns.items():
        yield name, formats.figure(value) if isinstance(value, float) else value


def _facts(state: EventState) -> list[tuple[str, object]]:
    facts = {
        "Label": shown.label(state.label) or shown.UNLABELLED,
        "Time": components.when_short(state.time, seconds=True) if state.time else "",
        "Duration": formats.duration(state.duration_seconds) if state.duration_seconds is not None else "",
        "Car": state.car,
        "Environment": state.environment,
    }
    return [(term, value) for term, value in facts.items() if value]


def _crumbs(recording: Recording) -> list[tuple[str, str]]:
    return [("Recordings", reverse("recordings")), (recording.name, reverse("recording", args=[recording.name]))]
