"""The predictions that a benchmark keeps, as metrics take them, and what names their events."""

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from atlas.metrics import metric
from atlas.predictions import PredictionsError, StoredAnswers, event_names, predicted, read
from atlas.vocabulary import Task


def file(**columns: Any) -> io.BytesIO:
    stream = io.BytesIO()
    parquet.write_table(pa.table({name.replace("__", " "): values for name, values in columns.items()}), stream)
    return stream


def stored(task: Task = Task.BINARY, classes: tuple[str, ...] = ("a", "b"), **columns: Any) -> StoredAnswers:
    return read(file(**columns).getvalue(), task, classes)


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


@pytest.mark.parametrize(
    "truth", [["a", "b"], [0.5, None], [3, 4], [["a"], ["a", "b"]], [True, False]], ids=lambda truth: str(truth[0])
)
def test_an_event_whose_truth_was_changed_is_another_one(truth: list[Any]) -> None:
    names = event_names(file(id=["x", "y"], truth=truth, prediction=["a", "a"]))
    relabelled = event_names(file(id=["x", "y", "z"], truth=[truth[0]] * 3))
    assert names is not None
    assert relabelled is not None
    assert set(names.to_pylist()) & set(relabelled.to_pylist()) == {names[0].as_py()}


@pytest.mark.parametrize("ids", [[0, 1, 2], ["x", "y", "x"]], ids=["numbers of rows", "several alike"])
def test_events_without_a_name_of_their_own_are_not_told_apart(ids: list[Any]) -> None:
    assert event_names(file(id=ids, truth=["a", "b", "a"])) is None


def test_whole_numbers_that_are_no_row_numbers_name_events() -> None:
    names = event_names(file(id=[1, 2], truth=["a", "b"]))
    assert names is not None
    assert names.to_pylist() == ["1\0a", "2\0b"]


def test_a_file_without_events_is_refused() -> None:
    for content in (io.BytesIO(b"no parquet"), file(truth=["a"])):
        with pytest.raises(PredictionsError):
            event_names(content)


@pytest.mark.parametrize(
    ("task", "columns", "said"),
    [
        (Task.BINARY, {"prediction": ["a", "b"], "probability__a": [0.5, 0.2]}, ["a", "b"]),
        (Task.REGRESSION, {"prediction": [1.5, 2.0]}, [1.5, 2.0]),
        (Task.MULTILABEL, {"prediction__a": [1, 0], "prediction__b": [1, 0]}, ["a, b", "none"]),
    ],
)
def test_predictions_are_one_column_whatever_the_task(task: Task, columns: dict[str, Any], said: list[Any]) -> None:
    table = predicted(file(id=["x", "y"], truth=["a", "b"], **columns), task)
    assert table.to_pydict() == {"prediction": said}


def test_a_file_without_predictions_is_refused() -> None:
    for task in (Task.BINARY, Task.MULTILABEL):
        with pytest.raises(PredictionsError):
            predicted(file(id=["x"], truth=["a"]), task)
