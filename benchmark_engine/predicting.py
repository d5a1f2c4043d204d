"""A model predicts rows in a sandboxed child, and explains some of them: what benchmarks and predictions share."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from atlas.manifest import Manifest
from atlas.metrics import Predictions
from atlas.results import Explanation, Failure, Progress
from atlas.states import FailureClass, Phase
from atlas.vocabulary import Document
from benchmark_engine.answers import ChildFailedError, Sealed, seal
from benchmark_engine.explanations import Explaining, NotExplainedError
from benchmark_engine.failures import BenchmarkError
from benchmark_engine.sandbox import launcher
from benchmark_engine.sandbox.launcher import Ending, Outcome, Sandbox
from benchmark_engine.sandbox.limits import ExplanationBudget, Limits
from benchmark_engine.sandbox.monitor import Excess
from benchmark_engine.sandbox.protocol import (
    ANSWER,
    CHOSEN,
    EXPLANATION,
    REQUEST,
    AnswerError,
    ChosenRows,
    PredictRequest,
    Stage,
    write_document,
)
from benchmark_engine.sandbox.workspace import Workspace

EXPLANATION_GRACE_SECONDS = 5.0
"""How much longer than its budget a child may take to explain, before it is ended: it stops between two steps."""
INTERRUPTED = {Ending.STOPPED, Ending.LOST}

Report = Callable[[Progress], None]


def failed(failure_class: FailureClass, reason: str, outcome: Outcome | None = None) -> BenchmarkError:
    """Why there is no result, with what the child printed."""
    output = outcome.output if outcome else ""
    return BenchmarkError(Failure(failure_class=failure_class, reason=reason, output=output))


@dataclass(frozen=True, kw_only=True, eq=False)
class Children:
    """Runs the children of one model in a workspace that holds what they are given.

    Attributes:
        folders: the workspace.
        sandbox: where they run.
        limits: what each may use.
        stop: ends them early.
    """

    folders: Workspace
    sandbox: Sandbox
    limits: Limits
    stop: threading.Event

    def run(self, stage: Stage, request: Document, heard: launcher.Heard = launcher.unheard) -> Outcome:
        """Have a child do what a request asks for; how it ended."""
        write_document(request, self.folders.inputs / REQUEST)
        return self.sandbox.run(stage, self.folders, limits=self.limits, stop=self.stop, heard=heard)


class Predicting:
    """The prediction of all rows of the workspace's features file, and the explanation of some of them.

    Args:
        children: run the model.
        manifest: of the model.
        shape: of the labels: (n,), or (n, k) of a multilabel model.
        budget: what the explanation may take.
        to_explain: chooses rows to explain, once there are predictions.
        report: is told how far it is.
        probabilities: whether they are wanted also where no metric needs them.
    """

    def __init__(
        self,
        children: Children,
        manifest: Manifest,
        shape: tuple[int, ...],
        budget: ExplanationBudget,
        to_explain: Callable[[Predictions], Explaining],
        report: Report,
        *,
        probabilities: bool = False,
    ) -> None:
        self._children = children
        self._manifest = manifest
        self._shape = shape
        self._budget = budget
        self._to_explain = to_explain
        self._report = report
        self._probabilities = probabilities
        self._sealed: Sealed | None = None
        self._explaining: Explaining | None = None

    def predict(self) -> tuple[Outcome, Sealed]:
        """How the child ended, and its predictions, out of its reach.

        Raises:
            BenchmarkError: there are none.
        """
        request = PredictRequest(manifest=self._manifest, explained=self._budget, probabilities=self._probabilities)
        outcome = self._children.run(Stage.PREDICT, request, self._heard)
        if outcome.ending in INTERRUPTED or not (self._sealed or (outcome.scratch / ANSWER).exists()):
            raise BenchmarkError(launcher.failure(outcome, self._children.limits))
        try:
            return outcome, self._sealed or self._seal(outcome.scratch)
        except AnswerError as error:
            raise failed(FailureClass.PREDICTION_ERROR, str(error), outcome) from error
        except ChildFailedError as error:
            kind = error.failure.failure_class
            own = launcher.own(self._children.limits, "memory_bytes") if kind is FailureClass.OUT_OF_MEMORY else ""
            raise failed(kind, error.failure.reason + own, outcome) from error

    def _seal(self, scratch: Path) -> Sealed:
        return seal(scratch, self._manifest, self._shape)

    def _heard(self, scratch: Path, progress: Progress) -> float | None:
        """Pass on how far a child is. One that has predicted is told once which rows to explain, and has that long."""
        self._report(progress)
        if progress.phase is not Phase.EXPLAINING or not self._budget.rows or self._explaining:
            return None
        with suppress(AnswerError, ChildFailedError):  # of no use; that is found again when it has ended
            self._sealed = self._seal(scratch)
            self._explaining = self._to_explain(self._sealed.predictions)
            rows = tuple(self._explaining.chosen.rows.tolist())
            write_document(ChosenRows(rows=rows), self._children.folders.inputs / CHOSEN)
        return self._budget.seconds + EXPLANATION_GRACE_SECONDS

    def explanation(self, outcome: Outcome, folder: Path | None) -> Explanation:
        """What the child that has ended explained, with its files in `folder`; or why it explained nothing."""
        if self._explaining is None or not (outcome.scratch / EXPLANATION).exists():
            return Explanation(impossible=self._why_unexplained(outcome))
        try:
            return self._explaining.taken(outcome.scratch, folder)
        except NotExplainedError as error:
            return Explanation(impossible=str(error))
        except AnswerError as error:
            return Explanation(impossible=f"The explanation cannot be used: {error}"[:1_000])

    def _why_unexplained(self, outcome: Outcome) -> str:
        limits = self._children.limits
        in_time = outcome.wall_seconds < limits.wall_seconds
        if self._explaining is not None and outcome.ending is Ending.TIMEOUT and in_time:
            return f"It was not done after {self._budget.seconds:g} s (ATLAS_EXPLAIN_SECONDS)."
        if self._explaining is not None and outcome.excess is Excess.MEMORY:
            most = min(limits.explanation_bytes, limits.memory_bytes)
            return f"It needed more than {most >> 20:,} MiB of memory (ATLAS_EXPLAIN_MEMORY_MB)."
        return f"The explanation was ended. {launcher.failure(outcome, limits).reason}"
