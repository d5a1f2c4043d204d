"""Some columns of a version's files. Each choice is made into a file once, and served like the others from then on."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from atlas.datasets import DatasetDescription, Format, Split, SplitFile
from atlas.errors import ObjectNotFoundError
from ingestion_engine.errors import RefusedError, UnknownError
from ingestion_engine.version_files import described, writer_of
from ingestion_engine.versions import split_key
from storage.objects import ObjectStore
from storage.ranges import ObjectFile

BATCH_ROWS = 1024
"""So many rows of a Parquet file are read at once; Arrow files are read in the batches that they were written in."""


def split_file(dataset: DatasetDescription, split: Split, form: Format) -> SplitFile:
    """The file of a split in this format.

    Raises:
        UnknownError: the version was made before there were such files.
    """
    files = dataset.splits if form is Format.ARROW else dataset.parquet
    if split in files:
        return files[split]
    raise UnknownError(f"{dataset.query_id} has no files in the format {form}; ask for format={Format.ARROW}")


def chosen(dataset: DatasetDescription, names: Sequence[str]) -> list[str]:
    """These columns in the order of the files, each once.

    Raises:
        RefusedError: the version has no such column.
    """
    known = [column.name for column in dataset.columns]
    if unknown := [name for name in names if name not in known]:
        raise RefusedError(f"columns: {dataset.query_id} has no column {unknown[0]!r}; it has {', '.join(known)}")
    return [name for name in known if name in names]


def project(store: ObjectStore, source: SplitFile, form: Format, columns: Sequence[str]) -> tuple[str, SplitFile]:
    """Key and description of the file with only these columns of a split's file; it is made if nobody had it yet.

    The file is named by its content, and found by a document that is named by what was asked for and written last.
    """
    asked = "\0".join([source.sha256, form, *columns])
    document = f"projections/{hashlib.sha256(asked.encode()).hexdigest()}.json"
    try:
        with store.open(document) as stream:
            file = SplitFile.model_validate_json(stream.read())
    except ObjectNotFoundError:
        file = _make(store, source, form, columns)
        store.put(document, file.model_dump_json().encode())
    return _key(file, form), file


def _key(file: SplitFile, form: Format) -> str:
    return f"projections/{file.sha256}.{form}"


def _make(store: ObjectStore, source: SplitFile, form: Format, columns: Sequence[str]) -> SplitFile:
    """Copy the columns batch by batch into a file of their own, and put it into the store; others are not read."""
    with TemporaryDirectory(prefix="atlas-projection-") as folder:
        target = Path(folder) / "target"
        with pa.PythonFile(ObjectFile(store, split_key(source.sha256, form)), "r") as file:
            schema, batches = (_arrow if form is Format.ARROW else _parquet)(file, columns)
            with writer_of(target, schema, form) as writer:
                for batch in batches:
                    writer.write_table(pa.Table.from_batches([batch], schema))
        made = described(target, source.rows)
        store.put(_key(made, form), target)
    return made


def _arrow(file: pa.NativeFile, columns: Sequence[str]) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    known = pa.ipc.open_file(file).schema
    schema = pa.schema([known.field(name) for name in columns])
    options = pa.ipc.IpcReadOptions(included_fields=[known.get_field_index(name) for name in columns])
    reader = pa.ipc.open_file(file, options=options)
    return schema, (reader.get_batch(number).select(columns) for number in range(reader.num_record_batches))


def _parquet(file: pa.NativeFile, columns: Sequence[str]) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    reader = pq.ParquetFile(file)
    schema = pa.schema([reader.schema_arrow.field(name) for name in columns])
    return schema, (batch.select(columns) for batch in reader.iter_batches(BATCH_ROWS, columns=list(columns)))
