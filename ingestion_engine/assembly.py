"""Making the files of a dataset version from the list of its events, one recording at a time."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.conf import settings

from atlas.datasets import Format, Split, Statistics, file_digest, read_arrow
from atlas.vocabulary import Label
from ingestion_engine import feature_files
from ingestion_engine.listings import Listing, find
from ingestion_engine.models import Features
from ingestion_engine.parsing import TIME
from ingestion_engine.statistics import summarise
from ingestion_engine.version_files import BATCH_BYTES, WHOLE, Files, Take, file_of, finishing, write_rows
from storage.objects import ObjectStore

SEVERAL_LABELS = pa.list_(pa.string())
LABEL_TYPES = {str(each): each for each in (pa.bool_(), pa.int64(), pa.float64(), pa.string(), SEVERAL_LABELS)}
FIELDS = ("event_id", "since", "time", "label", "car", "environment", "features_id", "row")
INDEX = ("id", "time", "label", "car", "environment")
AHEAD = 4
"""The features of so many recordings are fetched while those of the one before are put in order."""
AHEAD_BYTES = 16 << 20
"""So much of a features file at most is fetched before its turn: all of nearly every one."""
Fetch: TypeAlias = Callable[[str], Future[bytes]]
Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """A dataset version whose rows are there.

    Its files lie in `folder`, in the store's scratch, until they are taken or the block ends. `files` waits for those
    that are still being written or taken.
    """

    table: pa.Table
    schema: pa.Schema
    digest: str
    rows: int
    statistics: Statistics
    files: Callable[[], Files]
    folder: Path

    def path(self, split: Split, form: Format) -> Path:
        """Where the file of a split lies."""
        return file_of(self.folder, split, form)


@contextmanager
def assembled(listing: Listing, store: ObjectStore, take: Take = lambda *_: None) -> Iterator[Assembly]:
    """The version that holds just the listed events. `take` is given each of its files as soon as that is whole.

    The rows are ordered by event id. Since an id begins with its recording's name and "/", which no name contains, the
    recordings follow each other in this order, and no more than one of them is in memory, but for the first bytes of
    those that come next.
    """
    schema = version_schema(listing.schemas, listing.label_types - {""})
    with store.scratch() as folder:
        rows = write_rows(folder, schema, _tables((part for _, part in listing.recordings()), schema, store))
        table = read_arrow(folder / WHOLE)
        with finishing(folder, schema, rows, take) as files:
            yield Assembly(
                table=table,
                schema=schema,
                digest=file_digest(folder / WHOLE),
                rows=table.num_rows,
                statistics=summarise(table, harmless=_harmless_labels()),
                files=files,
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


def _tables(recordings: Iterable[pa.Table], schema: pa.Schema, store: ObjectStore) -> Iterator[pa.Table]:
    """The rows of recordings' events, ordered by event id, in tables that are not much larger than a batch."""
    with ThreadPoolExecutor(AHEAD) as fetching:

        def fetch(key: str) -> Future[bytes]:
            return fetching.submit(store.read, key, 0, AHEAD_BYTES)

        for index, features in _ahead(_recording(part, schema, fetch) for part in recordings):
            for first, last in features.batches(store):
                columns = features.rows(first, last)
                given = index.slice(first, last - first)
                yield pa.table([(given if name in INDEX else columns)[name] for name in schema.names], schema=schema)


def _ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The items, each once `AHEAD` more have been made."""
    waiting: deque[Item] = deque()
    for item in items:
        waiting.append(item)
        if len(waiting) > AHEAD:
            yield waiting.popleft()
    while waiting:
        yield waiting.popleft()


def _recording(part: pa.Table, schema: pa.Schema, fetch: Fetch) -> "tuple[pa.Table, _Features]":
    """The columns that every event has, and those of features, of one recording's events."""
    states = find(list(zip(part["id"].to_pylist(), part["since"].to_pylist(), strict=True)), FIELDS)
    ids, _, *others, keys, rows = zip(*states, strict=True)
    return _index(dict(zip(INDEX, (ids, *others), strict=True)), schema), _Features(keys, rows, schema, fetch)


def _index(values: Mapping[str, Iterable[Any]], schema: pa.Schema) -> pa.Table:
    """The columns that every event has."""
    label = schema.field("label").type
    given = {**values, "label": [_as_type(each, label) for each in values["label"]]}
    return pa.table({name: pa.array(column, schema.field(name).type) for name, column in given.items()})


class _Features:
    """The feature columns of some of a recording's events, whichever files they lie in."""

    def __init__(self, keys: Iterable[int], rows: Iterable[int], schema: pa.Schema, fetch: Fetch) -> None:
        self._schema = pa.schema([field for field in schema if field.name not in INDEX])
        names, self._file = np.unique(np.array(keys), return_inverse=True)
        found = Features.objects.in_bulk(names.tolist())
        self._row = np.array(rows)
        self._begun = [(found[name].key, fetch(found[name].key)) for name in names.tolist()]
        self._tables: list[pa.Table] = []

    def batches(self, store: ObjectStore) -> Iterator[tuple[int, int]]:
        """Read the files; from which event to which (which no longer belongs to it) about a batch's bytes reach."""
        most = int(self._row.max()) + 1
        self._tables = [_read(_whole(store, *begun), self._schema, most) for begun in self._begun]
        self._begun.clear()
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


def _whole(store: ObjectStore, key: str, beginning: Future[bytes]) -> bytes:
    """A file, of which the beginning is all unless it is large."""
    content = beginning.result()
    if len(content) < AHEAD_BYTES:
        return content
    with store.open(key) as stream:
        return stream.read()


def _read(content: bytes, schema: pa.Schema, rows: int) -> pa.Table:
    """The columns of a features file as a version has them; those that it lacks are missing in all of its `rows`."""
    columns = feature_files.read(pa.py_buffer(content)).combine_chunks()
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
