"""A Dask worker's side of a cluster: its own worker of benchmarks, with a cache and a sandbox, and no database.

The engine has Dask run the functions below on its workers. What they return is data that the engine checks.
"""

import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dask.sizeof import sizeof
from distributed import Worker as DaskWorker
from distributed import WorkerPlugin, get_worker

from atlas.datasets import DatasetDescription, Split
from atlas.errors import DatasetError, SettingsError
from atlas.results import BenchmarkResult, Failure, Progress
from atlas.vocabulary import Document
from benchmark_engine.cache import Cache
from benchmark_engine.cores import usable_cores
from benchmark_engine.executors import keep_to_one_thread
from benchmark_engine.failures import failure_of
from benchmark_engine.node_settings import NodeSettings
from benchmark_engine.sandbox.launcher import Sandbox
from benchmark_engine.sandbox.privileges import seal
from benchmark_engine.worker import Task, Worker, data_entry, data_key, sha256_of
from storage.objects import ObjectStore, open_store

NAME = "atlas"
"""What the plugin below is called on each Dask worker."""
PROGRESS = "atlas-progress"
"""The topic that workers say on how far benchmarks are."""


class Answer(Document):
    """What became of a task: a result, or why there is none."""

    result: BenchmarkResult | None = None
    failure: Failure | None = None


@dataclass(frozen=True)
class Held:
    """A dataset version that lies on the node of the worker that says so.

    Dask weighs it as what it stands for, and so runs benchmarks where their data already are.
    """

    name: str
    size_bytes: int


@sizeof.register(Held)  # type: ignore[untyped-decorator,unused-ignore]  # an optional package
def _size_of_held(held: Held) -> int:
    return held.size_bytes


class Node(WorkerPlugin):  # type: ignore[misc,unused-ignore]  # an optional package
    """Set up once on each Dask worker, before its first benchmark.

    An engine that comes later leaves it alone, with the benchmarks that run in it.
    """

    name = NAME
    idempotent = True
    is_ready = False
    """Whether it was set up: Dask keeps one that could not be, such as while the object store was away."""

    def setup(self, worker: DaskWorker) -> None:
        """Open the store and the cache, and start the sandbox.

        Raises:
            SettingsError: the worker's environment does not say where the object store is.
            BubblewrapError: bubblewrap is required, and does not run here.
        """
        settings = NodeSettings.from_environment()
        if not settings.object_store:
            raise SettingsError("ATLAS_OBJECT_STORE: a Dask worker needs to be told where models and data are")
        seal()
        keep_to_one_thread()
        self._objects = open_store(settings.object_store)
        self._stops: dict[str, threading.Event] = {}
        threads = max(1, usable_cores() // worker.state.nthreads)
        cache = Cache(
            settings.cache_dir or Path(tempfile.gettempdir()) / "atlas-cache", max_bytes=settings.cache_mb << 20
        )
        self._sandbox = Sandbox(
            threads=threads,
            trusted=settings.trust_bundles,
            bubblewrap=settings.bubblewrap,
            readable=[cache.folder],
        )
        self._worker = Worker(
            objects=self._objects,
            fetch_data=lambda dataset, path: fetch_data(self._objects, dataset, path),
            cache=cache,
            sandbox=self._sandbox.__enter__(),
        )
        self.is_ready = True

    def teardown(self, worker: DaskWorker) -> None:  # noqa: ARG002 - the signature is Dask's
        """End the sandbox."""
        if self.is_ready:
            self._sandbox.close()

    def hold(self, dataset: DatasetDescription) -> Held:
        """Fetch a version to this node."""
        with self._worker.data(dataset) as path:
            return Held(data_entry(dataset), path.stat().st_size)

    def run(self, task: Task) -> BenchmarkResult:
        """Run a benchmark until it is done or it is stopped."""
        stop = self._stops.setdefault(task.claim, threading.Event())
        worker = get_worker()

        def report(progress: Progress) -> None:
            worker.log_event(PROGRESS, {"claim": task.claim, "progress": progress.model_dump_json()})

        try:
            return self._worker.run(task, stop, report)
        finally:
            self._stops.pop(task.claim, None)

    def stop(self, claim: str) -> None:
        """End a benchmark, if it runs here."""
        if claim in self._stops:
            self._stops[claim].set()


def fetch_data(objects: ObjectStore, dataset: DatasetDescription, path: Path) -> None:
    """Fetch what the engine has put into the object store for all nodes.

    Raises:
        DatasetError: it is not what the version's description promises.
    """
    objects.get(data_key(dataset), path)
    found, wanted = sha256_of(path), dataset.splits[Split.EVALUATION].sha256
    if found != wanted:
        raise DatasetError(f"{data_key(dataset)} has sha256 {found}, not {wanted}.")


# What the engine has Dask call -------------------------------------------------------------------------------------


def hold(dataset: DatasetDescription) -> Held:
    """Fetch a version to the node that this runs on."""
    return _node(get_worker()).hold(dataset)


def run(task: Task, _held: Held) -> str:
    """Run a benchmark here; an `Answer` as JSON, whatever happens."""
    try:
        return Answer(result=_node(get_worker()).run(task)).model_dump_json()
    except Exception as error:  # noqa: BLE001 - process boundary: whatever the run raised becomes a failure class
        return Answer(failure=failure_of(error)).model_dump_json()


def stop(claim: str, dask_worker: DaskWorker) -> None:
    """End a benchmark, if it runs on this worker."""
    _node(dask_worker).stop(claim)


_SETTING_UP = threading.Lock()


def _node(worker: Any) -> Node:
    """This worker's node, set up now if it could not be before, or its scheduler, being new itself, knows of none."""
    with _SETTING_UP:
        if NAME not in worker.plugins or not worker.plugins[NAME].is_ready:
            fresh = Node()
            fresh.setup(worker)
            worker.plugins[NAME] = fresh
    found: Node = worker.plugins[NAME]
    return found
