"""What the engine's settings come to on this machine."""

from benchmark_engine.cores import usable_cores
from benchmark_engine.settings import EngineSettings


def test_the_cores_are_shared_among_the_benchmarks_that_run_at_a_time() -> None:
    assert EngineSettings(workers=usable_cores()).threads == 1
    assert EngineSettings(workers=1).threads == usable_cores()


def test_each_benchmark_has_one_thread_at_least() -> None:
    assert EngineSettings(workers=1_000).threads == 1


def test_cpu_time_is_limited_where_it_is_set() -> None:
    assert EngineSettings(benchmark_cpu_seconds=90).limits.cpu_seconds == 90
