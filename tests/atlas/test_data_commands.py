"""`atlas recording` and `atlas dataset` against the reference engine, run as a process of its own."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from atlas.cli import app
from atlas.datasets import read_arrow
from atlas.ingestion import IngestionClient
from tests.ingestion_engine.server import person_token, prepared, serving

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What somebody has set who uses the command: where the engine is, and their token."""
    with prepared(tmp_path_factory.mktemp("engine")) as environment, serving(environment) as address:
        yield {"ATLAS_INGESTION_URL": address, "ATLAS_TOKEN": person_token(environment)}


@pytest.fixture(autouse=True)
def engine(told: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a person who has set up the command."""
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS", "GITHUB_ACTIONS", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def said(*arguments: object) -> Any:
    """The JSON document that a command prints when all is well."""
    outcome = run(*arguments, "--json")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    return json.loads(outcome.stdout)


def events(path: Path, *labels: str) -> Path:
    path.write_text("label\n" + "".join(f"{label}\n" for label in labels))
    return path


def test_recordings_are_sent_and_waited_for(tmp_path: Path) -> None:
    files = [events(tmp_path / f"{day}.csv", "dent", "none") for day in ("monday", "tuesday")]
    outcome = run("recording", "send", *files, "--wait")
    assert outcome.exit_code == 0
    for day in ("monday", "tuesday"):
        assert re.search(rf"{day} +ready +2 ", outcome.stdout)
    assert {"monday", "tuesday"} <= {each["name"] for each in said("recording", "list")["recordings"]}


def test_what_the_file_does_not_say_is_given_by_options(tmp_path: Path) -> None:
    file = events(tmp_path / "drive.csv", "dent")
    options = ("--name", "drive-1", "--start", "2026-01-31T12:00:00", "--car", "A1", "--before", "0.5", "--window", "2")
    (recording,) = said("recording", "send", file, *options)["recordings"]
    assert recording["name"] == "drive-1"
    settings = recording["settings"]
    assert (settings["start"], settings["car"]) == ("2026-01-31T12:00:00Z", "A1")
    assert (settings["before_seconds"], settings["window_seconds"]) == (0.5, 2.0)


def test_a_file_that_cannot_be_decoded_is_told_with_status_1(tmp_path: Path) -> None:
    file = tmp_path / "broken.csv"
    file.write_text("x\n1\n")
    outcome = run("recording", "send", file, "--wait")
    assert outcome.exit_code == 1
    assert "error: The recording broken could not be decoded" in outcome.stderr


@pytest.mark.parametrize(
    ("options", "wrong"),
    [(("--start", "yesterday"), "--start"), (("--window", "0"), "--window"), (("--before", "-1"), "--before")],
)
def test_a_wrong_option_is_wrong_usage(tmp_path: Path, options: tuple[str, ...], wrong: str) -> None:
    outcome = run("recording", "send", events(tmp_path / "x.csv", "dent"), *options)
    assert outcome.exit_code == 2
    assert wrong in outcome.stderr


def test_one_name_cannot_be_of_two_files(tmp_path: Path) -> None:
    files = [events(tmp_path / f"{number}.csv", "dent") for number in range(2)]
    assert run("recording", "send", *files, "--name", "both").exit_code == 2


def test_labels_wait_for_their_recording(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("start,end,label\n0.5,1,dent\n2,3,none\n")
    (receipt,) = said("recording", "labels", "not-yet-there", labels)["labels"]
    assert (receipt["recording"], receipt["labels"], receipt["waiting"]) == ("not-yet-there", 2, True)
    assert re.search("not-yet-there +2 +0 +0 +yes", run("recording", "labels", "not-yet-there", labels).stdout)


def test_a_dataset_is_listed_and_fetched(tmp_path: Path) -> None:
    run("recording", "send", events(tmp_path / "week.csv", *["dent"] * 40), "--wait")
    with IngestionClient.from_environment() as client:
        tag = client.create_tag("week", 'recording = "week"')
    query_id = tag.versions[0].query_id
    assert re.search(r"week +1 +40 +recording = \"week\"", run("dataset", "list").stdout)
    paths = run("dataset", "download", "week", "-o", tmp_path / "data").stdout.split()
    assert [Path(path).name for path in paths] == [f"{query_id}-training.arrow", f"{query_id}-evaluation.arrow"]
    assert sum(read_arrow(Path(path)).num_rows for path in paths) == 40
    options = ("--split", "training", "--format", "parquet", "--columns", "label,id", "-o", tmp_path)
    (file,) = said("dataset", "download", "week", *options)["files"]
    assert pq.read_table(file["file"]).column_names == ["id", "label"]


def test_a_version_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    run("recording", "send", events(tmp_path / "other.csv", "dent"), "--wait")
    with IngestionClient.from_environment() as client:
        client.create_tag("other", 'recording = "other"')
    outcome = run("dataset", "download", "other", "--version", "7", "-o", tmp_path)
    assert outcome.exit_code == 1
    assert "has no version 7; its versions: 1" in outcome.stderr
