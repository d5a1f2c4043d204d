"""Bags of ROS 1 and 2 become channels; of damaged ones, what can be saved."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bags
from bags import Channel, Signals
from bags.signals import NANOSECONDS
from tests.bags import recordings
from tests.bags.recordings import CHUNK_TYPE, KINDS, SHAKE_TYPE, START


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where samples are written."""
    (tmp_path / "samples").mkdir()
    return tmp_path / "samples"


def by_name(signals: Signals) -> dict[str, Channel]:
    return {channel.name: channel for channel in signals.channels}


def written(kind: str, tmp_path: Path, make: Any) -> Path:
    """A bag of the entries that `make` gives for a typestore and its ROS."""
    ros = recordings.ros_of(kind)
    return recordings.write(kind, tmp_path, make(recordings.typestore(ros), ros))


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_of_messages_become_channels(kind: str, tmp_path: Path, folder: Path) -> None:
    path = recordings.write(kind, tmp_path, recordings.temperatures(300, recordings.ros_of(kind)))
    signals = bags.read(path, folder)
    assert (signals.losses, signals.is_dated, signals.start_ns, signals.duration_seconds) == ((), True, START, 299.0)
    found = by_name(signals)
    assert set(found) == {"air/temperature", "air/variance"}
    assert found["air/temperature"].unit == "°C"
    assert found["air/temperature"].values.tolist() == list(range(300))
    assert found["air/temperature"].times is found["air/variance"].times


@pytest.mark.parametrize("kind", ["bag", "mcap"])
def test_nested_fields_and_short_arrays_become_channels(kind: str, tmp_path: Path, folder: Path) -> None:
    def entries(store: Any, ros: int) -> list[recordings.Entry]:
        vector, quaternion = store.types["geometry_msgs/msg/Vector3"], store.types["geometry_msgs/msg/Quaternion"]
        many = np.zeros(9)
        imu = store.types["sensor_msgs/msg/Imu"](
            recordings.header(store, START, ros),
            quaternion(0, 0, 0, 1),
            many,
            vector(1, 2, 3),
            many,
            vector(4, 5, 6),
            many,
        )
        return [("/imu", "sensor_msgs/msg/Imu", START, imu)]

    found = by_name(bags.read(written(kind, tmp_path, entries), folder))
    assert len(found) == 10
    assert found["imu/linear_acceleration.y"].values.tolist() == [5.0]
    assert (found["imu/linear_acceleration.y"].unit, found["imu/angular_velocity.x"].unit) == ("m/s²", "rad/s")


def test_times_come_from_the_header_or_else_from_the_bag(tmp_path: Path, folder: Path) -> None:
    store = recordings.typestore(2)
    later, unset = START + NANOSECONDS, 0
    entries = [
        ("/t", "sensor_msgs/msg/Temperature", later, recordings.temperature(store, START + 5, 1.0, 2)),
        ("/t", "sensor_msgs/msg/Temperature", START + 9, recordings.temperature(store, unset, 2.0, 2)),
        ("/t", "sensor_msgs/msg/Temperature", later, recordings.temperature(store, START + 2, 3.0, 2)),
        ("/on", "std_msgs/msg/Bool", START, store.types["std_msgs/msg/Bool"](True)),
        ("/text", "std_msgs/msg/String", START, store.types["std_msgs/msg/String"]("nothing to draw")),
    ]
    found = by_name(bags.read(recordings.write("mcap", tmp_path, entries), folder))
    assert found["t/temperature"].times is not None
    assert (found["t/temperature"].times - START).tolist() == [2, 5, 9]
    assert found["t/temperature"].values.tolist() == [3.0, 1.0, 2.0]
    assert found["on/data"].values.tolist() == [1]
    assert set(found) == {"t/temperature", "t/variance", "on/data"}


@pytest.mark.parametrize("kind", ["bag", "db3"])
def test_chunks_of_sound_become_one_signal_with_gaps(kind: str, tmp_path: Path, folder: Path) -> None:
    sound = np.arange(1, 401).reshape(200, 2)

    def entries(store: Any, ros: int) -> list[recordings.Entry]:
        def chunk(first: int, stop: int) -> recordings.Entry:
            time = START + first * NANOSECONDS // 1000
            return "/microphone", CHUNK_TYPE, time, recordings.audio(store, time, 5000 + first, sound[first:stop], ros)

        return [chunk(0, 50), chunk(100, 150), chunk(150, 200), chunk(50, 60)]

    signals = bags.read(written(kind, tmp_path, entries), folder)
    found = by_name(signals)
    expected = sound.copy()
    expected[60:100] = 0
    assert list(found) == ["microphone.1", "microphone.2"]
    assert found["microphone.2"].values.tolist() == expected[:, 1].tolist()
    assert found["microphone.1"].rate_hz == 1000.0
    assert list(found["microphone.1"].gaps) == [(START + 60_000_000, START + 100_000_000)]
    assert signals.losses == ("0.040 s of sound microphone are missing, in 1 gap.",)


@pytest.mark.parametrize("kind", ["bag", "mcap"])
def test_chunks_of_several_signals_become_a_channel_each(kind: str, tmp_path: Path, folder: Path) -> None:
    samples = np.arange(300.0).reshape(100, 3)

    def entries(store: Any, ros: int) -> list[recordings.Entry]:
        def chunk(first: int, stop: int) -> recordings.Entry:
            time = START + stop * NANOSECONDS // 100
            return "/shock", SHAKE_TYPE, time, recordings.shaking(store, time, 70 + first, samples[first:stop], ros)

        return [chunk(0, 40), chunk(40, 40), chunk(50, 100)]

    signals = bags.read(written(kind, tmp_path, entries), folder)
    found = by_name(signals)
    expected = np.where(np.arange(100)[:, None] // 10 == 4, 0, samples)
    assert list(found) == ["shock/x", "shock/y", "shock/z"]
    for axis, channel in enumerate(found.values()):
        assert channel.values.tolist() == expected[:, axis].tolist()
        assert (channel.rate_hz, channel.start_ns, channel.unit) == (100.0, START, "m/s²")
    assert signals.losses == ("0.100 s of shock are missing, in 1 gap.",)


@pytest.mark.parametrize("rate", [0.0, -1.0, 1e-30, float("nan"), float("inf")])
def test_chunks_at_a_rate_that_is_none_are_left_out(rate: float, tmp_path: Path, folder: Path) -> None:
    store = recordings.typestore(1)
    entries = [("/shock", SHAKE_TYPE, START, recordings.shaking(store, START, 0, np.ones((5, 3)), 1, rate))]
    signals = bags.read(recordings.write("bag", tmp_path, entries), folder)
    assert signals.channels == ()
    assert "damaged" in signals.losses[0]


def test_a_recorder_that_begins_anew_is_placed_by_its_time(tmp_path: Path, folder: Path) -> None:
    store = recordings.typestore(1)
    sound = np.ones((100, 1))
    entries = [
        ("/m", CHUNK_TYPE, START, recordings.audio(store, START, 10**12, sound, 1)),
        ("/m", CHUNK_TYPE, START, recordings.audio(store, START + 5 * NANOSECONDS, 0, sound, 1)),
        ("/m", CHUNK_TYPE, START, recordings.audio(store, START + 5 * NANOSECONDS, 100, sound, 1)),
    ]
    [channel] = bags.read(recordings.write("bag", tmp_path, entries), folder).channels
    assert np.flatnonzero(channel.values).tolist() == [*range(100), *range(5000, 5200)]


def test_frames_far_in_the_future_do_not_fill_the_disk(tmp_path: Path, folder: Path) -> None:
    store = recordings.typestore(1)
    far = START + 10**7 * NANOSECONDS
    entries = [
        ("/m", CHUNK_TYPE, START, recordings.audio(store, time, frame, np.ones((9, 1)), 1))
        for time, frame in ((START, 0), (far, 10**10))
    ]
    signals = bags.read(recordings.write("bag", tmp_path, entries), folder)
    assert [len(channel.values) for channel in signals.channels] == [9]
    assert "too far behind" in signals.losses[0]


@pytest.mark.parametrize("kind", ["bag", "bag-lz4", "bag-bz2", "mcap", "mcap-zstd"])
def test_a_bag_that_is_cut_off_gives_what_was_written(kind: str, tmp_path: Path, folder: Path) -> None:
    path = recordings.write(kind, tmp_path, recordings.temperatures(400, recordings.ros_of(kind)))
    content = path.read_bytes()
    cut = content.rfind(b"op=\x05") - 100 if kind.startswith("bag") else len(content) // 3
    path.write_bytes(content[:cut])
    signals = bags.read(path, folder)
    values = by_name(signals)["air/temperature"].values.tolist()
    assert 20 < len(values) < 400
    assert values == list(range(len(values)))
    assert any("did not close" in loss or "cut off" in loss for loss in signals.losses)


@pytest.mark.parametrize("kind", ["bag", "bag-lz4", "bag-bz2", "mcap"])
def test_behind_a_damaged_part_reading_goes_on(kind: str, tmp_path: Path, folder: Path) -> None:
    path = recordings.write(kind, tmp_path, recordings.temperatures(400, recordings.ros_of(kind)))
    content = bytearray(path.read_bytes())
    middle = 4117 + (len(content) - 4117) // 4
    content[middle : middle + 300] = bytes(300)
    path.write_bytes(content)
    signals = bags.read(path, folder)
    found = by_name(signals)["air/temperature"]
    assert 250 < len(found.values) < 400
    assert found.values[-1] == 399.0
    assert signals.losses


def test_messages_that_the_index_counts_but_that_are_lost_are_told(tmp_path: Path, folder: Path) -> None:
    path = recordings.write("bag-lz4", tmp_path, recordings.temperatures(400, 1))
    content = bytearray(path.read_bytes())
    content[6000:6100] = bytes(100)
    path.write_bytes(content)
    signals = bags.read(path, folder)
    missing = 400 - len(signals.channels[0].values)
    assert missing > 0
    assert f"{missing} of 400 messages of topic /air are lost." in signals.losses


def test_a_chunk_with_a_wrong_checksum_is_skipped(tmp_path: Path, folder: Path) -> None:
    path = recordings.write("mcap-zstd", tmp_path, recordings.temperatures(50, 2))
    content = bytearray(path.read_bytes())
    place = content.index(b"\x04\0\0\0zstd")
    content[place - 4 : place] = b"\x01\x02\x03\x04"
    path.write_bytes(content)
    signals = bags.read(path, folder)
    assert signals.channels == ()
    assert any("does not decompress" in loss for loss in signals.losses)


def test_a_damaged_page_of_a_database_costs_its_rows_only(tmp_path: Path, folder: Path) -> None:
    path = recordings.write("db3", tmp_path, recordings.temperatures(2000, 2))
    content = bytearray(path.read_bytes())
    leaves = [place for place in range(0, len(content), 4096) if content[place] == 0x0D]  # pages of rows
    page = leaves[len(leaves) // 2]
    content[page : page + 4096] = bytes(4096)
    path.write_bytes(content)
    signals = bags.read(path, folder)
    values = by_name(signals)["air/temperature"].values
    assert 1700 < len(values) < 2000
    assert (values[0], values[-1]) == (0.0, 1999.0)
    assert any("damaged" in loss for loss in signals.losses)


def test_types_that_nobody_defines_are_listed(tmp_path: Path, folder: Path) -> None:
    path = recordings.write("db3", tmp_path, recordings.temperatures(3, 2))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM message_definitions")
        database.execute("INSERT INTO topics SELECT 9, '/x', 'some/msg/Thing', 'cdr', '', '' FROM topics")
        database.execute("INSERT INTO messages SELECT 99, 9, timestamp, data FROM messages LIMIT 1")
    signals = bags.read(path, folder)
    assert by_name(signals)["air/temperature"].values.tolist() == [0.0, 1.0, 2.0]
    [loss] = signals.losses
    assert "1 messages of topic /x could not be read: type some/msg/Thing" in loss


@pytest.mark.parametrize("kind", ["bag", "mcap"])
def test_a_definition_cannot_bring_code(kind: str, tmp_path: Path, folder: Path) -> None:
    path = recordings.write(kind, tmp_path, recordings.temperatures(3, recordings.ros_of(kind)))
    name = b"sensor_msgs/Temperature" if kind == "bag" else b"sensor_msgs/msg/Temperature"
    hostile = b"a/B:\n  print(open('/x'))\n#"[: len(name)].ljust(len(name), b"#")
    path.write_bytes(path.read_bytes().replace(name, hostile))
    signals = bags.read(path, folder)
    assert signals.channels == ()
    assert any("could not be read" in loss for loss in signals.losses)
