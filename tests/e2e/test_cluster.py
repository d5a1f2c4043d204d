"""The engine with the workers of a Dask cluster: real scheduler, real workers, PostgreSQL and S3."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.dask_cluster import DaskCluster, dask_cluster
from tests.e2e.installation import Installation
from tests.e2e.test_engine_signals import STATES, send, start_with_data
from tests.zygotes import family, running

pytestmark = pytest.mark.system
__all__ = ["send"]  # a fixture

CANCEL = """
from django.utils import timezone
from storage import records
from storage.models import Benchmark
records.cancel(Benchmark.objects.get().pk, by="ilse", now=timezone.now())
"""
Send = Callable[[Installation, float, str], None]
ENGINES = "SELECT name FROM storage_componentstatus WHERE name LIKE 'engine %' ORDER BY name"


@pytest.fixture
def on_a_cluster(
    install: Callable[..., Installation], tmp_path: Path
) -> Iterator[Callable[..., tuple[Installation, DaskCluster]]]:
    """Makes an installation whose engine runs nothing itself, and a cluster of three workers."""
    closing = []

    def make(**settings: object) -> tuple[Installation, DaskCluster]:
        installation = install(**settings)
        start_with_data(installation)  # before others take ports as they like
        opened = dask_cluster(tmp_path, object_store=installation.environment["ATLAS_OBJECT_STORE"], workers=3)
        cluster = opened.__enter__()
        closing.append(opened)
        installation.environment["ATLAS_EXECUTOR"] = cluster.url
        return installation, cluster

    yield make
    for opened in closing:
        opened.__exit__(None, None, None)


def states(installation: Installation) -> list[str]:
    return [row[0] for row in installation.rows(STATES)]


def test_benchmarks_run_on_the_workers_which_fetch_each_version_once(
    on_a_cluster: Callable[..., tuple[Installation, DaskCluster]], send: Send, tmp_path: Path
) -> None:
    installation, cluster = on_a_cluster()
    for number in range(9):
        send(installation, 0.5, f"1.{number}.0")
    engine = installation.start("run_engine")
    installation.wait_for(lambda: states(installation) == ["done"] * 9, "all benchmarks")
    assert family(engine) == [], "the engine runs no model"
    assert installation.rows("SELECT count(DISTINCT predictions_key) FROM storage_benchmark") == [(9,)]
    stored = {found.key for found in installation.objects.list("predictions/")}
    assert stored == {key for (key,) in installation.rows("SELECT predictions_key FROM storage_benchmark")}
    assert len(list(installation.objects.list("datasets/"))) == 1
    for process in cluster.workers.values():
        assert not {"DATABASE_URL", "ATLAS_SECRET_KEY"} & psutil.Process(process.pid).environ().keys()


def test_a_benchmark_of_a_worker_that_is_killed_runs_elsewhere(
    on_a_cluster: Callable[..., tuple[Installation, DaskCluster]], send: Send
) -> None:
    installation, cluster = on_a_cluster()
    send(installation, 6, "1.0.0")
    installation.start("run_engine")
    busy = running_on(installation, cluster)
    children = psutil.Process(cluster.workers[busy].pid).children(recursive=True)
    cluster.workers[busy].send_signal(signal.SIGKILL)
    assert psutil.wait_procs(children, timeout=10)[1] == [], "no orphan"
    installation.wait_for(lambda: states(installation) == ["done"], "the benchmark")
    assert installation.rows("SELECT count(*) FROM storage_metric") == [(1,)]


def test_an_engine_that_connects_later_leaves_alone_what_runs(
    on_a_cluster: Callable[..., tuple[Installation, DaskCluster]], send: Send
) -> None:
    installation, _ = on_a_cluster()
    send(installation, 4, "1.0.0")
    installation.start("run_engine", engine_name="one")
    predicting = "SELECT 1 FROM storage_benchmark WHERE phase = 'predicting'"
    installation.wait_for(lambda: installation.rows(predicting), "a running benchmark")
    second = installation.start("run_engine", engine_name="two", cache_dir=installation.folder / "two")
    installation.wait_for(lambda: "Engine two: 3 benchmarks at a time" in installation.logs(), "the second engine")
    assert states(installation) == ["running"]
    installation.wait_for(lambda: states(installation) == ["done"], "the benchmark")
    assert installation.rows(STATES) == [("done", 0)]
    installation.wait_for(lambda: len(installation.rows(ENGINES)) == 2, "signs of life of both")
    second.terminate()
    installation.wait_for(lambda: installation.rows(ENGINES) == [("engine one",)], "the second engine's goodbye")


def running_on(installation: Installation, cluster: DaskCluster) -> str:
    """The worker whose zygote has a child."""

    found: list[str] = []

    def busy() -> list[str]:
        found.extend(name for name, process in cluster.workers.items() if running(process))
        return found

    installation.wait_for(busy, "a running benchmark")
    return found[0]


def test_a_benchmark_that_is_cancelled_ends_on_its_worker(
    on_a_cluster: Callable[..., tuple[Installation, DaskCluster]], send: Send
) -> None:
    installation, cluster = on_a_cluster()
    send(installation, 600, "1.0.0")
    installation.start("run_engine")
    worker = psutil.Process(cluster.workers[running_on(installation, cluster)].pid)
    (child,) = running(worker)
    installation.manage("shell", "--no-imports", "-c", CANCEL)
    child.wait(timeout=60)  # of the 600 s that its model takes
    assert worker.is_running()


def test_an_engine_that_is_stopped_gives_back_what_its_workers_run(
    on_a_cluster: Callable[..., tuple[Installation, DaskCluster]], send: Send
) -> None:
    installation, cluster = on_a_cluster(grace_seconds=0.2)
    send(installation, 600, "1.0.0")
    engine = installation.start("run_engine")
    worker = psutil.Process(cluster.workers[running_on(installation, cluster)].pid)
    engine.send_signal(signal.SIGTERM)
    assert engine.wait(60) == 0
    assert installation.rows(STATES) == [("queued", 0)]
    assert running(worker) == []


def test_a_scheduler_that_does_not_answer_is_said_at_once(install: Callable[..., Installation]) -> None:
    installation = install(executor="dask://127.0.0.1:9")
    engine = installation.start("run_engine")
    assert engine.wait(90) != 0
    assert "no Dask scheduler answers at dask://127.0.0.1:9" in installation.logs()
