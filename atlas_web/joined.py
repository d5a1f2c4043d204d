"""The predictions that a benchmark keeps, as metrics take them, and those of two event by event. No Django."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from atlas.errors import AtlasError
from atlas.metrics import Predictions
from atlas.paired import Answers
from atlas.vocabulary import Task
from atlas_web.predicted import ID, PREDICTION, PROBABILITY, TRUTH, PredictionsError, alike, names, numbers

SCORE = "score"


class CannotBePairedError(AtlasError):
    """Two benchmarks did not answer the same events."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredAnswers:
    """All events of a benchmark: their ids as text, and the truth and the predictions of each, classes as text."""

    ids: pa.Array
    answers: Answers


def read(content: bytes, task: Task, classes: Sequence[str]) -> StoredAnswers:
    """The predictions in a Parquet file.

    Args:
        content: of the file.
        task: of the model.
        classes: of the model, as text, in its own order; none of a regression.

    Raises:
        PredictionsError: it is no such file.
    """
    try:
        table = parquet.read_table(pa.BufferReader(content))
        ids = table[ID].cast(pa.string()).combine_chunks()
        return StoredAnswers(ids=ids, answers=_answers(table, task, tuple(classes)))
    except (pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise PredictionsError(f"The file does not hold predictions: {error}") from error


def _answers(table: pa.Table, task: Task, classes: tuple[str, ...]) -> Answers:
    if task is Task.REGRESSION:
        return Answers(numbers(table[TRUTH]), Predictions(labels=numbers(table[PREDICTION])))
    probabilities, scores = _columns(table, PROBABILITY, classes), _columns(table, SCORE, classes)
    if task is Task.MULTILABEL:
        truth, labels = _sets(table[TRUTH], classes), _columns(table, PREDICTION, classes)
        if labels is None:
            raise ValueError(f"it has no column {PREDICTION} {classes[0]}")
        labels = (labels > 0).astype(int)
    else:
        truth, labels = names(alike(table[TRUTH], table[PREDICTION])), names(table[PREDICTION])
    return Answers(truth, Predictions(labels=labels, probabilities=probabilities, scores=scores, classes=classes))


def _columns(table: pa.Table, name: str, classes: Sequence[str]) -> np.ndarray | None:
    """(n,) the column of this name, or (n, classes) those that begin with it; None if there are none."""
    if name in table.column_names:
        return numbers(table[name])
    titles = [f"{name} {label}" for label in classes]
    if not set(titles) <= set(table.column_names):
        titles = [title for title in table.column_names if title.startswith(f"{name} ")]
    return np.column_stack([numbers(table[title]) for title in titles]) if titles else None


def _sets(truth: pa.ChunkedArray, classes: Sequence[str]) -> np.ndarray:
    rows = [frozenset(map(str, row or ())) for row in truth.to_pylist()]
    return np.array([[label in row for label in classes] for row in rows], dtype=int).reshape(len(rows), len(classes))


def aligned(reference: StoredAnswers, other: StoredAnswers) -> tuple[Answers, Answers]:
    """The answers of both to the events that both answered, in the reference's order.

    Raises:
        CannotBePairedError: there are none, ids are not unique, or both believe in another truth.
    """
    one, two = reference.answers, other.answers
    if not reference.ids.equals(other.ids):
        mine, theirs = _shared(reference.ids, other.ids)
        one, two = _part(one, mine), _part(two, theirs)
    if not np.array_equal(one.truth, two.truth):
        raise CannotBePairedError("The truth of the events is not the same in both.")
    return one, two


def _shared(ids: pa.Array, others: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The places of the ids that both have, in the order of the first."""
    if any(pc.count_distinct(each).as_py() < len(each) for each in (ids, others)):
        raise CannotBePairedError("Several events have the same id.")
    places = pc.index_in(ids, value_set=others)
    mine = np.flatnonzero(places.is_valid().to_numpy(zero_copy_only=False))
    if not len(mine):
        raise CannotBePairedError("They have no event in common.")
    return mine, places.drop_null().to_numpy()


def _part(answers: Answers, places: np.ndarray) -> Answers:
    given = answers.predictions
    predictions = Predictions(
        labels=given.labels[places],
        scores=None if given.scores is None else given.scores[places],
        probabilities=None if given.probabilities is None else given.probabilities[places],
        classes=given.classes,
    )
    return replace(answers, truth=answers.truth[places], predictions=predictions)
