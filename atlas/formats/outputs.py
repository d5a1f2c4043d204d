"""Raw numbers of a model, read as what the manifest says that they mean."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from atlas.errors import ModelError
from atlas.formats.contract import Meaning
from atlas.metrics import Predictions
from atlas.vocabulary import Outputs, Task

BATCH_ROWS = 8_192
"""What a network computes for one row may be a thousand times its features: all rows at once need too much memory."""


def read_outputs(raw: np.ndarray, outputs: Outputs, meaning: Meaning) -> Predictions:
    """Predictions of the numbers that a model gave for n rows.

    Args:
        raw: (n,) or (n, k); of two classes, one column speaks of the last.
        outputs: what they are: classes, values, probabilities, or what becomes probabilities by softmax or sigmoid.
        meaning: the model's task and classes.

    Raises:
        ModelError: the numbers cannot be that.
    """
    return READERS[outputs](raw, meaning)


def required(meaning: Meaning) -> Outputs:
    """What the outputs are of a model whose file cannot say it: values of a regression, else what the manifest says.

    Raises:
        ModelError: the manifest does not say it.
    """
    if meaning.outputs is not None:
        return meaning.outputs
    if meaning.task is Task.REGRESSION:
        return Outputs.VALUES
    raise ModelError(
        "The model's file does not say what its outputs are: pack it with outputs='probabilities', 'logits' or 'labels'"
    )


def of_positions(positions: np.ndarray, meaning: Meaning) -> np.ndarray:
    """The classes at these places, (n,)."""
    found: np.ndarray = np.asarray(meaning.classes)[positions.reshape(-1).astype(int)]
    return found


def of_probabilities(probabilities: np.ndarray, meaning: Meaning, scores: np.ndarray | None = None) -> Predictions:
    """The most probable class of each row, and the probabilities; of a multilabel model, each label above one half."""
    columns = _of_every_class(np.asarray(probabilities, dtype="f8"), meaning)
    if meaning.task is Task.MULTILABEL:
        labels = (columns > 0.5).astype(int)
    else:
        labels = of_positions(columns.argmax(axis=1), meaning)
    return Predictions(labels=labels, scores=scores, probabilities=columns, classes=meaning.classes)


def _of_every_class(numbers: np.ndarray, meaning: Meaning) -> np.ndarray:
    """(n, k): of a binary model that gives one number a row, that of the other class too."""
    columns = numbers.reshape(len(numbers), -1)
    if meaning.task is Task.BINARY and columns.shape[1] == 1:
        columns = np.hstack([1 - columns, columns])
    if columns.shape[1] != len(meaning.classes):
        raise ModelError(f"The model gives {columns.shape[1]} numbers a row for {len(meaning.classes)} classes.")
    return columns


def _of_logits(raw: np.ndarray, meaning: Meaning) -> Predictions:
    from scipy.special import expit, softmax  # here, not above: reading a manifest needs no SciPy

    logits = np.asarray(raw, dtype="f8").reshape(len(raw), -1)
    if meaning.task is Task.MULTILABEL:
        return of_probabilities(expit(logits), meaning, scores=logits)
    if logits.shape[1] == 1:
        return of_probabilities(expit(logits), meaning, scores=logits[:, 0])
    return of_probabilities(softmax(logits, axis=1), meaning)


def _of_labels(raw: np.ndarray, meaning: Meaning) -> Predictions:
    """Classes as they are, or their places where the classes are texts and the model gives numbers."""
    labels = raw.reshape(len(raw), -1)[:, 0] if raw.ndim == 2 and raw.shape[1] == 1 else raw
    are_places = labels.dtype.kind in "iuf" and any(isinstance(label, str) for label in meaning.classes)
    if are_places and meaning.task is not Task.MULTILABEL:
        labels = of_positions(labels, meaning)
    return Predictions(labels=labels, classes=meaning.classes)


def _of_values(raw: np.ndarray, meaning: Meaning) -> Predictions:
    return Predictions(labels=np.asarray(raw, dtype="f8"), classes=meaning.classes)


READERS: dict[Outputs, Callable[[np.ndarray, Meaning], Predictions]] = {
    Outputs.LABELS: _of_labels,
    Outputs.VALUES: _of_values,
    Outputs.PROBABILITIES: of_probabilities,
    Outputs.LOGITS: _of_logits,
}


def as_array(features: Any, dtype: str) -> np.ndarray:
    """Features as one array: (n, columns), or of signal windows (n, length) or (n, columns, length).

    Raises:
        ModelError: some columns are windows, and others are numbers.
    """
    if hasattr(features, "toarray"):
        return np.asarray(features.toarray(), dtype=dtype)
    if not is_frame(features):
        return np.asarray(features, dtype=dtype)
    windows = [name for name in features.columns if _holds_windows(features[name])]
    if not windows:
        return np.asarray(features.to_numpy(dtype=dtype))
    if len(windows) < features.shape[1]:
        raise ModelError(f"Column {windows[0]} holds windows, others numbers; make one array of them in a pipeline.")
    stacked = np.stack([np.stack(list(features[name])).astype(dtype) for name in windows], axis=1)
    return stacked[:, 0] if len(windows) == 1 else stacked


def is_frame(features: Any) -> bool:
    """Whether they are a data frame, with names, rather than an array."""
    return hasattr(features, "columns")


def _holds_windows(column: Any) -> bool:
    return column.dtype == object and len(column) > 0 and isinstance(column.iloc[0], np.ndarray | list)


def batches(rows: int) -> list[slice]:
    """Slices of nearly one size: exported networks often refuse a single row."""
    parts = np.array_split(np.arange(rows), max(1, -(-rows // BATCH_ROWS)))
    return [slice(int(part[0]), int(part[-1]) + 1) for part in parts if len(part)]


def threads() -> int:
    """How many threads a model's library may use: what the sandbox sets in the environment for all of them."""
    return int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1))
