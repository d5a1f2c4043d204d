"""The predictions that a benchmark keeps, as metrics take them, and those of two event by event."""

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from atlas.metrics import metric
from atlas.vocabulary import Task
from atlas_web.joined import CannotBePairedError, StoredAnswers, aligned, read
from atlas_web.predicted import PredictionsError


def stored(task: Task = Task.BINARY, classes: tuple[str, ...] = ("a", "b"), **columns: Any) -> StoredAnswers:
    stream = io.BytesIO()
    parquet.write_table(pa.table({name.replace("__", " "): values for name, values in columns.items()}), stream)
    return read(stream.getvalue(), task, classes)


def test_probabilities_come_in_the_order_of_the_model_s_classes() -> None:
    found = stored(
        classes=("b", "a"),
        id=["x", "y"],
        truth=["a", "b"],
        prediction=["a", "a"],
        probability__a=[0.9, 0.6],
        probability__b=[0.1, 0.4],
    ).answers
    assert found.predictions.probabilities is not None
    assert found.predictions.probabilities.tolist() == [[0.1, 0.9], [0.4, 0.6]]
    assert found.value(metric("log_loss")) == pytest.approx(-(np.log(0.9) + np.log(0.4)) / 2)


def test_classes_that_are_numbers_are_text_on_both_sides() -> None:
    found = stored(classes=("0", "1"), id=[1, 2], truth=[1.0, 0.0], prediction=[1, 1], score=[0.3, -0.2]).answers
    assert found.truth.tolist() == ["1", "0"]
    assert found.value(metric("accuracy")) == 0.5
    assert found.value(metric("roc_auc")) == 1


def test_numbers_stay_numbers() -> None:
    found = stored(Task.REGRESSION, (), id=["x"], truth=[1], prediction=[1.5]).answers
    assert found.value(metric("mean_absolute_error")) == 0.5


def test_sets_of_labels_have_a_column_for_each_class() -> None:
    found = stored(
        Task.MULTILABEL, id=["x", "y"], truth=[["a"], ["a", "b"]], prediction__a=[1, 1], prediction__b=[0, 0]
    ).answers
    assert found.truth.tolist() == [[1, 0], [1, 1]]
    assert found.is_right is not None
    assert found.is_right.tolist() == [True, False]


@pytest.mark.parametrize(
    ("task", "columns"),
    [
        (Task.BINARY, {"truth": ["a"], "prediction": ["a"]}),
        (Task.MULTILABEL, {"id": ["x"], "truth": [["a"]]}),
        (Task.REGRESSION, {"id": ["x"], "truth": ["far"], "prediction": [1.0]}),
    ],
)
def test_what_holds_no_predictions_is_refused(task: Task, columns: dict[str, Any]) -> None:
    with pytest.raises(PredictionsError, match="does not hold predictions"):
        stored(task, **columns)
    with pytest.raises(PredictionsError):
        read(b"no parquet", task, ("a",))


def events(ids: list[str], truth: list[str], prediction: list[str]) -> StoredAnswers:
    return stored(id=ids, truth=truth, prediction=prediction)


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
