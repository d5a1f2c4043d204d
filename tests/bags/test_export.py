"""Parts of a recording become files that other programs read."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from bags import Channel, Signals, archive
from bags.archive import Archive
from bags.export import ExportError, Format, export
from bags.signals import NANOSECONDS
from tests.bags.recordings import START

RATE = 48_000
SOUND = (np.arange(200_000 * 2) % 30_000).reshape(-1, 2).astype("<i2")
TIMES = START + np.arange(200_000, dtype=np.int64) * NANOSECONDS // 50_000


def archived(folder: Path, signals: Signals) -> Archive:
    folder.mkdir()
    archive.write(signals, folder)

    def read(name: str, start: int, stop: int) -> bytes:
        with (folder / name).open("rb") as stream:
            stream.seek(start)
            return stream.read(stop - start)

    return Archive(read)


@pytest.fixture
def recording(tmp_path: Path) -> Archive:
    """Two microphones, a sensor of two channels, and another one."""
    sounds = [
        Channel(name=f"car/mic.{number + 1}", values=SOUND[:, number], rate_hz=RATE, start_ns=START)
        for number in range(2)
    ]
    gas = [Channel(name=f"gas/{name}", values=np.arange(200_000) * 0.5, times=TIMES) for name in ("pressure", "heat")]
    on = Channel(name="on/data", values=np.array([1, 0], np.uint8), times=TIMES[:2].copy())
    return archived(tmp_path / "archive", Signals(channels=(*sounds, *gas, on)))


def read(path: Path) -> Any:
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, parse_dates=["time"])


@pytest.mark.parametrize("form", [Format.PARQUET, Format.CSV])
def test_each_topic_becomes_a_table_with_times_to_the_nanosecond(
    form: Format, recording: Archive, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    names = export(recording, None, 0, 60, form, tmp_path / "out", progress=lambda *far: told.append(far))
    assert names == [f"car_mic.{form}", f"gas.{form}", f"on.{form}"]
    assert told[-1] == (400_002, 400_002)
    gas = read(tmp_path / "out" / names[1])
    assert list(gas) == ["time", "gas/pressure", "gas/heat"]
    assert gas["time"].astype("datetime64[ns, UTC]").astype(np.int64).tolist() == TIMES.tolist()
    assert gas["gas/heat"].tolist() == (np.arange(200_000) * 0.5).tolist()
    sound = read(tmp_path / "out" / names[0])
    assert sound["car/mic.2"].tolist() == SOUND[:, 1].tolist()
    assert sound["time"].astype("datetime64[ns, UTC]").astype(np.int64)[RATE * 3] == START + 3 * NANOSECONDS


def test_a_window_of_some_channels(recording: Archive, tmp_path: Path) -> None:
    [name] = export(recording, ["gas/heat"], 1.0, 2.5, Format.PARQUET, tmp_path)
    table = read(tmp_path / name)
    assert list(table) == ["time", "gas/heat"]
    assert table["gas/heat"].tolist() == (np.arange(50_000, 125_000) * 0.5).tolist()


def test_sound_becomes_one_file_with_all_microphones(recording: Archive, tmp_path: Path) -> None:
    assert export(recording, None, 1.0, 4.0, Format.WAV, tmp_path) == ["car_mic.wav"]
    sound, rate = soundfile.read(tmp_path / "car_mic.wav", dtype="int16")
    assert rate == RATE
    np.testing.assert_array_equal(sound, SOUND[RATE : 4 * RATE])


def test_a_stream_gets_one_file_or_a_zip_of_several(recording: Archive, tmp_path: Path) -> None:
    one, several = io.BytesIO(), io.BytesIO()
    export(recording, ["car/mic.2"], 0, 1, Format.WAV, one)
    assert soundfile.read(io.BytesIO(one.getvalue()), dtype="int16")[0].tolist() == SOUND[:RATE, 1].tolist()
    names = export(recording, None, 0, 1, Format.CSV, several)
    with zipfile.ZipFile(several) as packed:
        assert packed.namelist() == names
        assert packed.read("on.csv").splitlines()[0] == b'"time","on/data"'


@pytest.mark.parametrize(
    ("channels", "window", "form", "sentence"),
    [
        (["mic"], (0, 1), Format.CSV, "no channel 'mic'; it has car/mic.1"),
        (["car/mic.1", "on/data"], (0, 1), Format.WAV, "on/data has no fixed rate"),
        ([], (0, 1), Format.CSV, "no channel is left"),
        (None, (2, 2), Format.CSV, "not after its start"),
    ],
)
def test_what_cannot_be_exported_is_told(
    channels: list[str] | None,
    window: tuple[float, float],
    form: Format,
    sentence: str,
    recording: Archive,
    tmp_path: Path,
) -> None:
    with pytest.raises(ExportError, match=sentence):
        export(recording, channels, *window, form, tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / "archive"]


def test_no_file_is_overwritten(recording: Archive, tmp_path: Path) -> None:
    (tmp_path / "on.csv").write_text("mine")
    with pytest.raises(ExportError, match="exists already"):
        export(recording, None, 0, 1, Format.CSV, tmp_path)
    assert (tmp_path / "on.csv").read_text() == "mine"


def test_without_a_date_times_are_seconds_and_hostile_names_stay_in_the_folder(tmp_path: Path) -> None:
    values = np.arange(3.0)
    channels = [
        Channel(name=name, values=values, times=np.arange(3, dtype=np.int64) * NANOSECONDS // 2)
        for name in ("../../etc/a", ".._.._etc/b")
    ]
    undated = archived(tmp_path / "archive", Signals(channels=tuple(channels), is_dated=False))
    assert export(undated, None, 0, 9, Format.CSV, tmp_path / "out") == ["etc.csv", "etc-2.csv"]
    assert pd.read_csv(tmp_path / "out" / "etc.csv")["time"].tolist() == [0.0, 0.5, 1.0]
