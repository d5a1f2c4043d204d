"""Recordings of events without signals, entered as the worker does, without a worker."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

import pyarrow as pa

from atlas.ingestion import ChangeVerb
from ingestion_engine import features
from ingestion_engine.decoding import INDEX
from ingestion_engine.models import Recording, RecordingState
from ingestion_engine.registration import change, enter
from storage.objects import ObjectStore


def entered(
    store: ObjectStore, name: str, columns: Mapping[str, Sequence[object] | pa.Array], *, now: datetime
) -> Recording:
    """A recording with these columns, of which id and label are among them; the others are features."""
    table = pa.table(dict(columns))
    rows, labels = table.num_rows, table["label"]
    index = {
        **{field.name: pa.nulls(rows, field.type) for field in INDEX},
        "id": table["id"],
        "label": [json.dumps(label) for label in labels.to_pylist()],
        "label_type": [str(labels.type)] * rows,
    }
    recording = Recording(
        name=name, sha256="0" * 64, received=now, state=RecordingState.READY, events_count=table.num_rows
    )
    with change(recording, ChangeVerb.RECEIVED, who="", now=now) as made:
        scalars = table.drop_columns(["id", "label"])
        enter(made, features.write(store, recording, scalars), pa.table(index, schema=INDEX), scalars)
    return recording
