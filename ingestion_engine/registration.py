"""Accepting a recording: its file and features into the object store, its events into the table."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import IntegrityError, transaction

from atlas.ingestion import ChangeVerb, ChannelDescription, RecordingDescription, RecordingSettings
from atlas.ingestion import RecordingState as States
from atlas.vocabulary import Label
from ingestion_engine.conditions import LABEL_SEPARATOR
from ingestion_engine.errors import ConflictError
from ingestion_engine.models import Change, Column, Event, Features, Ledger, Recording, RecordingState
from ingestion_engine.parsing import ParsedRecording, parse
from storage.objects import ObjectStore

BATCH_SIZE = 2000


def register(store: ObjectStore, path: Path, *, name: str, now: datetime) -> RecordingDescription:
    """Keep a CSV or Parquet file as the recording `name`. The same file again changes nothing.

    The objects are written first and the rows in one transaction after them: whoever finds the recording finds all of
    it, and a crash leaves at most objects that nothing refers to.

    Raises:
        ConflictError: the name stands for another file, or a column holds other values than in other recordings.
        RecordingError: the file cannot be read.
    """
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if known := _known(name, sha256):
        return describe(known)
    parsed = parse(path)
    recording = _new_recording(name, sha256, path, parsed, now)
    features = new_features(recording, sha256, parsed.features)
    store.put(recording.file_key, path)
    store.put(features.key, as_parquet(parsed.features))
    return _commit(recording, features, parsed)


def kind_of(dtype: pa.DataType) -> str:
    """What a column of this type holds, in words: numbers are one kind, whole or not."""
    if pa.types.is_list(dtype):
        return f"list of {kind_of(dtype.value_type)}"
    if pa.types.is_integer(dtype) or pa.types.is_floating(dtype):
        return "number"
    return "boolean" if pa.types.is_boolean(dtype) else "text"


def _known(name: str, sha256: str) -> Recording | None:
    """The recording of this name, if there is one."""
    recording = Recording.objects.filter(name=name).first()
    if recording and recording.sha256 != sha256:
        raise ConflictError(
            f"the recording {name!r} is already here with other content (sha256 {recording.sha256}); "
            "a recording never changes: send this file under another name"
        )
    return recording


def _new_recording(name: str, sha256: str, path: Path, parsed: ParsedRecording, now: datetime) -> Recording:
    return Recording(
        name=name,
        sha256=sha256,
        size_bytes=path.stat().st_size,
        events_count=parsed.index.num_rows,
        state=RecordingState.READY,
        received=now,
    )


def new_features(recording: Recording, digest: str, columns: pa.Table) -> Features:
    """The row of a features file, not saved yet. `digest` makes its key unique within the recording."""
    return Features(
        recording=recording,
        key=f"features/{recording.name}/{digest}.parquet",
        schema=columns.schema.serialize().to_pybytes(),
    )


def as_parquet(features: pa.Table) -> BytesIO:
    """The features as a Parquet file; the same table gives the same bytes."""
    buffer = BytesIO()
    pq.write_table(features, buffer, compression="zstd")
    buffer.seek(0)
    return buffer


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


def _commit(recording: Recording, features: Features, parsed: ParsedRecording) -> RecordingDescription:
    """Write everything of the recording, unless another request was faster with the same one."""
    try:
        with change(recording, ChangeVerb.RECEIVED, who="", now=recording.received) as made:
            features.recording = recording
            features.save()
            columns = columns_of_kind(parsed.features.schema)
            events = _events(recording, features, made.revision, parsed, columns)
            Event.objects.bulk_create(events, batch_size=BATCH_SIZE)
    except IntegrityError:
        if known := _known(recording.name, recording.sha256):
            return describe(known)
        raise
    return describe(recording)


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


def _events(
    recording: Recording, features: Features, revision: int, parsed: ParsedRecording, columns: Mapping[str, Column]
) -> Iterator[Event]:
    label_type = str(parsed.index.schema.field("label").type)
    scalars = scalars_of(parsed.features, columns, parsed.index.num_rows)
    for row, (event, values) in enumerate(zip(parsed.index.to_pylist(), scalars, strict=True)):
        event_id = f"{recording.name}/{event['id']}"
        yield Event(
            recording=recording,
            event_id=event_id,
            since=revision,
            features=features,
            row=row,
            shuffle=shuffle_of(event_id),
            time=event["time"],
            **label_fields(event["label"], label_type),
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
