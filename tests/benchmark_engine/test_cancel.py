"""A person cancels what runs: the model's process is gone within a second."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from atlas.datasets import Split
from benchmark_engine.connector import Connector
from benchmark_engine.dispatcher import Dispatcher
from benchmark_engine.executors import watchers
from benchmark_engine.model_manager import discover_models, discover_versions, plan
from benchmark_engine.sandbox.launcher import Sandbox
from benchmark_engine.settings import EngineSettings
from benchmark_engine.worker import Worker
from storage import records
from storage.models import Benchmark
from storage.records import Claim
from tests.benchmark_engine.conftest import packed
from tests.samples import NOON
from tests.zygotes import running

pytestmark = pytest.mark.django_db(transaction=True)

SLEEPER = """
import time
import numpy as np

class Sleeper:
    classes_ = np.array(["damaged", "intact"])

    def predict(self, X):
        time.sleep(600)
"""


@pytest.fixture
def dispatcher(connector: Connector) -> Iterator[Dispatcher]:
    """A dispatcher that runs benchmarks in a real sandbox."""
    with Sandbox(trusted=True, readable=[connector.cache.folder]) as sandbox, watchers(1) as executor:
        worker = Worker(
            objects=connector.objects,
            fetch_data=lambda dataset, path: connector.ingestion.download(dataset, Split.EVALUATION, path),
            cache=connector.cache,
            sandbox=sandbox,
        )
        started = Dispatcher(
            connector,
            executor,
            EngineSettings(workers=1, grace_seconds=0),
            engine="one",
            run=worker.run,
        )
        yield started
        started.close()


@pytest.fixture
def sleeping(connector: Connector, send: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """A benchmark that waits, of a model that sleeps for ten minutes."""
    module = tmp_path / "sleeper.py"
    module.write_text(SLEEPER)
    monkeypatch.syspath_prepend(str(tmp_path))
    from sleeper import Sleeper  # type: ignore[import-not-found]

    send(packed(tmp_path / "sent", Sleeper(), code=[module], format="joblib", metrics=["accuracy"]))
    discover_models(connector)
    discover_versions(connector)
    plan(connector)
    return Benchmark.objects.get().pk


def models() -> set[int]:
    """The processes in which this one runs models."""
    return {child.pid for child in running(psutil.Process())}


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set whenever the dispatcher has just looked at what is cancelled: the worst moment to cancel something."""
    event, still_held = threading.Event(), records.still_held

    def look(claims: set[Claim]) -> set[Claim]:
        found = still_held(claims)
        event.set()
        return found

    monkeypatch.setattr(records, "still_held", look)
    return event


def test_a_cancelled_benchmark_is_dead_within_a_second(
    dispatcher: Dispatcher, sleeping: int, looked: threading.Event
) -> None:
    before = models()
    dispatcher.start()
    wait_until(lambda: models() - before)
    looked.clear()
    assert looked.wait(10), Benchmark.objects.get().output
    assert records.cancel(sleeping, by="ilse", now=NOON)
    cancelled = time.monotonic()
    wait_until(lambda: not models() - before)
    assert time.monotonic() - cancelled < 1
    wait_until(lambda: not dispatcher.running)
    assert Benchmark.objects.get().reason == "Cancelled by ilse."
