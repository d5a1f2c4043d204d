"""How an engine keeps busy, stores what comes back, and what it does when something goes wrong."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from atlas.errors import ObjectNotFoundError
from atlas.results import BenchmarkResult, Failure
from atlas.states import FailureClass, Level, State
from benchmark_engine.connector import Connector
from benchmark_engine.dispatcher import Dispatcher
from benchmark_engine.model_manager import discover_models, discover_versions, plan
from benchmark_engine.runner import BenchmarkError, Report
from benchmark_engine.settings import EngineSettings
from benchmark_engine.worker import Task
from storage import records
from storage.models import Benchmark, LogEntry
from tests.benchmark_engine.conftest import at
from tests.samples import NOON, result

pytestmark = pytest.mark.django_db

Run = Callable[[Task, threading.Event, Report], BenchmarkResult]
SETTINGS = EngineSettings(workers=2, lease_seconds=30, grace_seconds=0.5)


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.fixture
def dispatch(connector: Connector, executor: ThreadPoolExecutor) -> Callable[[Run], Dispatcher]:
    def make(run: Run) -> Dispatcher:
        return Dispatcher(connector, executor, SETTINGS, engine="one", run=run)

    return make


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


def test_a_benchmark_is_run_as_its_model_says_and_its_result_stored(dispatch: Callable[[Run], Dispatcher]) -> None:
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


def test_a_failure_is_stored_with_its_class_and_logged(dispatch: Callable[[Run], Dispatcher]) -> None:
    failure = Failure(failure_class=FailureClass.OUT_OF_MEMORY, reason="It needs more.", output="malloc")
    _until_idle(dispatch(_raising(BenchmarkError(failure))))
    benchmark = Benchmark.objects.get()
    assert (benchmark.state, benchmark.failure_class) == (State.FAILED, FailureClass.OUT_OF_MEMORY)
    entry = LogEntry.objects.get(level=Level.ERROR)
    assert (entry.benchmark, entry.detail) == (benchmark, "malloc")


def test_a_fault_of_the_engine_itself_is_a_failure_too(dispatch: Callable[[Run], Dispatcher]) -> None:
    _until_idle(dispatch(_raising(ZeroDivisionError("oh"))))
    benchmark = Benchmark.objects.get()
    assert (benchmark.state, benchmark.failure_class, benchmark.attempts) == (
        State.QUEUED,
        FailureClass.ENGINE_FAULT,
        1,
    )
    assert "ZeroDivisionError" in benchmark.output


def test_what_cannot_be_fetched_is_tried_again_later(dispatch: Callable[[Run], Dispatcher]) -> None:
    _until_idle(dispatch(_raising(ObjectNotFoundError("there is no object"))))
    benchmark = Benchmark.objects.get()
    assert (benchmark.state, benchmark.failure_class) == (State.QUEUED, FailureClass.DATA_UNAVAILABLE)


def test_no_more_benchmarks_run_than_there_are_workers(
    connector: Connector, dispatch: Callable[[Run], Dispatcher], send: Callable[..., Path]
) -> None:
    for version in ("1.1.0", "1.2.0", "1.3.0"):
        send(version=version)
    _plan(connector)
    go_on = threading.Event()

    def run(task: Task, stop: threading.Event, report: Report) -> BenchmarkResult:
        go_on.wait()
        return result()

    dispatcher = dispatch(run)
    dispatcher.tick()
    dispatcher.tick()
    assert Benchmark.objects.filter(state=State.RUNNING).count() == 2
    go_on.set()
    _until_idle(dispatcher)
    assert Benchmark.objects.filter(state=State.DONE).count() == 4


def test_a_benchmark_of_an_engine_that_went_silent_is_run_again(
    connector: Connector, dispatch: Callable[[Run], Dispatcher]
) -> None:
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


def test_the_leases_of_what_runs_are_renewed(connector: Connector, dispatch: Callable[[Run], Dispatcher]) -> None:
    go_on = threading.Event()

    def run(task: Task, stop: threading.Event, report: Report) -> BenchmarkResult:
        go_on.wait()
        return result()

    dispatcher = dispatch(run)
    dispatcher.tick()
    connector.clock = at(NOON + timedelta(seconds=20))
    dispatcher.renew()
    connector.clock = at(NOON + timedelta(seconds=40))
    dispatcher.tick()
    go_on.set()
    _until_idle(dispatcher)
    assert Benchmark.objects.get().state == State.DONE
    assert Benchmark.objects.get().attempts == 0


def test_an_engine_that_closes_finishes_what_is_nearly_done(dispatch: Callable[[Run], Dispatcher]) -> None:
    dispatcher = dispatch(lambda task, stop, report: result())
    dispatcher.tick()
    dispatcher.close()
    assert Benchmark.objects.get().state == State.DONE


def test_an_engine_that_closes_gives_back_what_takes_longer(dispatch: Callable[[Run], Dispatcher]) -> None:
    def run(task: Task, stop: threading.Event, report: Report) -> BenchmarkResult:
        stop.wait()
        raise BenchmarkError(Failure(failure_class=FailureClass.LOST_WORKER, reason="stopped"))

    dispatcher = dispatch(run)
    dispatcher.tick()
    dispatcher.close()
    benchmark = Benchmark.objects.get()
    assert (benchmark.state, benchmark.attempts, benchmark.claim) == (State.QUEUED, 0, "")


def test_a_benchmark_that_a_person_cancels_is_ended_where_it_runs(dispatch: Callable[[Run], Dispatcher]) -> None:
    def run(task: Task, stop: threading.Event, report: Report) -> BenchmarkResult:
        stop.wait()
        raise BenchmarkError(Failure(failure_class=FailureClass.LOST_WORKER, reason="stopped"))

    dispatcher = dispatch(run)
    dispatcher.tick()
    records.cancel(Benchmark.objects.get().pk, by="ilse", now=NOON)
    _until_idle(dispatcher)
    benchmark = Benchmark.objects.get()
    assert (benchmark.state, benchmark.reason) == (State.CANCELLED, "Cancelled by ilse.")
