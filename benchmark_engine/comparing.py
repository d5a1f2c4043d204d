"""How far the evaluation rows lie from what the model was trained on. Whatever goes wrong is a sentence, no failure."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from atlas.bundle import REFERENCE
from atlas.datasets import write_arrow
from atlas.drift import TableDrift
from atlas.manifest import Manifest
from atlas.vocabulary import Task
from benchmark_engine.answers import reference_predictions
from benchmark_engine.failures import BenchmarkError
from benchmark_engine.predicting import Children
from benchmark_engine.sandbox import launcher
from benchmark_engine.sandbox.launcher import Ending, Outcome
from benchmark_engine.sandbox.limits import Limits
from benchmark_engine.sandbox.protocol import (
    ANSWER,
    LABEL,
    OUTCOMES,
    PREDICTION,
    REFERENCE_OUTCOMES,
    AnswerError,
    CompareAnswer,
    CompareRequest,
    Stage,
    read_document,
)

NO_REFERENCE = "The bundle holds no sample of what the model was trained on (the argument `reference` of `atlas.pack`)."
MOST_SECONDS = 60.0
MOST_MEMORY_BYTES = 2 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What came of a comparison.

    Attributes:
        drift: how far the rows have moved from the reference, if that is known.
        unknown: why it is not, or why the drift of the predictions is not.
    """

    drift: TableDrift | None = None
    unknown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is compared with a bundle's reference.

    Attributes:
        bundle: the folder of the unpacked bundle.
        manifest: what it says of itself.
        labels: (n,) what the dataset says of each row, if it does.
        predictions: (n,) what the model says of each row, or (n, k) zeros and ones for k labels.
        predicted: where the child that predicted them wrote.
    """

    bundle: Path
    manifest: Manifest
    labels: pa.ChunkedArray | None
    predictions: np.ndarray
    predicted: Path

    def made(self, children: Children) -> Compared:
        """Compare them in a child of its own, whose workspace is given the bundle and the features.

        Raises:
            BenchmarkError: it was stopped.
        """
        if not (self.bundle / REFERENCE).exists():
            return Compared(unknown=NO_REFERENCE)
        unpredicted = self._write(children.folders.inputs)
        limits = own_limits(children.limits)
        outcome = replace(children, limits=limits).run(Stage.COMPARE, CompareRequest(manifest=self.manifest))
        if outcome.ending is Ending.STOPPED:
            raise BenchmarkError(launcher.failure(outcome, limits))
        answer = _answer(outcome, limits)
        return Compared(drift=answer.drift, unknown=answer.unknown or unpredicted)

    def _write(self, inputs: Path) -> str:
        """Write what the child reads beside the features; why it can't have the predictions of the reference."""
        outcomes = {} if self.labels is None else {LABEL: self.labels}
        outcomes[PREDICTION] = outcome_column(self.predictions, self.manifest)
        write_arrow(pa.table(outcomes), inputs / OUTCOMES)
        try:
            before = reference_predictions(self.predicted, self.manifest)
        except AnswerError as error:
            return str(error)
        write_arrow(pa.table({PREDICTION: outcome_column(before, self.manifest)}), inputs / REFERENCE_OUTCOMES)
        return ""


def own_limits(limits: Limits) -> Limits:
    """Those of a comparison: no more than its model has."""
    return limits.model_copy(
        update={
            "wall_seconds": min(limits.wall_seconds, MOST_SECONDS),
            "memory_bytes": min(limits.memory_bytes, MOST_MEMORY_BYTES),
            "asked_for": frozenset(),
        }
    )


def outcome_column(labels: np.ndarray, manifest: Manifest) -> pa.Array:
    """Labels or values as the dataset holds them: a list of each row's, if it may have several."""
    if manifest.task is not Task.MULTILABEL:
        return pa.array(labels)
    classes = np.asarray(manifest.classes)
    return pa.array([classes[row.astype(bool)].tolist() for row in labels], pa.list_(pa.array(classes).type))


def _answer(outcome: Outcome, limits: Limits) -> CompareAnswer:
    if not (outcome.scratch / ANSWER).exists():
        return CompareAnswer(unknown=_why_ended(outcome, limits))
    try:
        return read_document(CompareAnswer, outcome.scratch / ANSWER)
    except AnswerError as error:
        return CompareAnswer(unknown=f"The comparison cannot be used: {error}"[:1_000])


def _why_ended(outcome: Outcome, limits: Limits) -> str:
    if outcome.ending is Ending.BY_ITSELF:
        return "Comparing the bundle's reference ended the process: a library or the reference is damaged."
    return f"Comparing the bundle's reference was ended. {launcher.failure(outcome, limits).reason}"
