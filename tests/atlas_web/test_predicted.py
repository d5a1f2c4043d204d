"""Which predictions were wrong, and how badly, as the file of a benchmark holds them."""

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from atlas.predictions import PredictionsError
from atlas.vocabulary import Task
from atlas_web.predicted import Predicted, read


def stored(task: Task = Task.BINARY, **columns: Any) -> Predicted:
    stream = io.BytesIO()
    parquet.write_table(pa.table({name.replace("__", " "): values for name, values in columns.items()}), stream)
    return read(stream.getvalue(), task)


def worst_first(predicted: Predicted) -> list[str]:
    return [str(predicted.ids[place]) for place in np.argsort(-predicted.badness, kind="stable")]


def test_what_is_wrong_with_most_confidence_is_worst_and_what_is_right_and_sure_is_best() -> None:
    found = stored(
        id=["sure", "unsure", "wrong", "very wrong"],
        truth=["b", "b", "a", "a"],
        prediction=["b", "b", "b", "b"],
        probability__a=[0.0, 0.4, 0.3, 0.1],
        probability__b=[1.0, 0.6, 0.7, 0.9],
    )
    assert worst_first(found) == ["very wrong", "wrong", "unsure", "sure"]
    assert found.confidence.tolist() == [1.0, 0.6, 0.7, 0.9]
    assert found.classes == ("a", "b")


def test_without_probabilities_wrong_ones_come_first_in_their_order() -> None:
    found = stored(id=["r", "w", "v"], truth=["a", "a", "b"], prediction=["a", "b", "a"])
    assert worst_first(found) == ["w", "v", "r"]
    assert np.isnan(found.confidence).all()


def test_numbers_that_are_furthest_off_are_worst() -> None:
    found = stored(Task.REGRESSION, id=[1, 2, 3], truth=[1, 2, 3], prediction=[1.5, -2.0, 3.0])
    assert worst_first(found) == ["2", "1", "3"]
    assert found.is_regression
    assert found.classes == ()


def test_sets_with_more_wrong_labels_are_worse() -> None:
    found = stored(
        Task.MULTILABEL,
        id=["half", "wrong", "right", "none"],
        truth=[["a"], ["a"], ["b", "a"], []],
        prediction__a=[1, 0, 1, 0],
        prediction__b=[1, 1, 1, 0],
    )
    assert worst_first(found) == ["wrong", "half", "right", "none"]
    assert found.truth.tolist() == ["a", "a", "a, b", "none"]
    assert found.predicted.tolist() == ["a, b", "b", "a, b", "none"]


@pytest.mark.parametrize(
    ("truth", "prediction", "names"),
    [
        ([1.0, 0.0], [1, 1], ["1", "0"]),
        ([True, False], [True, True], ["True", "False"]),
        ([1.5, 0.0], [1, 1], ["1.5", "0.0"]),
        ([1, 0], ["1", "1"], ["1", "0"]),
    ],
)
def test_classes_have_the_names_that_the_confusion_matrix_has(
    truth: list[Any], prediction: list[Any], names: list[str]
) -> None:
    assert stored(id=["x", "y"], truth=truth, prediction=prediction).truth.tolist() == names


def test_an_event_is_found_by_its_id() -> None:
    found = stored(id=[70, 71], truth=["a", "a"], prediction=["a", "b"])
    assert (found.place("71"), found.place("7")) == (1, None)


def test_columns_that_are_not_needed_are_not_read() -> None:
    found = stored(id=["x"], truth=["a"], prediction=["a"], score__a=[1.0], probability=[0.5])
    assert np.isnan(found.confidence).all()


@pytest.mark.parametrize("task", [Task.BINARY, Task.REGRESSION, Task.MULTILABEL])
def test_another_file_is_refused(task: Task) -> None:
    with pytest.raises(PredictionsError, match="does not hold predictions"):
        read(b"PAR1 this is none PAR1", task)
    with pytest.raises(PredictionsError, match="does not hold predictions"):
        stored(task, id=["x"], truth=["a"])
