from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ingestion_engine.errors import RecordingError
from ingestion_engine.parsing import ParsedRecording, parse


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str | bytes], ParsedRecording]:
    def parse_content(content: str | bytes) -> ParsedRecording:
        path = tmp_path / "recording"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return parse(path)

    return parse_content


Read = Callable[[str | bytes], ParsedRecording]
Parquet = Callable[..., bytes]


def test_a_csv_file_gives_events_and_features(read: Read) -> None:
    parsed = read("id,time,label,car,environment,x,y,ok,note\n07,2026-01-01T01:00:00+01:00,dent,007,,1,2.5,true,\n")
    assert parsed.index.to_pylist() == [
        {"id": "07", "time": datetime(2026, 1, 1, tzinfo=UTC), "label": "dent", "car": "007", "environment": None}
    ]
    assert parsed.features.to_pylist() == [{"x": 1, "y": 2.5, "ok": True}]


def test_events_without_ids_are_numbered(read: Read) -> None:
    assert read("label\na\nb\n").index["id"].to_pylist() == ["1", "2"]


def test_texts_that_look_like_something_else_stay_as_they_are(read: Read) -> None:
    parsed = read("label,day,hour\n2026-01-01,2026-01-02 03:04,12:30:00\n")
    assert parsed.index["label"].to_pylist() == ["2026-01-01"]
    assert parsed.features.to_pylist() == [{"day": "2026-01-02 03:04", "hour": "12:30:00"}]


def test_not_a_number_is_a_missing_value(read: Read) -> None:
    assert read("label,x\na,nan\nb,1\nc,\n").features["x"].to_pylist() == [None, 1.0, None]


def test_names_are_trimmed_and_a_byte_order_mark_is_no_name(read: Read) -> None:
    assert read("\ufefflabel , x y\na,1\n").features.column_names == ["x y"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "Empty CSV"),
        (b"\x89PNG\r\n\x1a\n\0\0", "neither Parquet nor a CSV"),
        ("label,x\ngr\xfc\xdf,1\n".encode("latin1"), "UTF-8"),
        ("PAR1 and nothing more", "Parquet file cannot be read"),
        ("label,x\na,1\nb\n", "Expected 2 columns, got 1"),
        ("x,y\n1,2\n", "no column 'label'; the columns are x, y"),
        ("label,x\n", "no events"),
        ("label,x,x\na,1,2\n", "two columns 'x'"),
        ("label,\na,1\n", "column 2 has no name"),
        ("label,recording\na,1\n", "'recording'"),
        ("label,x\na,1\n,2\n", "column 'label', row 2: the label is missing"),
        (f"label\n{'x' * 201}\n", "column 'label', row 1"),
        ('label,x\n"a\nb",1\n', "column 'label', row 1: it is not one line"),
        ("id,label\n1,a\n2,a\n1,b\n", "column 'id', row 3: an earlier row has the same id"),
        ("id,label\n,a\n", "column 'id', row 1: the id is missing"),
        ("time,label\n2026-01-01,a\nyesterday,b\n", "column 'time', row 2"),
        ("time,label\n1625660010,a\n", "column 'time', row 1"),
        ("label,x\na,1\nb,-inf\n", "column 'x', row 2: the number is infinite"),
        ("label,car\na,x\0y\n", "column 'car', row 1"),
    ],
)
def test_a_file_that_is_no_recording_is_answered_with_the_column_and_row(
    read: Read, content: str | bytes, said: str
) -> None:
    with pytest.raises(RecordingError) as caught:
        read(content)
    assert said in str(caught.value)


def test_a_parquet_file_gives_each_type_its_usual_form(read: Read, parquet: Parquet) -> None:
    features = {
        "small": pa.array([1], pa.int8()),
        "half": pa.array([0.5], pa.float32()),
        "coded": pa.array(["a"]).dictionary_encode(),
        "day": [date(2026, 1, 1)],
        "sound": [np.zeros(2, "i2")],
        "axes": pa.array([[[1.0], [2.0]]], pa.list_(pa.list_(pa.float32()))),
        "words": pa.array([["a"]], pa.large_list(pa.large_string())),
        "nothing": pa.nulls(1),
    }
    parsed = read(parquet(label=[True], time=pa.array([1], pa.timestamp("ns")), **features))
    assert parsed.index["time"].to_pylist() == [datetime(1970, 1, 1, tzinfo=UTC)]
    assert {field.name: str(field.type) for field in parsed.features.schema} == {
        "small": "int64",
        "half": "double",
        "coded": "string",
        "day": "string",
        "sound": "list<item: int16>",
        "axes": "list<item: list<item: float>>",
        "words": "list<item: string>",
    }


def test_several_labels_are_a_list_of_texts(read: Read, parquet: Parquet) -> None:
    assert read(parquet(label=[[1, 2], []])).index["label"].to_pylist() == [["1", "2"], []]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"label": [["a"], ["b", None]]}, "column 'label', row 2"),
        ({"label": [["a"], ["b\x1fc"]]}, "column 'label', row 2"),
        ({"label": [[["a"]]]}, "lists of lists"),
        ({"label": [1.5, float("nan")]}, "column 'label', row 2: the label is missing"),
        ({"label": [{"a": 1}]}, "column 'label': values of type struct"),
        ({"label": ["a"], "x": [b"bytes"]}, "column 'x': values of type binary"),
        ({"label": ["a"], "x": pa.array([2**64 - 1], pa.uint64())}, "column 'x'"),
        ({"label": ["a"], "id": [1.5]}, "column 'id'"),
        ({"label": ["a"], "car": [["x"]]}, "column 'car'"),
        ({"label": ["a"], "time": [3]}, "column 'time': values of type int64"),
        ({"label": ["a"], "time": pa.array([2**61], pa.timestamp("us"))}, "column 'time', row 1: the year"),
    ],
)
def test_a_parquet_file_with_other_values_is_answered_with_the_column(
    read: Read, parquet: Parquet, columns: dict[str, object], said: str
) -> None:
    with pytest.raises(RecordingError) as caught:
        read(parquet(**columns))
    assert said in str(caught.value)
