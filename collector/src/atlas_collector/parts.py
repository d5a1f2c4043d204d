"""The parts of recordings in their folder: their names, their manifests, and how a part is finished for good.

A part is `<start>-<number>.bag.active` while it is written and `….bag` afterwards. Beside it lie its manifest,
`….bag.json`, and `….bag.uploaded` once the ingestion engine has acknowledged it. The numbers rise, also where the
clock was wrong.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from atlas_collector.clock import NANOSECONDS

ACTIVE, MANIFEST, UPLOADED = ".active", ".json", ".uploaded"
VERSION = 1

_NAME = re.compile(r"\d{8}T\d{6}Z-(\d+)\.bag")


class Reason(StrEnum):
    """Why a part was closed."""

    SIZE = "size"
    TIME = "time"
    CLOCK = "clock"
    SHUTDOWN = "shutdown"
    DISK = "disk"
    ERROR = "error"
    SALVAGED = "salvaged"


@dataclass(frozen=True, slots=True)
class TopicContents:
    """The messages of one topic: their type, such as `atlas_collector/GasReading`, and how many there are."""

    type: str
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a part holds.

    Attributes:
        start_ns, end_ns: the first and last stamp, in nanoseconds since 1970; 0 if there is no message.
        sets: how many sets.
        dropped: how many messages were dropped before its sets, as its SetInfo messages say.
        lost: what a power cut cost, in sentences.
    """

    start_ns: int
    end_ns: int
    sets: int
    topics: Mapping[str, TopicContents] = field(default_factory=dict)
    dropped: int = 0
    lost: str = ""


def new_path(folder: Path, start_ns: int) -> Path:
    """Where the next part of a folder is written."""
    start = datetime.fromtimestamp(start_ns // NANOSECONDS, UTC)
    return folder / f"{start:%Y%m%dT%H%M%SZ}-{_highest_number(folder) + 1:04d}.bag{ACTIVE}"


def number(path: Path) -> int:
    """The number of a part, from the name of any of its files; 0 of other files."""
    found = _NAME.match(path.name)
    return int(found[1]) if found else 0


def active(folder: Path) -> list[Path]:
    """The parts that are being written, or that a power cut left, oldest first."""
    return _listed(folder, ACTIVE)


def finished(folder: Path) -> list[Path]:
    """The parts that are closed, oldest first."""
    return _listed(folder, "")


def uploaded(folder: Path) -> list[Path]:
    """The parts that the ingestion engine has acknowledged, oldest first, also those that are deleted already."""
    return [mark.with_suffix("") for mark in _listed(folder, UPLOADED)]


def finish(path: Path, reason: Reason, contents: Contents) -> Path:
    """Writes the manifest of a part that has its index, and takes the `.active` from its name.

    Survives being cut off at any point: until the last step the part is `.active`, and can be finished again.

    Returns:
        The part's new path.

    Raises:
        OSError: the disk took it not.
    """
    sync_file(path)
    finished = path.with_suffix("")
    write_durably(finished.with_name(finished.name + MANIFEST), _manifest(path, finished.name, reason, contents))
    path.rename(finished)
    sync_folder(path.parent)
    return finished


def delete(part: Path) -> None:
    """Deletes a part with what lies beside it; the mark last: a half deleted part is still known as uploaded."""
    for path in (part, part.with_name(part.name + MANIFEST), part.with_name(part.name + UPLOADED)):
        path.unlink(missing_ok=True)


def write_durably(path: Path, text: str) -> None:
    """Writes a file so that after a power cut it is either there as a whole or not at all."""
    temporary = path.with_name(path.name + ".new")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Waits until what was written to a file is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Waits until the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _manifest(path: Path, name: str, reason: Reason, contents: Contents) -> str:
    topics = {topic: {"type": held.type, "messages": held.messages} for topic, held in sorted(contents.topics.items())}
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    manifest = {
        "version": VERSION,
        "file": name,
        "bytes": path.stat().st_size,
        "sha256": digest,
        "start": _written(contents.start_ns),
        "end": _written(contents.end_ns),
        "sets": contents.sets,
        "topics": topics,
        "dropped": contents.dropped,
        "reason": str(reason),
        "lost": contents.lost,
    }
    return json.dumps(manifest, indent=2) + "\n"


def _written(time_ns: int) -> str | None:
    """A time in UTC as ISO 8601 writes it, to the microsecond."""
    if not time_ns:
        return None
    seconds, rest = divmod(time_ns, NANOSECONDS)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _highest_number(folder: Path) -> int:
    return max((number(path) for path in folder.iterdir()), default=0)


def _listed(folder: Path, ending: str) -> list[Path]:
    return sorted(_endings(folder, ending), key=lambda path: (number(path), path.name))


def _endings(folder: Path, ending: str) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.endswith(".bag" + ending) and _NAME.match(path.name):
            yield path
