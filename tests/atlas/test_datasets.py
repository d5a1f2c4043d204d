import hashlib
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.datasets import (
    EVALUATION_SHARE,
    Split,
    arrow_writer,
    columns_of,
    content_digest,
    file_digest,
    read_arrow,
    split_of,
    write_arrow,
)
from atlas.errors import DatasetError

EVERYTHING = pa.table(
    {
        "id": ["a", "b", "ü"],
        "time": pa.array([datetime(2026, 1, 1, tzinfo=UTC), None, None], pa.timestamp("us", "UTC")),
        "label": [True, False, None],
        "count": [1, None, 3],
        "sound": pa.array([[0.5, 1.5], [], None], pa.list_(pa.float32())),
        "axes": [[[1], [2, 3]], None, []],
        "words": [["x", None], [], None],
    }
)


def test_the_split_of_an_event_is_known_for_ever() -> None:
    assert {each: split_of(each).value for each in ("monday/1", "monday/2", "monday/3", "monday/4", "ü/ß")} == {
        "monday/1": "training",
        "monday/2": "evaluation",
        "monday/3": "training",
        "monday/4": "training",
        "ü/ß": "training",
    }


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_split_of_an_event_follows_from_its_id_alone(event_id: str) -> None:
    position = int(hashlib.sha256(event_id.encode()).hexdigest()[:16], 16) / 2**64
    assert split_of(event_id) is (Split.EVALUATION if position < EVALUATION_SHARE else Split.TRAINING)


def test_about_three_in_ten_events_are_for_evaluation() -> None:
    evaluated = sum(split_of(f"monday/{number}") is Split.EVALUATION for number in range(10_000))
    assert evaluated / 10_000 == pytest.approx(EVALUATION_SHARE, abs=0.02)


def test_a_table_comes_back_from_its_file(tmp_path: Path) -> None:
    write_arrow(EVERYTHING, tmp_path / "table.arrow")
    assert read_arrow(tmp_path / "table.arrow").equals(EVERYTHING)


def test_a_file_may_be_written_in_parts(tmp_path: Path) -> None:
    with arrow_writer(tmp_path / "table.arrow", EVERYTHING.schema) as writer:
        for row in range(3):
            writer.write_table(EVERYTHING.slice(row, 1))
    assert read_arrow(tmp_path / "table.arrow").equals(EVERYTHING)


@pytest.mark.parametrize("content", [b"", b"ARROW1 and nothing more", b"id,label\n"])
def test_a_file_that_is_not_arrow_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "table.arrow"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"table\.arrow is not an Arrow IPC file"):
        read_arrow(path)


def test_columns_are_described_in_their_order() -> None:
    described = [(column.name, column.dtype) for column in columns_of(EVERYTHING.schema)]
    assert described[:2] == [("id", "string"), ("time", "timestamp[us, tz=UTC]")]
    assert described[4] == ("sound", "list<item: float>")


def test_the_digest_depends_on_the_content_and_not_on_its_layout(tmp_path: Path) -> None:
    whole = content_digest(EVERYTHING)
    chunks = pa.concat_tables([EVERYTHING.slice(0, 1), EVERYTHING.slice(1)])
    padded = pa.concat_tables([EVERYTHING, EVERYTHING]).slice(3)
    described = EVERYTHING.replace_schema_metadata({"written": "by another library"})
    write_arrow(chunks, tmp_path / "table.arrow")
    for table in (chunks, padded, described, read_arrow(tmp_path / "table.arrow")):
        assert content_digest(table) == whole


@pytest.mark.parametrize(
    "table", [EVERYTHING, EVERYTHING.slice(0, 0), pa.table({})], ids=["rows", "no rows", "nothing"]
)
def test_a_file_has_the_digest_of_its_table(table: pa.Table, tmp_path: Path) -> None:
    with arrow_writer(tmp_path / "table.arrow", table.schema) as writer:
        for row in range(table.num_rows):
            writer.write_table(table.slice(row, 1))
    assert file_digest(tmp_path / "table.arrow") == content_digest(table)


@pytest.mark.parametrize("column", EVERYTHING.column_names)
def test_the_digest_depends_on_every_value(column: str) -> None:
    place = EVERYTHING.column_names.index(column)
    other = EVERYTHING.set_column(place, column, EVERYTHING[column].take(pa.array([0, 0, 2])))
    assert content_digest(other) != content_digest(EVERYTHING)


def test_the_digest_depends_on_names_types_and_order() -> None:
    table = pa.table({"a": [1, 2], "b": [3, 4]})
    others = [
        table.rename_columns(["a", "c"]),
        table.select(["b", "a"]),
        table.take([1, 0]),
        table.slice(0, 1),
        pa.table({"a": pa.array([1, 2], pa.int32()), "b": [3, 4]}),
    ]
    assert len({content_digest(each) for each in [table, *others]}) == len(others) + 1


LISTS = st.lists(st.none() | st.lists(st.none() | st.text("ab", max_size=2), max_size=3), max_size=4)


@given(LISTS, LISTS)
def test_lists_of_other_values_have_another_digest(one: Any, other: Any) -> None:
    digests = [content_digest(pa.table({"x": pa.array(each, pa.list_(pa.string()))})) for each in (one, other)]
    assert (digests[0] == digests[1]) == (one == other)


def written_down(table: pa.Table) -> str:
    """The digest as its description says it, of the whole column at once."""
    digest = hashlib.sha256()
    for name in table.column_names:
        array = pa.concat_arrays(table[name].chunks or [pa.array([], table[name].type)])
        digest.update(f"{name}\0{array.type}\0{len(array)}\0".encode())
        digest.update(contained(array))
    return digest.hexdigest()


def contained(array: pa.Array) -> bytes:
    values = array.to_pylist()
    present = [value for value in values if value is not None]
    missing = np.packbits(np.array([value is not None for value in values], bool)).tobytes()
    if pa.types.is_list(array.type):
        inner = pa.array([each for value in present for each in value], array.type.value_type)
        return missing + lengths(values) + contained(inner)
    if pa.types.is_string(array.type):
        encoded = [(value or "").encode() for value in values]
        return missing + lengths(encoded) + b"".join(encoded)
    if pa.types.is_timestamp(array.type):
        return missing + contained(array.cast(pa.int64()))
    return missing + np.array(present, array.type.to_pandas_dtype()).tobytes()


def lengths(values: list[Any]) -> bytes:
    return np.array([len(value or ()) for value in values], "<i8").tobytes()


TYPES = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float32(): st.floats(width=32, allow_nan=False),
    pa.bool_(): st.booleans(),
    pa.string(): st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    pa.timestamp("us", "UTC"): st.datetimes(timezones=st.just(UTC)),
    pa.list_(pa.float32()): st.lists(st.none() | st.floats(width=32, allow_nan=False), max_size=12),
    pa.list_(pa.list_(pa.string())): st.lists(st.none() | st.lists(st.none() | st.text("aü", max_size=3), max_size=3)),
}


@given(st.data())
def test_the_digest_is_the_same_in_parts_of_any_size(data: st.DataObject) -> None:
    rows = data.draw(st.integers(0, 30), "rows")
    columns = {
        str(dtype): pa.array(data.draw(st.lists(st.none() | values, min_size=rows, max_size=rows)), dtype)
        for dtype, values in TYPES.items()
    }
    table = pa.table(columns)
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, rows), max_size=6), "cuts")), rows]
    parts = pa.concat_tables([table.slice(a, b - a) for a, b in pairwise(cuts)])
    assert content_digest(parts) == content_digest(table) == written_down(table)


def test_a_missing_number_is_not_a_zero() -> None:
    zeros, missing = pa.array(np.zeros(9)), pa.array([None, *np.zeros(8)], pa.float64())
    assert content_digest(pa.table({"x": zeros})) != content_digest(pa.table({"x": missing}))
