"""Keeps the executor busy: claims benchmarks, hands them out, stores what comes back, and gives up what was lost."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, wait
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from django.db import connections

from atlas.logs import about_benchmark
from atlas.results import BenchmarkResult
from atlas.states import ComponentState, Level, State
from benchmark_engine import metrics
from benchmark_engine.admission import admitted, estimate
from benchmark_engine.complaints import Complaints
from benchmark_engine.connector import Connector
from benchmark_engine.outcomes import Outcomes, Running, title
from benchmark_engine.phases import followed
from benchmark_engine.predicting import Report
from benchmark_engine.progress import ProgressReport
from benchmark_engine.sandbox.limits import limits_for
from benchmark_engine.settings import EngineSettings
from benchmark_engine.watchdog import IDLE_SECONDS, Watchdog
from benchmark_engine.watched import Pulse
from benchmark_engine.worker import Task
from storage import catalog, records
from storage.catalog import Assignment, Need
from storage.components import component_of_engine
from storage.records import Claim

CHECK_SECONDS = 0.5
"""How often the queue and the claims are looked at without any event: a cancelled benchmark is ended within it."""

UNSTORED = 2
"""As many results as this times the workers are held, stored or not; more are not begun while the database is away."""

Run = Callable[[Task, threading.Event, Report], BenchmarkResult]


class Capacity(Protocol):
    """What there is to run benchmarks with now; on a cluster, that changes."""

    @property
    def worker_count(self) -> int:
        """Benchmarks at a time."""

    @property
    def memory_bytes(self) -> int:
        """What all benchmarks may take together."""


class Dispatcher:
    """One engine's share of the queue.

    A thread of its own, between `start` and `close`, sleeps until a benchmark ends, something calls `wake`, or
    `CHECK_SECONDS` are over. No lock is held during a statement that `renew` would have to wait for.

    Args:
        connector: the door to storage.
        executor: where benchmarks run.
        settings: how many, for how long, and in how much memory.
        engine: how this engine calls itself.
        run: runs one benchmark in the executor, until it is done or the event is set, and says how far it is.
        discard: takes the key of an object that a new result made useless; without it, the sweeper finds it.
        capacity: of where benchmarks run; without it, that of this machine, as the settings have it.
        pulse: is told that the thread lives.
    """

    def __init__(
        self,
        connector: Connector,
        executor: Executor,
        settings: EngineSettings,
        *,
        engine: str,
        run: Run,
        discard: Callable[[str], None] | None = None,
        capacity: Capacity | None = None,
        pulse: Pulse | None = None,
    ) -> None:
        self._connector = connector
        self._executor = executor
        self._settings = settings
        self._engine = engine
        self._run = run
        self._capacity = capacity or settings
        self._pulse = pulse or Pulse()
        self._outcomes = Outcomes(connector, settings.retries, discard)
        self._complaints = Complaints(connector)
        self._watchdog = Watchdog()
        self._trouble = ""
        self._stored: Callable[[], None] = lambda: None
        self._running: dict[Claim, Running] = {}
        self._closing = False
        self._woken = threading.Event()
        self._closed = threading.Event()
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._loop, name="dispatch", daemon=True)

    @property
    def running(self) -> int:
        """How many benchmarks this engine runs, or has run and not stored yet."""
        return len(self._running)

    def call_after_each(self, stored: Callable[[], None]) -> None:
        """Have something called whenever an outcome was stored. It must not take long: the queue waits for it."""
        self._stored = stored

    def start(self) -> None:
        """Look after the queue from now on."""
        self._thread.start()

    def wake(self) -> None:
        """Look at the queue now: something may be there to start."""
        self._woken.set()

    def wait(self, seconds: float) -> None:
        """Wait until all that runs is done, but no longer than this."""
        wait([running.future for _, running in self._held()], timeout=seconds)

    def tick(self) -> None:
        """All that one turn can be about: `advance`, then `check`."""
        self.advance()
        self.check()

    def advance(self) -> None:
        """Start what fits, then store what is done; what fails is logged and tried again next time.

        In this order no core waits for the database to take the last result before the next benchmark starts.
        """
        with self._turn:
            done = [(held, running) for held, running in self._held() if running.future.done()]
            if not self._closing:
                self._complaints.attempt("look for benchmarks to run", self._start)
            for held, running in done:
                self._collect(held, running)
            self._watchdog.looked(busy=bool(self._running))
            self._measure()

    def check(self) -> None:
        """End what is no longer wanted, take back what other engines lost, and write down how far benchmarks are."""
        with self._turn:
            self._complaints.attempt("look for benchmarks to end", self._end_what_was_taken_away)
            self._complaints.attempt("look for lost benchmarks", self._take_back)
            self._complaints.attempt("write down how far benchmarks are", self._write_progress)

    def renew(self) -> None:
        """Say that this engine lives, for itself and for each benchmark that it runs."""
        claims = [held for held, _ in self._held()]
        now = self._connector.clock()
        if claims:
            records.renew(claims, lease=self._settings.lease, now=now)
        trouble = self._watchdog.trouble(overdue=bool(self._overdue(now)))
        if trouble and not self._trouble:
            self._connector.log(trouble, level=Level.WARNING)
        self._trouble = trouble
        state = ComponentState.DEGRADED if trouble else ComponentState.HEALTHY
        counted = f"{len(claims)} running, {catalog.counts()[State.QUEUED]:,} queued"
        for component in ("engine", component_of_engine(self._settings.engine_name)):
            self._connector.report(component, state, f"{trouble} {counted}".strip())

    def close(self) -> None:
        """Start nothing more; wait a while for what runs, then end it and give it back to the queue."""
        self._closing = True
        patience = time.monotonic() + self._settings.grace_seconds
        while self._running and time.monotonic() < patience:
            self.wait(min(1.0, self._settings.lease_seconds / 3))
            self.tick()
            self._complaints.attempt("renew leases", self.renew)
        self._end({held for held, _ in self._held()})
        self.wait(self._settings.grace_seconds + 60)
        self.tick()
        self._closed.set()
        self.wake()
        if self._thread.is_alive():
            self._thread.join()

    def _loop(self) -> None:
        next_check = time.monotonic()
        while not self._closed.is_set():
            self._woken.wait(max(next_check - time.monotonic(), 0))
            self._woken.clear()
            self._pulse.beat("the queue")
            self.advance()
            if time.monotonic() >= next_check:
                self.check()
                next_check = time.monotonic() + CHECK_SECONDS
        connections.close_all()

    def _held(self) -> list[tuple[Claim, Running]]:
        """What runs, or has run and is not stored yet; a copy, as another thread may change it meanwhile."""
        return list(self._running.items())

    def _collect(self, held: Claim, running: Running) -> None:
        """Store what is done; a result leaves the list only once it is stored."""
        name = f"store the outcome of {title(running.assignment)}"
        with about_benchmark(held.benchmark):
            stored = self._complaints.attempt(name, partial(self._outcomes.store, held, running))
        if stored:
            del self._running[held]
            self._stored()

    def _measure(self) -> None:
        busy = [running.memory_bytes for _, running in self._held() if not running.future.done()]
        metrics.show_load(len(busy), sum(busy), self._capacity.worker_count, self._capacity.memory_bytes)

    def _end_what_was_taken_away(self) -> None:
        """A benchmark that a person cancelled, or whose lease another engine saw run out."""
        claims = {held for held, _ in self._held()}
        if claims:
            self._end(claims - records.still_held(claims))

    def _end(self, claims: set[Claim]) -> None:
        for held, running in self._held():
            if held in claims:
                running.stop.set()

    def _write_progress(self) -> None:
        said = {held: running.progress.take() for held, running in self._held()}
        records.report_progress({held: progress for held, progress in said.items() if progress})

    def _start(self) -> None:
        busy = [running for _, running in self._held() if not running.future.done()]
        most = self._capacity.worker_count
        room = min(most - len(busy), UNSTORED * most - len(self._running))
        waiting = catalog.next_to_claim(self._connector.clock(), limit=room) if room > 0 else []
        for benchmark, memory_bytes in self._admitted(waiting, busy) if waiting else ():
            self._complaints.attempt("start a benchmark", partial(self._begin, benchmark, memory_bytes))

    def _admitted(self, waiting: list[int], busy: list[Running]) -> list[tuple[int, int]]:
        """Those that fit into the memory that is left, each with the bytes that it is expected to take."""
        needs = catalog.needs(waiting)
        peers = [] if all(need.earlier for need in needs) else catalog.latest_peaks()
        estimates = [estimate(need, peers, limit=self._limit(need)) for need in needs]
        left = self._capacity.memory_bytes - sum(running.memory_bytes for running in busy)
        number = admitted(estimates, room=left, alone=not busy)
        return [(need.benchmark, bytes_) for need, bytes_ in zip(needs, estimates, strict=True)][:number]

    def _limit(self, need: Need) -> int:
        """The bytes of memory that a benchmark may take at most."""
        return limits_for(self._settings.limits, need.asked, need.granted).memory_bytes

    def _begin(self, benchmark: int, memory_bytes: int) -> None:
        held = records.claim(benchmark, engine=self._engine, lease=self._settings.lease, now=self._connector.clock())
        if held is None:  # another engine was faster; there may be more
            self.wake()
            return
        try:
            assignment = catalog.assignment(benchmark)
        except Exception as error:
            self._outcomes.not_started(held, error)
            raise
        try:
            self._running[held] = self._submitted(held, assignment, memory_bytes)
        except Exception:
            records.release(held, now=self._connector.clock())
            raise

    def _submitted(self, held: Claim, assignment: Assignment, memory_bytes: int) -> Running:
        stop, progress = threading.Event(), ProgressReport()
        run = partial(self._run, self._task(held, assignment), stop)
        future = self._executor.submit(followed, run, assignment, progress)
        metrics.DISPATCH_SECONDS.observe(max((self._connector.clock() - assignment.due).total_seconds(), 0))
        future.add_done_callback(lambda _: self.wake())
        return Running(assignment=assignment, future=future, stop=stop, memory_bytes=memory_bytes, progress=progress)

    def _task(self, held: Claim, assignment: Assignment) -> Task:
        model, settings = assignment.model, self._settings
        return Task(
            claim=held.token,
            bundle_key=model.key,
            bundle_digest=model.digest,
            bundle_bytes=model.size_bytes,
            manifest=model.manifest,
            dataset=assignment.version.description,
            limits=limits_for(settings.limits, model.manifest.limits, model.granted),
            explained=settings.explained,
            shares_pipeline=assignment.shares_pipeline,
        )

    def _take_back(self) -> None:
        """What other engines gave no sign of life for. After the database was away, leases that ran out meanwhile
        say nothing: their engines get time to renew them."""
        if self._complaints.database_was_away(self._settings.lease_seconds):
            return
        now, own = self._connector.clock(), {held.token for held, _ in self._held()}
        for benchmark, token in catalog.lease_ran_out(now):
            if token not in own:
                self._complaints.attempt("take back a lost benchmark", partial(self._take, benchmark, token, now))

    def _take(self, benchmark: int, token: str, now: datetime) -> None:
        if records.fail_lost(benchmark, token, now=now, retries=self._settings.retries) is not None:
            message = f"{title(catalog.assignment(benchmark))} was lost: its engine stopped answering."
            self._connector.log(message, level=Level.WARNING, benchmark=benchmark)

    def _overdue(self, now: datetime) -> list[int]:
        """A benchmark that could have been started for longer than `IDLE_SECONDS`, if there is one."""
        return catalog.next_to_claim(now - timedelta(seconds=IDLE_SECONDS), limit=1)
