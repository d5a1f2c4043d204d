"""Keeps the executor busy: claims benchmarks, hands them out, stores what comes back, and gives up what was lost."""

import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Executor, Future, wait

from atlas.errors import AtlasError, BundleError
from atlas.results import BenchmarkResult, Failure
from atlas.states import ComponentState, FailureClass, Level, State
from benchmark_engine.connector import Connector
from benchmark_engine.runner import BenchmarkError, Job
from benchmark_engine.settings import EngineSettings
from storage import catalog, records
from storage.catalog import Assignment
from storage.records import Claim


class Dispatcher:
    """One engine's share of the queue."""

    def __init__(
        self,
        connector: Connector,
        executor: Executor,
        settings: EngineSettings,
        *,
        engine: str,
        run: Callable[[Job, threading.Event], BenchmarkResult],
    ) -> None:
        self._connector = connector
        self._executor = executor
        self._settings = settings
        self._engine = engine
        self._run_job = run
        self._running: dict[Claim, tuple[Assignment, Future[BenchmarkResult]]] = {}
        self._closing = False
        self._stop = threading.Event()
        self._lock = threading.RLock()

    @property
    def running(self) -> int:
        """How many benchmarks this engine runs, or has run and not stored yet."""
        return len(self._running)

    def wait(self, seconds: float) -> None:
        """Wait until all that runs is done, but no longer than this."""
        wait([future for _, future in self._running.values()], timeout=seconds)

    def tick(self) -> None:
        """Store what is done, take back what other engines lost, and start what there is room for."""
        with self._lock:
            self._collect()
            self._take_back()
            if not self._closing:
                self._start()

    def renew(self) -> None:
        """Say that this engine lives, for itself and for each benchmark that it runs."""
        with self._lock:
            now = self._connector.clock()
            records.renew(self._running, lease=self._settings.lease, now=now)
            waiting = catalog.counts()[State.QUEUED]
            message = f"{len(self._running)} running, {waiting:,} queued"
            self._connector.report("engine", ComponentState.HEALTHY, message)

    def close(self) -> None:
        """Start nothing more; wait a while for what runs, then end it and give it back to the queue."""
        self._closing = True
        patience = time.monotonic() + self._settings.grace_seconds
        while self._running and time.monotonic() < patience:
            self.wait(min(1.0, self._settings.lease_seconds / 3))
            self.tick()
            self.renew()
        self._stop.set()
        self.wait(self._settings.grace_seconds + 60)
        self.tick()

    def _collect(self) -> None:
        """Store what is done; a result leaves the list only once it is stored."""
        for held, (assignment, future) in list(self._running.items()):
            if future.done():
                self._store(held, assignment, future)
                del self._running[held]

    def _start(self) -> None:
        room = self._settings.worker_count - len(self._running)
        now = self._connector.clock()
        for benchmark in catalog.next_to_claim(now, limit=room) if room > 0 else ():
            held = records.claim(benchmark, engine=self._engine, lease=self._settings.lease, now=now)
            if held is not None:
                assignment = catalog.assignment(benchmark)
                self._running[held] = (assignment, self._executor.submit(self._run, assignment))

    def _run(self, assignment: Assignment) -> BenchmarkResult:
        """In a thread of the executor: fetch the files, then run. It touches no table."""
        settings = self._settings
        job = self._connector.job(assignment, limits=settings.limits, explained_rows=settings.explained_rows)
        return self._run_job(job, self._stop)

    def _store(self, held: Claim, assignment: Assignment, future: Future[BenchmarkResult]) -> None:
        try:
            result = future.result()
        except Exception as error:  # noqa: BLE001 - process boundary: whatever the run raised becomes a failure class
            self._store_failure(held, assignment, _failure_of(error))
            return
        primary = assignment.model.manifest.primary_metric
        if records.finish(held, result, primary_metric=primary, now=self._connector.clock()):
            self._log(f"Done: {_title(assignment)}.", assignment)

    def _store_failure(self, held: Claim, assignment: Assignment, failure: Failure) -> None:
        now = self._connector.clock()
        if self._stop.is_set() and failure.failure_class is FailureClass.LOST_WORKER:
            records.release(held, now=now)
            self._log(f"Given back to the queue, as the engine stops: {_title(assignment)}.", assignment)
            return
        state = records.fail(held, failure, now=now)
        if state is not None:
            next_step = "It is tried again." if state is State.QUEUED else ""
            message = f"{_title(assignment)} failed, {failure.failure_class}: {failure.reason} {next_step}".strip()
            self._log(message, assignment, level=Level.ERROR, detail=failure.output)

    def _take_back(self) -> None:
        now = self._connector.clock()
        for benchmark, token in catalog.lease_ran_out(now):
            if records.fail_lost(benchmark, token, now=now) is not None:
                message = f"{_title(catalog.assignment(benchmark))} was lost: its engine stopped answering."
                self._connector.log(message, level=Level.WARNING, benchmark=benchmark)

    def _log(self, message: str, assignment: Assignment, level: Level = Level.INFO, detail: str = "") -> None:
        self._connector.log(
            message, level=level, detail=detail, model=assignment.model.pk, benchmark=assignment.benchmark
        )


def _title(assignment: Assignment) -> str:
    dataset = assignment.version.description
    return f"{assignment.model.manifest.name} on {dataset.tag} v{dataset.number}"


def _failure_of(error: Exception) -> Failure:
    if isinstance(error, BenchmarkError):
        return error.failure
    if isinstance(error, AtlasError):
        kind = FailureClass.LOAD_ERROR if isinstance(error, BundleError) else FailureClass.DATA_UNAVAILABLE
        return Failure(failure_class=kind, reason=str(error))
    trace = "".join(traceback.format_exception(error))
    reason = f"Atlas itself failed ({type(error).__name__}: {error}). Please report this with the log."
    return Failure(failure_class=FailureClass.ENGINE_FAULT, reason=reason, output=trace)
