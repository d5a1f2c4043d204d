"""What becomes of running benchmarks when the engine is told to stop, or killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

import atlas
from tests.e2e.installation import Installation
from tests.samples import NOON
from tests.zygotes import family, running

pytestmark = pytest.mark.system

SLOW = """
import time
import numpy as np

class Slow:
    classes_ = np.array(["damaged", "intact"])

    def __init__(self, seconds):
        self.seconds = seconds

    def predict(self, X):
        time.sleep(self.seconds)
        return np.where(X["peak"] > 0, "damaged", "intact")
"""
STATES = "SELECT state, attempts FROM storage_benchmark ORDER BY id"


@pytest.fixture
def send(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Installation, float, str], None]:
    """Sends a model that takes its time, and the data that it is benchmarked on."""
    module = tmp_path / "slow_model.py"
    module.write_text(SLOW)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "slow_model", raising=False)  # of another test

    def pack(installation: Installation, seconds: float, version: str) -> None:
        from slow_model import Slow  # type: ignore[import-not-found]

        bundle = atlas.pack(
            Slow(seconds),
            tmp_path / "sent",
            name="Slow",
            version=version,
            use_case="damage detector",
            task="binary",
            author=("Ines Prado", "ines@example.org"),
            tags=["impacts"],
            metrics=["accuracy"],
            example=pd.DataFrame({"peak": [0.0]}),
            format="joblib",
            code=[module],
            created=NOON,
        )
        installation.objects.put(f"models/{bundle.name}", bundle)

    return pack


def start_with_data(installation: Installation) -> None:
    installation.start_ingestion()
    peak = np.random.default_rng(0).normal(size=100)
    recording = installation.folder / "impacts.csv"
    pd.DataFrame({"peak": peak, "label": np.where(peak > 0, "damaged", "intact")}).to_csv(recording, index=False)
    installation.ingestion.upload_recording(recording)
    installation.ingestion.create_tag("impacts")


def started(installation: Installation, **settings: object) -> subprocess.Popen[bytes]:
    """An engine that runs a benchmark."""
    engine = installation.start("run_engine", **settings)
    installation.wait_for(lambda: running(engine), "a running benchmark")
    time.sleep(0.5)
    return engine


def test_an_engine_that_is_stopped_finishes_what_is_nearly_done(
    install: Callable[..., Installation], send: Callable[[Installation, float, str], None]
) -> None:
    installation = install(explained_rows=0)
    start_with_data(installation)
    send(installation, 3, "1.0.0")
    engine = started(installation)
    engine.send_signal(signal.SIGTERM)
    assert engine.wait(60) == 0
    assert installation.rows(STATES) == [("done", 0)]


def test_an_engine_that_is_stopped_gives_back_what_takes_longer_and_leaves_no_process(
    install: Callable[..., Installation], send: Callable[[Installation, float, str], None]
) -> None:
    installation = install(grace_seconds=0.2, explained_rows=0)
    start_with_data(installation)
    send(installation, 600, "1.0.0")
    engine = started(installation)
    children = family(engine)
    engine.send_signal(signal.SIGTERM)
    assert engine.wait(30) == 0
    assert psutil.wait_procs(children, timeout=10)[1] == []
    assert installation.rows(STATES) == [("queued", 0)]


def test_an_engine_that_is_killed_loses_nothing_and_does_nothing_twice(
    install: Callable[..., Installation], send: Callable[[Installation, float, str], None]
) -> None:
    installation = install(lease_seconds=2, workers=2, explained_rows=0)
    start_with_data(installation)
    for number in range(4):
        send(installation, 2, f"1.{number}.0")
    engine = started(installation)
    children = family(engine)
    os.kill(engine.pid, signal.SIGKILL)
    engine.wait()
    assert psutil.wait_procs(children, timeout=10)[1] == [], "no orphan"
    interrupted = [row for row in installation.rows(STATES) if row[0] == "running"]
    assert interrupted

    installation.start("run_engine")
    installation.wait_for(lambda: {row[0] for row in installation.rows(STATES)} == {"done"}, "all benchmarks")
    found = installation.rows(STATES)
    assert len(found) == 4
    assert sum(attempts for _, attempts in found) == len(interrupted)
    metrics = installation.rows("SELECT benchmark_id, name, value FROM storage_metric")
    assert sorted(metric[1:] for metric in metrics) == [("accuracy", 1.0)] * 4
    assert len({metric[0] for metric in metrics}) == 4


def test_two_engines_share_the_queue(
    install: Callable[..., Installation], send: Callable[[Installation, float, str], None]
) -> None:
    installation = install(workers=1, explained_rows=0)
    start_with_data(installation)
    for number in range(6):
        send(installation, 1, f"1.{number}.0")
    for name in ("one", "two"):
        installation.start("run_engine", engine_name=name, cache_dir=installation.folder / name)
    installation.wait_for(lambda: [row[0] for row in installation.rows(STATES)] == ["done"] * 6, "all benchmarks")
    engines = {row[0].partition("-")[0] for row in installation.rows("SELECT engine FROM storage_benchmark")}
    assert engines == {"one", "two"}
    assert installation.rows("SELECT count(*) FROM storage_metric") == [(6,)]
