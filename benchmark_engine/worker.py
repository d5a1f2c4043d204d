"""Runs benchmarks where it is: fetches files into this machine's cache, runs, and keeps the predictions.

The engine has one, and so has each worker of a cluster. It knows no database.
"""

import hashlib
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from tenacity import (
    Retrying,
    retry_if_exception,
    sleep_using_event,
    stop_after_delay,
    stop_when_event_set,
    wait_exponential,
)

from atlas.bundle import unpack
from atlas.datasets import DatasetDescription, Split
from atlas.errors import BundleReplacedError, ObjectStoreError
from atlas.manifest import Manifest
from atlas.results import BenchmarkResult, Progress
from atlas.states import Phase
from benchmark_engine import runner
from benchmark_engine.cache import Cache
from benchmark_engine.evaluation import EvaluationData, features_name, write_features
from benchmark_engine.executors import give_memory_back
from benchmark_engine.explanations import EVENTS, VALUES
from benchmark_engine.failures import named_failures
from benchmark_engine.predicting import Report
from benchmark_engine.runner import PREDICTED, Job
from benchmark_engine.sandbox.launcher import Sandbox
from benchmark_engine.sandbox.limits import ExplanationBudget, Limits
from storage.objects import ObjectStore

PREDICTIONS = "predictions/"
EXPLANATIONS = "explanations/"
DATASETS = "datasets/"
KEEP_SECONDS = 60.0
"""How long a worker with results waits for an object store that does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A benchmark as it is handed to a worker, wherever that is.

    Attributes:
        claim: names what is kept of it.
        bundle_key: where the object store has the model.
        bundle_digest: the sha256 of that file.
        bundle_bytes: its size.
        manifest: what it says of itself.
        dataset: what it is benchmarked on.
        limits: what the model may use.
        explained: what the explanation may take.
        shares_pipeline: whether other models have the same pipeline, so that what it makes of the rows is kept.
    """

    claim: str
    bundle_key: str
    bundle_digest: str
    bundle_bytes: int
    manifest: Manifest
    dataset: DatasetDescription
    limits: Limits
    explained: ExplanationBudget
    shares_pipeline: bool = False

    @property
    def predictions_key(self) -> str:
        """Where the object store keeps the prediction of each event."""
        return f"{PREDICTIONS}{self.claim}.parquet"

    @property
    def values_key(self) -> str:
        """Where it keeps the explanation of single events."""
        return f"{EXPLANATIONS}{self.claim}.arrow"

    @property
    def events_key(self) -> str:
        """Where it keeps the rows of the dataset that were explained."""
        return f"{EXPLANATIONS}{self.claim}.parquet"


class Bundled(Protocol):
    """What names a bundle."""

    @property
    def bundle_key(self) -> str:
        """Where the object store has it."""

    @property
    def bundle_digest(self) -> str:
        """The sha256 of its file."""


FetchData = Callable[[DatasetDescription, Path], None]


@dataclass(frozen=True, kw_only=True)
class Worker:
    """What it takes to run benchmarks on this machine; threads share it.

    Attributes:
        objects: has the models, and keeps predictions.
        fetch_data: fetches the evaluation rows of a dataset version.
        cache: keeps what was fetched.
        sandbox: where models run.
    """

    objects: ObjectStore
    fetch_data: FetchData
    cache: Cache
    sandbox: Sandbox

    def run(self, task: Task, stop: threading.Event, report: Report) -> BenchmarkResult:
        """Run a benchmark until it is done, or `stop` is set; `report` is told how far it is.

        Raises:
            BenchmarkError: there is no result; its failure says why.
            AtlasError: a file cannot be fetched or stored.
        """
        report(Progress(phase=Phase.WAITING_FOR_DATA))
        with named_failures(), self._job(task, stop) as job, self.scratch() as folder:
            result = runner.run(job, self.sandbox, stop, report=report, folder=folder)
            result = self._kept(result, task, folder, stop)
        give_memory_back()
        return result

    def data(self, dataset: DatasetDescription) -> AbstractContextManager[Path]:
        """The evaluation rows of a version, fetched if they are not here; they stay while the block runs."""
        return self.cache.entry(data_entry(dataset), lambda path: self.fetch_data(dataset, path))

    def _kept(self, result: BenchmarkResult, task: Task, folder: Path, stop: threading.Event) -> BenchmarkResult:
        """The result, with where its files are kept."""
        self.keep(folder / PREDICTED, task.predictions_key, stop)
        explanation = result.explanation
        if explanation.available:
            self.keep(folder / VALUES, task.values_key, stop)
            self.keep(folder / EVENTS, task.events_key, stop)
            keys = {"values_key": task.values_key, "events_key": task.events_key}
            explanation = explanation.model_copy(update=keys)
        return result.model_copy(update={"predictions_key": task.predictions_key, "explanation": explanation})

    def keep(self, file: Path, key: str, stop: threading.Event) -> None:
        """Put a file into the object store, and be patient with it: to run the model again would cost more."""
        patiently = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, ObjectStoreError) and error.retry_helps),
            stop=stop_after_delay(KEEP_SECONDS) | stop_when_event_set(stop),
            wait=wait_exponential(multiplier=0.2, max=5),
            sleep=sleep_using_event(stop),
            reraise=True,
        )
        patiently(self.objects.put, key, file)

    @contextmanager
    def _job(self, task: Task, stop: threading.Event) -> Iterator[Job]:
        """A benchmark with its files on this machine, which stay there while it runs."""
        with self.unpacked(task) as bundle, self._evaluation_data(task) as data:
            job = Job(
                bundle=bundle,
                bundle_bytes=task.bundle_bytes,
                manifest=task.manifest,
                data=data,
                limits=task.limits,
                explained=task.explained,
            )
            with self._with_shared_features(job, task, stop) as job:
                yield job

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for a while, which goes with the sandbox if this process is killed."""
        with tempfile.TemporaryDirectory(dir=self.sandbox.base) as folder:
            yield Path(folder)

    def unpacked(self, task: Bundled) -> AbstractContextManager[Path]:
        """The folder of a bundle's members, fetched if it is not here; it stays while the block runs."""
        return self.cache.entry(model_entry(task.bundle_digest), lambda folder: self._unpack(task, folder))

    def _unpack(self, task: Bundled, folder: Path) -> None:
        with self.scratch() as scratch:
            file = scratch / "bundle.atlas"
            self.objects.get(task.bundle_key, file)
            if sha256_of(file) != task.bundle_digest:
                raise BundleReplacedError(f"{task.bundle_key} was replaced after it arrived; send it under a new name.")
            unpack(file, folder)

    @contextmanager
    def _evaluation_data(self, task: Task) -> Iterator[EvaluationData]:
        sha256 = task.dataset.splits[Split.EVALUATION].sha256
        features = f"features-{features_name(sha256, task.manifest)}.arrow"
        with (
            self.data(task.dataset) as source,
            self.cache.entry(features, lambda path: write_features(source, path, task.manifest)) as path,
        ):
            yield EvaluationData(source=source, features=path)

    @contextmanager
    def _with_shared_features(self, job: Job, task: Task, stop: threading.Event) -> Iterator[Job]:
        """The job, with what its pipeline made of all rows where other models need that too."""
        if not task.shares_pipeline:
            yield job
            return
        name = f"shared-{job.data.features.stem}-{task.manifest.pipeline_digest}.arrow"
        with self.cache.entry(name, lambda path: self._transform(job, stop, path)) as shared:
            yield replace(job, shared=shared) if shared.stat().st_size else job

    def _transform(self, job: Job, stop: threading.Event, destination: Path) -> None:
        """An empty file says that it cannot be done, so that it is not tried for each model."""
        if not runner.transform(job, self.sandbox, stop, destination):
            destination.write_bytes(b"")


def model_entry(digest: str) -> str:
    """What the cache calls an unpacked bundle."""
    return f"model-{digest}"


def data_entry(dataset: DatasetDescription) -> str:
    """What the cache calls the evaluation rows of a dataset version."""
    return f"data-{dataset.splits[Split.EVALUATION].sha256}.arrow"


def data_key(dataset: DatasetDescription) -> str:
    """Where the object store has the evaluation rows of a version while the workers of a cluster need them."""
    return f"{DATASETS}{dataset.splits[Split.EVALUATION].sha256}.arrow"


def sha256_of(path: Path) -> str:
    """The sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
