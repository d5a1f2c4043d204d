"""Changing events: adding, moving, relabelling and deleting them. Nothing that an event was is forgotten.

Each function is one change of the data (see `registration.change`): it ends states of events and begins others. Whoever
changes an event says since which revision it was as they saw it; if somebody else was faster, the change is refused.
Features that are cut or written anew are in the store before the rows that refer to them.
"""

from collections.abc import Mapping
from datetime import datetime
from itertools import chain, count
from typing import Unpack

from django.db.models import F

from atlas.ingestion import ChangeVerb
from ingestion_engine.drafts import Cut, Drafts, Facts, placed, relabelled
from ingestion_engine.errors import ConflictError, RefusedError, UnknownError
from ingestion_engine.models import Change, Event, Features, Recording
from ingestion_engine.registration import BATCH_SIZE, change, columns_of_kind, scalars_of, shuffle_of
from ingestion_engine.spans import Span, span_of, time_of
from storage.objects import ObjectStore

MAX_ID_LENGTH = 200


def add_event(
    recording: Recording,
    *,
    start: datetime | float,
    end: datetime | float | None = None,
    event_id: str | None = None,
    store: ObjectStore,
    cut: Cut,
    who: str,
    now: datetime,
    **facts: Unpack[Facts],
) -> Event:
    """Add an event of the recording's signals; `start` and `end` are moments, or seconds since its start.

    `event_id` is the id within the recording; without it one is made from the start.

    Raises:
        ConflictError: there is an event of this id.
        RefusedError: the recording has no signals, or the span, the id or a value does not fit.
    """
    _require_signals(recording)
    span = span_of(recording, start, end)
    whole_id = f"{recording.name}/{_checked_id(event_id) if event_id else _new_id(recording, span)}"
    event = Event(recording=recording, event_id=whole_id, shuffle=shuffle_of(whole_id), label=None)
    drafts = placed(store, cut, event, span, facts)
    with change(recording, ChangeVerb.ADDED, who=who, now=now) as made:
        if state := Event.objects.filter(event_id=whole_id, until=None).first():
            raise ConflictError(f"id: there is an event {whole_id!r} already, {_made_by(state.since)}")
        _begin(made, drafts)
        Recording.objects.filter(pk=recording.pk).update(events_count=F("events_count") + 1)
    return drafts.events[0]


def move_event(
    recording: Recording,
    event_id: str,
    *,
    seen: int,
    start: datetime | float,
    end: datetime | float | None = None,
    store: ObjectStore,
    cut: Cut,
    who: str,
    now: datetime,
    **facts: Unpack[Facts],
) -> Event:
    """Move an event to another span of the signals, and relabel it if anything of `facts` is given.

    `seen` is the `since` of the event as it was seen. An event that lies there already is only relabelled.

    Raises:
        ConflictError: the event was changed or deleted since.
        RefusedError: the recording has no signals, or the span or a value does not fit.
        UnknownError: there never was such an event.
    """
    _require_signals(recording)
    (state,) = _seen_states(recording, {event_id: seen})
    span = span_of(recording, start, end)
    if (state.time, state.duration_seconds) == (time_of(recording, span), span.duration_seconds):
        return relabel_event(recording, event_id, seen=seen, store=store, who=who, now=now, **facts)
    drafts = placed(store, cut, state, span, facts)
    with change(recording, ChangeVerb.MOVED, who=who, now=now) as made:
        _end(made, {event_id: seen})
        _begin(made, drafts)
    return drafts.events[0]


def relabel_event(
    recording: Recording,
    event_id: str,
    *,
    seen: int,
    store: ObjectStore,
    who: str,
    now: datetime,
    **facts: Unpack[Facts],
) -> Event:
    """Change what is known of an event. What makes no difference is no change, and gives the event as it is.

    Raises:
        ConflictError: the event was changed or deleted since `seen`, or a column holds values of another kind.
        RefusedError: a value does not fit.
        UnknownError: there never was such an event.
    """
    return relabel_events(recording, {event_id: seen}, store=store, who=who, now=now, **facts)[0]


def relabel_events(
    recording: Recording,
    seen: Mapping[str, int],
    *,
    store: ObjectStore,
    who: str,
    now: datetime,
    **facts: Unpack[Facts],
) -> list[Event]:
    """Change the same of several events of a recording at once; `seen` has the `since` of each as it was seen.

    Raises:
        As `relabel_event` does; then none of them is changed.
    """
    states = _seen_states(recording, seen)
    drafts = relabelled(store, states, facts) if states else Drafts(events=[])
    if drafts.events:
        with change(recording, ChangeVerb.RELABELLED, who=who, now=now) as made:
            _end(made, {draft.event_id: seen[draft.event_id] for draft in drafts.events})
            _begin(made, drafts)
    changed = {draft.event_id: draft for draft in drafts.events}
    return [changed.get(state.event_id, state) for state in states]


def delete_event(recording: Recording, event_id: str, *, seen: int, who: str, now: datetime) -> None:
    """Delete an event: from now on no query selects it; versions that have it keep it.

    Raises:
        ConflictError: the event was changed or deleted since `seen`.
        UnknownError: there never was such an event.
    """
    delete_events(recording, {event_id: seen}, who=who, now=now)


def delete_events(recording: Recording, seen: Mapping[str, int], *, who: str, now: datetime) -> None:
    """Delete several events of a recording at once; `seen` has the `since` of each as it was seen.

    Raises:
        As `delete_event` does; then none of them is deleted.
    """
    if not seen:
        return
    with change(recording, ChangeVerb.DELETED, who=who, now=now) as made:
        _end(made, seen)
        Recording.objects.filter(pk=recording.pk).update(events_count=F("events_count") - len(seen))


def _require_signals(recording: Recording) -> None:
    if not recording.channels:
        raise RefusedError(
            f"the recording {recording.name!r} is a table of events without signals: its events can be relabelled and "
            "deleted; send others as another recording"
        )


def _checked_id(event_id: str) -> str:
    if len(event_id) > MAX_ID_LENGTH or not event_id.isprintable() or event_id != event_id.strip():
        raise RefusedError(f"id: {event_id!r:.250} is not one line of 1 to {MAX_ID_LENGTH} characters")
    return event_id


def _new_id(recording: Recording, span: Span) -> str:
    """The start to the millisecond, and a number if an event has or had this id."""
    first = f"{span.start_seconds:.3f}"
    alike = Event.objects.filter(recording=recording, event_id__startswith=f"{recording.name}/{first}")
    taken = set(alike.values_list("event_id", flat=True))
    names = chain([first], (f"{first}-{number}" for number in count(2)))
    return next(name for name in names if f"{recording.name}/{name}" not in taken)


def _seen_states(recording: Recording, seen: Mapping[str, int]) -> list[Event]:
    """The present states of these events, in the order given, if they are as they were seen."""
    present = Event.objects.filter(recording=recording, event_id__in=list(seen), until=None)
    states = {state.event_id: state for state in present.select_related("features", "recording")}
    for event_id, since in seen.items():
        if event_id not in states or states[event_id].since != since:
            raise _changed_since(recording, event_id)
    return [states[event_id] for event_id in seen]


def _changed_since(recording: Recording, event_id: str) -> RefusedError:
    """What to answer to somebody who saw an event as it is no more."""
    newest = Event.objects.filter(recording=recording, event_id=event_id).order_by("-since").first()
    if newest is None:
        return UnknownError(f"the recording {recording.name!r} has no event {event_id!r}")
    if newest.until is None:
        return ConflictError(
            f"the event {event_id!r} is no longer as you saw it: it was {_made_by(newest.since)}; look again"
        )
    return ConflictError(f"the event {event_id!r} is no longer there: it was {_made_by(newest.until)}")


def _made_by(revision: int) -> str:
    """What was done with this revision, by whom and when."""
    made = Change.objects.get(revision=revision)
    return f"{made.verb} by {made.who or 'the engine'} at {made.made:%Y-%m-%d %H:%M:%S} UTC"


def replace(made: Change, drafts: Drafts, seen: Mapping[str, int]) -> None:
    """End the present states of events, if they are as they were seen, and begin others, as a part of a change.

    Raises:
        ConflictError: one of them was changed or deleted since.
    """
    _end(made, seen)
    _begin(made, drafts)


def _end(made: Change, seen: Mapping[str, int]) -> None:
    """End the present states of these events, if they are still as they were seen."""
    ids = [state.pk for state in _seen_states(made.recording, seen)]
    Event.objects.filter(pk__in=ids).update(until=made.revision)


def _begin(made: Change, drafts: Drafts) -> None:
    """Save the states, valid from now on, with their features if these are new."""
    if drafts.features is not None and drafts.columns is not None:
        file = drafts.features if drafts.features.pk else _kept_once(drafts.features)
        columns = columns_of_kind(drafts.columns.schema)
        for draft, scalars in zip(drafts.events, scalars_of(drafts.columns, columns, len(drafts.events)), strict=True):
            draft.features, draft.scalars = file, scalars
    for draft in drafts.events:
        draft.since, draft.until = made.revision, None
    Event.objects.bulk_create(drafts.events, batch_size=BATCH_SIZE)


def _kept_once(features: Features) -> Features:
    """The features' row; another change may have made it since they were written."""
    fields = {"recording": features.recording, "schema": features.schema}
    return Features.objects.get_or_create(key=features.key, defaults=fields)[0]
