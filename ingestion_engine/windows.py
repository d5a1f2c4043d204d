"""Cutting the signals of events out of a decoded recording: the samples of each channel, and numbers made from them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bags.archive import Archive, ArchivedChannel
from ingestion_engine import feature_files
from ingestion_engine.parsing import INDEX_COLUMNS, RESERVED

DURATION = "duration_seconds"
BATCH_BYTES = 32 << 20
Samples = npt.NDArray[np.generic]
Span = tuple[float, float]
"""From and until: seconds since the recording's start."""


def cut(archive: Archive, spans: Sequence[Span]) -> pa.Table:
    """The feature columns of events that last from one time to another, one row a span, in their order.

    `duration_seconds` is the span's. Each channel has a list column with its samples in the span, and `<channel>.peak`,
    `.rms` and `.mean` of them in the channel's unit: the greatest absolute value, the root of the mean square, the
    mean. Of a channel whose samples come at times of their own, and that has none there, the last one before counts.
    """
    columns: dict[str, pa.Array] = {DURATION: pa.array([round(end - start, 9) for start, end in spans], pa.float64())}
    taken = {column_of(channel.name) for channel in archive.channels}
    for channel in archive.channels:
        pieces = [_samples(archive, channel, start, end) for start, end in spans]
        columns[column_of(channel.name)] = _lists(pieces, np.dtype(channel.dtype))
        for name, numbers in _numbers(pieces).items():
            if f"{channel.name}.{name}" not in taken:
                columns[f"{channel.name}.{name}"] = numbers
    return pa.table(columns)


def column_of(channel: str) -> str:
    """The name of a channel's list column, which is no name that every event's own columns have."""
    return f"{channel}.values" if channel in (*INDEX_COLUMNS, *RESERVED, DURATION) else channel


def write(path: Path, archive: Archive, spans: Sequence[Span], known: pa.Table) -> pa.Schema:
    """Write the feature columns of events, and those of `known` beside them, into a file of features; their schema.

    Only some rows are in memory at a time.
    """
    schema = _beside(cut(archive, []), known.slice(0, 0)).schema
    parts = (
        _beside(cut(archive, spans[rows.start : rows.stop]), known.slice(rows.start, len(rows)))
        for rows in _batches(archive, spans)
    )
    feature_files.write(path, schema, parts)
    return schema


def _beside(columns: pa.Table, known: pa.Table) -> pa.Table:
    for name in known.column_names:
        columns = columns.append_column(name, known[name])
    return columns


def _batches(archive: Archive, spans: Sequence[Span]) -> Iterator[range]:
    """Rows that together have no more bytes of samples than may be in memory, but one at least."""
    per_second = sum((each.rate_hz or 0.0) * np.dtype(each.dtype).itemsize for each in archive.channels)
    first, size = 0, 0.0
    for row, (start, end) in enumerate(spans):
        more = (end - start) * per_second
        if row > first and size + more > BATCH_BYTES:
            yield range(first, row)
            first, size = row, 0.0
        size += more
    if first < len(spans):
        yield range(first, len(spans))


def _samples(archive: Archive, channel: ArchivedChannel, start: float, end: float) -> Samples:
    values = archive.values(channel.name, start, end).values
    if len(values) or channel.rate_hz is not None:
        return values
    return _last_before(archive, channel, start)


def _last_before(archive: Archive, channel: ArchivedChannel, end: float) -> Samples:
    """The last sample before a time, if there is one; it is looked for ever further back."""
    back = 1.0
    while end > 0:
        values = archive.values(channel.name, end - back, end).values
        if len(values) or back > end:
            return values[-1:]
        back *= 8
    return np.empty(0, channel.dtype)


def _lists(pieces: Sequence[Samples], dtype: "np.dtype[Any]") -> pa.Array:
    dtype = np.dtype(np.float32) if dtype == np.float16 else dtype
    values = np.concatenate([np.empty(0, dtype), *(piece.astype(dtype, copy=False) for piece in pieces)])
    offsets = np.cumsum([0, *map(len, pieces)], dtype=np.int64)
    if offsets[-1] < 1 << 31:
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values))
    raise MemoryError("the samples of one event are too many for a list")


def _numbers(pieces: Sequence[Samples]) -> dict[str, pa.Array]:
    rows = [_of_samples(piece.astype(np.float64)) for piece in pieces]
    return {name: pa.array([row.get(name) for row in rows], pa.float64()) for name in ("peak", "rms", "mean")}


def _of_samples(values: npt.NDArray[np.float64]) -> dict[str, float]:
    """Of the samples that are numbers; nothing, if none is."""
    values = values[np.isfinite(values)]
    if not len(values):
        return {}
    with np.errstate(over="ignore"):
        found = {
            "peak": float(np.max(np.abs(values))),
            "rms": float(np.sqrt(np.mean(np.square(values)))),
            "mean": float(np.mean(values)),
        }
    return {name: value for name, value in found.items() if np.isfinite(value)}
