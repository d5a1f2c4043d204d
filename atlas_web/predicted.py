"""The predictions of a benchmark, event by event: which were wrong, and how badly. Arrays in, arrays out; no Django."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from atlas.predictions import ID, PREDICTION, PROBABILITY, TRUTH, PredictionsError, alike, joined, names, numbers
from atlas.vocabulary import Task


@dataclass(frozen=True, kw_only=True, eq=False)
class Predicted:
    """All events of a benchmark, in the order of the file.

    Attributes:
        ids: (n,) text.
        truth: (n,) names of classes, sets of labels joined by commas, or numbers of a regression.
        predicted: (n,) likewise.
        confidence: (n,) probability of the predicted class; NaN where there is none.
        mistakes: (n,) how wrong each is: 0 or 1 for a class, the number of labels that are wrong, or how far a number
            is off.
    """

    ids: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    mistakes: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def is_regression(self) -> bool:
        """Whether numbers were predicted."""
        return bool(self.truth.dtype.kind == "f")

    @cached_property
    def badness(self) -> np.ndarray:
        """(n,) what grows as a prediction is worse: the larger mistake, then what is wrong with more confidence.

        Of what is right, that which the model is least sure of comes first.
        """
        sure = np.nan_to_num(self.confidence, nan=0.0)
        return np.asarray(np.where(self.mistakes > 0, self.mistakes + sure, -sure))

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """All names of classes or sets of labels that are true or predicted, by name; empty for a regression."""
        if self.is_regression:
            return ()
        return tuple(sorted(set(self.truth.tolist()) | set(self.predicted.tolist())))

    def place(self, event: str) -> int | None:
        """The number of the event with this id; the first one, should several have it."""
        found = np.flatnonzero(self.ids == event)
        return int(found[0]) if len(found) else None


def read(content: bytes, task: Task) -> Predicted:
    """What the runner wrote, from the content of its Parquet file. Only the columns that are needed are decoded.

    Args:
        content: of the file.
        task: of the model, which says what a prediction is.

    Raises:
        PredictionsError: it is no such file.
    """
    try:
        file = parquet.ParquetFile(pa.BufferReader(content))
        table = file.read([name for name in file.schema_arrow.names if _is_needed(name)])
        return _READERS.get(task, _of_classes)(table)
    except (pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise PredictionsError(f"The file does not hold predictions: {error}") from error


def _is_needed(name: str) -> bool:
    return name in {ID, TRUTH, PREDICTION} or name.startswith((f"{PREDICTION} ", f"{PROBABILITY} "))


def _of_classes(table: pa.Table) -> Predicted:
    truth, predicted = names(alike(table[TRUTH], table[PREDICTION])), names(table[PREDICTION])
    return Predicted(
        ids=names(table[ID]),
        truth=truth,
        predicted=predicted,
        confidence=_confidence(table, predicted),
        mistakes=(truth != predicted).astype(float),
    )


def _of_numbers(table: pa.Table) -> Predicted:
    truth, predicted = (numbers(table[name]) for name in (TRUTH, PREDICTION))
    return Predicted(
        ids=names(table[ID]),
        truth=truth,
        predicted=predicted,
        confidence=np.full(len(truth), np.nan),
        mistakes=np.abs(predicted - truth),
    )


def _of_labels(table: pa.Table) -> Predicted:
    """Of a multilabel model: one column of zeros and ones for each label."""
    labels = _titles(table, PREDICTION)
    given = np.column_stack([numbers(table[f"{PREDICTION} {label}"]) > 0 for label in labels])
    rows = [frozenset(map(str, row or ())) for row in table[TRUTH].to_pylist()]
    true = np.array([[label in row for label in labels] for row in rows]).reshape(given.shape)
    return Predicted(
        ids=names(table[ID]),
        truth=joined(true, labels),
        predicted=joined(given, labels),
        confidence=np.full(len(given), np.nan),
        mistakes=(true != given).sum(axis=1).astype(float),
    )


_READERS = {Task.REGRESSION: _of_numbers, Task.MULTILABEL: _of_labels}


def _titles(table: pa.Table, name: str) -> list[str]:
    """What follows the name in the titles of the columns that begin with it."""
    found = [title.removeprefix(f"{name} ") for title in table.column_names if title.startswith(f"{name} ")]
    if not found:
        raise ValueError(f"it has no column {name}")
    return found


def _confidence(table: pa.Table, predicted: np.ndarray) -> np.ndarray:
    """(n,) the probability of each event's predicted class."""
    found = np.full(len(predicted), np.nan)
    for name in table.column_names:
        if name.startswith(f"{PROBABILITY} "):
            here = predicted == name.removeprefix(f"{PROBABILITY} ")
            found[here] = numbers(table[name])[here]
    return found
