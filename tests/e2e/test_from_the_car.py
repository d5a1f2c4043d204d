"""The full circle: a drive with impacts is recorded and sent over a bad network, and a model is trained on it."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from atlas_collector.drivers.impacts import impacts_between
from tests.collector.bad_network import BadNetwork
from tests.collector.car import Car
from tests.e2e.installation import Installation

pytestmark = pytest.mark.system

SEED, EVERY = 5, 1.0  # of the simulated impacts, in seconds
BREAKS = (100_000, 250_000, 400_000)  # bytes after which the network breaks off
PARTS = 3
LONG = 0.1  # seconds that an event lasts
CONFIGURATION = """
name: ImpactDetector
version: 1.0.0
use_case: damage detector
task: binary
author: {name: Ines Prado, email: ines@example.org}
dataset: impacts
features: [microphones.1.peak, microphones.1.rms]
model: {class: sklearn.tree.DecisionTreeClassifier}
metrics: [accuracy]
seed: 3
"""
BENCHMARKS = "SELECT state FROM storage_benchmark"
ACCURACIES = "SELECT value FROM storage_metric WHERE name = 'accuracy'"


def settings(url: str, token_file: Path) -> dict[str, Any]:
    upload = {"url": url, "token_file": str(token_file), "piece_bytes": 65_536}
    upload |= {"every_seconds": 0.2, "longest_pause_seconds": 0.5}
    simulated = {"seed": SEED, "impact_every": EVERY}
    return {
        "car": "A1",
        "environment": "dry",
        "interval": 0.2,
        "tolerance": 0.05,
        "sensors": {
            "microphones": {"rate": 8000, "channels": 2, **simulated},
            "acceleration": {"rate": 200, **simulated},
        },
        "recording": {"part_minutes": 0.08, "keep_free_megabytes": 1.0},
        "upload": upload,
    }


def write_labels(folder: Path, name: str, manifest: dict[str, Any]) -> Path:
    """The truth of the simulation: each impact, and as much of the quiet before it."""
    begin, end = (datetime.fromisoformat(manifest[key]).timestamp() for key in ("start", "end"))
    path = folder / f"{name}.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["start", "end", "label"])
        for impact in impacts_between(begin + 0.5, end - 0.5, seed=SEED, every=EVERY):
            for start, label in ((impact.time - 0.01, "impact"), (impact.time - LONG - 0.02, "none")):
                moment = datetime.fromtimestamp(start, UTC)
                rows.writerow([moment.isoformat(), (moment + timedelta(seconds=LONG)).isoformat(), label])
    return path


def test_a_drive_becomes_a_benchmarked_model_though_its_upload_broke_off_three_times(
    install: Callable[..., Installation], cars: Callable[..., Car], tmp_path: Path
) -> None:
    installation = install()
    installation.start_ingestion()
    installation.start("run_engine")
    installation.ingestion.create_tag("impacts", 'label in ("impact", "none") and car = "A1" and environment = "dry"')
    network = BadNetwork(installation.ingestion_port, BREAKS)
    with network.running():
        driving = cars(**settings(network.url, installation.folder / "ingestion-token"))
        driving.start()
        driving.wait_for(lambda: len(driving.finished()) >= PARTS, "the drive")
        driving.wait_for(lambda: len(sent(driving)) >= PARTS, "the upload")
        driving.stop()
    events = 0
    assert network.broken == len(BREAKS)
    for part in sent(driving)[:PARTS]:  # one that begins when the drive ends may hold no impact
        described = installation.ingestion.wait(f"A1-{part.stem}")
        manifest = next(each for each in driving.manifests() if each["file"] == part.name)
        assert (described.sha256, described.losses) == (manifest["sha256"], ())
        labels = write_labels(tmp_path, described.name, manifest)
        events += installation.ingestion.send_labels(described.name, labels).labels

    installation.wait_for(lambda: versions(installation)[-1:] == [events], "a version with all events")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "impacts.yaml").write_text(CONFIGURATION)
    installation.start("train", str(tmp_path / "models"), "--watch", "--every", "1")
    installation.wait_for(lambda: ("done",) in installation.rows(BENCHMARKS), "a benchmark")
    assert min(value for (value,) in installation.rows(ACCURACIES)) >= 0.9


def versions(installation: Installation) -> list[int]:
    """How many events each version has."""
    return [version.rows for version in installation.ingestion.tag("impacts").versions]


def sent(car: Car) -> list[Path]:
    """The parts that the ingestion engine has acknowledged."""
    return [part for part in car.finished() if part.with_name(part.name + ".uploaded").exists()]
