"""States of events that are not saved yet: what an event shall be, checked, with its features in the store."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, TypedDict

import pyarrow as pa

from atlas.ingestion import LabelValue
from ingestion_engine import features
from ingestion_engine.errors import RefusedError
from ingestion_engine.models import Event, Features, Recording
from ingestion_engine.parsing import INDEX_COLUMNS, checked_values
from ingestion_engine.registration import label_fields
from ingestion_engine.spans import Span, time_of
from storage.objects import ObjectStore

DURATION = "duration_seconds"
FIELDS = ("label", "car", "environment")

Scalar = bool | int | float | str
Columns = dict[str, pa.Array]
Cut = Callable[[Recording, Sequence[Span]], pa.Table]
"""Makes the feature columns of spans of a recording's signals, one row a span."""


class Facts(TypedDict, total=False):
    """What is known of an event. What is not given stays as it is; None takes it away, as it does in `columns`."""

    label: LabelValue | None
    car: str | None
    environment: str | None
    columns: Mapping[str, Scalar | None]


@dataclass(frozen=True, kw_only=True)
class Drafts:
    """States to begin, and their feature columns if these are new: row by row in one file, which is in the store."""

    events: list[Event]
    features: Features | None = None
    columns: pa.Table | None = None


def relabelled(store: ObjectStore, states: Sequence[Event], facts: Facts) -> Drafts:
    """What becomes of the states with these facts; those that the facts leave as they are, are left out.

    Raises:
        RefusedError: a value does not fit.
    """
    given = facts.get("columns", {})
    drafts = [_with_facts(state, facts) for state in states]
    if not given:
        return Drafts(events=[draft for draft, state in zip(drafts, states, strict=True) if _differ(draft, state)])
    recording = states[0].recording
    values = _checked_columns(recording, given)
    before = _columns_of(features.read(store, states))
    rows = [row for row, state in enumerate(states) if _differ(drafts[row], state) or _adds(before, row, values)]
    if not rows:
        return Drafts(events=[])
    columns = {name: column.take(pa.array(rows)) for name, column in before.items()}
    return _in_one_file(store, recording, [drafts[row] for row in rows], _merged(columns, values, len(rows)))


def placed(store: ObjectStore, cut: Cut, event: Event, span: Span, facts: Facts) -> Drafts:
    """The event where the span lies, with features cut anew; columns that are not cut from signals it keeps.

    Raises:
        RefusedError: a value does not fit.
    """
    recording, draft = event.recording, _with_facts(event, facts)
    values = _checked_columns(recording, facts.get("columns", {}))
    columns = _kept(store, event) | _columns_of(cut(recording, [span]))
    draft.time, draft.duration_seconds = time_of(recording, span), span.duration_seconds
    return _in_one_file(store, recording, [draft], _merged(columns, values, 1))


def _with_facts(event: Event, facts: Facts) -> Event:
    """A copy of the state that is not saved, with what is given of its label, car and environment."""
    draft = copy(event)
    draft.pk = None
    given = {name: value for name, value in facts.items() if name in FIELDS}
    values = checked_values({name: value for name, value in given.items() if value is not None})
    for name in given:
        for field, value in _fields(name, values.get(name)).items():
            setattr(draft, field, value)
    return draft


def _fields(name: str, value: pa.Array | None) -> dict[str, Any]:
    """The event's fields that hold this fact."""
    given = None if value is None else value[0].as_py()
    return label_fields(given, "" if value is None else str(value.type)) if name == "label" else {name: given}


def _differ(draft: Event, state: Event) -> bool:
    return any(getattr(draft, name) != getattr(state, name) for name in (*FIELDS, "label_type"))


def _checked_columns(recording: Recording, given: Mapping[str, Scalar | None]) -> Columns:
    """The values of columns that somebody gives, each as an array of one row; those to be taken away are null."""
    for name in given:
        if name in INDEX_COLUMNS or _is_cut(recording, name):
            raise RefusedError(f"columns: {name!r} is made by the engine; give the column another name")
    return checked_values(dict(given))


def _is_cut(recording: Recording, name: str) -> bool:
    """Whether the column is made from the recording's signals, so that nobody can give it."""
    channels = [channel["name"] for channel in recording.channels]
    return bool(channels) and (
        name == DURATION or any(name == each or name.startswith(f"{each}.") for each in channels)
    )


def _kept(store: ObjectStore, event: Event) -> Columns:
    """The columns of the event that are not cut from signals."""
    if event.features_id is None:
        return {}
    names = pa.ipc.read_schema(pa.py_buffer(bytes(event.features.schema))).names
    return _columns_of(
        features.read(store, [event], only=[name for name in names if not _is_cut(event.recording, name)])
    )


def _columns_of(table: pa.Table) -> Columns:
    return {name: table[name].combine_chunks() for name in table.column_names}


def _adds(columns: Columns, row: int, values: Columns) -> bool:
    """Whether one of the values is not in the row already."""
    return any((columns[name][row].as_py() if name in columns else None) != values[name][0].as_py() for name in values)


def _merged(columns: Columns, values: Columns, rows: int) -> pa.Table:
    """The columns with the same values given to every row, without those that nothing is left of."""
    given = {name: pa.repeat(value[0], rows) for name, value in values.items() if value.null_count == 0}
    return pa.table({name: column for name, column in columns.items() if name not in values} | given)


def _in_one_file(store: ObjectStore, recording: Recording, events: list[Event], columns: pa.Table) -> Drafts:
    file = features.write(store, recording, columns)
    for row, event in enumerate(events):
        event.row = row
    return Drafts(events=events, features=file, columns=columns)
