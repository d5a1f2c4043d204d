"""Keeps the executor busy: claims benchmarks, hands them out, stores what comes back, and gives up what was lost."""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass

from atlas.results import BenchmarkResult, Failure
from atlas.states import ComponentState, FailureClass, Level, State
from benchmark_engine.connector import Connector
from benchmark_engine.runner import Report, failure_of
from benchmark_engine.settings import EngineSettings
from benchmark_engine.worker import Task
from storage import catalog, records
from storage.catalog import Assignment
from storage.records import Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A benchmark that was handed to the executor; `stop` ends it."""

    assignment: Assignment
    future: Future[BenchmarkResult]
    stop: threading.Event


class Dispatcher:
    """One engine's share of the queue."""

    def __init__(
        self,
        connector: Connector,
        executor: Executor,
        settings: EngineSettings,
        *,
        engine: str,
        run: Callable[[Task, threading.Event, Report], BenchmarkResult],
    ) -> None:
        self._connector = connector
        self._executor = executor
        self._settings = settings
        self._engine = engine
        self._run = run
        self._running: dict[Claim, Running] = {}
        self._closing = False
        self._lock = threading.RLock()

    @property
    def running(self) -> int:
        """How many benchmarks this engine runs, or has run and not stored yet."""
        return len(self._running)

    def wait(self, seconds: float) -> None:
        """Wait until all that runs is done, but no longer than this."""
        wait([running.future for running in self._running.values()], timeout=seconds)

    def tick(self) -> None:
        """Store what is done, end what is no longer wanted, take back what other engines lost, start what fits."""
        with self._lock:
            self._collect()
            self._end_what_was_taken_away()
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
        self._end(self._running)
        self.wait(self._settings.grace_seconds + 60)
        self.tick()

    def _collect(self) -> None:
        """Store what is done; a result leaves the list only once it is stored."""
        for held, running in list(self._running.items()):
            if running.future.done():
                self._store(held, running)
                del self._running[held]

    def _end_what_was_taken_away(self) -> None:
        """A benchmark that a person cancelled, or whose lease another engine saw run out."""
        if self._running:
            self._end(self._running.keys() - records.still_held(self._running))

    def _end(self, claims: Iterable[Claim]) -> None:
        for held in claims:
            self._running[held].stop.set()

    def _start(self) -> None:
        room = self._settings.worker_count - len(self._running)
        now = self._connector.clock()
        for benchmark in catalog.next_to_claim(now, limit=room) if room > 0 else ():
            held = records.claim(benchmark, engine=self._engine, lease=self._settings.lease, now=now)
            if held is not None:
                self._running[held] = self._submitted(held, catalog.assignment(benchmark))

    def _submitted(self, held: Claim, assignment: Assignment) -> Running:
        stop = threading.Event()
        future = self._executor.submit(self._run, self._task(held, assignment), stop, lambda _: None)
        return Running(assignment=assignment, future=future, stop=stop)

    def _task(self, held: Claim, assignment: Assignment) -> Task:
        model, settings = assignment.model, self._settings
        return Task(
            claim=held.token,
            bundle_key=model.key,
            bundle_digest=model.digest,
            bundle_bytes=model.size_bytes,
            manifest=model.manifest,
            dataset=assignment.version.description,
            limits=settings.limits,
            explained_rows=settings.explained_rows,
            shares_pipeline=assignment.shares_pipeline,
        )

    def _store(self, held: Claim, running: Running) -> None:
        assignment = running.assignment
        try:
            result = running.future.result()
        except Exception as error:  # noqa: BLE001 - process boundary: whatever the run raised becomes a failure class
            self._store_failure(held, running, failure_of(error))
            return
        primary = assignment.model.manifest.primary_metric
        if records.finish(held, result, primary_metric=primary, now=self._connector.clock()):
            self._log(f"Done: {_title(assignment)}.", assignment)

    def _store_failure(self, held: Claim, running: Running, failure: Failure) -> None:
        now, assignment = self._connector.clock(), running.assignment
        if running.stop.is_set() and failure.failure_class is FailureClass.LOST_WORKER:
            given_back = records.release(held, now=now)
            what = "Given back to the queue, as the engine stops" if given_back else "Ended, as it is no longer wanted"
            self._log(f"{what}: {_title(assignment)}.", assignment)
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
