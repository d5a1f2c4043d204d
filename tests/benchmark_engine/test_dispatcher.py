"""How an engine keeps busy, stores what comes back, and what it does when something goes wrong."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection
from django.test.utils import CaptureQueriesContext

from atlas.access import Via
from atlas.errors import ObjectNotFoundError
from atlas.results import BenchmarkResult, Failure, Progress
from atlas.states import ComponentState, FailureClass, Level, Phase, State
from benchmark_engine import dispatcher as dispatcher_module
from benchmark_engine.connector import Connector
from benchmark_engine.dispatcher import Dispatcher, Run
from benchmark_engine.failures import BenchmarkError
from benchmark_engine.model_manager import discover_models, discover_versions, plan
from benchmark_engine.predicting import Report
from benchmark_engine.settings import EngineSettings
from benchmark_engine.worker import Task
from storage import catalog, records
from storage.models import Benchmark, ComponentStatus, LogEntry, Model
from storage.records import Claim, Finished
from tests.benchmark_engine.conftest import at
from tests.samples import NOON, result

pytestmark = pytest.mark.django_db

Dispatch = Callable[..., Dispatcher]
SETTINGS = EngineSettings(workers=2, lease_seconds=30, grace_seconds=0.5)


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.fixture
def dispatch(connector: Connector, executor: ThreadPoolExecutor) -> Dispatch:
    def make(run: Run, **settings: Any) -> Dispatcher:
        changed = EngineSettings(**(SETTINGS.model_dump() | settings))
        return Dispatcher(connector, executor, changed, engine="one", run=run)

    return make


@pytest.fixture
def live(transactional_db: None) -> Iterator[Callable[[Dispatcher], None]]:
    """Starts dispatchers, whose threads have connections of their own to the database, and closes them."""
    with ExitStack() as started:

        def start(dispatcher: Dispatcher) -> None:
            dispatcher.start()
            started.callback(dispatcher.close)

        yield start


def _wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def _one_benchmark(connector: Connector, send: Callable[..., Path]) -> None:
    send()
    _plan(connector)


def _plan(connector: Connector) -> None:
    discover_models(connector)
    discover_versions(connector)
    plan(connector)


def _until_idle(dispatcher: Dispatcher) -> None:
    for _ in range(100):
        dispatcher.tick()
        if not dispatcher.running:
            return
        dispatcher.wait(0.1)
    raise AssertionError("the dispatcher is never idle")


def _raising(error: Exception) -> Run:
    def run(task: Task, stop: threading.Event, report: Report) -> BenchmarkResult:
        raise error

    return run


def _until_stopped(task: Task, stop: threading.Event, report: Report) -> BenchmarkResult:
    stop.wait()
    raise BenchmarkError(Failure(failure_class=FailureClass.LOST_WORKER, reason="stopped"))


@dataclass
class Held:
    """Runs that end when the test says so; each reports `progress` first, if there is one."""

    progress: Progress | None = None
    go_on: threading.Event = field(default_factory=threading.Event)
    reported: threading.Event = field(default_factory=threading.Event)

    def __call__(self, task: Task, stop: threading.Event, report: Report) -> BenchmarkResult:
        if self.progress:
            report(self.progress)
            self.reported.set()
        self.go_on.wait()
        return result()


@dataclass
class Counted:
    """Runs that end at once; tells how many there were, so that no test has to ask a database that is being used."""

    number: int = 0

    def __call__(self, task: Task, stop: threading.Event, report: Report) -> BenchmarkResult:
        self.number += 1
        return result()


def _failing_once(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """The first result that is to be stored meets an error of the database; all others are stored."""
    errors, finish = [error], records.finish

    def finish_or_fail(held: Claim, outcome: BenchmarkResult, **arguments: Any) -> Finished | None:
        if errors:
            raise errors.pop()
        return finish(held, outcome, **arguments)

    monkeypatch.setattr(records, "finish", finish_or_fail)


def states() -> list[str]:
    return sorted(Benchmark.objects.values_list("state", flat=True))


def test_a_benchmark_is_run_as_its_model_says_and_its_result_stored(dispatch: Dispatch) -> None:
    tasks = []

    def run(task: Task, stop: threading.Event, report: Report) -> BenchmarkResult:
        tasks.append(task)
        return result()

    _until_idle(dispatch(run))
    benchmark = Benchmark.objects.get()
    assert benchmark.state == State.DONE
    (task,) = tasks
    assert (task.bundle_digest, task.dataset.digest) == (benchmark.model_digest, benchmark.dataset_digest)
    assert (task.bundle_key, task.bundle_bytes) == (benchmark.model.key, benchmark.model.size_bytes)


def test_whoever_waits_for_outcomes_is_called_once_each_is_stored(dispatch: Dispatch) -> None:
    dispatcher, states = dispatch(Counted()), list[str]()
    dispatcher.call_after_each(lambda: states.append(Benchmark.objects.get().state))
    _until_idle(dispatcher)
    assert states == [State.DONE]


def test_a_model_may_use_what_its_bundle_asks_for_and_what_an_administrator_grants(
    connector: Connector, dispatch: Dispatch, send: Callable[..., Path]
) -> None:
    send(version="1.1.0", limits={"memory_mb": 300, "threads": 2})
    _plan(connector)
    Model.objects.filter(version="1.1.0").update(granted_limits={"memory_mb": 16_384, "wall_seconds": 7_200})
    limits = []

    def run(task: Task, stop: threading.Event, report: Report) -> BenchmarkResult:
        limits.append((task.limits.memory_bytes >> 20, task.limits.wall_seconds, task.limits.threads))
        return result()

    _until_idle(dispatch(run))
    usual = SETTINGS.limits
    assert sorted(limits) == [(usual.memory_bytes >> 20, usual.wall_seconds, usual.threads), (16_384, 7_200, 2)]


def test_a_failure_is_stored_with_its_class_and_logged(dispatch: Dispatch) -> None:
    failure = Failure(failure_class=FailureClass.OUT_OF_MEMORY, reason="It needs more.", output="malloc")
    _until_idle(dispatch(_raising(BenchmarkError(failure))))
    benchmark = Benchmark.objects.get()
    assert (benchmark.state, benchmark.failure_class) == (State.FAILED, FailureClass.OUT_OF_MEMORY)
    entry = LogEntry.objects.get(level=Level.ERROR)
    assert (entry.benchmark, entry.detail) == (benchmark, "malloc")


def test_a_fault_of_the_engine_itself_is_a_failure_too(dispatch: Dispatch) -> None:
    _until_idle(dispatch(_raising(ZeroDivisionError("oh"))))
    benchmark = Benchmark.objects.get()
    assert (benchmark.state, benchmark.failure_class, benchmark.attempts) == (
        State.QUEUED,
        FailureClass.ENGINE_FAULT,
        1,
    )
    assert "ZeroDivisionError" in benchmark.output


def test_what_cannot_be_fetched_is_tried_again_later(dispatch: Dispatch) -> None:
    _until_idle(dispatch(_raising(ObjectNotFoundError("there is no object"))))
    benchmark = Benchmark.objects.get()
    assert (benchmark.state, benchmark.failure_class) == (State.QUEUED, FailureClass.DATA_UNAVAILABLE)


def test_no_more_benchmarks_run_than_there_are_workers(
    connector: Connector, dispatch: Dispatch, send: Callable[..., Path]
) -> None:
    for version in ("1.1.0", "1.2.0", "1.3.0"):
        send(version=version)
    _plan(connector)
    held = Held()
    dispatcher = dispatch(held)
    dispatcher.tick()
    dispatcher.tick()
    assert Benchmark.objects.filter(state=State.RUNNING).count() == 2
    held.go_on.set()
    _until_idle(dispatcher)
    assert Benchmark.objects.filter(state=State.DONE).count() == 4


def test_a_benchmark_of_an_engine_that_went_silent_is_run_again(connector: Connector, dispatch: Dispatch) -> None:
    records.claim(Benchmark.objects.get().pk, engine="gone", lease=timedelta(seconds=30), now=NOON)
    dispatcher = dispatch(lambda task, stop, report: result())
    dispatcher.tick()
    assert Benchmark.objects.get().state == State.RUNNING
    connector.clock = at(NOON + timedelta(seconds=31))
    dispatcher.tick()
    assert Benchmark.objects.get().failure_class == FailureClass.LOST_WORKER
    connector.clock = at(NOON + timedelta(minutes=5))
    _until_idle(dispatcher)
    assert Benchmark.objects.get().state == State.DONE


def test_the_leases_of_what_runs_are_renewed(connector: Connector, dispatch: Dispatch) -> None:
    held = Held()
    dispatcher = dispatch(held)
    dispatcher.tick()
    connector.clock = at(NOON + timedelta(seconds=20))
    dispatcher.renew()
    connector.clock = at(NOON + timedelta(seconds=40))
    dispatcher.tick()
    held.go_on.set()
    _until_idle(dispatcher)
    assert Benchmark.objects.get().state == State.DONE
    assert Benchmark.objects.get().attempts == 0


def test_an_engine_that_closes_finishes_what_is_nearly_done(dispatch: Dispatch) -> None:
    dispatcher = dispatch(lambda task, stop, report: result())
    dispatcher.tick()
    dispatcher.close()
    assert Benchmark.objects.get().state == State.DONE


def test_an_engine_that_closes_gives_back_what_takes_longer(dispatch: Dispatch) -> None:
    dispatcher = dispatch(_until_stopped)
    dispatcher.tick()
    dispatcher.close()
    benchmark = Benchmark.objects.get()
    assert (benchmark.state, benchmark.attempts, benchmark.claim) == (State.QUEUED, 0, "")


def test_a_benchmark_that_a_person_cancels_is_ended_where_it_runs(dispatch: Dispatch) -> None:
    dispatcher = dispatch(_until_stopped)
    dispatcher.tick()
    records.cancel(Benchmark.objects.get().pk, by="ilse", now=NOON)
    _until_idle(dispatcher)
    benchmark = Benchmark.objects.get()
    assert (benchmark.state, benchmark.reason) == (State.CANCELLED, "Cancelled by ilse.")


def test_a_benchmark_whose_model_is_deleted_is_ended_where_it_runs_and_leaves_nothing(dispatch: Dispatch) -> None:
    dispatcher = dispatch(_until_stopped)
    dispatcher.tick()
    records.delete_models([Benchmark.objects.get().model.pk], "ilse", Via.PAGE, NOON)
    _until_idle(dispatcher)
    assert not Benchmark.objects.exists()
    last = LogEntry.objects.latest("pk")
    assert last.message.startswith("Ended, as it is no longer wanted")
    assert (last.level, last.model, last.benchmark) == (Level.INFO, None, None)


def test_a_dispatcher_that_is_started_needs_no_timer_between_benchmarks(
    connector: Connector, dispatch: Dispatch, send: Callable[..., Path], live: Callable[[Dispatcher], None]
) -> None:
    for number in range(1, 20):
        send(version=f"1.{number}.0")
    _plan(connector)
    started = time.monotonic()
    runs = Counted()
    dispatcher = dispatch(runs, workers=1)
    live(dispatcher)
    _wait_until(lambda: runs.number == 20 and not dispatcher.running)
    assert time.monotonic() - started < 20 * dispatcher_module.CHECK_SECONDS / 2
    dispatcher.close()
    assert states() == ["done"] * 20


def test_a_dispatcher_that_is_woken_starts_what_has_just_arrived(
    connector: Connector,
    dispatch: Dispatch,
    send: Callable[..., Path],
    live: Callable[[Dispatcher], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatcher_module, "CHECK_SECONDS", 3600)
    runs = Counted()
    dispatcher = dispatch(runs)
    live(dispatcher)
    _wait_until(lambda: runs.number == 1 and not dispatcher.running)
    send(version="1.1.0")
    _plan(connector)
    dispatcher.wake()
    _wait_until(lambda: runs.number == 2 and not dispatcher.running)
    assert states() == ["done", "done"]


def test_a_dispatcher_goes_on_after_an_error_and_says_it_once(
    dispatch: Dispatch, live: Callable[[Dispatcher], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher_module, "CHECK_SECONDS", 0.01)
    errors: list[Exception] = [OperationalError("the server went away")] * 3
    find = catalog.next_to_claim

    def find_or_fail(*arguments: Any, **named: Any) -> list[int]:
        if errors:
            raise errors.pop()
        return find(*arguments, **named)

    monkeypatch.setattr(catalog, "next_to_claim", find_or_fail)
    runs = Counted()
    dispatcher = dispatch(runs)
    live(dispatcher)
    _wait_until(lambda: runs.number and not dispatcher.running)
    dispatcher.close()
    assert states() == ["done"]
    said = LogEntry.objects.filter(level=Level.ERROR).values_list("message", flat=True)
    assert list(said) == ["Could not look for benchmarks to run: the server went away"]


@pytest.mark.django_db(transaction=True)
def test_a_result_is_kept_until_the_database_takes_it_and_holds_up_no_other(
    connector: Connector, dispatch: Dispatch, send: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    send(version="1.1.0")
    _plan(connector)
    held = Held()
    dispatcher = dispatch(held)
    dispatcher.tick()
    held.go_on.set()
    dispatcher.wait(5)
    _failing_once(monkeypatch, OperationalError("the server went away"))
    dispatcher.tick()
    assert states() == ["done", "running"]
    dispatcher.tick()
    assert states() == ["done", "done"]
    assert dispatcher.running == 0


@pytest.mark.django_db(transaction=True)
def test_a_result_that_the_database_refuses_for_ever_is_given_up(
    dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any, **named: Any) -> None:
        raise OperationalError("row is too big")

    monkeypatch.setattr(records, "finish", refuse)
    dispatcher = dispatch(lambda task, stop, report: result())
    dispatcher.tick()
    dispatcher.wait(5)
    dispatcher.tick()
    assert states() == ["running"]
    monkeypatch.setattr("benchmark_engine.outcomes.PATIENCE_SECONDS", 0)
    dispatcher.tick()
    assert (Benchmark.objects.get().state, Benchmark.objects.get().failure_class) == ("queued", "engine fault")


@pytest.mark.django_db(transaction=True)
def test_while_no_result_can_be_stored_not_ever_more_is_begun(
    connector: Connector, dispatch: Dispatch, send: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 6):
        send(version=f"1.{number}.0")
    _plan(connector)

    def refuse(*arguments: Any, **named: Any) -> None:
        raise OperationalError("the disk is full")

    monkeypatch.setattr(records, "finish", refuse)
    dispatcher = dispatch(lambda task, stop, report: result(), workers=1)
    for _ in range(6):
        dispatcher.tick()
        dispatcher.wait(5)
    assert states() == ["queued"] * 4 + ["running"] * 2


def test_an_engine_that_was_too_slow_looks_for_another_benchmark_at_once(
    dispatch: Dispatch, live: Callable[[Dispatcher], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher_module, "CHECK_SECONDS", 3600)
    claim, lost = records.claim, [None]

    def claim_second(*arguments: Any, **named: Any) -> Claim | None:
        return lost.pop() if lost else claim(*arguments, **named)

    monkeypatch.setattr(records, "claim", claim_second)
    runs = Counted()
    dispatcher = dispatch(runs)
    live(dispatcher)
    _wait_until(lambda: runs.number and not dispatcher.running)


def test_a_result_that_no_database_takes_is_a_fault_of_the_engine(
    dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    _failing_once(monkeypatch, DataError("value out of range"))
    _until_idle(dispatch(lambda task, stop, report: result()))
    benchmark = Benchmark.objects.get()
    assert (benchmark.state, benchmark.failure_class) == (State.QUEUED, FailureClass.ENGINE_FAULT)
    assert "DataError" in benchmark.reason
    assert "value out of range" in LogEntry.objects.get(level=Level.ERROR).detail


def test_a_benchmark_that_cannot_be_read_back_fails_and_lets_others_pass(
    connector: Connector, dispatch: Dispatch, send: Callable[..., Path]
) -> None:
    send(version="1.1.0")
    _plan(connector)
    first = Benchmark.objects.get(pk=catalog.next_to_claim(NOON, limit=1)[0])
    first.model.manifest = {"schema_version": 1}
    first.model.save()
    _until_idle(dispatch(lambda task, stop, report: result(), max_attempts=1))
    assert states() == ["done", "failed"]


def test_what_no_executor_takes_goes_back_to_the_queue_without_an_attempt(
    dispatch: Dispatch, executor: ThreadPoolExecutor
) -> None:
    executor.shutdown()
    dispatcher = dispatch(lambda task, stop, report: result())
    dispatcher.tick()
    benchmark = Benchmark.objects.get()
    assert (benchmark.state, benchmark.attempts, dispatcher.running) == (State.QUEUED, 0, 0)


def test_the_number_of_attempts_is_a_setting(dispatch: Dispatch) -> None:
    _until_idle(dispatch(_raising(ZeroDivisionError("oh")), max_attempts=1))
    assert Benchmark.objects.get().state == State.FAILED


def test_while_the_queue_is_paused_nothing_starts(dispatch: Dispatch) -> None:
    records.pause(by="ilse", reason="", now=NOON)
    dispatcher = dispatch(lambda task, stop, report: result())
    dispatcher.tick()
    assert dispatcher.running == 0
    records.resume()
    _until_idle(dispatcher)
    assert states() == ["done"]


def test_benchmarks_that_do_not_fit_into_memory_together_run_one_after_the_other(
    connector: Connector, dispatch: Dispatch, send: Callable[..., Path]
) -> None:
    send(version="1.1.0")
    _plan(connector)
    held = Held()
    dispatcher = dispatch(held, memory_mb=300)
    dispatcher.tick()
    dispatcher.tick()
    assert states() == ["queued", "running"]
    held.go_on.set()
    _until_idle(dispatcher)
    assert states() == ["done", "done"]


def test_a_model_that_asks_for_little_memory_is_thought_to_take_no_more(
    connector: Connector, dispatch: Dispatch, send: Callable[..., Path]
) -> None:
    records.cancel(Benchmark.objects.get().pk, by="ilse", now=NOON)
    for version in ("1.1.0", "1.2.0"):
        send(version=version, limits={"memory_mb": 150})
    _plan(connector)
    held = Held()
    dispatcher = dispatch(held, memory_mb=300)
    dispatcher.tick()
    assert states() == ["cancelled", "running", "running"]
    held.go_on.set()
    _until_idle(dispatcher)


def test_a_benchmark_that_fits_nowhere_runs_alone(
    connector: Connector, dispatch: Dispatch, send: Callable[..., Path]
) -> None:
    send(version="1.1.0")
    _plan(connector)
    held = Held()
    dispatcher = dispatch(held, memory_mb=1)
    dispatcher.tick()
    assert states() == ["queued", "running"]
    held.go_on.set()
    _until_idle(dispatcher)
    assert states() == ["done", "done"]


def test_how_far_a_benchmark_is_is_written_down_and_gone_when_it_ends(dispatch: Dispatch) -> None:
    held = Held(Progress(phase=Phase.PREDICTING, done=40, total=100))
    dispatcher = dispatch(held)
    dispatcher.tick()
    held.reported.wait()
    dispatcher.check()
    benchmark = Benchmark.objects.get()
    assert (benchmark.phase, benchmark.phase_done, benchmark.phase_total) == (Phase.PREDICTING, 40, 100)
    held.go_on.set()
    _until_idle(dispatcher)
    assert Benchmark.objects.get().phase == ""


def test_a_turn_costs_the_same_few_queries_however_many_wait_and_run(
    connector: Connector, dispatch: Dispatch, send: Callable[..., Path]
) -> None:
    held = Held()
    dispatcher = dispatch(held, workers=2)
    dispatcher.tick()
    counts = []
    for version in ("1.1.0", "1.2.0", "1.3.0"):
        with CaptureQueriesContext(connection) as captured:
            dispatcher.tick()
        counts.append(len(captured))
        send(version=version)
        _plan(connector)
        dispatcher.advance()
    assert counts[0] <= 3
    assert counts[1:] == [2, 2], "with all workers busy it looks only for what was cancelled and what was lost"
    held.go_on.set()
    _until_idle(dispatcher)


@pytest.mark.django_db(transaction=True)
def test_after_the_database_was_away_no_engine_is_called_lost_at_once(
    connector: Connector, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    records.claim(Benchmark.objects.get().pk, engine="other", lease=timedelta(seconds=30), now=NOON)
    connector.clock = at(NOON + timedelta(minutes=1))
    dispatcher = dispatch(lambda task, stop, report: result(), lease_seconds=1)
    with monkeypatch.context() as broken:
        broken.setattr(catalog, "next_to_claim", _refused)
        dispatcher.tick()
    dispatcher.tick()
    assert states() == ["running"]
    time.sleep(1)
    dispatcher.tick()
    assert Benchmark.objects.get().failure_class == FailureClass.LOST_WORKER


def _refused(*arguments: Any, **named: Any) -> list[int]:
    raise OperationalError("connection refused")


def test_leases_are_renewed_while_a_turn_is_stuck(
    connector: Connector, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, unstuck, stuck = Held(), threading.Event(), threading.Event()
    dispatcher = dispatch(held)
    dispatcher.tick()

    def hang(*arguments: Any, **named: Any) -> list[int]:
        stuck.set()
        unstuck.wait()
        return []

    monkeypatch.setattr(catalog, "next_to_claim", hang)
    turn = threading.Thread(target=dispatcher.advance)
    turn.start()
    stuck.wait()
    monkeypatch.undo()
    connector.clock = at(NOON + timedelta(seconds=20))
    dispatcher.renew()
    assert Benchmark.objects.get().lease_until == NOON + timedelta(seconds=50)
    unstuck.set()
    held.go_on.set()
    turn.join()
    _until_idle(dispatcher)


def test_an_engine_that_leaves_benchmarks_waiting_says_so_once(
    connector: Connector, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark_engine.watchdog.IDLE_SECONDS", 0)
    dispatcher = dispatch(lambda task, stop, report: result())
    connector.clock = at(NOON + timedelta(minutes=2))
    dispatcher.renew()
    dispatcher.renew()
    status = ComponentStatus.objects.get(name="engine")
    assert status.state == ComponentState.DEGRADED
    assert "Benchmarks wait, and nothing has been run" in status.message
    assert LogEntry.objects.filter(level=Level.WARNING).count() == 1
    _until_idle(dispatcher)
    dispatcher.renew()
    assert ComponentStatus.objects.get(name="engine").state == ComponentState.HEALTHY


def test_an_engine_that_no_longer_looks_at_its_queue_says_so(
    dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark_engine.watchdog.STUCK_SECONDS", 0)
    dispatch(lambda task, stop, report: result()).renew()
    status = ComponentStatus.objects.get(name="engine")
    assert status.state == ComponentState.DEGRADED
    assert "The queue has not been looked at" in status.message


def test_predictions_that_a_new_result_replaces_are_discarded(
    connector: Connector, executor: ThreadPoolExecutor
) -> None:
    keys = iter(["predictions/1.parquet", "predictions/2.parquet"])
    discarded: list[str] = []
    dispatcher = Dispatcher(
        connector,
        executor,
        SETTINGS,
        engine="one",
        run=lambda task, stop, report: result(predictions_key=next(keys)),
        discard=discarded.append,
    )
    _until_idle(dispatcher)
    assert discarded == []
    records.run_again(Benchmark.objects.get().pk, now=NOON)
    _until_idle(dispatcher)
    assert discarded == ["predictions/1.parquet"]


def test_where_benchmarks_run_elsewhere_its_capacity_counts(
    connector: Connector, executor: ThreadPoolExecutor, send: Callable[..., Path]
) -> None:
    send(version="1.1.0")
    _plan(connector)
    held, cluster = Held(), SimpleNamespace(worker_count=0, memory_bytes=100 << 30)
    dispatcher = Dispatcher(connector, executor, SETTINGS, engine="one", run=held, capacity=cluster)
    dispatcher.tick()
    assert states() == ["queued", "queued"], "no worker has come yet"
    cluster.worker_count = 1
    dispatcher.tick()
    assert states() == ["queued", "running"]
    held.go_on.set()
    _until_idle(dispatcher)
