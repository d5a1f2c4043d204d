"""What events are now, what they were, and who changed what when."""

from collections.abc import Iterable

from django.db.models import Count, IntegerField, Min, OuterRef, Q, QuerySet, Subquery

from atlas.ingestion import ChangeVerb, EventDescription, EventState, RecordingChange
from ingestion_engine.errors import UnknownError
from ingestion_engine.models import Change, Column, Event, Recording


def recording_named(name: str) -> Recording:
    """The recording.

    Raises:
        UnknownError: there is none of this name.
    """
    if recording := Recording.objects.filter(name=name).first():
        return recording
    raise UnknownError(f"there is no recording {name!r}")


def present_events(recording: Recording) -> QuerySet[Event]:
    """The events of a recording as they are now, by time and id."""
    return Event.objects.filter(recording=recording, until=None).order_by("time", "event_id")


def describe_events(events: Iterable[Event]) -> list[EventDescription]:
    """What is known of these states of events."""
    names = {column.key: column.name for column in Column.objects.all()}
    return [EventDescription.model_validate(_described(event, names)) for event in events]


def history(event_id: str) -> list[EventState]:
    """Everything that an event ever was, newest first, with who made it so.

    Raises:
        UnknownError: there never was such an event.
    """
    states = list(Event.objects.filter(event_id=event_id).order_by("-since"))
    if not states:
        raise UnknownError(f"there never was an event {event_id!r}")
    names = {column.key: column.name for column in Column.objects.all()}
    revisions = {state.since for state in states} | {state.until for state in states if state.until}
    made = Change.objects.in_bulk(revisions)
    return [_state(state, names, made[state.since], made.get(state.until or 0)) for state in states]


def changes(recording: Recording) -> QuerySet[Change]:
    """All changes of a recording, newest first, each with `events` (how many it concerned) and `first_event`."""
    concerned = (
        Event.objects.filter(recording=recording)
        .filter(Q(since=OuterRef("revision")) | Q(until=OuterRef("revision")))
        .order_by()
        .values("recording")
    )
    number = concerned.annotate(number=Count("event_id", distinct=True)).values("number")
    first = concerned.annotate(first=Min("event_id")).values("first")
    return (
        Change.objects.filter(recording=recording)
        .annotate(events=Subquery(number, output_field=IntegerField()), first_event=Subquery(first))
        .order_by("-revision")
    )


def describe_changes(found: Iterable[Change]) -> list[RecordingChange]:
    """What is known of changes that `changes` gave."""
    return [
        RecordingChange(
            revision=each.revision,
            verb=ChangeVerb(each.verb),
            who=each.who,
            made=each.made,
            events=getattr(each, "events", None) or 0,
            first_event=getattr(each, "first_event", None),
        )
        for each in found
    ]


def _described(event: Event, names: dict[str, str]) -> dict[str, object]:
    return {
        "id": event.event_id,
        "since": event.since,
        "time": event.time,
        "duration_seconds": event.duration_seconds,
        "label": event.label,
        "car": event.car,
        "environment": event.environment,
        "columns": {names[key]: value for key, value in event.scalars.items()},
    }


def _state(event: Event, names: dict[str, str], begun: Change, ended: Change | None) -> EventState:
    return EventState.model_validate(
        _described(event, names)
        | {
            "until": event.until,
            "verb": begun.verb,
            "who": begun.who,
            "made": begun.made,
            "ended_by": ended.verb if ended else None,
        }
    )
