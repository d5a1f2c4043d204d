"""The events of recordings over HTTP: what they are and were, and changing them."""

# ruff: noqa: ARG001  (ninja finds the request by its name)

from typing import Annotated, Any, cast

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Status

from atlas.ingestion import EventChange, EventDescription, EventState, LabelledSpan, RecordingChange
from ingestion_engine import histories, labelling
from ingestion_engine.archives import cutter
from ingestion_engine.authentication import CHANGES, caller_of
from ingestion_engine.drafts import Facts
from ingestion_engine.errors import RefusedError
from ingestion_engine.middleware import FAULTS
from ingestion_engine.models import Event
from ingestion_engine.places import object_store

router = Router(tags=["events"])

Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0)]


@router.get("recordings/{name}/events", response={200: list[EventDescription], **FAULTS})
def get_events(request: HttpRequest, name: str, limit: Limit = 1000, offset: Offset = 0) -> list[EventDescription]:
    """The events of a recording as they are now, by time, then by id."""
    found = histories.present_events(histories.recording_named(name))
    return histories.describe_events(found[offset : offset + limit])


@router.post("recordings/{name}/events", auth=CHANGES, response={200: EventDescription, **FAULTS})
def post_event(request: HttpRequest, name: str, event: LabelledSpan) -> EventDescription:
    """Add an event of the recording's signals."""
    store, now = object_store(), timezone.now()
    added = labelling.add_event(
        histories.recording_named(name),
        start=event.start,
        end=event.end,
        event_id=event.id,
        store=store,
        cut=cutter(store),
        who=caller_of(request).person,
        now=now,
        label=event.label,
        car=event.car,
        environment=event.environment,
        columns=event.columns,
    )
    return _told(added)


@router.get("recordings/{name}/changes", response={200: list[RecordingChange], **FAULTS})
def get_changes(request: HttpRequest, name: str, limit: Limit = 100, offset: Offset = 0) -> list[RecordingChange]:
    """What was done to the events of a recording, newest first."""
    found = histories.changes(histories.recording_named(name))
    return histories.describe_changes(found[offset : offset + limit])


@router.get("recordings/{name}/events/{path:event}/history", response={200: list[EventState], **FAULTS})
def get_history(request: HttpRequest, name: str, event: str) -> list[EventState]:
    """All that the event ever was, newest first. `event` is its id within the recording."""
    return histories.history(f"{histories.recording_named(name).name}/{event}")


@router.patch("recordings/{name}/events/{path:event}", auth=CHANGES, response={200: EventDescription, **FAULTS})
def patch_event(request: HttpRequest, name: str, event: str, change: EventChange) -> EventDescription:
    """Move an event, or change what is known of it. `event` is its id within the recording."""
    recording, store = histories.recording_named(name), object_store()
    known: dict[str, Any] = {
        "seen": change.since,
        "store": store,
        "who": caller_of(request).person,
        "now": timezone.now(),
    }
    event_id, facts = f"{name}/{event}", _facts(change)
    if change.start is None:
        if change.end is not None:
            raise RefusedError("start: it is missing; give the start and the end of where the event shall lie")
        return _told(labelling.relabel_event(recording, event_id, **known, **facts))
    place: dict[str, Any] = {"start": change.start, "end": change.end, "cut": cutter(store)}
    return _told(labelling.move_event(recording, event_id, **place, **known, **facts))


@router.delete("recordings/{name}/events/{path:event}", auth=CHANGES, response={204: None, **FAULTS})
def delete_event(request: HttpRequest, name: str, event: str, since: int) -> Status[None]:
    """Delete an event, which was `since` that revision as the caller saw it. Versions that have it keep it."""
    recording, now = histories.recording_named(name), timezone.now()
    labelling.delete_event(recording, f"{name}/{event}", seen=since, who=caller_of(request).person, now=now)
    return Status(204, None)


def _facts(change: EventChange) -> Facts:
    """What the change gives, null included."""
    given = change.model_dump(include=change.model_fields_set & {"label", "car", "environment", "columns"})
    return cast(Facts, given)  # the document has checked the types


def _told(event: Event) -> EventDescription:
    return histories.describe_events([event])[0]
