"""The whole of Atlas as a company runs it, used from outside: data in, a model in, results out.

Then everything is lost, and comes back from a backup.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression

import atlas
from atlas.datasets import Split
from atlas.ingestion import RecordingSettings
from tests.compose.project import Project
from tests.compose.visitor import Scientist, Visitor, scientist
from tests.e2e.test_full_circle import FIRST, SECOND, SECONDS, write_labels, write_sound

pytestmark = [pytest.mark.system(minutes=10), pytest.mark.timeout(900)]

TAG, QUERY = "dents", 'label in ("dent", "none") and car = "A1"'
FEATURES = ["sound.1.peak", "sound.1.rms"]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What people would miss if it were lost, as the APIs tell it."""

    models: list[dict[str, Any]]
    benchmarks: list[dict[str, Any]]
    recordings: list[dict[str, Any]]
    versions: list[dict[str, Any]]
    person: dict[str, Any]

    @classmethod
    def of(cls, who: Scientist) -> "Kept":
        """All that there is now."""
        benchmarks = [who.atlas.benchmark(each.id) for each in who.atlas.benchmarks()]
        return cls(
            models=[who.atlas.model(each.id).model_dump(mode="json") for each in who.atlas.models()],
            benchmarks=[each.model_dump(mode="json") for each in benchmarks],
            recordings=[each.model_dump(mode="json") for each in who.ingestion.recordings()],
            versions=[each.model_dump(mode="json") for each in who.ingestion.tag(TAG).versions],
            person=who.atlas.whoami().model_dump(mode="json"),
        )


def bring_in(who: Scientist, folder: Path, drives: tuple[str, ...]) -> None:
    """Send drives and what is heard in each of their seconds."""
    for drive in drives:
        who.ingestion.send_recording(write_sound(folder, drive), settings=RecordingSettings())
        who.ingestion.send_labels(drive, write_labels(folder, drive))


def wait_for_version(who: Scientist, rows: int) -> int:
    """Wait until the newest version has so many rows; its number."""
    who.project.wait_for(
        lambda: [version.rows for version in who.ingestion.tag(TAG).versions][-1:] == [rows], f"{rows} rows"
    )
    return len(who.ingestion.tag(TAG).versions)


def train(who: Scientist, folder: Path) -> Path:
    """The bundle of a model of what the newest version has for training."""
    newest = who.ingestion.dataset(who.ingestion.tag(TAG).versions[-1].query_id)
    data = folder / "training.arrow"
    who.ingestion.download(newest, Split.TRAINING, data)
    rows: pd.DataFrame = pa.ipc.open_file(str(data)).read_all().to_pandas()
    return atlas.pack(
        LogisticRegression().fit(rows[FEATURES], rows["label"]),
        folder,
        name="DentDetector",
        version="1.0.0",
        use_case="damage detector",
        task="binary",
        author=("Ines Prado", "ines@example.org"),
        tags=[TAG],
        metrics=["accuracy", "roc_auc"],
        example=rows[FEATURES].head(),
        format="joblib",
    )


def benchmarked(who: Scientist) -> dict[int, str]:
    """The state of the benchmark on each version, by the version's number."""
    return {each.dataset.number: each.state.value for each in who.atlas.benchmarks()}


def go_round(who: Scientist, folder: Path) -> None:
    """Data, a model, its benchmark; more data, and its benchmark on those."""
    bring_in(who, folder, FIRST)
    who.ingestion.create_tag(TAG, QUERY)
    first = wait_for_version(who, 2 * SECONDS)
    who.command("push", train(who, folder), "--wait")
    assert benchmarked(who)[first] == "done"
    bring_in(who, folder, SECOND)
    newest = wait_for_version(who, 4 * SECONDS)
    who.project.wait_for(lambda: benchmarked(who).get(newest) == "done", "the benchmark on the newest version")


@pytest.fixture
def project(built: Project) -> Project:
    """One that knows of nothing yet, whatever was tested before."""
    built.down()
    built.up()
    return built


def test_all_that_atlas_did_is_there_again_after_everything_was_lost(project: Project, tmp_path: Path) -> None:
    with scientist(project, "circle") as who:
        go_round(who, tmp_path)
        [model] = who.atlas.models()
        check_reports(project, model.id, model.name)
        kept = Kept.of(who)
        assert {metric["value"] for each in kept.benchmarks for metric in each["metrics"]} == {1.0}
        project.examine()
        project.back_up()

        project.down()
        project.restore()
        project.up()

        assert Kept.of(who) == kept
        (back := tmp_path / "back").mkdir()
        assert who.atlas.download(model.name, back).exists()
        check_reports(project, model.id, model.name)


def check_reports(project: Project, model: int, name: str) -> None:
    """The model's report comes as a page for others and as a PDF."""
    with Visitor(project) as visitor:
        visitor.sign_in()
        assert name in visitor.get(f"/models/{model}/report.html").text
        assert visitor.get(f"/models/{model}/report.pdf").content.startswith(b"%PDF-")
