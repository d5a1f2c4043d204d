"""Reading and writing the feature columns of events, which lie in the store."""

import hashlib
from collections.abc import Iterable, Sequence
from io import BytesIO
from itertools import groupby

import pyarrow as pa

from ingestion_engine import feature_files
from ingestion_engine.models import Event, Features, Recording
from ingestion_engine.registration import new_features
from storage.objects import ObjectStore


def write(store: ObjectStore, recording: Recording, columns: pa.Table) -> Features:
    """Put the feature columns into the store; the row that stands for them, which may not be saved yet."""
    buffer = BytesIO()
    feature_files.write(buffer, columns.schema, [columns])
    content = buffer.getvalue()
    features = new_features(recording, hashlib.sha256(content).hexdigest(), columns)
    if known := Features.objects.filter(key=features.key).first():
        return known
    store.put(features.key, content)
    return features


def read(store: ObjectStore, events: Sequence[Event], *, only: Iterable[str] | None = None) -> pa.Table:
    """The feature columns of these events, one row each, in their order; what an event's file lacks is missing.

    `only` names the columns to read; all others stay where they are.
    """
    places = sorted(range(len(events)), key=lambda place: events[place].features_id)
    parts = [
        _rows(store, events[group[0]].features, [events[place].row for place in group], only)
        for group in (list(each) for _, each in groupby(places, key=lambda place: events[place].features_id))
    ]
    found = pa.concat_tables(parts, promote_options="permissive")
    order = pa.array(sorted(range(len(places)), key=places.__getitem__))
    return found.take(order) if found.num_columns else found


def columns_of(store: ObjectStore, features: Features, only: Iterable[str] | None = None) -> pa.Table:
    """The columns of a file, all or those of `only` that it has; the file itself is in memory, on no disk, meanwhile.

    Raises:
        ObjectNotFoundError: the file is not in the store.
    """
    with store.open(features.key) as stream:
        return feature_files.read(pa.py_buffer(stream.read()), only)


def _rows(store: ObjectStore, features: Features, rows: list[int], only: Iterable[str] | None) -> pa.Table:
    columns = columns_of(store, features, only)
    return columns.take(pa.array(rows)) if columns.num_columns else columns
