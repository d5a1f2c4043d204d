"""A bundle's sample of its training data: read in part, and predicted. The author wrote it; it may be anything."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow.parquet import ParquetFile

from atlas.manifest import Manifest
from atlas.metrics import Predictions
from benchmark_engine.sandbox.failing import StageError
from benchmark_engine.sandbox.prediction import encode, silence
from benchmark_engine.sandbox.protocol import MOST_PREDICTED, REFERENCE_LABELS, ReferencePredicted, write_array

BATCH_ROWS = 10_000
FIRST_ROWS, GROWTH = 8, 4
"""How many rows are predicted first, and how many times as many next, as long as there is time."""
SHARE_OF_PREDICTION = 0.05
LEAST_SECONDS = 0.5
"""How much of the time that predicting the evaluation rows took those of the reference may take, and how long they may
take in any case, in seconds."""


def sampled_reference(path: Path, names: Sequence[str], most: int) -> pa.Table:
    """At most so many of its rows, in their order, with those of the columns that it has.

    Raises:
        ArrowException, OSError: it is no Parquet.
        MemoryError: it takes more memory than there is.
    """
    with ParquetFile(path) as file:
        known = [name for name in names if name in file.schema_arrow.names]
        schema = pa.schema([file.schema_arrow.field(name) for name in known], file.schema_arrow.metadata)
        batches = file.iter_batches(BATCH_ROWS, columns=known, use_threads=False)
        # a name may be the beginning of others, which are read with it
        kept = sampled((batch.select(known) for batch in batches), file.metadata.num_rows, most)
        return pa.Table.from_batches(kept, schema)


def sampled(batches: Iterable[pa.RecordBatch], rows: int, most: int) -> Iterator[pa.RecordBatch]:
    """What is left of batches that have so many rows together, if at most so many are kept: always the same ones."""
    chosen = np.sort(np.random.default_rng(0).choice(rows, most, replace=False)) if rows > most else np.arange(rows)
    start = 0
    for batch in batches:
        first, last = np.searchsorted(chosen, (start, start + batch.num_rows))
        yield batch if last - first == batch.num_rows else batch.take(pa.array(chosen[first:last] - start))
        start += batch.num_rows


def predict_reference(
    predict: Callable[[Any], Predictions], path: Path, manifest: Manifest, folder: Path, *, seconds: float
) -> ReferencePredicted:
    """Predict rows of the reference in random order and write the labels; whatever goes wrong is a reason.

    Args:
        predict: the pipeline and the model.
        path: of the reference.
        manifest: says what the rows and a prediction look like.
        folder: where the labels are written.
        seconds: how long it should take, about.
    """
    names = [column.name for column in manifest.input_schema]
    try:
        rows = sampled_reference(path, names, MOST_PREDICTED).select(names)
        with silence():
            labels = _labels(predict, rows, manifest, seconds)
        write_array(labels, folder / REFERENCE_LABELS)
    except Exception as error:  # noqa: BLE001 - process boundary: the model's code may raise anything
        said = str(error) if isinstance(error, StageError) else f"{type(error).__name__}: {error}"
        return ReferencePredicted(impossible=f"The reference cannot be predicted: {said}"[:1_000])
    return ReferencePredicted(rows=len(labels))


def reference_budget(predict_seconds: float) -> float:
    """How long predicting the reference may take, in seconds."""
    return max(LEAST_SECONDS, SHARE_OF_PREDICTION * predict_seconds)


def _labels(predict: Callable[[Any], Predictions], rows: pa.Table, manifest: Manifest, seconds: float) -> np.ndarray:
    """As `encode` writes them, of as many rows as there is time for."""
    order, deadline = np.random.default_rng(0).permutation(rows.num_rows), time.monotonic() + seconds
    found: list[np.ndarray] = []
    start, size, taken = 0, FIRST_ROWS, 0.0
    while start < len(order) and (not found or time.monotonic() + GROWTH * taken < deadline):
        began, part = time.monotonic(), rows.take(pa.array(order[start : start + size]))
        found.append(encode(predict(part.to_pandas()).labels, manifest, rows=part.num_rows))
        start, size, taken = start + size, GROWTH * size, time.monotonic() - began
    return np.concatenate(found)
