"""The probabilities and scores behind the predictions of a benchmark, class by class. Arrays in, arrays out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from atlas.predictions import PREDICTION, PROBABILITY, SCORE, TRUTH, PredictionsError, alike, names, numbers
from atlas.vocabulary import Task


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """How far a classifier believes in each class that curves are about: of two classes the positive one, else all.

    Attributes:
        classes: the names of the k classes.
        truth: (n, k) whether an event has the class.
        probabilities: (n, k), None if the model gave none.
        scores: (n, k) values of its decision function, likewise.
    """

    classes: tuple[str, ...]
    truth: np.ndarray
    probabilities: np.ndarray | None
    scores: np.ndarray | None

    @property
    def ranking(self) -> np.ndarray | None:
        """(n, k) what orders the events: scores, which have fewer ties, or else probabilities."""
        return self.probabilities if self.scores is None else self.scores


def read(content: bytes, task: Task, classes: Sequence[str]) -> Answers:
    """What the runner wrote of a classifier, from the content of its Parquet file.

    Args:
        content: of the file.
        task: of the model.
        classes: the names of all its classes, in the order of the manifest; the last of two is the positive one.

    Raises:
        PredictionsError: it is no such file.
    """
    try:
        file = parquet.ParquetFile(pa.BufferReader(content))
        table = file.read([name for name in file.schema_arrow.names if _is_needed(name)])
        about = tuple(classes[-1:]) if task is Task.BINARY else tuple(classes)
        return Answers(
            classes=about,
            truth=_has_labels(table, about) if task is Task.MULTILABEL else _is_class(table, about),
            probabilities=_matrix(table, PROBABILITY, about),
            scores=_matrix(table, SCORE, about),
        )
    except (pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise PredictionsError(f"The file does not hold predictions: {error}") from error


def _is_needed(name: str) -> bool:
    return name in {TRUTH, PREDICTION} or name.split(" ")[0] in {PROBABILITY, SCORE}


def _is_class(table: pa.Table, classes: Sequence[str]) -> np.ndarray:
    truth = names(alike(table[TRUTH], table[PREDICTION]))
    return np.asarray(truth[:, None] == np.array(classes, dtype=object))


def _has_labels(table: pa.Table, labels: Sequence[str]) -> np.ndarray:
    rows = [frozenset(map(str, row or ())) for row in table[TRUTH].to_pylist()]
    return np.array([[label in row for label in labels] for row in rows]).reshape(len(rows), len(labels))


def _matrix(table: pa.Table, name: str, classes: Sequence[str]) -> np.ndarray | None:
    """The columns of a name for these classes; the column without a class is that of the positive one."""
    titles = [f"{name} {each}" for each in classes]
    if len(classes) == 1 and name in table.column_names:
        titles = [name]
    if not set(titles) <= set(table.column_names):
        return None
    return np.column_stack([numbers(table[title]) for title in titles])
