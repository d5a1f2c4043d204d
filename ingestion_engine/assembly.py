"""Making the files of a dataset version from the events that a query selected, one recording at a time."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from django.db.models import QuerySet

from atlas.datasets import Split, SplitFile, Statistics, arrow_writer, content_digest, read_arrow, split_of
from atlas.vocabulary import Label
from ingestion_engine.models import Event, Features, Recording
from ingestion_engine.parsing import TIME
from ingestion_engine.statistics import summarise
from storage.objects import ObjectStore

SEVERAL_LABELS = pa.list_(pa.string())
LABEL_TYPES = {str(each): each for each in (pa.bool_(), pa.int64(), pa.float64(), pa.string(), SEVERAL_LABELS)}


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """A dataset version that is ready to be published; `table` and `paths` exist as long as the block that made it."""

    table: pa.Table
    schema: pa.Schema
    digest: str
    rows: int
    statistics: Statistics
    splits: Mapping[Split, SplitFile]
    paths: Mapping[Split, Path]


@contextmanager
def assembled(events: QuerySet[Event], store: ObjectStore) -> Iterator[Assembly]:
    """The version that holds just these events, in files of a temporary folder.

    The rows are ordered by event id. Since an id begins with its recording's name and "/", which no name contains, the
    recordings follow each other in this order, and no more than one of them is in memory.
    """
    contributing = Recording.objects.filter(pk__in=events.values("recording_id"))
    recordings = sorted(contributing, key=lambda recording: f"{recording.name}/")
    schemas = Features.objects.filter(pk__in=events.values("features_id")).values_list("schema", flat=True)
    labels = events.exclude(label_type="").values_list("label_type", flat=True).distinct()
    schema = version_schema((pa.ipc.read_schema(pa.py_buffer(bytes(each))) for each in schemas), labels)
    with TemporaryDirectory(prefix="atlas-version-") as name:
        folder = Path(name)
        tables = (_rows(recording, events, schema, store, folder) for recording in recordings)
        whole, paths = _write(tables, schema, folder)
        table = read_arrow(whole)
        yield Assembly(
            table=table,
            schema=schema,
            digest=content_digest(table),
            rows=table.num_rows,
            statistics=summarise(table, harmless=_harmless_labels()),
            splits={split: _split_file(path) for split, path in paths.items()},
            paths=paths,
        )


def _harmless_labels() -> tuple[str, ...]:
    return settings.ATLAS_HARMLESS_LABELS  # type: ignore[misc,no-any-return]  # a setting of this process alone


def version_schema(features: Iterable[pa.Schema], labels: Iterable[str]) -> pa.Schema:
    """The columns of a version with events of these features and types of labels: what all have, then scalars, then
    lists, by name.

    Whole and other numbers make double. Labels of several kinds become texts.
    """
    together = pa.unify_schemas(list(features), promote_options="permissive")
    label = reduce(_common_label_type, map(LABEL_TYPES.__getitem__, labels), None) or pa.string()
    index = [("id", pa.string()), ("time", TIME), ("label", label), ("car", pa.string()), ("environment", pa.string())]
    ordered = sorted(together, key=lambda field: (pa.types.is_list(field.type), field.name))
    return pa.schema([*index, *((field.name, field.type) for field in ordered)])


def _common_label_type(one: pa.DataType | None, other: pa.DataType) -> pa.DataType:
    if one is None or one == other:
        return other
    if SEVERAL_LABELS in (one, other):
        return SEVERAL_LABELS
    return pa.float64() if {one, other} == {pa.int64(), pa.float64()} else pa.string()


def _rows(
    recording: Recording, events: QuerySet[Event], schema: pa.Schema, store: ObjectStore, folder: Path
) -> pa.Table:
    """The rows of one recording's events, ordered by event id."""
    fields = ("event_id", "time", "label", "car", "environment", "features", "row")
    found = events.filter(recording=recording).order_by("features", "event_id").values_list(*fields)
    parts = [
        _part(list(rows), Features.objects.get(pk=features), schema, store, folder)
        for features, rows in groupby(found.iterator(), key=lambda each: each[5])
    ]
    return pa.concat_tables(parts).sort_by("id") if len(parts) > 1 else parts[0]


def _part(found: list[Any], features: Features, schema: pa.Schema, store: ObjectStore, folder: Path) -> pa.Table:
    """The rows of the events whose features lie in one file, ordered by event id."""
    found.sort(key=lambda each: each[0])
    ids, times, labels, cars, environments, _, rows = zip(*found, strict=True)
    columns = _features(features, store, folder).take(pa.array(rows))
    index = [ids, times, [_as_type(label, schema.field("label").type) for label in labels], cars, environments]
    given = dict(zip(schema.names, index, strict=False))
    return pa.table([_column(field, given, columns, len(ids)) for field in schema], schema=schema)


def _column(field: pa.Field, given: Mapping[str, Iterable[object]], features: pa.Table, rows: int) -> pa.Array:
    if field.name in given:
        return pa.array(given[field.name], field.type)
    if field.name in features.column_names:
        return features[field.name].combine_chunks().cast(field.type)
    return pa.nulls(rows, field.type)


def _features(features: Features, store: ObjectStore, folder: Path) -> pa.Table:
    path = folder / "features.parquet"
    store.get(features.key, path)
    return pq.read_table(path)


def _as_type(label: Label | list[str] | None, dtype: pa.DataType) -> Label | list[str] | None:
    """The label as a value of the version's label column."""
    if label is None:
        return None
    if dtype == SEVERAL_LABELS:
        return label if isinstance(label, list) else [_text(label)]
    return _text(label) if dtype == pa.string() and not isinstance(label, list) else label


def _text(label: Label) -> str:
    return label if isinstance(label, str) else json.dumps(label)


def _write(tables: Iterable[pa.Table], schema: pa.Schema, folder: Path) -> tuple[Path, dict[Split, Path]]:
    """Write all rows into one file, and those of each split into another."""
    whole, paths = folder / "whole.arrow", {split: folder / f"{split}.arrow" for split in Split}
    with ExitStack() as files:
        writer = files.enter_context(arrow_writer(whole, schema))
        writers = {split: files.enter_context(arrow_writer(path, schema)) for split, path in paths.items()}
        for table in tables:
            writer.write_table(table)
            splits = [split_of(event_id) for event_id in table["id"].to_pylist()]
            for split in Split:
                writers[split].write_table(table.filter(pa.array([each is split for each in splits])))
    return whole, paths


def _split_file(path: Path) -> SplitFile:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return SplitFile(rows=read_arrow(path).num_rows, size_bytes=path.stat().st_size, sha256=sha256)
