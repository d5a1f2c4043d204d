"""Parts are closed, kept and counted, whatever the disk, the clock and the messages do."""

import errno
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from atlas_collector import parts, room
from atlas_collector.clock import NANOSECONDS, Instant
from atlas_collector.parts import Contents, Reason
from atlas_collector.recorder import Recorder, SetInfo
from atlas_collector.recording_settings import MEGABYTE, Recording
from atlas_collector.synchroniser import Message, MessageSet

START = 1_795_774_500 * NANOSECONDS  # 2026-11-27 10:15 UTC
INDEX = b"index\n"


class LineWriter:
    """A bag of lines: one for each message, and one at the end as the index."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        file.write(b"bag\n")

    def write(self, topic: str, message: object, time_ns: int) -> None:
        if isinstance(message, Exception):
            self._file.write(b"half a mess")
            raise message
        self._file.write(f"{topic} {time_ns} {message}\n".encode())

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.write(INDEX)
        self._file.close()


class Lines:
    """Bags of lines."""

    def create(self, file: BinaryIO) -> LineWriter:
        return LineWriter(file)

    def repair(self, path: Path) -> None:
        with path.open("ab") as file:
            file.write(INDEX)

    def type_name(self, message: object) -> str:
        return "atlas_collector/SetInfo" if isinstance(message, SetInfo) else "std_msgs/String"


@dataclass
class Clock:
    seconds: float = 0.0

    def __call__(self) -> Instant:
        return Instant(START + round(self.seconds * NANOSECONDS), 50 + self.seconds)


@dataclass
class Desk:
    """A recorder with a clock and a disk that the test rules."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    free: float = 1000 * MEGABYTE
    limits: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settings = Recording(folder=self.folder, keep_free_megabytes=100, **self.limits)
        self.recorder = Recorder(settings, Lines(), self.clock)

    def record(self, second: float, content: object = "x", dropped: int = 0) -> SetInfo | None:
        self.clock.seconds = second
        stamp = START + round(second * NANOSECONDS)
        messages = tuple(Message(topic, stamp, 50 + second, content) for topic in ("/air", "/gas"))
        return self.recorder.record(MessageSet(messages, dropped))

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def manifests(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob("*.bag.json"))]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    made = Desk(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(room, "free_bytes", lambda folder: made.free)
        yield made
    made.recorder.close(Reason.SHUTDOWN)


def limited(desk: Desk, **limits: Any) -> Desk:
    desk.limits = limits
    desk.__post_init__()
    return desk


def test_a_part_is_active_while_it_is_written_and_has_a_manifest_afterwards(desk: Desk) -> None:
    desk.record(0)
    desk.record(1, dropped=3)
    assert desk.names() == ["20261127T101500Z-0001.bag.active"]
    desk.recorder.close(Reason.SHUTDOWN)
    assert desk.names() == ["20261127T101500Z-0001.bag", "20261127T101500Z-0001.bag.json"]
    content = (desk.folder / "20261127T101500Z-0001.bag").read_bytes()
    assert content.endswith(INDEX)
    assert desk.manifests() == [
        {
            "version": 1,
            "file": "20261127T101500Z-0001.bag",
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "start": "2026-11-27T10:15:00.000000Z",
            "end": "2026-11-27T10:15:01.000000Z",
            "sets": 2,
            "topics": {
                "/air": {"type": "std_msgs/String", "messages": 2},
                "/gas": {"type": "std_msgs/String", "messages": 2},
                "/set": {"type": "atlas_collector/SetInfo", "messages": 2},
            },
            "dropped": 3,
            "reason": "shutdown",
            "lost": "",
        }
    ]


def test_each_set_says_its_number_its_moment_and_what_was_dropped(desk: Desk) -> None:
    desk.record(0)
    info = desk.record(1.5, dropped=2)
    stamp = START + 1_500_000_000
    assert info == SetInfo(stamp_ns=stamp, number=1, monotonic=51.5, spread=0.0, dropped=2)
    (path,) = parts.active(desk.folder)
    assert f"/set {stamp} {info}\n" in path.read_text()


def test_a_part_that_is_long_is_closed_and_the_next_begun(desk: Desk) -> None:
    limited(desk, part_megabytes=0.0001)
    desk.record(0, "x" * 60)
    desk.record(1, "x" * 60)
    assert [manifest["reason"] for manifest in desk.manifests()] == ["size", "size"]
    assert [parts.number(path) for path in sorted(desk.folder.glob("*.bag"))] == [1, 2]


def test_a_part_that_is_old_is_closed_even_when_nothing_comes(desk: Desk) -> None:
    limited(desk, part_minutes=1)
    desk.record(0)
    desk.clock.seconds = 59
    desk.recorder.tick()
    assert desk.manifests() == []
    desk.clock.seconds = 60
    desk.recorder.tick()
    assert [manifest["reason"] for manifest in desk.manifests()] == ["time"]


def test_numbers_rise_where_the_clock_was_set_back(desk: Desk) -> None:
    desk.record(3600)
    desk.recorder.close(Reason.CLOCK)
    desk.record(0)
    desk.recorder.close(Reason.SHUTDOWN)
    assert [path.name for path in sorted(desk.folder.glob("*.bag"), key=parts.number)] == [
        "20261127T111500Z-0001.bag",
        "20261127T101500Z-0002.bag",
    ]


def test_what_was_written_is_brought_onto_the_disk_every_two_seconds(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[float] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(desk.clock.seconds))
    desk.record(0)
    synced.clear()
    for tenth in range(1, 100):
        desk.record(tenth / 10)
        desk.recorder.tick()
    assert synced == [2.0, 4.1, 6.2, 8.3]  # each two seconds after the first write that was not on the disk


def test_the_disk_is_left_alone_while_nothing_comes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.record(0)
    desk.clock.seconds = 2
    desk.recorder.tick()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: pytest.fail("there is nothing to bring onto the disk"))
        desk.clock.seconds = 30
        desk.recorder.tick()
    assert desk.recorder.recorded.synced == 52


def finished(folder: Path, number: int, *, is_uploaded: bool) -> Path:
    path = folder / f"20261127T09000{number}Z-{number:04d}.bag"
    path.write_bytes(b"bag")
    path.with_name(path.name + ".json").write_text("{}")
    if is_uploaded:
        path.with_name(path.name + ".uploaded").touch()
    return path


def test_the_oldest_uploaded_parts_are_deleted_until_there_is_room(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = finished(desk.folder, 1, is_uploaded=False)
    gone, newer = (finished(desk.folder, number, is_uploaded=True) for number in (2, 3))
    monkeypatch.setattr(room, "free_bytes", lambda folder: (99 if gone.exists() else 101) * MEGABYTE)
    assert desk.record(0)
    assert kept.exists()
    assert newer.exists()
    assert [name for name in desk.names() if name.startswith(gone.name)] == []


def test_a_full_disk_closes_the_part_and_is_said_once_until_there_is_room(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    waiting = finished(desk.folder, 1, is_uploaded=False)
    desk.record(0)
    desk.free = 99 * MEGABYTE
    with caplog.at_level(logging.WARNING):
        assert [desk.record(second) for second in (1, 2, 3)] == [None, None, None]
        desk.free = 101 * MEGABYTE  # closing and opening a part for each set helps nobody
        assert desk.record(4) is None
        desk.free = 130 * MEGABYTE
        assert desk.record(5)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert waiting.exists()
    assert [manifest.get("reason") for manifest in desk.manifests()] == [None, "disk"]
    assert (desk.recorder.recorded.sets, desk.recorder.recorded.refused) == (2, 4)


def test_a_message_that_cannot_be_written_costs_its_set_alone(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.record(0)
    assert desk.record(1, ValueError("no such field")) is None
    assert desk.recorder.recorded.error == "no such field"
    assert desk.record(2)
    desk.recorder.close(Reason.SHUTDOWN)
    first, second = desk.manifests()
    assert (first["reason"], first["sets"], second["reason"], second["sets"]) == ("error", 1, "shutdown", 1)
    assert "half a mess" not in (desk.folder / first["file"]).read_text()
    assert (desk.recorder.recorded.failed, desk.recorder.recorded.error) == (1, "")
    assert "no such field" in caplog.text


def test_a_disk_that_is_full_in_the_middle_of_a_set_costs_that_set_alone(desk: Desk) -> None:
    desk.record(0)
    assert desk.record(1, OSError(errno.ENOSPC, "No space left on device")) is None
    (manifest,) = desk.manifests()
    content = (desk.folder / manifest["file"]).read_text()
    assert (manifest["reason"], manifest["sets"]) == ("disk", 1)
    assert "half a mess" not in content
    assert content.endswith(INDEX.decode())


def test_a_first_set_that_cannot_be_written_leaves_no_file(desk: Desk) -> None:
    assert desk.record(0, ValueError("no such field")) is None
    assert desk.names() == []


def test_a_folder_that_is_gone_stops_nothing(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    home = desk.folder
    desk.folder = home / "drive"
    limited(desk)
    assert [desk.record(second) for second in range(3)] == [None] * 3
    assert caplog.text.count("Cannot record") == 1
    desk.folder.mkdir()
    assert desk.record(3)
    desk.recorder.close(Reason.SHUTDOWN)


def test_a_manifest_that_finds_no_room_leaves_the_part_for_the_next_start(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    desk.record(0)
    with monkeypatch.context() as patch:
        patch.setattr(parts, "write_durably", full)
        desk.recorder.close(Reason.SHUTDOWN)
    (left,) = parts.active(desk.folder)
    assert left.read_bytes().endswith(INDEX)
    assert "The next start finishes it" in caplog.text
    parts.finish(left, Reason.SALVAGED, Contents(start_ns=0, end_ns=0, sets=1))
    assert [manifest["reason"] for manifest in desk.manifests()] == ["salvaged"]


def test_a_manifest_is_there_as_a_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output"):
        parts.write_durably(tmp_path / "a.bag.json", "{}")
    assert list(tmp_path.iterdir()) == []


def test_other_files_in_the_folder_are_no_parts(tmp_path: Path) -> None:
    for name in ("notes.bag.active", "20261127T101500Z-0007.bag.active.new", "20261127T101500Z-12.bag.json"):
        (tmp_path / name).touch()
    assert parts.active(tmp_path) == []
    assert parts.new_path(tmp_path, START).name == "20261127T101500Z-0013.bag.active"
