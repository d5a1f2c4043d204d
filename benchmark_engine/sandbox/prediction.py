"""Predicts a file of rows part by part, so that memory does not grow with the rows and one sees how far it is."""

import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np

from atlas.manifest import Manifest
from atlas.metrics import Predictions
from atlas.states import FailureClass
from atlas.vocabulary import Task
from benchmark_engine.sandbox.failing import StageError, failing_as
from benchmark_engine.sandbox.protocol import LABELS, PROBABILITIES, SCORES, Latency
from benchmark_engine.sandbox.rows import Rows

FIRST_ROWS = 4_096
"""How many rows are predicted first; so few are not worth a division."""
PART_SECONDS = 1.0
"""Parts grow until one takes so long, or until larger ones are no cheaper a row: a forest's each cost some 20 ms,
however few their rows; boosting is slower on rows that the caches cannot hold."""
PART_BYTES = 64 << 20
TRIED_ROWS = 66
"""So many are predicted in two parts too, to see whether that changes their answers."""
OUTPUTS = (1, 2)
LATENCY_ROWS = 200
LATENCY_SHARE = 0.02
LATENCY_SECONDS = 0.01
"""How much of the time of prediction single rows may take, and how long they may take in any case, in seconds."""

Predict = Callable[[Any], Predictions]
Arrays = Sequence[np.ndarray | None]
Answer = TypeVar("Answer")


@dataclass(slots=True)
class Written:
    """What was written of the predictions, and how long predicting them took."""

    scores_columns: int | None = None
    has_probabilities: bool = False
    seconds: float = 0.0


def predict_all(
    predict: Predict, rows: Rows, manifest: Manifest, folder: Path, report: Callable[[int], None]
) -> Written:
    """Predict all rows and write labels, and scores and probabilities if there are any, as doubles.

    Args:
        predict: the pipeline and the model.
        rows: what to predict.
        manifest: says what a prediction looks like.
        folder: where the files are written.
        report: is told how many rows are done.

    Raises:
        StageError: the model failed, or gave something else than one prediction a row.
    """
    written, done = Written(), 0
    with ExitStack() as stack:
        files: dict[str, IO[bytes]] = {}
        for stop, found, seconds in in_parts(predict, rows, _arrays):
            written.seconds += seconds
            for name, numbers in _numbers(found, manifest, rows=stop - done).items():
                if name not in files:
                    files[name] = stack.enter_context((folder / name).open("wb"))
                np.ascontiguousarray(numbers, dtype="<f8").tofile(files[name])
            written.has_probabilities = found.probabilities is not None
            written.scores_columns = _columns(found.scores)
            done = stop
            report(done)
    return written


def _arrays(found: Predictions) -> Arrays:
    return found.labels, found.scores, found.probabilities


def in_parts(
    answer: Callable[[Any], Answer], rows: Rows, arrays: Callable[[Answer], Arrays]
) -> Iterator[tuple[int, Answer, float]]:
    """What becomes of all rows, part by part, or all at once where what becomes of a row depends on the others.

    Args:
        answer: makes it of some rows.
        rows: all that there are.
        arrays: what of an answer has one entry a row.

    Yields:
        The row before which a part ends, what became of it, and how many seconds that took.

    Raises:
        StageError: the model failed.
    """
    total, most = len(rows), max(4, PART_BYTES // rows.row_bytes)
    stop = min(FIRST_ROWS, most, total)
    found, seconds = _timed(answer, rows.part(0, stop))
    if stop < total and not is_divisible(answer, rows, arrays, arrays(found), tried=min(TRIED_ROWS, stop)):
        stop = total
        found, seconds = _timed(answer, rows.part(0, stop))
    yield stop, found, seconds
    yield from _growing(answer, rows, stop, seconds)


def _growing(
    answer: Callable[[Any], Answer], rows: Rows, stop: int, seconds: float
) -> Iterator[tuple[int, Answer, float]]:
    """What becomes of the rows from `stop` on, in parts that double while that pays; `seconds` is what the rows before
    took."""
    total, most = len(rows), max(4, PART_BYTES // rows.row_bytes)
    step, cost = stop, seconds / max(stop, 1)
    while (start := stop) < total:
        grown = min(2 * step, most) if seconds < PART_SECONDS else step
        stop = min(total, start + grown)
        found, seconds = _timed(answer, rows.part(start, stop))
        yield stop, found, seconds
        before, cost = cost, seconds / (stop - start)
        if grown > step and cost > before:
            most = step
        step = min(grown, most)


def _timed(answer: Callable[[Any], Answer], part: Any) -> tuple[Answer, float]:
    began = time.perf_counter()
    with failing_as(FailureClass.PREDICTION_ERROR, "The model failed to predict"):
        found = answer(part)
    return found, time.perf_counter() - began


def is_divisible(
    answer: Callable[[Any], Answer], rows: Rows, arrays: Callable[[Answer], Arrays], first: Arrays, *, tried: int
) -> bool:
    """Whether so many rows get the same answers in small parts as they got among the first of all.

    One part is a pair: what depends on the mean of all rows, for one, is quite another for it.
    """
    try:
        apart = [arrays(answer(rows.part(start, stop))) for start, stop in pairwise((0, 2, tried))]
    except Exception:  # noqa: BLE001 - process boundary: the model's code may raise anything
        return False
    return all(_same(whole, list(pieces)) for whole, *pieces in zip(first, *apart, strict=True))


def _same(whole: np.ndarray | None, pieces: Sequence[np.ndarray | None]) -> bool:
    known = [piece for piece in pieces if piece is not None]
    if whole is None or len(known) < len(pieces):
        return whole is None and not known
    joined = np.concatenate(known)
    whole = whole[: len(joined)]
    if joined.shape != whole.shape:
        return False
    if whole.dtype.kind == "f" and joined.dtype.kind == "f":
        return np.allclose(joined, whole, rtol=1e-5, atol=1e-8, equal_nan=True)
    return bool((joined == whole).all())


def latency(predict: Predict, rows: Rows, *, seconds: float) -> Latency:
    """How long single rows take, spread evenly over all, until the time after the first is over; that is not counted.

    A model that cannot predict one row at a time has none. What it prints meanwhile it has printed before.
    """
    with silence():
        found = _latencies(predict, rows, seconds)
    if not found:
        return Latency()
    p50, p95 = np.percentile(found, (50, 95)).tolist()
    return Latency(p50_seconds=p50, p95_seconds=p95, rows=len(found))


@contextmanager
def silence() -> Iterator[None]:
    """Nothing that is printed is heard."""
    kept = [os.dup(descriptor) for descriptor in OUTPUTS]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for descriptor in OUTPUTS:
            os.dup2(nowhere, descriptor)
        yield
    finally:
        sys.stdout.flush()
        for descriptor, before in zip(OUTPUTS, kept, strict=True):
            os.dup2(before, descriptor)
        for opened in (nowhere, *kept):
            os.close(opened)


def _latencies(predict: Predict, rows: Rows, seconds: float) -> list[float]:
    found: list[float] = []
    deadline = math.inf
    for number in np.linspace(0, len(rows) - 1, min(LATENCY_ROWS, len(rows)) + 1).astype(int).tolist():
        row = rows.part(number, number + 1)
        began = time.perf_counter()
        try:
            predict(row)
        except Exception:  # noqa: BLE001 - process boundary: the model's code may raise anything
            return []
        ended = time.perf_counter()
        found.append(ended - began)
        if ended > deadline:
            break
        if len(found) == 1:
            deadline = ended + seconds
    return found[1:]


def latency_budget(predict_seconds: float) -> float:
    """How long latency may be measured, in seconds."""
    return max(LATENCY_SECONDS, LATENCY_SHARE * predict_seconds)


# Predictions as numbers ---------------------------------------------------------------------------------------------


def _numbers(found: Predictions, manifest: Manifest, *, rows: int) -> dict[str, np.ndarray]:
    numbers = {LABELS: encode(found.labels, manifest, rows=rows)}
    if found.scores is not None:
        numbers[SCORES] = _scores(found.scores, rows=rows)
    if found.probabilities is not None:
        numbers[PROBABILITIES] = _of_every_class(found.probabilities, manifest, rows=rows)
    return numbers


def _columns(scores: np.ndarray | None) -> int | None:
    if scores is None:
        return None
    return 0 if scores.ndim == 1 else scores.shape[1]


def encode(labels: np.ndarray, manifest: Manifest, *, rows: int) -> np.ndarray:
    """Predictions as numbers: values of a regression, 0 and 1 of each label, or positions in the manifest's classes.

    Raises:
        StageError: there is not one prediction a row, or one that is not a class of the manifest.
    """
    if manifest.task is Task.MULTILABEL:
        wanted: tuple[int, ...] = (rows, len(manifest.classes))
    else:
        labels = labels.reshape(len(labels), -1)[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
        wanted = (rows,)
    if labels.shape != wanted:
        raise StageError(FailureClass.PREDICTION_ERROR, f"predict gave an array of shape {labels.shape}, not {wanted}.")
    if manifest.task in {Task.REGRESSION, Task.MULTILABEL}:
        return labels.astype("f8")
    return _positions(labels, manifest)


def _positions(labels: np.ndarray, manifest: Manifest) -> np.ndarray:
    places = {label: place for place, label in enumerate(manifest.classes)}
    values, inverse = np.unique(labels, return_inverse=True)
    strange = [value for value in values.tolist() if value not in places]
    if strange:
        raise StageError(
            FailureClass.PREDICTION_ERROR,
            f"predict gave {strange[0]!r}, which is not one of the manifest's classes {list(manifest.classes)}.",
        )
    return np.array([places[value] for value in values.tolist()], dtype="f8")[inverse]


def _scores(scores: np.ndarray, *, rows: int) -> np.ndarray:
    if scores.ndim not in {1, 2} or len(scores) != rows:
        raise StageError(FailureClass.PREDICTION_ERROR, f"The model gave scores of shape {scores.shape}.")
    return scores


def _of_every_class(probabilities: np.ndarray, manifest: Manifest, *, rows: int) -> np.ndarray:
    wanted = (rows, len(manifest.classes))
    if probabilities.shape != wanted:
        raise StageError(
            FailureClass.PREDICTION_ERROR,
            f"The model gave probabilities of shape {probabilities.shape}, not {wanted}.",
        )
    return probabilities
