"""The whole pipeline with its real processes: sound and labels in, versions, training, benchmarks; and round again."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from atlas.ingestion import RecordingSettings
from tests.e2e.installation import Installation

pytestmark = pytest.mark.system

RATE_HZ = 4000
SECONDS = 30
FIRST, SECOND = ("monday", "tuesday"), ("wednesday", "thursday")
CONFIGURATION = """
name: DentDetector
version: 1.0.0
use_case: damage detector
task: binary
author: {name: Ines Prado, email: ines@example.org}
dataset: dents
features: [sound.1.peak, sound.1.rms]
model: {class: sklearn.linear_model.LogisticRegression}
metrics: [accuracy, roc_auc]
seed: 3
"""
BENCHMARKS = """
    SELECT m.name, v.number, b.state FROM storage_benchmark b JOIN storage_model m ON m.id = b.model_id
    JOIN storage_datasetversion v ON v.id = b.dataset_version_id ORDER BY m.name, v.number
"""
ACCURACIES = "SELECT value FROM storage_metric WHERE name = 'accuracy'"


def labels_of(name: str) -> list[str]:
    """What is heard in each second of a drive."""
    return list(np.random.default_rng(len(name)).choice(["dent", "none"], SECONDS))


def write_sound(folder: Path, name: str) -> Path:
    """A drive of which each second is loud or quiet."""
    loud = np.repeat([0.5 if label == "dent" else 0.02 for label in labels_of(name)], RATE_HZ)
    noise = np.random.default_rng(7).normal(0, 0.3, SECONDS * RATE_HZ)
    path = folder / f"{name}.wav"
    soundfile.write(path, loud * noise, RATE_HZ, subtype="PCM_16")
    return path


def write_labels(folder: Path, name: str) -> Path:
    """The labels of a drive, as somebody who listened to it writes them down."""
    path = folder / f"{name}.labels.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["start", "end", "label", "car"])
        rows.writerows([second, second + 1, label, "A1"] for second, label in enumerate(labels_of(name)))
    return path


def bring_in(installation: Installation, names: tuple[str, ...]) -> None:
    for name in names:
        installation.ingestion.send_recording(write_sound(installation.folder, name), settings=RecordingSettings())
        installation.ingestion.send_labels(name, write_labels(installation.folder, name))


def versions(installation: Installation) -> list[int]:
    return [version.rows for version in installation.ingestion.tag("dents").versions]


def benchmarks(installation: Installation) -> list[tuple[int, str]]:
    """The version and state of each model's benchmarks, the older model's first."""
    return [(number, state) for _, number, state in installation.rows(BENCHMARKS)]


def test_recordings_become_models_and_benchmarks_again_and_again(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    installation = install()
    installation.start_ingestion()
    installation.start("run_engine")
    installation.ingestion.create_tag("dents", 'label in ("dent", "none") and car = "A1"')

    bring_in(installation, FIRST)
    installation.wait_for(lambda: versions(installation)[-1:] == [2 * SECONDS], "a version with both drives")
    known = len(versions(installation))  # one for each drive, if it was looked at in between
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "dents.yaml").write_text(CONFIGURATION)
    installation.start("train", str(tmp_path / "models"), "--watch", "--every", "1")
    installation.wait_for(lambda: (known, "done") in benchmarks(installation), "a benchmark of the first model")

    bring_in(installation, SECOND)
    installation.wait_for(lambda: versions(installation)[-1:] == [4 * SECONDS], "a version with all drives")
    newest = len(versions(installation))
    installation.wait_for(lambda: benchmarks(installation).count((newest, "done")) >= 2, "both models on the newest")
    installation.wait_for(lambda: {state for _, state in benchmarks(installation)} == {"done"}, "the other benchmarks")
    assert [value for (value,) in installation.rows(ACCURACIES)] == [1.0] * len(benchmarks(installation))
    trained = installation.rows("SELECT DISTINCT name FROM storage_model")
    assert len(trained) >= 2
    assert all(name.startswith("DentDetector-1.0.0-") for (name,) in trained)
