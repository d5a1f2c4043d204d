"""`--watch` as a process of its own, on a real ingestion engine: new versions, new files, and what is known already."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from atlas.bundle import read_manifest
from atlas.ingestion import IngestionClient
from tests.ingestion_engine.engine import COMPONENTS_TOKEN
from tests.training_engine.conftest import engine, impacts

WAIT_SECONDS = 60.0
Watching = Callable[..., "Watch"]


class Watch:
    """A watching training engine, and what it says."""

    def __init__(self, folder: Path, log: Path, environment: dict[str, str]) -> None:
        self.log, self.output = log, folder / "bundles"
        command = [sys.executable, "-m", "training_engine", "--watch", "--every", "1", "--output", str(self.output)]
        with log.open("a") as file:
            self.process = subprocess.Popen(
                [*command, str(folder / "models")], stdout=file, stderr=file, env=environment
            )

    @property
    def bundles(self) -> list[str]:
        """What each bundle was trained on, with its version."""
        found = (read_manifest(path) for path in self.output.glob("*.atlas"))
        return sorted(f"{each.version} {each.training.query_id}" for each in found if each.training)

    def until(self, reached: Callable[[], bool]) -> None:
        """Wait until it has come so far."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not reached():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def says(self, text: str, times: int = 1) -> bool:
        """Whether it has said so, so often."""
        return self.log.read_text().count(text) >= times

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(10)


@pytest.fixture(scope="module")
def ingestion_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an ingestion engine that these tests alone send recordings to."""
    with engine(tmp_path_factory.mktemp("ingestion")) as url:
        yield url


@pytest.fixture
def watching(ingestion_url: str, tmp_path: Path) -> Iterator[Watching]:
    """Starts watching the folder `models`."""
    started: list[Watch] = []
    (tmp_path / "models").mkdir()

    def start(url: str = ingestion_url) -> Watch:
        environment = {**os.environ, "ATLAS_INGESTION_URL": url, "ATLAS_DATA_DIR": str(tmp_path / "data")}
        environment["ATLAS_INGESTION_TOKEN"] = COMPONENTS_TOKEN
        started.append(Watch(tmp_path, tmp_path / "log", environment))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()


@pytest.mark.system
def test_it_trains_on_each_new_version_and_file_and_on_none_twice(
    watching: Watching, written: Callable[..., Path], ingestion: IngestionClient, tmp_path: Path
) -> None:
    ingestion.create_tag("watched", 'recording ~ "watched"')
    impacts().to_parquet(tmp_path / "watched-1.parquet")
    ingestion.upload_recording(tmp_path / "watched-1.parquet")
    written("models/one.yaml", dataset="watched")
    watch = watching()
    watch.until(lambda: len(watch.bundles) == 1)
    written("models/two.yaml", dataset="watched", name="Two", version="2.0.0")
    watch.until(lambda: len(watch.bundles) == 2)
    impacts().assign(peak=0.5).to_parquet(tmp_path / "watched-2.parquet")
    ingestion.upload_recording(tmp_path / "watched-2.parquet")
    watch.until(lambda: len(watch.bundles) == 4)
    versions = [version.query_id for version in ingestion.tag("watched").versions]
    wanted = sorted(f"{model} {version}" for model in ("1.0.0", "2.0.0") for version in versions)
    assert watch.bundles == wanted
    assert watch.end() == 0
    again = watching()
    written("models/three.yaml", dataset="watched", name="Three", version="3.0.0")
    again.until(lambda: any(each.startswith("3.0.0") for each in again.bundles))
    assert again.bundles == [*wanted, f"3.0.0 {versions[-1]}"]
    assert again.end(signal.SIGINT) == 0


@pytest.mark.system
def test_what_cannot_be_trained_is_told_once_and_tried_again_when_its_file_is_changed(
    watching: Watching, written: Callable[..., Path], tmp_path: Path
) -> None:
    written("models/one.yaml", features=["peek"])
    written("models/wrong.yaml", task="ranking")
    watch = watching()
    watch.until(lambda: watch.says("is tried again when there are new data"))
    written("models/two.yaml", name="Two")
    watch.until(lambda: len(watch.bundles) == 1)
    assert watch.log.read_text().count("has no column peek") == 1
    assert watch.log.read_text().count("wrong.yaml, line 4: task") == 1
    written("models/one.yaml")
    watch.until(lambda: len(watch.bundles) == 2)


@pytest.mark.system
def test_it_survives_an_ingestion_engine_that_is_silent(
    watching: Watching, written: Callable[..., Path], tmp_path: Path
) -> None:
    written("models/one.yaml")
    watch = watching("http://127.0.0.1:1")
    watch.until(lambda: watch.says("cannot be reached"))
    (tmp_path / "models" / "later.yaml").write_text("name: Later")
    watch.until(lambda: watch.says("later.yaml"))
    assert watch.log.read_text().count("cannot be reached") == 1
    assert watch.end() == 0


@pytest.mark.system
def test_it_ends_at_once_whatever_it_computes(watching: Watching, written: Callable[..., Path]) -> None:
    forest = {"class": "sklearn.ensemble.RandomForestClassifier", "parameters": {"n_estimators": 1_000_000}}
    written("models/one.yaml", model=forest)
    watch = watching()
    watch.until(lambda: watch.says("fitting"))
    assert watch.end() == 0
    assert watch.bundles == []
