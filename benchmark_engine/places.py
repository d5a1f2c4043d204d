"""Where benchmarks run: on this machine, or on the workers of a Dask cluster."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from atlas.datasets import DatasetDescription, Split
from atlas.errors import SettingsError
from atlas.results import BenchmarkResult
from benchmark_engine.connector import Connector
from benchmark_engine.dispatcher import Capacity
from benchmark_engine.executors import keep_to_one_thread
from benchmark_engine.predicting import Report
from benchmark_engine.sandbox.launcher import Sandbox
from benchmark_engine.settings import LOCAL, EngineSettings
from benchmark_engine.worker import FetchData, Task, Worker


class Place(Capacity, Protocol):
    """Runs benchmarks, several at a time."""

    def run(self, task: Task, stop: threading.Event, report: Report) -> BenchmarkResult:
        """Run one until it is done, or `stop` is set; `report` is told how far it is.

        Raises:
            BenchmarkError: there is no result; its failure says why.
            AtlasError: a file cannot be fetched or stored.
        """


@dataclass(frozen=True)
class ThisMachine:
    """A worker in this process, and how much of the machine it may use."""

    worker: Worker
    worker_count: int
    memory_bytes: int

    def run(self, task: Task, stop: threading.Event, report: Report) -> BenchmarkResult:
        """Run one, as `Place` says."""
        return self.worker.run(task, stop, report)


@contextmanager
def opened_place(settings: EngineSettings, connector: Connector) -> Iterator[Place]:
    """Where the settings say that benchmarks run, for as long as the block runs.

    Raises:
        SettingsError: it cannot be reached, or what it takes is not installed.
    """

    def fetch_data(dataset: DatasetDescription, path: Path) -> None:
        connector.ingestion.download(dataset, Split.EVALUATION, path)

    if settings.executor != LOCAL:
        with _cluster(settings.executor, connector, fetch_data) as cluster:
            yield cluster
        return
    keep_to_one_thread()
    with _sandbox(settings, connector) as sandbox:
        worker = Worker(objects=connector.objects, fetch_data=fetch_data, cache=connector.cache, sandbox=sandbox)
        yield ThisMachine(worker, settings.worker_count, settings.memory_bytes)


def _sandbox(settings: EngineSettings, connector: Connector) -> Sandbox:
    return Sandbox(
        threads=settings.threads,
        trusted=settings.trust_bundles,
        bubblewrap=settings.bubblewrap,
        readable=[connector.cache.folder],
    )


@contextmanager
def _cluster(url: str, connector: Connector, fetch_data: FetchData) -> Iterator[Place]:
    try:
        from benchmark_engine.cluster import Cluster  # here, not above: Dask is an extra
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"ATLAS_EXECUTOR: {url} needs the package {error.name}: pip install 'atlas-benchmark[dask]'"
        ) from error
    with Cluster(url, objects=connector.objects, fetch_data=fetch_data, scratch=connector.scratch) as cluster:
        yield cluster
