"""What an engine counts, logs and traces of the benchmarks that it runs."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from atlas import logs, tracing
from atlas.results import BenchmarkResult, Failure, Progress
from atlas.states import FailureClass, Phase
from benchmark_engine.cache import Cache
from benchmark_engine.connector import Connector
from benchmark_engine.dispatcher import Dispatcher, Run
from benchmark_engine.failures import BenchmarkError
from benchmark_engine.model_manager import discover_models, discover_versions, plan
from benchmark_engine.predicting import Report
from benchmark_engine.settings import EngineSettings
from benchmark_engine.worker import Task
from storage.models import Benchmark
from tests.benchmark_engine.conftest import at
from tests.measured import counted, counting
from tests.samples import NOON, result

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

FINISHED = "atlas_engine_benchmarks_total"
PHASES = (Phase.WAITING_FOR_DATA, Phase.LOADING, Phase.PREDICTING, Phase.EXPLAINING, Phase.MEASURING)


def through_all_phases(task: Task, stop: threading.Event, report: Report) -> BenchmarkResult:
    for phase in PHASES:
        report(Progress(phase=phase))
        report(Progress(phase=phase, done=1, total=2))
    logging.getLogger("benchmark_engine.runner").warning("Nearly done.")
    return result()


def failing(failure_class: FailureClass) -> Run:
    def run(task: Task, stop: threading.Event, report: Report) -> BenchmarkResult:
        report(Progress(phase=Phase.LOADING))
        raise BenchmarkError(Failure(failure_class=failure_class, reason="It failed."))

    return run


@pytest.fixture
def benchmark(connector: Connector, send: Callable[..., Path]) -> Callable[[Run], int]:
    """Runs one benchmark, which could have been started a minute ago; its key."""
    send()
    connector.clock = at(NOON - timedelta(minutes=1))
    discover_models(connector)
    discover_versions(connector)
    plan(connector)
    connector.clock = at(NOON)

    def run(how: Run) -> int:
        with ThreadPoolExecutor(1) as executor:
            dispatcher = Dispatcher(connector, executor, EngineSettings(workers=2), engine="one", run=how)
            dispatcher.tick()
            dispatcher.wait(60)
            dispatcher.tick()
        return Benchmark.objects.get().pk

    return run


def test_a_benchmark_is_counted_and_its_phases_and_its_wait_are_measured(benchmark: Callable[[Run], int]) -> None:
    in_phase = [counting("atlas_engine_phase_seconds_count", {"phase": phase}) for phase in PHASES]
    waited = counted("atlas_engine_dispatch_seconds_sum")
    with (
        counting(FINISHED, {"outcome": "done", "failure": ""}),
        counting("atlas_engine_benchmark_seconds_count"),
        in_phase[0], in_phase[1], in_phase[2], in_phase[3], in_phase[4],
    ):  # fmt: skip
        benchmark(through_all_phases)
    assert counted("atlas_engine_dispatch_seconds_sum") - waited == 60
    assert counted("atlas_engine_running_benchmarks") == 0
    assert counted("atlas_engine_capacity_benchmarks") == 2


def test_a_failure_is_counted_with_its_class(benchmark: Callable[[Run], int]) -> None:
    with counting(FINISHED, {"outcome": "failed", "failure": "crash"}):
        benchmark(failing(FailureClass.CRASH))


def test_what_is_tried_again_is_counted_as_that(benchmark: Callable[[Run], int]) -> None:
    with counting(FINISHED, {"outcome": "tried again", "failure": "data unavailable"}):
        benchmark(failing(FailureClass.DATA_UNAVAILABLE))


def test_what_is_logged_of_a_benchmark_while_it_runs_and_when_it_ends_carries_its_id(
    benchmark: Callable[[Run], int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.addFilter(logs.Ids())
    with caplog.at_level(logging.INFO):
        key = benchmark(through_all_phases)
    about = {record.getMessage(): record.__dict__.get("benchmark_id") for record in caplog.records}
    assert about["Nearly done."] == key
    assert [key for message, key in about.items() if message.startswith("Done: ")] == [key]


@pytest.fixture
def spans() -> Iterator[Callable[[], dict[str, ReadableSpan]]]:
    """The spans that have ended, by name."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    yield lambda: {span.name: span for span in exporter.get_finished_spans()}
    tracing.use(None)
    provider.shutdown()


def test_a_benchmark_is_a_trace_with_a_span_for_each_phase_and_its_lines_name_the_trace(
    benchmark: Callable[[Run], int], spans: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.addFilter(logs.Ids())
    key = benchmark(through_all_phases)
    ended = spans()
    whole = ended.pop("benchmark")
    model = Benchmark.objects.get().model.name
    assert dict(whole.attributes) == {"benchmark": key, "model": model, "dataset": "impacts v1"}
    assert [*ended] == [*PHASES]
    assert {span.parent.span_id for span in ended.values()} == {whole.context.span_id}
    (line,) = (record for record in caplog.records if record.getMessage() == "Nearly done.")
    assert line.__dict__["trace_id"] == f"{whole.context.trace_id:032x}"


def test_a_benchmark_that_failed_is_a_trace_that_says_so(benchmark: Callable[[Run], int], spans: Any) -> None:
    benchmark(failing(FailureClass.CRASH))
    ended = spans()
    assert not ended["benchmark"].status.is_ok
    assert ended[Phase.LOADING].parent.span_id == ended["benchmark"].context.span_id


def of_40_bytes(path: Path) -> None:
    path.write_bytes(bytes(40))


def test_the_cache_counts_what_it_had_and_what_it_had_not_and_knows_its_size(tmp_path: Path) -> None:
    cache = Cache(tmp_path, max_bytes=100)
    with (
        counting("atlas_cache_requests_total", {"result": "miss"}, by=3),
        counting("atlas_cache_requests_total", {"result": "hit"}),
        counting("atlas_cache_evictions_total"),
    ):
        for name in ("one", "two", "two", "three"):
            with cache.entry(name, of_40_bytes):
                pass
    assert counted("atlas_cache_bytes") == 80
    assert counted("atlas_cache_limit_bytes") == 100
    Cache(tmp_path, max_bytes=200)
    assert counted("atlas_cache_bytes") == 80
