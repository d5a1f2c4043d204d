"""Event lists: which states of which events a version holds. A version can be made from its list again, for ever."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import Any, TypeVar

import pyarrow as pa
from django.db.models import QuerySet

from ingestion_engine.errors import LostError
from ingestion_engine.models import Event, Features
from storage.objects import ObjectStore

SCHEMA = pa.schema([("id", pa.string()), ("since", pa.int64())])
CHUNK_ROWS = 5000
LOOKED_UP_AT_ONCE = 500
"""So many ids fit into one question to any database."""

Row = TypeVar("Row")
Pair = tuple[str, int]
"""Event id and `since`: which state of which event."""
State = tuple[str, int, int, str]
"""Event id, since, key of the features' row, and the label's type."""
LISTED = ("event_id", "since", "features_id", "label_type")


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The states that a version holds.

    Attributes:
        events: id and `since` of each, ordered by id as UTF-8 is.
        schemas: Arrow schemas of their features.
        label_types: Arrow types of their labels, nothing for events without one.
    """

    events: pa.Table
    schemas: tuple[pa.Schema, ...]
    label_types: frozenset[str]

    @property
    def content(self) -> bytes:
        """The list as an Arrow IPC file; equal lists are equal files."""
        buffer = BytesIO()
        with pa.ipc.new_file(buffer, SCHEMA) as writer:
            writer.write_table(self.events.combine_chunks(), max_chunksize=CHUNK_ROWS)
        return buffer.getvalue()

    def recordings(self) -> Iterator[tuple[str, pa.Table]]:
        """The names of the recordings in the list's order, each with its part of the list."""
        names = pa.compute.list_element(pa.compute.split_pattern(self.events["id"], "/", max_splits=1), 0)
        runs = pa.compute.run_end_encode(names.combine_chunks())
        first = 0
        for name, last in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
            yield name, self.events.slice(first, last - first)
            first = last


def listing(events: QuerySet[Event]) -> Listing:
    """The list of the states that a query selected; the query is asked once."""
    return _listing(events.order_by().values_list(*LISTED).iterator(chunk_size=CHUNK_ROWS))


def read_listing(store: ObjectStore, key: str) -> Listing:
    """The list that was kept under `key`.

    Raises:
        LostError: a state of it is not in the tables.
        ObjectNotFoundError: there is no such list.
    """
    with store.open(key) as stream:
        table = pa.ipc.open_file(pa.py_buffer(stream.read())).read_all()
    return _listing(row for rows in _chunks(_pairs(table)) for row in find(rows, LISTED))


def find(pairs: Sequence[Pair], fields: Sequence[str]) -> list[Any]:
    """The fields of these states, each given as event id and `since`, in the order given; the first field is the id and
    the second `since`.

    Raises:
        LostError: one is not there.
    """
    rows = (row for found in _of_ids(pairs) for row in found.values_list(*fields))
    return _in_order(pairs, {(row[0], row[1]): row for row in rows})


def load(pairs: Sequence[Pair]) -> list[Event]:
    """These states, each given as event id and `since`, in the order given.

    Raises:
        LostError: one is not there.
    """
    events = (event for found in _of_ids(pairs) for event in found)
    return _in_order(pairs, {(event.event_id, event.since): event for event in events})


def _of_ids(pairs: Sequence[Pair]) -> Iterator[QuerySet[Event]]:
    """All states of these events, some events at a time."""
    for first in range(0, len(pairs), LOOKED_UP_AT_ONCE):
        ids = [event_id for event_id, _ in pairs[first : first + LOOKED_UP_AT_ONCE]]
        yield Event.objects.filter(event_id__in=ids)


def _in_order(pairs: Sequence[Pair], found: Mapping[Pair, Row]) -> list[Row]:
    try:
        return [found[pair] for pair in pairs]
    except KeyError as error:
        event_id, since = error.args[0]
        raise LostError(f"the tables have no state of the event {event_id!r} since revision {since}") from error


def content_key(content: bytes) -> str:
    """Where a list lies: named by its content, so that equal lists are one."""
    return f"events/{hashlib.sha256(content).hexdigest()}.arrow"


def _listing(states: Iterable[State]) -> Listing:
    """Rows become Arrow arrays chunk by chunk: a million ids are some ten megabytes."""
    parts, features, label_types = [SCHEMA.empty_table()], set[int](), set[str]()
    for rows in _chunks(states):
        ids, since, keys, types = zip(*rows, strict=True)
        parts.append(pa.table([pa.array(ids, pa.string()), pa.array(since, pa.int64())], schema=SCHEMA))
        features.update(keys)
        label_types.update(types)
    return Listing(
        events=pa.concat_tables(parts).sort_by("id"),
        schemas=tuple(_schemas(sorted(features))),
        label_types=frozenset(label_types),
    )


def _schemas(keys: Sequence[int]) -> Iterator[pa.Schema]:
    """The different schemas of these features."""
    seen = set[bytes]()
    for first in range(0, len(keys), LOOKED_UP_AT_ONCE):
        found = Features.objects.filter(pk__in=keys[first : first + LOOKED_UP_AT_ONCE])
        seen.update(bytes(schema) for schema in found.values_list("schema", flat=True))
    return (pa.ipc.read_schema(pa.py_buffer(each)) for each in sorted(seen))


def _pairs(table: pa.Table) -> Iterator[Pair]:
    for batch in table.to_batches():
        yield from zip(batch["id"].to_pylist(), batch["since"].to_pylist(), strict=True)


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK_ROWS)):
        yield chunk
