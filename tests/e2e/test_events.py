"""What happens at once because somebody told of it: an engine that hardly ever looks by itself is as quick."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import atlas
from tests.e2e.installation import Installation
from tests.samples import NOON
from tests.servers import free_port

pytestmark = pytest.mark.system

SELDOM = 3600  # seconds between two looks, longer than any test
STATES = """
    SELECT m.version, v.number, b.state FROM storage_benchmark b JOIN storage_model m ON m.id = b.model_id
    JOIN storage_datasetversion v ON v.id = b.dataset_version_id ORDER BY m.version, v.number
"""
SECRET = "hush"


def send_data(installation: Installation, name: str, rows: int) -> None:
    peak = [float(number) for number in range(rows)]
    labels = ["damaged" if number % 2 else "intact" for number in range(rows)]
    path = installation.folder / f"{name}.csv"
    pd.DataFrame({"peak": peak, "label": labels}).to_csv(path, index=False)
    installation.ingestion.upload_recording(path)


def send_model(installation: Installation, folder: Path, version: str) -> None:
    peak = pd.DataFrame({"peak": [0.0, 1.0, 2.0, 3.0]})
    sent = atlas.pack(
        LogisticRegression().fit(peak, ["intact", "damaged"] * 2),
        folder,
        name="Quick",
        version=version,
        use_case="damage detector",
        task="binary",
        author=("Ines Prado", "ines@example.org"),
        tags=["impacts"],
        metrics=["accuracy"],
        example=peak,
        created=NOON,
    )
    installation.objects.put(f"models/{sent.name}", sent)


def start(installation: Installation) -> None:
    """Start both engines; the benchmark engine listens when this returns."""
    installation.start_ingestion()
    send_data(installation, "monday", 40)
    installation.ingestion.create_tag("impacts")
    installation.start("run_engine")
    log = installation.folder / "run_engine.log"
    installation.wait_for(lambda: "The object store tells of new models" in log.read_text(), "the engine to listen")


@pytest.fixture(params=["s3", "folder"])
def installation(request: pytest.FixtureRequest, install: Callable[..., Installation], tmp_path: Path) -> Installation:
    """An engine that looks once an hour, and can be told of versions."""
    port = free_port()
    settings: dict[str, object] = {
        "poll_seconds": SELDOM,
        "webhook_address": f"127.0.0.1:{port}",
        "webhook_secret": SECRET,
        "webhooks": f"http://127.0.0.1:{port}/events/dataset-version",
    }
    if request.param == "folder":
        settings["object_store"] = str(tmp_path / "objects")
    return install(**settings)


def test_a_model_and_then_a_new_version_are_benchmarked_as_they_arrive(
    installation: Installation, tmp_path: Path
) -> None:
    start(installation)
    send_model(installation, tmp_path, "1.0.0")  # whoever finds it, the engine's first looks are over then
    installation.wait_for(lambda: installation.rows(STATES) == [("1.0.0", 1, "done")], "the first model's benchmark")
    send_model(installation, tmp_path, "1.1.0")
    on_the_first = [("1.0.0", 1, "done"), ("1.1.0", 1, "done")]
    installation.wait_for(lambda: installation.rows(STATES) == on_the_first, "the second model's benchmark")
    send_data(installation, "tuesday", 60)
    on_both = [("1.0.0", 1, "done"), ("1.0.0", 2, "done"), ("1.1.0", 1, "done"), ("1.1.0", 2, "done")]
    installation.wait_for(lambda: installation.rows(STATES) == on_both, "the new version's benchmarks")
