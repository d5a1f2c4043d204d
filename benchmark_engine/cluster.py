"""Runs benchmarks on the workers of a Dask cluster, seen from the engine."""

import logging
import sys
import tempfile
import threading
from collections import OrderedDict
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from distributed import Client, Future
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker
from pydantic import ValidationError

from atlas.datasets import DatasetDescription
from atlas.errors import ObjectNotFoundError, SettingsError
from atlas.results import BenchmarkResult, Failure, Progress
from atlas.states import FailureClass
from benchmark_engine import node
from benchmark_engine.failures import BenchmarkError
from benchmark_engine.node import Answer, Node
from benchmark_engine.predicting import Report
from benchmark_engine.worker import FetchData, Task, data_key
from storage.objects import ObjectStore

ADDRESSES = {"dask://": "tcp://", "dask+tls://": "tls://"}
CONNECT_SECONDS = 30
LOOK_SECONDS = 0.2
"""How often it is looked whether a benchmark is to be stopped."""
STOP_SECONDS = 30
"""How long the worker that runs a benchmark may take to end it."""
USABLE = {"pending", "finished"}
MOST_HELD = 64
"""How many versions workers are asked to keep in mind; others are fetched again when they are needed."""
LOST = (CancelledError, KilledWorker, CommClosedError, OSError, UnboundLocalError)
"""What Dask raises when it has lost a task, its scheduler, or one worker after the other with it; the last, by mistake,
when a worker goes while its result is fetched."""

logger = logging.getLogger(__name__)


def scheduler_address(url: str) -> str:
    """Dask's address of `dask://HOST:PORT` or `dask+tls://HOST:PORT`.

    Raises:
        SettingsError: the URL has another form.
    """
    for prefix, protocol in ADDRESSES.items():
        if url.startswith(prefix):
            return protocol + url.removeprefix(prefix)
    raise SettingsError(f"ATLAS_EXECUTOR: local or dask://HOST:PORT is wanted, not {url!r}")


class Cluster:
    """The engine's connection to a scheduler. Threads share it."""

    def __init__(self, url: str, *, objects: ObjectStore, fetch_data: FetchData, scratch: Path | None = None) -> None:
        """Connect.

        Args:
            url: of the scheduler, `dask://HOST:PORT`.
            objects: where workers find models and data.
            fetch_data: fetches the evaluation rows of a version, to be put there.
            scratch: a folder for them meanwhile; None is the system's temporary one.

        Raises:
            SettingsError: nothing answers at this address.
        """
        self._objects = objects
        self._fetch_data = fetch_data
        self._scratch = scratch
        self._publishing = threading.Lock()
        self._held: OrderedDict[str, Future] = OrderedDict()
        self._reports: dict[str, Report] = {}
        try:
            self._client = Client(scheduler_address(url), timeout=CONNECT_SECONDS, name="atlas", set_as_default=False)
        except OSError as error:
            raise SettingsError(f"ATLAS_EXECUTOR: no Dask scheduler answers at {url}: {error}") from error
        self._client.register_plugin(Node(), name=node.NAME)
        self._client.subscribe_topic(node.PROGRESS, self._hear)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def worker_count(self) -> int:
        """How many benchmarks the workers that are there now run at a time."""
        return sum(self._client.nthreads().values())

    @property
    def memory_bytes(self) -> int:
        """How much memory the workers that are there now may use; without end if one of them has no limit."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        limits = [worker["memory_limit"] for worker in workers]
        return sum(limits) if all(limits) else sys.maxsize

    def run(self, task: Task, stop: threading.Event, report: Report) -> BenchmarkResult:
        """Run a benchmark on some worker until it is done, or `stop` is set; `report` is told how far it is.

        Raises:
            BenchmarkError: there is no result; its failure says why.
            AtlasError: the dataset version cannot be given to the workers.
        """
        self._reports[task.claim] = report
        try:
            return _result(self._answer(task, stop))
        except LOST as error:
            reason = f"The cluster lost the worker that ran it ({type(error).__name__})."
            raise BenchmarkError(Failure(failure_class=FailureClass.LOST_WORKER, reason=reason)) from error
        finally:
            del self._reports[task.claim]

    def _answer(self, task: Task, stop: threading.Event) -> str:
        held = self._holding(task.dataset)
        future = self._client.submit(node.run, task, held, key=f"benchmark-{task.claim}", pure=False)
        while not stop.is_set():
            with suppress(TimeoutError):
                return str(future.result(timeout=LOOK_SECONDS))
        self._client.run(node.stop, task.claim, on_error="ignore")
        try:
            return str(future.result(timeout=STOP_SECONDS))
        finally:
            self._client.cancel(future)  # no worker has begun with it, or the one that has cannot be reached

    def _holding(self, dataset: DatasetDescription) -> Future:
        """The task that fetches a version to a node; those that need it run where it has run."""
        key = data_key(dataset)
        with self._publishing:
            self._publish(dataset)
            if key not in self._held or self._held[key].status not in USABLE:
                self._held[key] = self._client.submit(node.hold, dataset, key=f"hold-{key}", pure=False)
            self._held.move_to_end(key)
            while len(self._held) > MOST_HELD:
                self._held.popitem(last=False)
            return self._held[key]

    def _publish(self, dataset: DatasetDescription) -> None:
        """Put a version where all nodes can fetch it, unless it is there."""
        try:
            self._objects.stat(data_key(dataset))
        except ObjectNotFoundError:
            with tempfile.TemporaryDirectory(prefix="atlas-data-", dir=self._scratch) as folder:
                path = Path(folder) / "data.arrow"
                self._fetch_data(dataset, path)
                self._objects.put(data_key(dataset), path)

    def _hear(self, event: tuple[float, Any]) -> None:
        """Pass on what a worker says of its progress."""
        _, told = event
        if report := self._reports.get(told["claim"]):
            report(Progress.model_validate_json(told["progress"]))


def _result(answer: str) -> BenchmarkResult:
    try:
        told = Answer.model_validate_json(answer)
    except ValidationError as error:
        reason = f"The worker gave no sound answer: {error}"[:1_000]
        raise BenchmarkError(Failure(failure_class=FailureClass.ENGINE_FAULT, reason=reason)) from error
    if told.result is None:
        raise BenchmarkError(told.failure or Failure(failure_class=FailureClass.ENGINE_FAULT, reason="No answer."))
    return told.result
