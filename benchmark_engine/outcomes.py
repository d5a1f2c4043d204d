"""What becomes of a benchmark that was run: its result is stored, or why there is none."""

import threading
import time
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass

from atlas.results import BenchmarkResult, Failure
from atlas.states import FailureClass, Level, State
from benchmark_engine import metrics
from benchmark_engine.complaints import AWAY
from benchmark_engine.connector import Connector
from benchmark_engine.failures import failure_of
from benchmark_engine.progress import ProgressReport
from storage import records
from storage.catalog import Assignment
from storage.records import Claim
from storage.retries import Retries

TRIED_AGAIN, GIVEN_BACK = "tried again", "given back"
"""What else than its last state may become of a benchmark that this engine ended."""
PATIENCE_SECONDS = 60.0
"""An outcome that the database refused for so long, although it takes other things, is not one that it will take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A benchmark that was handed to the executor; `stop` ends it."""

    assignment: Assignment
    future: Future[BenchmarkResult]
    stop: threading.Event
    memory_bytes: int
    progress: ProgressReport


class Outcomes:
    """Stores what benchmarks end with.

    Args:
        connector: the door to storage.
        retries: how often what failed is tried again.
        discard: takes the key of an object that a new result made useless; without it, the sweeper finds it.
    """

    def __init__(self, connector: Connector, retries: Retries, discard: Callable[[str], None] | None) -> None:
        self._connector = connector
        self._retries = retries
        self._discard = discard
        self._refused_since: dict[Claim, float] = {}

    def store(self, held: Claim, running: Running) -> None:
        """Store the outcome of a benchmark that has ended.

        Raises:
            DatabaseError: the database is away; the same call may succeed later.
        """
        try:
            self._store(held, running)
        except AWAY as error:
            if time.monotonic() - self._refused_since.setdefault(held, time.monotonic()) < PATIENCE_SECONDS:
                raise
            self._give_up(held, running, error)
        except Exception as error:  # noqa: BLE001 - what the model's code wrote may be nothing that a database takes
            self._give_up(held, running, error)
        self._refused_since.pop(held, None)

    def _give_up(self, held: Claim, running: Running, error: Exception) -> None:
        """Store that there is an outcome which no database takes; this raises too if the database is away."""
        self._log_failure(held, running.assignment, _unstorable(error), trace(error))

    def not_started(self, held: Claim, error: Exception) -> None:
        """Store that a benchmark could not even be started."""
        failure = failure_of(error)
        _count_failure(failure, records.fail(held, failure, now=self._connector.clock(), retries=self._retries))

    def _store(self, held: Claim, running: Running) -> None:
        try:
            result = running.future.result()
        except Exception as error:  # noqa: BLE001 - process boundary: whatever the run raised becomes a failure class
            self._store_failure(held, running, failure_of(error))
            return
        assignment = running.assignment
        primary = assignment.model.manifest.primary_metric
        finished = records.finish(held, result, primary_metric=primary, now=self._connector.clock())
        if finished:
            metrics.FINISHED.labels(State.DONE, "").inc()
            self._discard_all(finished.replaced_keys)
            self._log(f"Done: {title(assignment)}.", assignment)

    def _discard_all(self, keys: Iterable[str]) -> None:
        if self._discard:
            for key in sorted(keys):
                self._discard(key)

    def _store_failure(self, held: Claim, running: Running, failure: Failure) -> None:
        if not running.stop.is_set() or failure.failure_class is not FailureClass.LOST_WORKER:
            self._log_failure(held, running.assignment, failure, failure.output)
            return
        given_back = records.release(held, now=self._connector.clock())
        metrics.FINISHED.labels(GIVEN_BACK if given_back else State.CANCELLED, "").inc()
        what = "Given back to the queue, as the engine stops" if given_back else "Ended, as it is no longer wanted"
        self._log(f"{what}: {title(running.assignment)}.", running.assignment)

    def _log_failure(self, held: Claim, assignment: Assignment, failure: Failure, detail: str) -> None:
        state = records.fail(held, failure, now=self._connector.clock(), retries=self._retries)
        _count_failure(failure, state)
        if state is not None:
            next_step = "It is tried again." if state is State.QUEUED else ""
            message = f"{title(assignment)} failed, {failure.failure_class}: {failure.reason} {next_step}".strip()
            self._log(message, assignment, level=Level.ERROR, detail=detail)

    def _log(self, message: str, assignment: Assignment, level: Level = Level.INFO, detail: str = "") -> None:
        self._connector.log(
            message, level=level, detail=detail, model=assignment.model.pk, benchmark=assignment.benchmark
        )


def _count_failure(failure: Failure, state: State | None) -> None:
    """Count what a benchmark failed of, unless it was no longer this engine's."""
    if state is not None:
        outcome = TRIED_AGAIN if state is State.QUEUED else state
        metrics.FINISHED.labels(outcome, failure.failure_class).inc()


def title(assignment: Assignment) -> str:
    """What a benchmark is called in the log."""
    dataset = assignment.version.description
    return f"{assignment.model.manifest.name} on {dataset.tag} v{dataset.number}"


def trace(error: Exception) -> str:
    """The traceback of an error, as text."""
    return "".join(traceback.format_exception(error))


def _unstorable(error: Exception) -> Failure:
    reason = f"Its outcome cannot be stored ({type(error).__name__}). The log says more; please report it."
    return Failure(failure_class=FailureClass.ENGINE_FAULT, reason=reason)
