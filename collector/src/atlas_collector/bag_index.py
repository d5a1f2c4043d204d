"""The index of a bag of ROS 1, made from its chunks; http://wiki.ros.org/Bags/Format/2.0.

The recorder writes each set as one plain chunk, so that a chunk that is whole is a set that is whole. All that is read
here is taken for damaged until it is known to be whole.
"""

import mmap
import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

MAGIC = b"#ROSBAG V2.0\n"
FIRST_CHUNK = len(MAGIC) + 8 + 4096  # behind the header as ROS writes it, which is filled up with blanks

_LONGEST_HEADER = 1 << 16
_MESSAGE, _BAG, _INDEX, _CHUNK, _CHUNK_INFO, _CONNECTION = 2, 3, 4, 5, 6, 7
_CHUNK_MARK, _CONNECTION_MARK = b"\x04\x00\x00\x00op=\x05", re.compile(rb"\x04\x00\x00\x00op=\x07")
_ENTRY = struct.Struct("<II I")  # seconds, nanoseconds, offset in the chunk

Fields = Mapping[bytes, bytes]


class Record(NamedTuple):
    """A record that is whole: what it is, its header's fields, and where it and its content lie."""

    kind: int
    fields: Fields
    position: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One topic as a bag describes it. `record` is the whole record."""

    topic: str
    type: str
    record: bytes


@dataclass(slots=True)
class Chunk:
    """A chunk that is whole.

    Attributes:
        position, stop: where it begins and ends, without the index that follows it.
        entries: of each connection the time and offset of its messages.
        connections: those that are described in it.
        last: where in the file the last message of each connection ends.
    """

    position: int
    stop: int
    entries: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)
    connections: dict[int, Connection] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)

    def index(self, order: Sequence[bytes]) -> bytes:
        """The records that follow it: where in it the messages of each connection are.

        Args:
            order: of their fields; rosbags takes for granted that it is the same in all of a bag.
        """
        fields = {b"op": bytes([_INDEX]), b"ver": _u32(1)}
        return b"".join(
            _written(_ordered(fields | {b"conn": _u32(number), b"count": _u32(len(entries))}, order), _packed(entries))
            for number, entries in self.entries.items()
        )

    def info(self) -> bytes:
        """The record at the bag's end that tells where it is."""
        times = [entry[:2] for entries in self.entries.values() for entry in entries]
        fields = {
            b"op": bytes([_CHUNK_INFO]),
            b"ver": _u32(1),
            b"chunk_pos": struct.pack("<Q", self.position),
            b"start_time": struct.pack("<II", *min(times)),
            b"end_time": struct.pack("<II", *max(times)),
            b"count": _u32(len(self.entries)),
        }
        return _written(fields, b"".join(_u32(each) + _u32(len(found)) for each, found in self.entries.items()))


def first_chunk(content: mmap.mmap) -> int:
    """Where the first chunk begins: behind the bag's header, or where it usually does if that is damaged."""
    record = _record_at(content, len(MAGIC), len(content))
    return record.stop if record and record.kind == _BAG else FIRST_CHUNK


def chunk_at(content: mmap.mmap, position: int) -> Chunk | None:
    """The chunk that begins at a position; None if none does that is plain and whole."""
    record = _record_at(content, position, len(content))
    if record is None or record.kind != _CHUNK or record.fields.get(b"compression") != b"none":
        return None
    if record.fields.get(b"size") != _u32(record.stop - record.start):
        return None
    chunk, place = Chunk(position, record.stop), record.start
    while place < record.stop:
        inner = _record_at(content, place, record.stop)
        if inner is None or not _noted(chunk, inner, place - record.start, content):
            return None
        place = inner.stop
    return chunk


def next_chunk(content: mmap.mmap, position: int) -> int:
    """Where something begins, at a position or behind it, that looks like a chunk; the end if nothing does."""
    found = content.find(_CHUNK_MARK, position + 4)
    return found - 4 if found >= 0 else len(content)


def is_indexed(content: mmap.mmap, chunk: Chunk) -> bool:
    """Whether the records behind a chunk say where its messages are."""
    position, said = chunk.stop, {}
    while (record := _record_at(content, position, len(content))) and record.kind == _INDEX:
        said[record.fields.get(b"conn")] = content[record.start : record.stop]
        position = record.stop
    return said == {_u32(number): _packed(entries) for number, entries in chunk.entries.items()}


def after_index(content: mmap.mmap, position: int) -> int:
    """Behind the records of an index at a position."""
    while (record := _record_at(content, position, len(content))) and record.kind in {_INDEX, _CONNECTION, _CHUNK_INFO}:
        position = record.stop
    return position


def connections_within(content: mmap.mmap, start: int, stop: int) -> Iterator[tuple[int, Connection]]:
    """The connections that a damaged part of a bag still describes."""
    for found in _CONNECTION_MARK.finditer(content, start, stop):
        record = _record_at(content, found.start() - 4, stop)
        if record and (described := _connection(record, content)):
            yield described


def write_index(file: BinaryIO, end: int, chunks: list[Chunk], connections: Mapping[int, Connection]) -> int:
    """Writes the index at a position, behind the last chunk; returns where it ends. The bag's header has to follow."""
    file.seek(end)
    file.writelines(each.record for each in connections.values())
    file.writelines(chunk.info() for chunk in chunks)
    return file.tell()


def index_order(content: mmap.mmap, chunk: Chunk) -> tuple[bytes, ...]:
    """The order of the fields in the first record behind a chunk; none if that is no index."""
    record = _record_at(content, chunk.stop, len(content))
    return tuple(record.fields) if record and record.kind == _INDEX else ()


def write_header(file: BinaryIO, first: int, index: int, *, chunks: int, connections: int) -> None:
    """Writes the bag's header, which reaches to the first chunk: where the index is. With it, the bag is whole."""
    fields = {
        b"op": bytes([_BAG]),
        b"index_pos": struct.pack("<Q", index),
        b"conn_count": _u32(connections),
        b"chunk_count": _u32(chunks),
    }
    blanks = b" " * (first - len(MAGIC) - len(_written(fields, b"")))
    file.seek(0)
    file.write(MAGIC + _written(fields, blanks))


def _noted(chunk: Chunk, record: Record, offset: int, content: mmap.mmap) -> bool:
    """Whether a record in a chunk is one that belongs there, and then keeps what it says."""
    if record.kind == _CONNECTION:
        described = _connection(record, content)
        if described:
            chunk.connections[described[0]] = described[1]
        return described is not None
    number, time = record.fields.get(b"conn", b""), record.fields.get(b"time", b"")
    if record.kind != _MESSAGE or len(number) != 4 or len(time) != 8:
        return False
    (key,) = struct.unpack("<I", number)
    seconds, nanoseconds = struct.unpack("<II", time)
    chunk.entries.setdefault(key, []).append((seconds, nanoseconds, offset))
    chunk.last[key] = record.stop
    return True


def _connection(record: Record, content: mmap.mmap) -> tuple[int, Connection] | None:
    fields, number = _fields(content[record.start : record.stop]), record.fields.get(b"conn", b"")
    if record.kind != _CONNECTION or len(number) != 4 or fields is None or b"type" not in fields:
        return None
    return struct.unpack("<I", number)[0], Connection(
        topic=record.fields.get(b"topic", b"").decode(errors="replace"),
        type=fields[b"type"].decode(errors="replace"),
        record=content[record.position : record.stop],
    )


def _record_at(content: mmap.mmap, position: int, end: int) -> Record | None:
    """The record at a position, if it is whole and ends before `end`."""
    if position + 4 > end:
        return None
    (length,) = struct.unpack_from("<I", content, position)
    start = position + 4 + length
    if length > _LONGEST_HEADER or start + 4 > end:
        return None
    fields = _fields(content[position + 4 : start])
    (size,) = struct.unpack_from("<I", content, start)
    if fields is None or len(fields.get(b"op", b"")) != 1 or start + 4 + size > end:
        return None
    return Record(fields[b"op"][0], fields, position, start + 4, start + 4 + size)


def _fields(content: bytes) -> dict[bytes, bytes] | None:
    """The fields of a header; None if they do not fill it."""
    fields, position = {}, 0
    while position + 4 <= len(content):
        (length,) = struct.unpack_from("<I", content, position)
        name, equals, value = content[position + 4 : position + 4 + length].partition(b"=")
        if not name or not equals or position + 4 + length > len(content):
            return None
        fields[name] = value
        position += 4 + length
    return fields if position == len(content) else None


def _ordered(fields: Fields, order: Sequence[bytes]) -> Fields:
    """The fields in an order; as they are, if it is one of other fields."""
    return {name: fields[name] for name in order} if set(order) == fields.keys() else fields


def _packed(entries: Iterable[tuple[int, int, int]]) -> bytes:
    return b"".join(_ENTRY.pack(*entry) for entry in entries)


def _written(fields: Fields, content: bytes) -> bytes:
    header = b"".join(_u32(len(name) + 1 + len(value)) + name + b"=" + value for name, value in fields.items())
    return _u32(len(header)) + header + _u32(len(content)) + content


def _u32(number: int) -> bytes:
    return struct.pack("<I", number)
