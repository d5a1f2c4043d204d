"""The probabilities and scores of each class, as the file of a benchmark holds them."""

import io
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from atlas.predictions import PredictionsError
from atlas.vocabulary import Task
from atlas_web.answers import Answers, read


def stored(task: Task, classes: tuple[str, ...], **columns: Any) -> Answers:
    stream = io.BytesIO()
    parquet.write_table(pa.table({name.replace("__", " "): values for name, values in columns.items()}), stream)
    return read(stream.getvalue(), task, classes)


def test_of_two_classes_the_last_is_the_positive_one() -> None:
    found = stored(
        Task.BINARY,
        ("intact", "damaged"),
        truth=["damaged", "intact"],
        prediction=["damaged", "damaged"],
        probability__intact=[0.2, 0.4],
        probability__damaged=[0.8, 0.6],
        score=[1.5, 0.5],
    )
    assert found.classes == ("damaged",)
    assert found.truth.tolist() == [[True], [False]]
    assert found.probabilities is not None
    assert found.probabilities.tolist() == [[0.8], [0.6]]
    assert found.ranking is found.scores
    assert found.scores is not None
    assert found.scores.tolist() == [[1.5], [0.5]]


def test_each_of_several_classes_has_a_column() -> None:
    found = stored(
        Task.MULTICLASS,
        ("0", "1", "2"),
        truth=[2, 0],
        prediction=[2, 1],
        probability__0=[0.1, 0.3],
        probability__1=[0.2, 0.4],
        probability__2=[0.7, 0.3],
    )
    assert found.truth.tolist() == [[False, False, True], [True, False, False]]
    assert found.ranking is not None
    assert found.ranking.tolist() == [[0.1, 0.2, 0.7], [0.3, 0.4, 0.3]]


def test_each_label_of_an_event_that_may_have_several_has_a_column() -> None:
    found = stored(
        Task.MULTILABEL,
        ("a", "b"),
        truth=[["a"], [], ["b", "a"]],
        prediction__a=[1, 0, 1],
        prediction__b=[0, 0, 1],
        probability__a=[0.9, 0.1, 0.8],
        probability__b=[0.2, 0.3, 0.7],
    )
    assert found.truth.tolist() == [[True, False], [False, False], [True, True]]
    assert found.ranking is not None


def test_a_model_that_gave_classes_alone_has_no_ranking() -> None:
    found = stored(Task.BINARY, ("a", "b"), truth=["a"], prediction=["b"])
    assert found.ranking is None


def test_scores_of_pairs_of_classes_are_no_scores_of_classes() -> None:
    pairs = {f"score__{pair}": [0.5] for pair in range(6)}
    found = stored(Task.MULTICLASS, ("a", "b", "c", "d"), truth=["a"], prediction=["b"], **pairs)
    assert found.scores is None


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTILABEL])
def test_another_file_is_refused(task: Task) -> None:
    with pytest.raises(PredictionsError, match="does not hold predictions"):
        read(b"PAR1 this is none PAR1", task, ("a", "b"))
    with pytest.raises(PredictionsError, match="does not hold predictions"):
        stored(task, ("a", "b"), prediction=["a"])
