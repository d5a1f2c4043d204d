"""Writing the rows of a dataset version: all of them into one file, and each split as Arrow and as Parquet."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from atlas.datasets import Format, Split, SplitFile, arrow_writer, split_of

BATCH_BYTES = 16 << 20
"""About so many bytes of rows are written at once, and read at once by whoever reads the files batch by batch."""
WHOLE = "whole.arrow"

Files = Mapping[tuple[Split, Format], SplitFile]


class Writer(Protocol):
    """What writes tables into a file, be it Arrow or Parquet."""

    def write_table(self, table: pa.Table) -> None:
        """Write the rows after those before."""


class Batches:
    """Hands rows on to a writer in batches of about `BATCH_BYTES`, however they come."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._waiting: list[pa.Table] = []
        self._waiting_bytes = 0
        self.rows = 0

    def write(self, table: pa.Table) -> None:
        """Take some rows; they are written once there are enough of them."""
        self._waiting.append(table)
        self._waiting_bytes += table.nbytes
        self.rows += table.num_rows
        if self._waiting_bytes >= BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what still waits."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if sum(table.num_rows for table in waiting):
            batch = pa.concat_tables(waiting).combine_chunks()
            waiting.clear()
            self._writer.write_table(batch)


def file_of(folder: Path, split: Split, form: Format) -> Path:
    """Where the file of a split is written."""
    return folder / f"{split}.{form}"


@contextmanager
def writer_of(path: Path, schema: pa.Schema, form: Format) -> Iterator[Writer]:
    """Writes tables of this schema into a new file."""
    opened = arrow_writer(path, schema) if form is Format.ARROW else pq.ParquetWriter(path, schema)
    with opened as writer:
        yield writer


def write_all(folder: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> Files:
    """Write rows that come ordered by event id into `WHOLE` and the files of the splits; what became of those."""
    with ExitStack() as files:
        whole = Batches(files.enter_context(arrow_writer(folder / WHOLE, schema)))
        splits = {
            split: Batches(files.enter_context(arrow_writer(file_of(folder, split, Format.ARROW), schema)))
            for split in Split
        }
        for table in tables:
            whole.write(table)
            for split, part in _parts(table).items():
                splits[split].write(part)
        for batches in (whole, *splits.values()):
            batches.flush()
    for split in Split:
        _write_parquet(folder, split, schema)
    return {
        (split, form): described(file_of(folder, split, form), splits[split].rows) for split in Split for form in Format
    }


def _write_parquet(folder: Path, split: Split, schema: pa.Schema) -> None:
    """Write the Parquet file of a split, a row group for each batch of its Arrow file.

    One file after the other, since a Parquet writer keeps several times the bytes of its largest batch until it is
    closed.
    """
    with (
        pa.OSFile(str(file_of(folder, split, Format.ARROW))) as source,
        writer_of(file_of(folder, split, Format.PARQUET), schema, Format.PARQUET) as writer,
    ):
        reader = pa.ipc.open_file(source)
        for number in range(reader.num_record_batches):
            writer.write_table(pa.Table.from_batches([reader.get_batch(number)], schema))


def _parts(table: pa.Table) -> dict[Split, pa.Table]:
    """The rows of each split."""
    splits = np.array([split_of(event_id) for event_id in table["id"].to_pylist()], dtype=object)
    return {split: table.filter(pa.array(splits == split, pa.bool_())) for split in Split}


def described(path: Path, rows: int) -> SplitFile:
    """What is said of a file: its rows, size and sha256."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return SplitFile(rows=rows, size_bytes=path.stat().st_size, sha256=sha256)
