"""Writing the rows of a dataset version: all of them into one file, and each split as Arrow and as Parquet."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
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
INTEGERS, FLOATS = "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"
"""Parquet's encodings of numbers in lists."""
COMPRESSION = {INTEGERS: "none", FLOATS: "zstd", None: "snappy"}
"""What compresses values in each encoding."""

Files = Mapping[tuple[Split, Format], SplitFile]
Take = Callable[[Path, SplitFile, Format], object]
"""Takes a file that is whole from where it lies."""


class Writer(Protocol):
    """What writes tables into a file, be it Arrow or Parquet."""

    def write_table(self, table: pa.Table) -> None:
        """Write the rows after those before."""


class Batches:
    """Hands rows on to a writer in batches of about `BATCH_BYTES`, however they come.

    Attributes:
        rows: how many have come so far.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._waiting: list[pa.Table] = []
        self._waiting_bytes = 0
        self.rows = 0

    def write(self, table: pa.Table) -> None:
        """Take some rows; they are written once there are enough of them."""
        self._waiting.append(table)
        self.rows += table.num_rows
        self._waiting_bytes += table.nbytes
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
    opened = arrow_writer(path, schema) if form is Format.ARROW else _parquet_writer(path, schema)
    with opened as writer:
        yield writer


def _parquet_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Encodes numbers in lists for what signals are: values that hardly ever occur twice.

    Differences of integers, and the bytes of floats put together by their place, are quicker to write than a dictionary
    of the values, and no larger for signals. Nothing makes differences any smaller, and nobody looks for rows by the
    least sample in them. Everything else keeps the dictionary, the compression and the statistics that are the default.
    """
    leaves = dict(leaf for field in schema for leaf in _leaves(field.name, field.type, in_list=False))
    others = [name for name, encoding in leaves.items() if encoding is None]
    return pq.ParquetWriter(
        path,
        schema,
        use_dictionary=others,
        write_statistics=others,
        column_encoding={name: encoding for name, encoding in leaves.items() if encoding},
        compression={name: COMPRESSION[encoding] for name, encoding in leaves.items()},
    )


def _leaves(name: str, dtype: pa.DataType, *, in_list: bool) -> Iterator[tuple[str, str | None]]:
    """The names of a column's values in a Parquet file, with their encoding if it is not a dictionary."""
    if pa.types.is_list(dtype):
        yield from _leaves(f"{name}.list.element", dtype.value_type, in_list=True)
    elif in_list and pa.types.is_integer(dtype):
        yield name, INTEGERS
    else:
        yield name, FLOATS if in_list and dtype in (pa.float32(), pa.float64()) else None


def write_rows(folder: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> dict[Split, int]:
    """Write rows that come ordered by event id into `WHOLE` and the Arrow files of the splits; the rows of each.

    Tables are written in a thread while the next one is made here; one waits at most.
    """
    with ExitStack() as files:
        whole = Batches(files.enter_context(arrow_writer(folder / WHOLE, schema)))
        splits = {
            split: Batches(files.enter_context(arrow_writer(file_of(folder, split, Format.ARROW), schema)))
            for split in Split
        }

        def write(table: pa.Table) -> None:
            whole.write(table)
            for split, part in _parts(table).items():
                splits[split].write(part)

        _behind(write, tables)
        for batches in (whole, *splits.values()):
            batches.flush()
        return {split: batches.rows for split, batches in splits.items()}


def _behind(write: Callable[[pa.Table], None], tables: Iterable[pa.Table]) -> None:
    """Call `write` with each table, in a thread, while the table after it is made in this one."""
    with ThreadPoolExecutor(1) as thread:
        writing: Future[None] | None = None
        for table in tables:
            if writing:
                writing.result()
            writing = thread.submit(write, table)
        if writing:
            writing.result()


@contextmanager
def finishing(folder: Path, schema: pa.Schema, rows: Mapping[Split, int], take: Take) -> Iterator[Callable[[], Files]]:
    """While the block runs, write the Parquet files of splits whose Arrow files are there, and have each file taken.

    Parquet is written in one thread. Two others have the files taken, each as soon as it is whole, so that a store that
    is slow gets them while others are written. What has not begun when the block ends is left.

    Yields:
        What waits until all are taken, and tells what became of them. It raises what `take` or the writing raised.
    """
    with ExitStack() as sources, ThreadPoolExecutor(1) as writing, ThreadPoolExecutor(2) as taking:
        # Opened here, since whoever takes a file may put it elsewhere.
        arrow = {split: sources.enter_context(pa.OSFile(str(file_of(folder, split, Format.ARROW)))) for split in Split}

        def taken(split: Split, form: Format) -> SplitFile:
            file = described(path := file_of(folder, split, form), rows[split])
            take(path, file, form)
            return file

        def written(split: Split) -> Future[SplitFile]:
            _write_parquet(arrow[split], file_of(folder, split, Format.PARQUET), schema)
            return taking.submit(taken, split, Format.PARQUET)

        plain = {split: taking.submit(taken, split, Format.ARROW) for split in Split}
        packed = {split: writing.submit(written, split) for split in Split}
        try:
            yield (
                lambda: (
                    {(split, Format.ARROW): future.result() for split, future in plain.items()}
                    | {(split, Format.PARQUET): future.result().result() for split, future in packed.items()}
                )
            )
        finally:
            writing.shutdown(cancel_futures=True)
            taking.shutdown(cancel_futures=True)


def _write_parquet(arrow: pa.NativeFile, path: Path, schema: pa.Schema) -> None:
    """Write the Parquet file of a split, two row groups for each batch of its Arrow file.

    One file after the other, and half a batch at once, since a Parquet writer keeps several times the bytes of its
    largest row group until it is closed.
    """
    with _parquet_writer(path, schema) as writer:
        reader = pa.ipc.open_file(arrow)
        for number in range(reader.num_record_batches):
            table = pa.Table.from_batches([reader.get_batch(number)], schema)
            writer.write_table(table, row_group_size=(table.num_rows + 1) // 2)


def _parts(table: pa.Table) -> dict[Split, pa.Table]:
    """The rows of each split."""
    splits = np.array([split_of(event_id) for event_id in table["id"].to_pylist()], dtype=object)
    return {split: table.filter(pa.array(splits == split, pa.bool_())) for split in Split}


def described(path: Path, rows: int) -> SplitFile:
    """What is said of a file: its rows, size and sha256."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return SplitFile(rows=rows, size_bytes=path.stat().st_size, sha256=sha256)
