"""Dataset versions: what the ingestion engine says of them, and the Arrow files that hold them."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute
import pyarrow.ipc
from pydantic import Field

from atlas.errors import DatasetError
from atlas.vocabulary import ColumnSchema, Digest, Document, Name, Text
from atlas.vocabulary import Format as Format
from atlas.vocabulary import Split as Split

EVALUATION_SHARE = 0.3
"""Share of all events that models are evaluated on and never trained on."""
NOT_FEATURES = frozenset({"id", "time", "label", "car", "environment", "recording"})
"""Columns that say what an event is and where it comes from, and that no model is given unless it asks for them."""


def split_of(event_id: str) -> Split:
    """The split that an event belongs to, for ever: by a hash of its id, whatever else arrives later."""
    position = int.from_bytes(hashlib.sha256(event_id.encode()).digest()[:8], "big") / 2**64
    return Split.EVALUATION if position < EVALUATION_SHARE else Split.TRAINING


class SplitFile(Document):
    """The file of one split: an Arrow IPC file with one row an event, ordered by event id."""

    rows: int
    size_bytes: int
    sha256: Digest


Damage = Literal["damage", "no damage"]
"""What an event did to the car."""


class Histogram(Document):
    """Counts of a numeric column between ascending `edges`; one count fewer than edges."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


class Lengths(Document):
    """How many values the lists of a column have."""

    minimum: int
    mean: float
    maximum: int


class ColumnStatistics(Document):
    """What is known of one column but the id: `values` counts the most frequent texts, `lengths` is of lists only.

    The others hold for numbers; times are only counted where they are missing.
    """

    name: Text
    dtype: Text
    missing: int
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    standard_deviation: float | None = None
    histogram: Histogram | None = None
    values: dict[str, int] | None = None
    lengths: Lengths | None = None


class Statistics(Document):
    """Events per label, car and environment condition, and a summary of each column.

    `damage` counts events with and without damage, where the engine can tell them apart.
    """

    rows: int
    labels: dict[str, int]
    damage: dict[Damage, int] | None = None
    cars: dict[str, int]
    environments: dict[str, int]
    columns: tuple[ColumnStatistics, ...]


class DatasetVersion(Document):
    """One version of a tag: the events that its query selected at that time. It never changes."""

    query_id: Name
    number: int
    digest: Digest
    rows: int
    created: datetime


class TagDescription(Document):
    """A tag, the query that it names, and all its versions, oldest first.

    `every_seconds` is how often the engine looks for a new version; null: whenever the data change.
    """

    name: Name
    query: str
    every_seconds: int | None = None
    versions: tuple[DatasetVersion, ...]


class DatasetDescription(Document):
    """All that is known of one dataset version, without its rows.

    `columns` describes every column of the files, the target included. `digest` is `content_digest` of all rows of
    both splits. `parquet` are the same splits as Parquet files, if the engine offers them.
    """

    query_id: Name
    tag: Name
    number: int
    digest: Digest
    rows: int
    created: datetime
    target: Text
    columns: tuple[ColumnSchema, ...]
    statistics: Statistics
    splits: dict[Split, SplitFile]
    parquet: dict[Split, SplitFile] = Field(default_factory=dict)


def columns_of(schema: pa.Schema) -> tuple[ColumnSchema, ...]:
    """The columns of an Arrow table, in its order."""
    return tuple(ColumnSchema(name=field.name, dtype=str(field.type)) for field in schema)


@contextmanager
def arrow_writer(path: Path, schema: pa.Schema) -> Iterator[pa.ipc.RecordBatchFileWriter]:
    """Write tables of one schema, one after the other, into an uncompressed Arrow IPC file."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        yield writer


def write_arrow(table: pa.Table, path: Path) -> None:
    """Write a table as an uncompressed Arrow IPC file, which readers can map into memory."""
    with arrow_writer(path, table.schema) as writer:
        writer.write_table(table)


def read_arrow(path: Path) -> pa.Table:
    """Map an Arrow IPC file into memory; the rows are read when they are used.

    Raises:
        DatasetError: the file is not an Arrow IPC file.
    """
    try:
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise DatasetError(f"{path.name} is not an Arrow IPC file: {error}") from error


def content_digest(table: pa.Table) -> str:
    """The sha256 of a table's whole content: names, types, and every value in row order.

    It depends on the values alone, not on chunks, padding, metadata or the version of Arrow that wrote the file. No
    more than one chunk of one column is read at a time, so that a table may be larger than the memory.
    """
    return _digest(table.schema, table.num_rows, lambda number: table.column(number).iterchunks())


def file_digest(path: Path) -> str:
    """The `content_digest` of the table in an Arrow IPC file. Nothing of the file stays in memory or mapped into it."""
    with pa.OSFile(str(path)) as file:
        schema = pa.ipc.open_file(file).schema
        rows = sum(map(len, _column(file, 0))) if schema.names else 0
        return _digest(schema, rows, lambda number: _column(file, number))


def _column(file: pa.NativeFile, number: int) -> Iterator[pa.Array]:
    """A column of an Arrow IPC file batch by batch; the bytes of all others are passed over."""
    reader = pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(included_fields=[number]))
    return (reader.get_batch(batch).column(0) for batch in range(reader.num_record_batches))


Arrays = Callable[[], Iterator[pa.Array]]
"""Gives the parts of a column, one after the other, as often as it is asked."""


def _digest(schema: pa.Schema, rows: int, column: Callable[[int], Iterator[pa.Array]]) -> str:
    """The sha256 of columns that can be read by their numbers."""
    digest = hashlib.sha256()
    for number, field in enumerate(schema):
        digest.update(f"{field.name}\0{field.type}\0{rows}\0".encode())
        for part in _content(field.type, partial(column, number)):
            digest.update(part)
    return digest.hexdigest()


def _content(dtype: pa.DataType, arrays: Arrays) -> Iterator[bytes | memoryview]:
    """A column as bytes that say the same for the same values: which are missing, then the values, little-endian."""
    yield from _packed(array.is_valid().to_numpy(zero_copy_only=False) for array in arrays())
    if pa.types.is_list(dtype) or pa.types.is_large_list(dtype):
        yield from (_lengths(array.value_lengths()) for array in arrays())
        yield from _content(dtype.value_type, lambda: (array.flatten() for array in arrays()))
    elif pa.types.is_string(dtype) or pa.types.is_large_string(dtype):
        yield from (_lengths(pa.compute.binary_length(_encoded(array))) for array in arrays())
        yield from (_joined(_encoded(array)) for array in arrays())
    elif pa.types.is_timestamp(dtype):
        yield from _content(pa.int64(), lambda: (array.cast(pa.int64()) for array in arrays()))
    else:
        yield from map(_values, arrays())


def _packed(flags: Iterable[npt.NDArray[np.bool_]]) -> Iterator[bytes]:
    """Eight flags a byte, without gaps between the arrays; zeros fill the last byte."""
    rest = np.empty(0, np.bool_)
    for array in flags:
        together = np.concatenate([rest, array]) if len(rest) else array
        whole = len(together) - len(together) % 8
        yield np.packbits(together[:whole]).tobytes()
        rest = together[whole:]
    yield np.packbits(rest).tobytes()


def _lengths(lengths: pa.Array) -> bytes:
    values: np.ndarray = lengths.fill_null(0).to_numpy(zero_copy_only=False)
    return values.astype("<i8").tobytes()


def _encoded(texts: pa.Array) -> pa.Array:
    return texts.fill_null("").cast(pa.large_binary())


def _joined(encoded: pa.Array) -> bytes | memoryview:
    """All texts of an array one after the other, as they lie in its buffer."""
    if len(encoded) == 0:
        return b""
    _, offsets, content = encoded.buffers()
    first, last = np.frombuffer(offsets, np.int64)[[encoded.offset, encoded.offset + len(encoded)]]
    return memoryview(content)[first:last] if content else b""


def _values(array: pa.Array) -> bytes | memoryview:
    values: np.ndarray = array.drop_null().to_numpy(zero_copy_only=False)
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).data.cast("B") if len(values) else b""
