"""Files of features: what is written is read again, also from the Parquet files of earlier releases."""

from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion_engine import feature_files

NESTED = pa.list_(pa.list_(pa.int16()))
ROWS = pa.table(
    {
        "speed": pa.array([1.5, None, 2.5]),
        "note": ["wet", "", None],
        "microphone": pa.array([[1, 2], [], None], pa.list_(pa.int16())),
        "beams": pa.array([[[1], [2, 3]], None, [[]]], NESTED),
    }
)


def written(table: pa.Table) -> bytes:
    buffer = BytesIO()
    feature_files.write(buffer, table.schema, [table])
    return buffer.getvalue()


def as_parquet(table: pa.Table) -> bytes:
    buffer = BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


@pytest.mark.parametrize("only", [None, ["note"], ["microphone", "speed", "unknown"], []], ids=str)
def test_a_file_says_the_same_as_the_parquet_file_of_an_earlier_release(only: list[str] | None) -> None:
    new, old = (feature_files.read(pa.py_buffer(each), only) for each in (written(ROWS), as_parquet(ROWS)))
    assert new.equals(old)
    assert str(new.schema) == str(old.schema)  # digests of versions contain the types' names


def test_equal_tables_are_equal_files() -> None:
    in_parts = pa.concat_tables([ROWS.slice(0, 1), ROWS.slice(1)])
    assert written(in_parts) == written(ROWS.slice(0).combine_chunks())


def test_the_scalars_and_the_schema_of_a_file_that_was_written_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "features.arrow"
    feature_files.write(path, ROWS.schema, [ROWS.slice(0, 2), ROWS.slice(2)])
    assert feature_files.scalars(path).to_pylist() == ROWS.select(["speed", "note"]).to_pylist()
    assert feature_files.schema_of(path).names == ROWS.schema.names
