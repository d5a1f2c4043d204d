"""The predictions of two benchmarks, event by event."""

import io

import pyarrow as pa
import pytest
from pyarrow import parquet

from atlas.predictions import StoredAnswers, read
from atlas.vocabulary import Task
from atlas_web.joined import CannotBePairedError, aligned


def events(ids: list[str], truth: list[str], prediction: list[str]) -> StoredAnswers:
    stream = io.BytesIO()
    parquet.write_table(pa.table({"id": ids, "truth": truth, "prediction": prediction}), stream)
    return read(stream.getvalue(), Task.BINARY, ("a", "b"))


def test_events_are_joined_by_their_ids() -> None:
    one = events(["x", "y", "z"], ["a", "b", "a"], ["a", "b", "b"])
    other = events(["z", "w", "x"], ["a", "a", "a"], ["b", "a", "a"])
    mine, theirs = aligned(one, other)
    assert mine.predictions.labels.tolist() == ["a", "b"]
    assert theirs.predictions.labels.tolist() == ["a", "b"]
    assert mine.truth.tolist() == ["a", "a"]


def test_answers_in_the_same_order_are_left_as_they_are() -> None:
    one = events(["x", "y"], ["a", "b"], ["a", "b"])
    mine, _ = aligned(one, events(["x", "y"], ["a", "b"], ["a", "a"]))
    assert mine is one.answers


@pytest.mark.parametrize(
    ("ids", "truth", "problem"),
    [
        (["v", "w"], ["a", "b"], "no event in common"),
        (["x", "x"], ["a", "a"], "the same id"),
        (["x", "y"], ["b", "b"], "is not the same"),
    ],
)
def test_what_cannot_be_paired_says_why(ids: list[str], truth: list[str], problem: str) -> None:
    one = events(["x", "y"], ["a", "b"], ["a", "b"])
    with pytest.raises(CannotBePairedError, match=problem):
        aligned(one, events(ids, truth, ["a", "a"]))
