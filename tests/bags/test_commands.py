"""`atlas bag info`, `salvage` and `export`."""

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import typer
from typer.testing import CliRunner, Result

from atlas import cli
from bags.signals import NANOSECONDS
from tests.bags import recordings
from tests.bags.recordings import CHUNK_TYPE, START

REFERENCE = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def command(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if Atlas was installed anew since the command is there."""
    entry = metadata.EntryPoint("bag", "bags.commands:app", "atlas.commands")
    points = metadata.EntryPoints([entry])
    monkeypatch.setattr(metadata, "entry_points", lambda **wanted: points.select(**wanted))


def atlas(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, ["bag", *map(str, arguments)])


def bag(kind: str, folder: Path, seconds: int = 20) -> Path:
    """Two microphones at 1000 Hz in chunks of half a second, and a temperature each second."""
    ros = recordings.ros_of(kind)
    store, entries = recordings.typestore(ros), recordings.temperatures(seconds, ros)
    for number in range(2 * seconds):
        time = START + number * NANOSECONDS // 2
        samples = np.arange(1000).reshape(-1, 2) + number
        entries.append(("/mic", CHUNK_TYPE, time, recordings.audio(store, time, number * 500, samples, ros)))
    return recordings.write(kind, folder, sorted(entries, key=lambda entry: entry[2]))


@pytest.mark.parametrize("kind", ["bag", "bag-lz4", "mcap", "db3"])
def test_info_lists_topics_and_channels(kind: str, tmp_path: Path) -> None:
    path = bag(kind, tmp_path)
    said: Any = json.loads(atlas("info", path, "--json").stdout)
    assert (said["start"], said["duration_seconds"]) == ("2023-11-14T22:13:20.000+00:00", 19.5)
    assert (said["size_bytes"], said["losses"]) == (path.stat().st_size, [])
    topics = {topic["name"]: topic for topic in said["topics"]}
    assert (topics["/air"]["messages"], topics["/air"]["rate_hz"]) == (20, 1.0)
    assert {"name": "air/temperature", "unit": "°C", "rate_hz": 1.0} in topics["/air"]["channels"]
    assert topics["/mic"]["channels"][1] == {"name": "mic.2", "unit": "", "rate_hz": 1000.0}
    shown = atlas("info", path).stdout
    assert all(text in shown for text in ("2023-11-14", "19.500 s", "/mic", "mic.2", "1,000 Hz", "°C"))


def test_info_says_what_is_damaged(tmp_path: Path) -> None:
    path = bag("bag", tmp_path)
    path.write_bytes(path.read_bytes()[:15_000])
    assert "Damaged: The file was cut off" in atlas("info", path).stdout


def test_a_bag_is_salvaged_beside_the_damaged_one(tmp_path: Path) -> None:
    path = bag("bag", tmp_path).rename(tmp_path / "a.bag.active")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    done = atlas("salvage", path)
    assert done.stdout.splitlines()[0] == str(tmp_path / "a.salvaged.bag")
    assert "lost: The file was cut off" in done.stderr
    said = json.loads(atlas("info", tmp_path / "a.salvaged.bag", "--json").stdout)
    assert said["losses"] == []
    assert 5 < said["topics"][0]["messages"] < 20
    assert path.stat().st_size == len(content) // 2


def test_salvage_overwrites_nothing(tmp_path: Path) -> None:
    path = bag("mcap", tmp_path)
    before = path.read_bytes()
    refused = atlas("salvage", path, "-o", path)
    assert (refused.exit_code, "exists already" in refused.stderr) == (1, True)
    assert path.read_bytes() == before
    said = json.loads(atlas("salvage", path, "-o", tmp_path / "new.mcap", "--json").stdout)
    assert said == {"bag": str(tmp_path / "new.mcap"), "messages": {"/air": 20, "/mic": 40}, "losses": []}
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bag", "new.mcap"]


def test_what_is_no_bag_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,a\n0,1\n")
    for name in ("info", "salvage"):
        refused = atlas(name, tmp_path / "a.csv", "--json")
        assert refused.exit_code == 1
        assert "no bag" in json.loads(refused.stdout)["error"]["message"]


def test_export_writes_tables_and_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bag("bag", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert atlas("export", path, "--format", "csv").stdout.split() == ["a/air.csv", "a/mic.csv"]
    assert pd.read_csv("a/air.csv")["air/temperature"].tolist() == list(range(20))
    one = atlas("export", path, "--format", "wav", "--start", 2, "--end", 3.5, "-o", "sounds", "--json")
    assert json.loads(one.stdout) == {"files": ["sounds/mic.wav"], "losses": []}
    sound, rate = soundfile.read("sounds/mic.wav", dtype="int16")
    assert (rate, sound.shape, sound[0].tolist()) == (1000, (1500, 2), [4, 5])
    chosen = atlas("export", path, "--format", "parquet", "--channels", "mic.2, air/variance", "-o", "some")
    assert [list(pd.read_parquet(name)) for name in chosen.stdout.split()] == [
        ["time", "mic.2"],
        ["time", "air/variance"],
    ]
    assert "no channel 'x'" in atlas("export", path, "--format", "csv", "--channels", "x").stderr


def test_the_reference_describes_every_option() -> None:
    root: Any = typer.main.get_command(cli.app)
    group = root.get_command(typer.Context(root), "bag")
    section = REFERENCE.partition("## atlas bag\n")[2].partition("\n## ")[0]
    for name in ("info", "salvage", "export"):
        assert f"atlas bag {name}" in section
        options = (option for parameter in group.commands[name].params for option in parameter.opts)
        assert all(f"`{option}`" in section or f"[{option}" in section for option in options if option[0] == "-")
