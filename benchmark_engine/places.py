"""Where benchmarks run: on this machine, or on the workers of a Dask cluster."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from atlas.datasets import DatasetDescription, Split
from atlas.errors import SettingsError
from atlas.results import BenchmarkResult, Failure
from atlas.states import FailureClass
from benchmark_engine.connector import Connector
from benchmark_engine.dispatcher import Capacity
from benchmark_engine.executors import keep_to_one_thread
from benchmark_engine.failures import BenchmarkError
from benchmark_engine.inference import InferenceResult, InferenceTask, Inferrer
from benchmark_engine.inferences import Infer
from benchmark_engine.predicting import Report
from benchmark_engine.sandbox.bubblewrap import BubblewrapError
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


@contextmanager
def opened_inferrer(settings: EngineSettings, connector: Connector, place: Place) -> Iterator[Infer]:
    """What predicts apart from benchmarks: this machine, wherever benchmarks run, for as long as the block runs.

    An engine whose benchmarks run on a cluster starts a sandbox of its own with the first prediction; where it can't,
    predictions fail with the reason.
    """
    if isinstance(place, ThisMachine):
        yield Inferrer(worker=place.worker, fetch=connector.ingestion.download).infer
        return
    try:
        sandbox = _sandbox(settings, connector)
    except BubblewrapError as error:
        yield partial(_refuse, str(error))
        return
    with closing(sandbox):
        fetch = connector.ingestion.download
        worker = Worker(
            objects=connector.objects,
            fetch_data=lambda dataset, path: fetch(dataset, Split.EVALUATION, path),
            cache=connector.cache,
            sandbox=sandbox,
        )
        yield Inferrer(worker=worker, fetch=fetch).infer


def _refuse(reason: str, _task: InferenceTask, _stop: threading.Event) -> InferenceResult:
    failure_class = FailureClass.SANDBOX_UNAVAILABLE
    reason = f"Predictions are made on the machine of the engine itself, and it cannot contain a model: {reason}"
    raise BenchmarkError(Failure(failure_class=failure_class, reason=reason))


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
