"""Makes finished parts of what a power cut left: cut back to the last whole set, with an index that every reader needs.

It is done in place: the disk may be full, a copy would take a Pi many seconds, and nothing but a set that was never
whole is cut off. Every step can be repeated: a part keeps `.active` in its name until the last of them is done.
"""

import logging
import mmap
import os
import struct
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from atlas_collector import bag_index, parts
from atlas_collector.bag_index import Chunk, Connection
from atlas_collector.clock import NANOSECONDS
from atlas_collector.parts import Contents, Reason, TopicContents

SET_TOPIC = "/set"

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Found:
    """What of a part is whole.

    Attributes:
        chunks: those that are whole, in the order of the file.
        connections: by number.
        order: of the fields in the index of a chunk.
        dropped: messages that were dropped before the sets, as these say.
        damaged_bytes: what lies between whole chunks.
        first: where the chunks begin.
        end: behind the last whole chunk.
        cut_bytes: what follows it besides an index.
    """

    chunks: list[Chunk] = field(default_factory=list)
    connections: dict[int, Connection] = field(default_factory=dict)
    order: tuple[bytes, ...] = ()
    dropped: int = 0
    damaged_bytes: int = 0
    first: int = 0
    end: int = 0
    cut_bytes: int = 0


def salvage_folder(folder: Path) -> list[Path]:
    """Makes finished parts of all that are still `.active`, while nobody writes them; returns their new paths.

    One that cannot be salvaged is logged and left as it is, for the next start.
    """
    for unfinished in folder.glob("*.new"):  # a manifest or a mark that a power cut kept from its name
        unfinished.unlink(missing_ok=True)
    finished = []
    for path in parts.active(folder):
        try:
            finished.append(salvage(path))
        except OSError as error:
            _log.error("%s cannot be salvaged: %s. It is tried again at the next start.", path.name, error)
    return [path for path in finished if path]


def salvage(path: Path) -> Path | None:
    """Makes a finished part of an `.active` one; returns its new path, None if no set of it is whole and it is removed.

    Raises:
        OSError: the disk cannot be read or written.
    """
    found = _examine(path)
    if not found.chunks:
        _log.warning("Removed %s: the power went before a set was on the disk (%d bytes).", path.name, _length(path))
        path.unlink()
        parts.sync_folder(path.parent)
        return None
    _write_index(path, found)
    contents = _contents(found)
    finished = parts.finish(path, Reason.SALVAGED, contents)
    _log.warning("Salvaged %s: %d sets. %s", finished.name, contents.sets, contents.lost or "Nothing was cut off.")
    return finished


def _examine(path: Path) -> Found:
    """All chunks of a part that are whole."""
    found = Found()
    if not _length(path):
        return found
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        found.first = position = bag_index.first_chunk(content)
        while position < len(content):
            position = _step(found, content, position)
    found.damaged_bytes -= found.cut_bytes
    return found


def _step(found: Found, content: mmap.mmap, position: int) -> int:
    """Looks at what begins at a position; returns where the next begins."""
    chunk = bag_index.chunk_at(content, position)
    follows = bag_index.after_index(content, chunk.stop if chunk else position)
    if chunk:
        _keep(found, chunk, content, follows)
    return follows if follows > position else _skip(found, content, position)


def _keep(found: Found, chunk: Chunk, content: mmap.mmap, follows: int) -> None:
    """Keeps a chunk, if its topics are known and, unless it is the last one, the index behind it is whole too."""
    found.connections |= {number: each for number, each in chunk.connections.items() if number not in found.connections}
    is_last = bag_index.next_chunk(content, chunk.stop) == len(content)
    if not chunk.entries.keys() <= found.connections.keys():
        found.damaged_bytes += follows - chunk.position
    elif chunk.entries and (is_last or bag_index.is_indexed(content, chunk)):
        found.chunks.append(chunk)
        found.order = found.order or bag_index.index_order(content, chunk)
        found.end, found.cut_bytes = chunk.stop, 0
        found.dropped += sum(_dropped(content, stop) for key, stop in chunk.last.items() if _is_set(found, key))
    elif chunk.entries:
        found.damaged_bytes += follows - chunk.position


def _skip(found: Found, content: mmap.mmap, position: int) -> int:
    """Goes on behind what is damaged; returns where something begins that may be a chunk."""
    follows = bag_index.next_chunk(content, position + 1)
    for number, connection in bag_index.connections_within(content, position, follows):
        found.connections.setdefault(number, connection)
    found.damaged_bytes += follows - position
    found.cut_bytes += follows - position
    return follows


def _is_set(found: Found, number: int) -> bool:
    return found.connections[number].topic == SET_TOPIC


def _dropped(content: mmap.mmap, stop: int) -> int:
    """What a SetInfo says with its last field."""
    return int(struct.unpack_from("<I", content, stop - 4)[0])


def _write_index(path: Path, found: Found) -> None:
    """Cuts off what follows the last whole chunk, and writes the index; the header that refers to it comes last."""
    with path.open("r+b") as file:
        file.truncate(found.end)
        file.seek(found.end)
        file.write(found.chunks[-1].index(found.order))
        start = file.tell()
        bag_index.write_index(file, start, found.chunks, found.connections)
        file.flush()
        os.fsync(file.fileno())
        bag_index.write_header(file, found.first, start, chunks=len(found.chunks), connections=len(found.connections))
        file.flush()
        os.fsync(file.fileno())


def _contents(found: Found) -> Contents:
    counts: Counter[int] = Counter()
    for chunk in found.chunks:
        counts.update({number: len(entries) for number, entries in chunk.entries.items()})
    times = [_nanoseconds(entry) for chunk in found.chunks for each in chunk.entries.values() for entry in each]
    topics = {
        found.connections[number].topic: TopicContents(found.connections[number].type, count)
        for number, count in counts.items()
    }
    return Contents(
        start_ns=min(times),
        end_ns=max(times),
        sets=topics[SET_TOPIC].messages if SET_TOPIC in topics else 0,
        topics=topics,
        dropped=found.dropped,
        lost=_losses(found),
    )


def _losses(found: Found) -> str:
    """What was lost, in sentences; nothing if nothing was."""
    said = []
    if found.cut_bytes:
        said.append(f"{found.cut_bytes} bytes of a set that was not whole were cut off.")
    if found.damaged_bytes:
        said.append(f"{found.damaged_bytes} bytes in the middle are damaged, and are in the file but not in its index.")
    return " ".join(said)


def _nanoseconds(entry: tuple[int, int, int]) -> int:
    return entry[0] * NANOSECONDS + entry[1]


def _length(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0
