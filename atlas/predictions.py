"""The predictions that a benchmark keeps, as the runner writes them: a Parquet file with a row for each event."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from atlas.errors import AtlasError
from atlas.metrics import Predictions
from atlas.paired import Answers
from atlas.vocabulary import Task

ID, TRUTH, PREDICTION, PROBABILITY, SCORE = "id", "truth", "prediction", "probability", "score"
UNREADABLE = (pa.ArrowException, KeyError, ValueError, TypeError, OSError)
"""What is raised by reading something else as predictions."""


class PredictionsError(AtlasError):
    """A file does not hold the predictions of a benchmark."""


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
    except UNREADABLE as error:
        raise PredictionsError(f"The file does not hold predictions: {error}") from error


def labelled_later(
    content: bytes, task: Task, classes: Sequence[str], ids: Sequence[str], truth: pa.ChunkedArray
) -> StoredAnswers:
    """The predictions in a Parquet file of those events that have got a label, with that label as their truth.

    Args:
        content: of the file, which need not hold any truth.
        task, classes: as for `read`.
        ids: (n,) of events.
        truth: (n,) their labels, null where there is none.

    Raises:
        PredictionsError: it is no such file.
    """
    try:
        table = parquet.read_table(pa.BufferReader(content))
        places = pc.index_in(table[ID].cast(pa.string()), value_set=pa.array(ids, pa.string())).combine_chunks()
        kept = [name for name in table.column_names if name != TRUTH]
        table = table.select(kept).append_column(TRUTH, truth.combine_chunks().take(places))
        table = table.filter(table[TRUTH].is_valid())
        return StoredAnswers(
            ids=table[ID].cast(pa.string()).combine_chunks(), answers=_answers(table, task, tuple(classes))
        )
    except UNREADABLE as error:
        raise PredictionsError(f"The file does not hold predictions: {error}") from error


def event_names(file: BinaryIO) -> pa.Array | None:
    """What names each event in its state: its id together with its truth, so that one whose label was changed is
    another one. Only these two columns are read.

    Args:
        file: the Parquet file, which can be read at any place.

    Returns:
        None where events have no names: several have the same, or an id is no more than the number of the row.

    Raises:
        PredictionsError: it is no such file.
    """
    try:
        table = parquet.read_table(file, columns=[ID, TRUTH])
        ids, truth = (table[name].combine_chunks() for name in (ID, TRUTH))
        if _are_row_numbers(ids) or pc.count_distinct(ids, mode="all").as_py() < len(ids):
            return None
        return pc.binary_join_element_wise(ids.cast(pa.string()), _text(truth), "\0", null_handling="replace")
    except UNREADABLE as error:
        raise PredictionsError(f"The file does not hold predictions: {error}") from error


def predicted(file: BinaryIO, task: Task) -> pa.Table:
    """What was predicted for each event, as one column `PREDICTION`: classes, numbers, or sets of labels joined by
    commas. No other column is read.

    Raises:
        PredictionsError: it is no such file.
    """
    try:
        source = parquet.ParquetFile(file)
        wanted = [name for name in source.schema_arrow.names if name == PREDICTION or name.startswith(f"{PREDICTION} ")]
        table = source.read(wanted)
        return pa.table({PREDICTION: _label_sets(table) if task is Task.MULTILABEL else table[PREDICTION]})
    except UNREADABLE as error:
        raise PredictionsError(f"The file does not hold predictions: {error}") from error


def _label_sets(table: pa.Table) -> np.ndarray:
    """(n,) the labels that each row of columns of zeros and ones has, joined by commas."""
    labels = [name.removeprefix(f"{PREDICTION} ") for name in table.column_names]
    return joined(np.column_stack([numbers(column) > 0 for column in table.columns]), labels)


def joined(chosen: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """(n,) the names of the labels that are chosen in each row of (n, labels) booleans."""
    kinds, places = np.unique(chosen, axis=0, return_inverse=True)
    texts = [", ".join(np.array(labels, dtype=object)[kind]) or "none" for kind in kinds]
    return np.array(texts, dtype=object)[places.ravel()]


def _are_row_numbers(ids: pa.Array) -> bool:
    return bool(pa.types.is_integer(ids.type) and ids.equals(pa.array(range(len(ids)), ids.type)))


def _text(truth: pa.Array) -> pa.Array:
    if pa.types.is_list(truth.type):
        return pc.binary_join(truth.cast(pa.list_(pa.string())), ",")
    return truth.cast(pa.string())


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


def alike(truth: pa.ChunkedArray, predicted: pa.ChunkedArray) -> pa.ChunkedArray:
    """The truth in the type of the predictions, if both are numbers: a class that is 1 is none but the one of 1.0."""
    if pa.types.is_string(truth.type) or pa.types.is_string(predicted.type):
        return truth
    try:
        return truth.cast(predicted.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return truth


def names(column: pa.ChunkedArray) -> np.ndarray:
    """(n,) each value as text; empty where there is none."""
    encoded = column.combine_chunks().dictionary_encode()
    texts = np.array([*map(str, encoded.dictionary.to_pylist()), ""], dtype=object)
    return np.asarray(texts[pc.fill_null(encoded.indices, len(texts) - 1).to_numpy(zero_copy_only=False)])


def numbers(column: pa.ChunkedArray) -> np.ndarray:
    """(n,) each value as a number; NaN where there is none."""
    return np.asarray(column.cast(pa.float64()).to_numpy())
