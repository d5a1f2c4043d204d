"""The child that waits for the next order: there is always one, it is harmless, and its loss loses nothing."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from atlas.datasets import write_arrow
from benchmark_engine.sandbox.launcher import Sandbox
from benchmark_engine.sandbox.limits import Limits
from benchmark_engine.sandbox.spare import MODEL, SPARE
from tests import jobs
from tests.benchmark_engine.conftest import impacts, packed
from tests.zygotes import zygotes

LIMITS = Limits(wall_seconds=60)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as started:
        yield started


@pytest.fixture
def zygote(request: pytest.FixtureRequest) -> psutil.Process:
    """The zygote of this test's sandbox; those of other tests may run too."""
    others = {process.pid for process in zygotes(psutil.Process())}
    request.getfixturevalue("sandbox")
    return waited_for(lambda: [one for one in zygotes(psutil.Process()) if one.pid not in others])


@pytest.fixture
def benchmark(tmp_path: Path, zygote: psutil.Process, sandbox: Sandbox) -> Callable[[], float | None]:
    """Benchmarks a model, and gives its first metric."""
    bundle = packed(tmp_path)
    write_arrow(impacts(60), tmp_path / "data.arrow")
    return lambda: jobs.run(bundle, tmp_path / "data.arrow", sandbox, limits=LIMITS).metrics[0].value


def spare(zygote: psutil.Process) -> psutil.Process:
    return waited_for(lambda: [child for child in zygote.children() if child.name() == SPARE])


def waited_for(look: Callable[[], list[psutil.Process]]) -> psutil.Process:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := look():
            return found[0]
        time.sleep(0.02)
    raise TimeoutError("there is no such process")


@pytest.mark.system
def test_it_becomes_the_next_benchmark_s_child_and_another_takes_its_place(
    benchmark: Callable[[], float | None], zygote: psutil.Process
) -> None:
    before = spare(zygote)
    assert benchmark() is not None
    before.wait(timeout=10)
    assert spare(zygote).pid != before.pid
    assert MODEL not in {child.name() for child in zygote.children()}


@pytest.mark.system
def test_one_that_is_killed_costs_no_benchmark(benchmark: Callable[[], float | None], zygote: psutil.Process) -> None:
    expected = benchmark()
    for _ in range(3):
        killed = spare(zygote)
        killed.kill()
        killed.wait(timeout=10)
        assert benchmark() == expected


@pytest.mark.system
def test_it_ends_with_its_zygote(zygote: psutil.Process) -> None:
    waiting = spare(zygote)
    zygote.kill()
    waiting.wait(timeout=10)


def test_what_it_rehearses_starts_no_thread() -> None:
    """Walls that it puts up later would not stand round one."""
    program = "from benchmark_engine.sandbox.spare import rehearse, tasks; before = tasks(); rehearse(); rehearse(); "
    found = subprocess.run(
        [sys.executable, "-c", program + "print(tasks() - before)"], check=True, capture_output=True, text=True
    )
    assert found.stdout.strip() == "0"
