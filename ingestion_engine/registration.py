"""Accepting a recording: its file and features into the object store, its events into the table."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction

from atlas.ingestion import RecordingReceipt
from atlas.vocabulary import Label
from ingestion_engine.errors import ConflictError
from ingestion_engine.models import Column, Event, Ledger, Recording
from ingestion_engine.parsing import ParsedRecording, parse
from ingestion_engine.selection import LABEL_SEPARATOR
from storage.objects import ObjectStore

BATCH_SIZE = 2000


def register(store: ObjectStore, path: Path, *, name: str, now: datetime) -> RecordingReceipt:
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
        return _receipt(known, new=False)
    parsed = parse(path)
    recording = _new_recording(name, sha256, parsed, now)
    store.put(recording.file_key, path)
    store.put(recording.features_key, _parquet(parsed.features))
    return _commit(recording, parsed)


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


def _new_recording(name: str, sha256: str, parsed: ParsedRecording, now: datetime) -> Recording:
    schema = pa.schema([parsed.index.schema.field("label"), *parsed.features.schema])
    return Recording(
        name=name,
        sha256=sha256,
        events_count=parsed.index.num_rows,
        schema=schema.serialize().to_pybytes(),
        received=now,
    )


def _parquet(features: pa.Table) -> BytesIO:
    buffer = BytesIO()
    pq.write_table(features, buffer, compression="zstd")
    buffer.seek(0)
    return buffer


@transaction.atomic
def _commit(recording: Recording, parsed: ParsedRecording) -> RecordingReceipt:
    """Write everything of the recording, unless another request was faster with the same one."""
    ledger, _ = Ledger.objects.select_for_update().get_or_create(pk=1)
    if known := _known(recording.name, recording.sha256):
        return _receipt(known, new=False)
    ledger.revision += 1
    ledger.save()
    recording.revision = ledger.revision
    recording.save()
    columns = _columns(parsed.features.schema)
    Event.objects.bulk_create(_events(recording, parsed, columns), batch_size=BATCH_SIZE)
    return _receipt(recording, new=True)


def _columns(schema: pa.Schema) -> dict[str, Column]:
    """The table's row of each column, made where the column is new."""
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


def _events(recording: Recording, parsed: ParsedRecording, columns: Mapping[str, Column]) -> Iterator[Event]:
    scalars = _scalars(parsed.features, columns, parsed.index.num_rows)
    for row, (event, values) in enumerate(zip(parsed.index.to_pylist(), scalars, strict=True)):
        label = event["label"]
        yield Event(
            recording=recording,
            row=row,
            event_id=f"{recording.name}/{event['id']}",
            time=event["time"],
            label=label,
            label_number=None if isinstance(label, str | list) else label,
            label_text=_label_text(label),
            car=event["car"],
            environment=event["environment"],
            scalars=values,
        )


def _scalars(features: pa.Table, columns: Mapping[str, Column], rows: int) -> Iterator[dict[str, Label]]:
    """The values of each row by `Column.key`, without the missing ones and the lists."""
    scalars = [(columns[field.name].key, features[field.name]) for field in features.schema if _is_scalar(field)]
    keys = [key for key, _ in scalars]
    values = zip(*(column.to_pylist() for _, column in scalars), strict=True) if scalars else ((),) * rows
    for row in values:
        yield {key: value for key, value in zip(keys, row, strict=True) if value is not None}


def _is_scalar(field: pa.Field) -> bool:
    return not pa.types.is_list(field.type)


def _label_text(label: Label | list[str]) -> str | None:
    if isinstance(label, list):
        return LABEL_SEPARATOR + LABEL_SEPARATOR.join(label) + LABEL_SEPARATOR
    return label if isinstance(label, str) else None


def _receipt(recording: Recording, *, new: bool) -> RecordingReceipt:
    return RecordingReceipt(recording=recording.name, sha256=recording.sha256, events=recording.events_count, new=new)
