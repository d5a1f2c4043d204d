"""Writes sets into the parts of a recording, so that neither a power cut nor a full disk costs more than the newest."""

import errno
import logging
import os
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from atlas_collector import parts
from atlas_collector.clock import Instant
from atlas_collector.parts import Contents, Reason, TopicContents
from atlas_collector.recording_settings import MEGABYTE, Recording
from atlas_collector.room import Room
from atlas_collector.synchroniser import MessageSet

SET_TOPIC = "/set"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetInfo:
    """What is recorded about a set.

    Attributes:
        stamp_ns: its earliest stamp, in nanoseconds since 1970.
        number: counts the recorded sets from 0 since the listener was started.
        monotonic: when it was complete, in seconds of the clock that never jumps.
        spread: from its earliest stamp to its latest, in seconds.
        dropped: messages that were dropped since the set before.
    """

    stamp_ns: int
    number: int
    monotonic: float
    spread: float
    dropped: int


class BagWriter(Protocol):
    """A bag that is written."""

    def write(self, topic: str, message: object, time_ns: int) -> None:
        """Adds a message, or a SetInfo."""

    def flush(self) -> None:
        """Ends the chunk: what follows does not change it."""

    def close(self) -> None:
        """Writes the index, and closes the file."""


class BagFormat(Protocol):
    """How bags are written."""

    def create(self, file: BinaryIO) -> BagWriter:
        """A new bag in an empty file."""

    def repair(self, path: Path) -> None:
        """Writes the index of a bag that consists of whole chunks and was not closed."""

    def type_name(self, message: object) -> str:
        """The type of a message, or of a SetInfo, as ROS writes it."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the recorder has done since it was made, and where it stands.

    Attributes:
        sets: written.
        refused: sets for which there was no room.
        failed: sets that could not be written.
        part: the open part; None between parts.
        part_bytes: its length.
        synced: when what was written last came onto the disk, in seconds of the monotonic clock.
        is_full: whether sets are refused.
        error: what the last write failed with, until one succeeds.
    """

    sets: int = 0
    refused: int = 0
    failed: int = 0
    part: Path | None = None
    part_bytes: int = 0
    synced: float | None = None
    is_full: bool = False
    error: str = ""


class Part:
    """A part that is being written."""

    def __init__(self, path: Path, bags: BagFormat, now: Instant) -> None:
        self.path, self.opened = path, now.monotonic
        self.whole_bytes = 0
        self._bags = bags
        self._contents = Contents(start_ns=0, end_ns=0, sets=0)
        self._counts: Counter[str] = Counter()
        self._types: dict[str, str] = {}
        self._file: BinaryIO = path.open("x+b")
        try:
            self._writer = bags.create(self._file)
            parts.sync_folder(path.parent)
        except Exception:
            self._cut()
            raise

    def append(self, found: MessageSet, info: SetInfo) -> None:
        """Writes a set as one chunk."""
        entries = [(message.topic, message.content, message.stamp_ns) for message in found.messages]
        entries.append((SET_TOPIC, info, info.stamp_ns))
        for topic, content, time_ns in entries:
            self._writer.write(topic, content, time_ns)
        self._writer.flush()
        self._file.flush()
        self.whole_bytes = self._file.tell()
        for topic, content, _ in entries:
            self._counts[topic] += 1
            self._types[topic] = self._bags.type_name(content)
        self._grow([time_ns for _, _, time_ns in entries], info.dropped)

    def sync(self) -> None:
        """Waits until what was written is on the disk."""
        os.fsync(self._file.fileno())

    def close(self, reason: Reason) -> Path:
        """Finishes the part; returns its new path.

        Raises:
            OSError: the disk took it not. The part stays `.active`, with all its whole sets.
        """
        try:
            self._writer.close()
        except OSError:
            self._cut()
            self._bags.repair(self.path)
        return parts.finish(self.path, reason, self.contents)

    def rescue(self, reason: Reason) -> Path | None:
        """Finishes a part whose last write failed, with its whole sets; returns its new path, None if it has none."""
        self._cut()
        if not self.whole_bytes:
            return None
        self._bags.repair(self.path)
        return parts.finish(self.path, reason, self.contents)

    @property
    def contents(self) -> Contents:
        """What its whole sets hold."""
        topics = {topic: TopicContents(self._types[topic], count) for topic, count in self._counts.items()}
        return replace(self._contents, topics=topics)

    def _cut(self) -> None:
        """Takes away what was written after the last whole set: all of a part that has none."""
        with suppress(OSError):  # what waits to be written is not wanted any more
            self._file.close()
        os.truncate(self.path, self.whole_bytes)
        if not self.whole_bytes:
            self.path.unlink()

    def _grow(self, times: list[int], dropped: int) -> None:
        before = self._contents
        self._contents = replace(
            before,
            start_ns=min([*times, *([before.start_ns] if before.sets else [])]),
            end_ns=max(*times, before.end_ns),
            sets=before.sets + 1,
            dropped=before.dropped + dropped,
        )


class Recorder:
    """Writes sets one after the other, from one thread. What a disk does it never raises: it counts and says it."""

    def __init__(self, settings: Recording, bags: BagFormat, clock: Callable[[], Instant] = Instant.now) -> None:
        self._settings, self._bags, self._clock = settings, bags, clock
        self._room = Room(settings)
        self._part: Part | None = None
        self._unsynced_since: float | None = None  # monotonic: the oldest write that may not be on the disk yet
        self._recorded = Recorded()

    @property
    def recorded(self) -> Recorded:
        """What was done until now; may be read by any thread."""
        return self._recorded

    def record(self, found: MessageSet) -> SetInfo | None:
        """Writes a set; returns what was recorded about it, None if it was refused or could not be written."""
        try:
            if not self._has_room():
                self._note(refused=self._recorded.refused + 1)
                return None
            info = self._written(found)
        except Exception as error:  # noqa: BLE001 - whatever a message or a disk does, the next set is recorded
            self._give_up(error)
            return None
        self._split()
        return info

    def tick(self) -> None:
        """Brings what was written onto the disk when it is due, and closes a part whose time is over."""
        now = self._clock().monotonic
        since = self._unsynced_since
        try:
            if self._part and since is not None and now - since >= self._settings.sync_seconds:
                self._part.sync()
                self._unsynced_since = None
                self._note(synced=now)
        except OSError as error:
            self._give_up(error)
        self._split()

    def close(self, reason: Reason) -> None:
        """Finishes the open part, if there is one."""
        if self._part:
            part = self._left()
            self._finish(part, reason, part.close)

    def _has_room(self) -> bool:
        was_full = self._room.is_full
        has_room = self._room.make()
        if was_full == has_room:
            self._say_room(has_room)
        self._note(is_full=not has_room)
        return has_room

    def _say_room(self, has_room: bool) -> None:
        if has_room:
            _log.warning("There is room on the disk again: recording goes on.")
            return
        self.close(Reason.DISK)
        kept = self._settings.keep_free_megabytes
        _log.error(
            "The disk is full: less than %g MB are free in %s and no uploaded part is left to delete. Nothing is "
            "recorded until there is room. Upload the parts, or delete some.",
            kept,
            self._settings.folder,
        )

    def _written(self, found: MessageSet) -> SetInfo:
        now = self._clock()
        if self._part is None:
            self._part = Part(parts.new_path(self._settings.folder, now.wall_ns), self._bags, now)
        info = SetInfo(
            stamp_ns=found.stamp_ns,
            number=self._recorded.sets,
            monotonic=found.arrival,
            spread=found.spread_seconds,
            dropped=found.dropped,
        )
        self._part.append(found, info)
        if self._unsynced_since is None:
            self._unsynced_since = now.monotonic
        self._note(sets=info.number + 1, part=self._part.path, part_bytes=self._part.whole_bytes, error="")
        return info

    def _split(self) -> None:
        if self._part is None:
            return
        if self._part.whole_bytes >= self._settings.part_megabytes * MEGABYTE:
            self.close(Reason.SIZE)
        elif self._clock().monotonic - self._part.opened >= self._settings.part_minutes * 60:
            self.close(Reason.TIME)

    def _give_up(self, error: Exception) -> None:
        """Ends the part that a set could not be written into; the next set begins another."""
        is_first, text = not self._recorded.error, str(error) or type(error).__name__
        self._note(failed=self._recorded.failed + 1, error=text)
        if is_first:
            _log.error("Cannot record: %s. It is tried again with each set.", text, exc_info=error)
        if self._part:
            part = self._left()
            is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
            self._finish(part, Reason.DISK if is_full else Reason.ERROR, part.rescue)

    def _left(self) -> Part:
        part, self._part = self._part, None
        self._unsynced_since = None
        self._note(part=None, part_bytes=0)
        return cast(Part, part)

    def _finish(self, part: Part, reason: Reason, how: Callable[[Reason], Path | None]) -> None:
        try:
            path = how(reason)
        except Exception as error:  # noqa: BLE001 - a bag that cannot be finished now must not end the recording
            self._note(error=str(error))
            _log.error("%s could not be finished: %s. The next start finishes it.", part.path.name, error)
        else:
            if path:
                self._note(synced=self._clock().monotonic)
                _log.info("Closed %s (%s): %d sets.", path.name, reason, part.contents.sets)

    def _note(self, **changes: object) -> None:
        self._recorded = replace(self._recorded, **changes)  # type: ignore[arg-type]
