"""Fills the ingestion engine's tables and store with events that have signals, each recording with a file of features.

    DATABASE_URL=postgresql://... python -m benchmarks.seed_signals --store FOLDER --events 100000 --event-bytes 4000

Signals are noise, which nothing compresses.
"""

import argparse
from io import BytesIO

import numpy as np
import pyarrow as pa
from django.core.management import call_command

from benchmarks.seed_events import SCHEMA, seed
from ingestion_engine import feature_files
from ingestion_engine.models import Features
from storage.objects import open_store

EVENTS_EACH = 500
SIGNAL = "microphone"
SAMPLE_BYTES = 2


def features(generator: np.random.Generator, rows: int, samples: int) -> pa.Table:
    """The features of one recording's events: what `SCHEMA` names, and a window of 16-bit samples of each."""
    numbers, flags = generator.random((2, rows)), generator.random(rows) < 0.3
    texts = [f"note {row % 100}" for row in range(rows)]
    noise = generator.integers(-(2**15), 2**15, rows * samples, dtype=np.int16)
    windows = pa.ListArray.from_arrays(pa.array(np.arange(rows + 1, dtype=np.int32) * samples), pa.array(noise))
    return pa.table([*map(pa.array, numbers), pa.array(flags), pa.array(texts), windows], schema=schema())


def schema() -> pa.Schema:
    """The columns of each recording's features."""
    return SCHEMA.append(pa.field(SIGNAL, pa.list_(pa.int16())))


def main() -> None:
    """Make the tables and fill them, then write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--store", required=True)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--event-bytes", type=int, default=4_000)
    asked = parser.parse_args()
    call_command("migrate", verbosity=0)
    each = min(EVENTS_EACH, asked.events)
    seed(asked.events, asked.events // each, schema())
    store, generator = open_store(asked.store), np.random.default_rng(0)
    for key in Features.objects.order_by("pk").values_list("key", flat=True):
        buffer = BytesIO()
        feature_files.write(buffer, schema(), [features(generator, each, asked.event_bytes // SAMPLE_BYTES)])
        buffer.seek(0)
        store.put(key, buffer)


if __name__ == "__main__":
    main()
