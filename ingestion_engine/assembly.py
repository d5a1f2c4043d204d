"""Making the files of a dataset version from the list of its events, one recording at a time."""

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.conf import settings

from atlas.datasets import Format, Split, Statistics, file_digest, read_arrow
from atlas.vocabulary import Label
from ingestion_engine.features import columns_of
from ingestion_engine.listings import Listing, find
from ingestion_engine.models import Features
from ingestion_engine.parsing import TIME
from ingestion_engine.statistics import summarise
from ingestion_engine.version_files import BATCH_BYTES, WHOLE, Files, all_described, file_of, parquet_files, write_rows
from storage.objects import ObjectStore

SEVERAL_LABELS = pa.list_(pa.string())
LABEL_TYPES = {str(each): each for each in (pa.bool_(), pa.int64(), pa.float64(), pa.string(), SEVERAL_LABELS)}
FIELDS = ("event_id", "since", "time", "label", "car", "environment", "features_id", "row")
INDEX = ("id", "time", "label", "car", "environment")


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """A dataset version that is ready to be published.

    Its files lie in `folder`, in the store's scratch, until the store takes them or the block ends.
    """

    table: pa.Table
    schema: pa.Schema
    digest: str
    rows: int
    statistics: Statistics
    files: Files
    folder: Path

    def path(self, split: Split, form: Format) -> Path:
        """Where the file of a split lies."""
        return file_of(self.folder, split, form)


@contextmanager
def assembled(listing: Listing, store: ObjectStore) -> Iterator[Assembly]:
    """The version that holds just the listed events, in files that the store can take.

    The rows are ordered by event id. Since an id begins with its recording's name and "/", which no name contains, the
    recordings follow each other in this order, and no more than one of them is in memory.
    """
    schema = version_schema(listing.schemas, listing.label_types - {""})
    with store.scratch() as folder:
        recordings = (part for _, part in listing.recordings())
        rows = write_rows(folder, schema, (table for part in recordings for table in _tables(part, schema, store)))
        table = read_arrow(folder / WHOLE)
        with ThreadPoolExecutor(1) as beside:
            parquet = beside.submit(parquet_files, folder, schema, rows)
            digest = file_digest(folder / WHOLE)
            statistics = summarise(table, harmless=_harmless_labels())
            arrow = all_described(folder, Format.ARROW, rows)
        yield Assembly(
            table=table,
            schema=schema,
            digest=digest,
            rows=table.num_rows,
            statistics=statistics,
            files={**arrow, **parquet.result()},
            folder=folder,
        )


def _harmless_labels() -> tuple[str, ...]:
    return settings.ATLAS_HARMLESS_LABELS  # type: ignore[misc,no-any-return]  # a setting of this process alone


def version_schema(features: Iterable[pa.Schema], labels: Iterable[str]) -> pa.Schema:
    """The columns of a version with events of these features and types of labels: what all have, then scalars, then
    lists, by name.

    Whole and other numbers make double. Labels of several kinds become texts.
    """
    together = pa.unify_schemas([pa.schema([]), *features], promote_options="permissive")
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


def _tables(part: pa.Table, schema: pa.Schema, store: ObjectStore) -> Iterator[pa.Table]:
    """The rows of one recording's events, ordered by event id, in tables that are not much larger than a batch."""
    states = find(list(zip(part["id"].to_pylist(), part["since"].to_pylist(), strict=True)), FIELDS)
    ids, _, *others, keys, rows = zip(*states, strict=True)
    index = _index(dict(zip(INDEX, (ids, *others), strict=True)), schema)
    features = _Features(keys, rows, schema, store)
    for first, last in features.batches():
        columns = features.rows(first, last)
        given = index.slice(first, last - first)
        yield pa.table([(given if name in INDEX else columns)[name] for name in schema.names], schema=schema)


def _index(values: Mapping[str, Iterable[Any]], schema: pa.Schema) -> pa.Table:
    """The columns that every event has."""
    label = schema.field("label").type
    given = {**values, "label": [_as_type(each, label) for each in values["label"]]}
    return pa.table({name: pa.array(column, schema.field(name).type) for name, column in given.items()})


class _Features:
    """The feature columns of some of a recording's events, whichever files they lie in."""

    def __init__(self, keys: Iterable[int], rows: Iterable[int], schema: pa.Schema, store: ObjectStore) -> None:
        self._schema = pa.schema([field for field in schema if field.name not in INDEX])
        names, self._file = np.unique(np.array(keys), return_inverse=True)
        found = Features.objects.in_bulk(names.tolist())
        self._row = np.array(rows)
        most = int(self._row.max()) + 1
        self._tables = [_read(store, found[name], self._schema, most) for name in names.tolist()]

    def batches(self) -> Iterator[tuple[int, int]]:
        """From which event to which (which no longer belongs to it) about a batch's bytes reach, in turn."""
        sizes = np.full(len(self._row), 8 * (len(INDEX) + len(self._schema)), np.int64)
        for number, table in enumerate(self._tables):
            here = self._file == number
            for column in table.columns:
                if pa.types.is_list(column.type):
                    sizes[here] += 8 * _list_lengths(column)[self._row[here]]
        ends = np.flatnonzero(np.diff(np.cumsum(sizes) // BATCH_BYTES)) + 1
        yield from pairwise([0, *ends.tolist(), len(sizes)])

    def rows(self, first: int, last: int) -> pa.Table:
        """The columns of the events from `first` until before `last`."""
        files, rows = self._file[first:last], self._row[first:last]
        order = np.argsort(files, kind="stable")
        parts = [self._tables[each].take(pa.array(rows[files == each])) for each in np.unique(files)]
        if len(parts) == 1:
            return parts[0]
        return pa.concat_tables(parts).combine_chunks().take(pa.array(np.argsort(order, kind="stable")))


def _read(store: ObjectStore, features: Features, schema: pa.Schema, rows: int) -> pa.Table:
    """The columns of a features file as a version has them; those that it lacks are missing in all of its `rows`."""
    columns = columns_of(store, features).combine_chunks()
    known = set(columns.column_names)
    rows = columns.num_rows if known else rows
    arrays = (
        columns[each.name].cast(each.type) if each.name in known else pa.nulls(rows, each.type) for each in schema
    )
    return pa.table(list(arrays), schema=schema)


def _list_lengths(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """How many values each list holds, those of lists within it included."""
    return np.concatenate([np.diff(_leaf_offsets(chunk)) for chunk in column.chunks])


def _leaf_offsets(lists: pa.Array) -> npt.NDArray[np.int64]:
    """Where the innermost values of each list begin, and where those of the last one end."""
    offsets: npt.NDArray[np.int64] = lists.offsets.to_numpy().astype(np.int64)
    return _leaf_offsets(lists.values)[offsets] if pa.types.is_list(lists.values.type) else offsets


def _as_type(label: Label | list[str] | None, dtype: pa.DataType) -> Label | list[str] | None:
    """The label as a value of the version's label column."""
    if label is None:
        return None
    if dtype == SEVERAL_LABELS:
        return label if isinstance(label, list) else [_text(label)]
    return _text(label) if dtype == pa.string() and not isinstance(label, list) else label


def _text(label: Label) -> str:
    return label if isinstance(label, str) else json.dumps(label)
