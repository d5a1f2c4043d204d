"""Changes of the data: recordings, features and events, into the tables."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pyarrow as pa
from django.db import transaction

from atlas.ingestion import ChangeVerb, ChannelDescription, RecordingDescription, RecordingSettings
from atlas.ingestion import RecordingState as States
from atlas.vocabulary import Label
from ingestion_engine.conditions import LABEL_SEPARATOR
from ingestion_engine.errors import ConflictError
from ingestion_engine.models import Change, Column, Event, Features, Ledger, Recording

BATCH_SIZE = 2000


def kind_of(dtype: pa.DataType) -> str:
    """What a column of this type holds, in words: numbers are one kind, whole or not."""
    if pa.types.is_list(dtype):
        return f"list of {kind_of(dtype.value_type)}"
    if pa.types.is_integer(dtype) or pa.types.is_floating(dtype):
        return "number"
    return "boolean" if pa.types.is_boolean(dtype) else "text"


def new_features(recording: Recording, digest: str, columns: pa.Table) -> Features:
    """The row of a features file, not saved yet. `digest` makes its key unique within the recording."""
    return Features(
        recording=recording,
        key=f"features/{recording.name}/{digest}.arrow",
        schema=columns.schema.serialize().to_pybytes(),
    )


@contextmanager
def change(recording: Recording, verb: ChangeVerb, *, who: str, now: datetime) -> Iterator[Change]:
    """A change of the data: one transaction, alone, with a revision of its own.

    An unsaved recording is saved with it.
    """
    with transaction.atomic():
        ledger, _ = Ledger.objects.select_for_update().get_or_create(pk=1)
        ledger.revision += 1
        ledger.save()
        if recording.pk is None:
            recording.save()
        yield Change.objects.create(revision=ledger.revision, recording=recording, verb=verb, who=who, made=now)


def columns_of_kind(schema: pa.Schema) -> dict[str, Column]:
    """The table's row of each feature column, made where the column is new.

    Raises:
        ConflictError: a column holds values of another kind than in earlier recordings.
    """
    known = {column.name: column for column in Column.objects.filter(name__in=schema.names)}
    for field in schema:
        kind = kind_of(field.type)
        column = known.setdefault(field.name, Column(name=field.name, kind=kind))
        if column.kind != kind:
            raise ConflictError(
                f"column {field.name!r}: it holds values of kind {kind} here, but {column.kind} in earlier recordings; "
                "rename it, or write its values as before"
            )
    Column.objects.bulk_create([column for column in known.values() if column.pk is None])
    return {column.name: column for column in Column.objects.filter(name__in=schema.names)}


def enter(made: Change, features: Features, index: pa.Table, columns: pa.Table) -> None:
    """Save a features file and its events, valid from this change on.

    Args:
        made: the change that brings them.
        features: of the same recording, not saved yet; its file is in the store.
        index: one row an event: id (within the recording), time, duration_seconds, label (as JSON), label_type, car and
            environment.
        columns: at least the scalar columns of the features, row by row.

    Raises:
        ConflictError: a column holds values of another kind than in earlier recordings.
    """
    fields = {"recording": made.recording, "schema": features.schema}
    features, _ = Features.objects.get_or_create(key=features.key, defaults=fields)
    known = columns_of_kind(pa.ipc.read_schema(pa.py_buffer(bytes(features.schema))))
    Event.objects.bulk_create(_events(made, features, index, scalars_of(columns, known, index.num_rows)), BATCH_SIZE)


def _events(made: Change, features: Features, index: pa.Table, scalars: Iterable[dict[str, Label]]) -> Iterator[Event]:
    recording = made.recording
    for row, (event, values) in enumerate(zip(index.to_pylist(), scalars, strict=True)):
        event_id = f"{recording.name}/{event['id']}"
        yield Event(
            recording=recording,
            event_id=event_id,
            since=made.revision,
            features=features,
            row=row,
            shuffle=shuffle_of(event_id),
            time=event["time"],
            duration_seconds=event["duration_seconds"],
            **label_fields(json.loads(event["label"]), event["label_type"]),
            car=event["car"],
            environment=event["environment"],
            scalars=values,
        )


def label_fields(label: Label | list[str] | None, label_type: str) -> dict[str, Any]:
    """The fields of an event that hold its label; `label_type` is the label's Arrow type, nothing without one."""
    return {
        "label": label,
        "label_type": label_type,
        "label_number": None if isinstance(label, str | list) else label,
        "label_text": _label_text(label),
    }


def scalars_of(features: pa.Table, columns: Mapping[str, Column], rows: int) -> Iterator[dict[str, Label]]:
    """The values of each row by `Column.key`, without the missing ones and the lists."""
    scalars = [(columns[field.name].key, features[field.name]) for field in features.schema if _is_scalar(field)]
    keys = [key for key, _ in scalars]
    values = zip(*(column.to_pylist() for _, column in scalars), strict=True) if scalars else ((),) * rows
    for row in values:
        yield {key: value for key, value in zip(keys, row, strict=True) if value is not None}


def _is_scalar(field: pa.Field) -> bool:
    return not pa.types.is_list(field.type)


def _label_text(label: Label | list[str] | None) -> str | None:
    if isinstance(label, list):
        return LABEL_SEPARATOR + LABEL_SEPARATOR.join(label) + LABEL_SEPARATOR
    return label if isinstance(label, str) else None


def shuffle_of(event_id: str) -> int:
    """Where an event stands in the order in which samples are drawn: 56 bits of its id's sha256, from its ninth byte.

    The first eight say which split it belongs to; a sample must not depend on them.
    """
    return int.from_bytes(hashlib.sha256(event_id.encode()).digest()[8:15], "big")


def describe(recording: Recording) -> RecordingDescription:
    """What is known of a recording."""
    return RecordingDescription(
        name=recording.name,
        filename=recording.filename,
        sha256=recording.sha256,
        size_bytes=recording.size_bytes,
        received=recording.received,
        settings=RecordingSettings.model_validate(recording.settings),
        state=States(recording.state),
        problem=recording.problem,
        losses=recording.losses,
        start=recording.start,
        duration_seconds=recording.duration_seconds,
        channels=tuple(map(ChannelDescription.model_validate, recording.channels)),
        events=recording.events_count,
    )
