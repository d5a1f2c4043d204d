"""What a sandboxed child answered, once it is read: checked, and out of the child's reach."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from atlas.errors import AtlasError
from atlas.manifest import Manifest
from atlas.metrics import Predictions
from atlas.vocabulary import Label, Task
from benchmark_engine.sandbox.protocol import (
    ANSWER,
    LABELS,
    PROBABILITIES,
    REFERENCE_LABELS,
    REFERENCE_PREDICTED,
    SCORES,
    AnswerError,
    ChildFailure,
    PredictAnswer,
    ReferencePredicted,
    read_array,
    read_document,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sealed:
    """A child's predictions.

    Attributes:
        answer: what it said of them.
        predictions: with labels as the manifest calls them.
        arrays: the numbers as they were written, by the names of their files.
    """

    answer: PredictAnswer
    predictions: Predictions
    arrays: dict[str, np.ndarray]


class ChildFailedError(AtlasError):
    """The child says that it failed, and of what."""

    def __init__(self, failure: ChildFailure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


def seal(scratch: Path, manifest: Manifest, shape: tuple[int, ...]) -> Sealed:
    """Read what a child answered, for so many rows, and labels if each row has several.

    Raises:
        ChildFailedError: it says that it failed.
        AnswerError: its answer is not what was asked for.
    """
    answer = read_document(PredictAnswer, scratch / ANSWER)
    if answer.failure:
        raise ChildFailedError(answer.failure)
    try:
        return _sealed(scratch, manifest, shape, answer)
    except AnswerError as error:
        raise AnswerError(f"The predictions cannot be used: {error}.") from error


def reference_predictions(scratch: Path, manifest: Manifest) -> np.ndarray:
    """What a child predicted of the bundle's reference: (n,) labels or values, or (n, k) zeros and ones.

    Raises:
        AnswerError: it predicted none, or what it wrote is not what was asked for; the message says why.
    """
    if not (scratch / REFERENCE_PREDICTED).exists():
        raise AnswerError("The model's process ended before it had predicted the reference.")
    said = read_document(ReferencePredicted, scratch / REFERENCE_PREDICTED)
    if said.impossible or not said.rows:
        raise AnswerError(said.impossible or "The reference has no rows.")
    shape = (said.rows, len(manifest.classes)) if manifest.task is Task.MULTILABEL else (said.rows,)
    try:
        return _decoded(read_array(scratch / REFERENCE_LABELS, shape), manifest)
    except AnswerError as error:
        raise AnswerError(f"The predictions of the reference cannot be used: {error}.") from error


def _sealed(scratch: Path, manifest: Manifest, shape: tuple[int, ...], answer: PredictAnswer) -> Sealed:
    labels = read_array(scratch / LABELS, shape)
    scores = _scores(scratch, shape[0], answer.scores_columns)
    probabilities = _probabilities(scratch, (shape[0], len(manifest.classes))) if answer.has_probabilities else None
    given = {LABELS: labels, SCORES: scores, PROBABILITIES: probabilities}
    return Sealed(
        answer=answer,
        predictions=Predictions(
            labels=_decoded(labels, manifest), scores=scores, probabilities=probabilities, classes=manifest.classes
        ),
        arrays={name: array for name, array in given.items() if array is not None},
    )


def _scores(scratch: Path, rows: int, columns: int | None) -> np.ndarray | None:
    if columns is None:
        return None
    return read_array(scratch / SCORES, (rows, columns) if columns else (rows,))


def _probabilities(scratch: Path, shape: tuple[int, ...]) -> np.ndarray:
    values = read_array(scratch / PROBABILITIES, shape)
    if values.min() < -1e-9 or values.max() > 1 + 1e-9:
        raise AnswerError(f"probabilities lie between {values.min():g} and {values.max():g}")
    return values


def _decoded(numbers: np.ndarray, manifest: Manifest) -> np.ndarray:
    if manifest.task is Task.REGRESSION:
        return numbers
    whole = numbers.astype(int)
    last = 1 if manifest.task is Task.MULTILABEL else len(manifest.classes) - 1
    if (whole != numbers).any() or whole.min() < 0 or whole.max() > last:
        raise AnswerError("a predicted class is not one of the manifest's")
    return whole if manifest.task is Task.MULTILABEL else np.asarray(manifest.classes)[whole]


def prediction_columns(predictions: Predictions, classes: Sequence[Label]) -> dict[str, np.ndarray]:
    """Predictions as columns of a file: the prediction, and probabilities and scores if there are any."""
    columns = _as_columns("prediction", predictions.labels, classes)
    for name, numbers in (("probability", predictions.probabilities), ("score", predictions.scores)):
        columns |= {} if numbers is None else _as_columns(name, numbers, classes)
    return columns


def _as_columns(name: str, values: np.ndarray, classes: Sequence[Label]) -> dict[str, np.ndarray]:
    """One column, or one for each class."""
    if values.ndim == 1:
        return {name: values}
    titles = classes if len(classes) == values.shape[1] else range(values.shape[1])
    return {f"{name} {title}": column for title, column in zip(titles, values.T, strict=True)}


def take_file(source: Path, destination: Path) -> None:
    """Copy what a child wrote, whose process has ended; it is not looked into.

    Raises:
        OSError: it is no plain file.
    """
    with open(os.open(source, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file, destination.open("wb") as target:  # noqa: PTH123
        shutil.copyfileobj(file, target, 1 << 20)
