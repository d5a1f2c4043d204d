"""What real file systems keep of recordings when the power goes, and when they are full."""

import fcntl
import hashlib
import json
import os
import re
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from rosbags.highlevel import AnyReader

from atlas_collector import parts
from atlas_collector.salvage import salvage_folder
from tests.collector import ros

pytestmark = pytest.mark.system

LOST_SECONDS = 2.0
_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN of linux/fs/ext4: from now on nothing reaches the disk any more
_WITHOUT_LOG = 2  # … not even what waits in the journal


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return ros.built(tmp_path_factory.mktemp("ros") / "workspace")


class Disk:
    """A file system in a file, which power cuts can hit."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self._image, self.folder = folder / "disk.img", folder / "disk"
        self.folder.mkdir()
        with self._image.open("wb") as image:
            image.truncate(megabytes << 20)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", str(self._image))

    def mount(self) -> None:
        _run("mount", "-o", "loop", str(self._image), str(self.folder))

    def unmount(self) -> None:
        _run("umount", str(self.folder))

    def cut_power(self) -> None:
        """From now on nothing is written, also of what the system has yet to write."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _WITHOUT_LOG))
        finally:
            os.close(descriptor)


def _run(*command: str) -> None:
    environment = os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk of 64 MB."""
    try:
        made = Disk(tmp_path, 64)
        made.mount()
    except OSError as error:
        pytest.skip(f"no file system can be mounted here, which only root may do on most computers: {error}")
    yield made
    made.unmount()


def driving(environment: dict[str, str], folder: Path, sets: int, **settings: float) -> subprocess.Popen[str]:
    command = [ros.PYTHON, str(Path(__file__).with_name("drive.py")), str(folder), str(sets), json.dumps(settings)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def numbers(said: str, word: str) -> list[int]:
    return [int(number) for number in re.findall(rf"^{word} (\d+)$", said, re.MULTILINE)]


def recorded(folder: Path) -> list[Any]:
    """What is recorded about the sets in all finished parts, which are as their manifests say, and complete."""
    found: list[Any] = []
    for part in parts.finished(folder):
        manifest: dict[str, Any] = json.loads(part.with_name(part.name + parts.MANIFEST).read_text())
        assert manifest["sha256"] == hashlib.sha256(part.read_bytes()).hexdigest()
        with AnyReader([part]) as reader:
            sets = [
                cast(Any, reader.deserialize(content, connection.msgtype))
                for connection, _, content in reader.messages()
                if connection.topic == "/set"
            ]
            assert {each.topic: each.msgcount for each in reader.connections} == dict.fromkeys(
                ("/gas", "/microphones", "/set"), len(sets)
            )
        assert manifest["sets"] == len(sets)
        found.extend(sets)
    return found


@pytest.mark.parametrize("after", [7, 40, 95])
def test_a_power_cut_costs_only_what_was_not_yet_due_on_the_disk(
    disk: Disk, environment: dict[str, str], after: int
) -> None:
    drive = driving(environment, disk.folder, 10_000, part_megabytes=0.5, sync_seconds=0.3, keep_free_megabytes=5)
    assert drive.stdout
    said = [drive.stdout.readline()]
    began = time.monotonic()
    said += [drive.stdout.readline() for _ in range(after - 1)]
    cut = time.monotonic()
    disk.cut_power()
    drive.kill()
    rest, _ = drive.communicate()
    disk.unmount()
    disk.mount()
    salvage_folder(disk.folder)
    kept = recorded(disk.folder)
    on_disk = max(numbers("".join(said), "synced"), default=0)
    assert [each.number for each in kept] == list(range(len(kept)))
    assert on_disk <= len(kept) <= max(numbers("".join(said) + rest, "written")) + 1
    assert cut - max((each.monotonic for each in kept), default=began) <= LOST_SECONDS
    assert parts.active(disk.folder) == []


def test_a_full_disk_costs_only_the_sets_that_did_not_fit(disk: Disk, environment: dict[str, str]) -> None:
    filler = disk.folder / "other"
    free = os.statvfs(disk.folder)
    filler.write_bytes(bytes(free.f_bavail * free.f_frsize - 1_500_000))
    drive = driving(environment, disk.folder, 150, part_megabytes=0.4, keep_free_megabytes=0)
    said, log = drive.communicate(timeout=60)
    assert drive.returncode == 0, log
    assert "lost" in said
    filler.unlink()
    salvage_folder(disk.folder)
    assert [each.number for each in recorded(disk.folder)] == numbers(said, "written")


def test_after_a_full_disk_recording_goes_on_by_itself(disk: Disk, environment: dict[str, str]) -> None:
    filler = disk.folder / "other"
    free = os.statvfs(disk.folder)
    filler.write_bytes(bytes(free.f_bavail * free.f_frsize - 4_000_000))
    drive = driving(environment, disk.folder, 200, keep_free_megabytes=3)
    assert drive.stdout
    said = []
    while "lost\n" not in said:
        said.append(drive.stdout.readline())
    (closed,) = parts.finished(disk.folder)
    assert json.loads(closed.with_name(closed.name + ".json").read_text())["reason"] == "disk"
    filler.unlink()
    rest, log = drive.communicate(timeout=60)
    assert drive.returncode == 0, log
    assert parts.active(disk.folder) == []
    assert [each.number for each in recorded(disk.folder)] == numbers("".join(said) + rest, "written")
    assert "There is room on the disk again" in log
