"""Bags of ROS 1 (format 2.0), read record by record: their index is not needed, and may be missing or damaged.

http://wiki.ros.org/Bags/Format/2.0. Inside an uncompressed chunk are records as around it, so that the same walk goes
through both.
"""

import mmap
import re
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bags.compression import LONGEST_CHUNK, decompressed
from bags.losses import Losses
from bags.messages import Message, Topic, is_defined, is_readable
from bags.records import Bytes, Format, is_zeroed
from bags.signals import NANOSECONDS, UnreadableError

MAGIC = b"#ROSBAG V2.0\n"
_MESSAGE, _BAG_HEADER, _INDEX, _CHUNK, _CHUNK_INFO, _CONNECTION = 2, 3, 4, 5, 6, 7
_KINDS = range(_MESSAGE, _CONNECTION + 1)
_OPERATION = re.compile(rb"\x04\x00\x00\x00op=[\x02\x05\x07]")
_CHUNK_OPERATION = re.compile(rb"\x04\x00\x00\x00op=\x05")
# The header of a message as recorders write it: its three fields in any order, and the content's size.
_PLAIN_MESSAGE = re.compile(
    rb"\x26\0\0\0(?:\x04\0\0\0op=\x02|\x09\0\0\0conn=(.{4})|\x0d\0\0\0time=(.{8})){3}(.{4})", re.DOTALL
)
_LONGEST_HEADER = 1 << 16
_LONGEST_DEFINITION = 1 << 20
_COMPRESSIONS = {"lz4", "bz2"}

Fields = dict[bytes, bytes]


class _Record(NamedTuple):
    kind: int
    fields: Fields
    start: int  # of the content
    stop: int  # as the record says; perhaps behind the end of the file


def messages(path: Path, losses: Losses) -> Iterator[Message]:
    """All messages that can be saved, in the order of the file."""
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield from _Bag(content, losses).messages()


class _Connection(NamedTuple):
    """What a bag says of a topic, at least twice: where its first message is, and at the end."""

    topic: Topic
    told: str  # the topic's name once more: another one only if it was remapped, or is damaged

    @property
    def is_certain(self) -> bool:
        """Whether all that it says agrees."""
        return self.told == self.topic.name and is_defined(self.topic)


class _Bag:
    def __init__(self, content: mmap.mmap, losses: Losses) -> None:
        self._content, self._losses = content, losses
        self._connections: dict[int, _Connection] = {}
        self._expected: dict[int, Counter[int]] = {}  # by where the chunk is
        self._read: Counter[int] = Counter()

    def messages(self) -> Iterator[Message]:
        self._read_descriptions()
        for record, is_followed in _FORMAT.walk(self._content, len(MAGIC), self._losses):
            if record.kind == _CHUNK and _is_compressed(record):
                yield from self._chunk(record)
            elif (message := self._message(record, self._content, is_followed)) is not None:
                yield message
        self._compare()

    def _read_descriptions(self) -> None:
        """From the index at the end; from the whole file if that is not there or is not whole."""
        header = _record(self._content, len(MAGIC))
        if header is not None and header.kind == _BAG_HEADER:
            self._note(header, self._content)
            index = _number(header.fields, b"index_pos", 8) or len(self._content)
            if index < len(self._content) and self._note_from(index):
                return
        self._note_from(len(MAGIC))

    def _note_from(self, position: int) -> bool:
        """Whether nothing is damaged from there on, so that nothing else need be looked at."""
        losses = Losses()
        for record, _ in _FORMAT.walk(self._content, position, losses):
            self._note(record, self._content)
        certain = all(connection.is_certain for connection in self._connections.values())
        return bool(self._connections) and certain and not losses.sentences

    def _note(self, record: _Record, content: Bytes) -> None:
        if record.kind == _CONNECTION:
            self._connect(record, content)
        elif record.kind == _CHUNK_INFO:
            counts = content[record.start : min(record.stop, record.start + _LONGEST_HEADER)]
            chunk = _number(record.fields, b"chunk_pos", 8) or 0
            self._expected[chunk] = Counter(dict(struct.iter_unpack("<II", counts[: len(counts) // 8 * 8])))
        elif record.kind == _BAG_HEADER:
            if record.fields.get(b"encryptor"):
                raise UnreadableError("the bag is encrypted; decrypt it with `rosbag decrypt`")
            self._note_end(_number(record.fields, b"index_pos", 8))

    def _note_end(self, index: int | None) -> None:
        if index == 0:
            self._losses.add("The recorder did not close the bag: what it had not yet written is missing.")
        elif index is not None and index >= len(self._content):
            self._losses.add(f"The file was cut off: it had more than {index} bytes, and has {len(self._content)}.")

    def _connect(self, record: _Record, content: Bytes) -> None:
        number = _number(record.fields, b"conn", 4)
        fields = _fields(content[record.start : min(record.stop, record.start + _LONGEST_DEFINITION)])
        if number is None or fields is None or record.stop > len(content):
            return
        topic = Topic(
            name=_text(record.fields, b"topic"),
            type_name=_text(fields, b"type"),
            definition=_text(fields, b"message_definition"),
            encoding="ros1",
            md5=_text(fields, b"md5sum"),
        )
        found = _Connection(topic, _text(fields, b"topic") or topic.name)
        known = self._connections.get(number)
        if known is None or (known != found and found.is_certain and not known.is_certain):
            self._connections[number] = found

    def _chunk(self, record: _Record) -> Iterator[Message]:
        compression, size = _text(record.fields, b"compression"), _number(record.fields, b"size", 4) or 0
        if size > LONGEST_CHUNK or record.stop - record.start > LONGEST_CHUNK:
            self._losses.damage(record.start, record.stop)
            return
        content = decompressed(self._content[record.start : record.stop], compression, size)
        if len(content) < size and record.stop <= len(self._content):
            self._losses.add(f"A chunk of bytes {record.start} to {record.stop} does not decompress and was skipped.")
            return
        inner = list(_FORMAT.walk(content, 0, self._losses if len(content) == size else Losses()))
        for found, _ in inner:
            self._note(found, content)
        for found, is_followed in inner:
            if (message := self._message(found, content, is_followed)) is not None:
                yield message

    def _message(self, record: _Record, content: Bytes, is_followed: bool) -> Message | None:
        if record.kind != _MESSAGE or record.stop > len(content) or record.stop - record.start > LONGEST_CHUNK:
            return None
        number, time_ns = _number(record.fields, b"conn", 4), _time(record.fields)
        if number is None or number not in self._connections or time_ns is None:
            self._losses.count("messages do not say any more when they were recorded, or of which topic they are")
            return None
        message = Message(self._connections[number].topic, time_ns, content[record.start : record.stop])
        if not is_followed and (is_zeroed(content, record.stop) or not is_readable(message.topic, message.content)):
            self._losses.count("messages at the edges of damaged parts are not whole and were left out")
            return None
        self._read[number] += 1
        return message

    def _compare(self) -> None:
        for number, expected in sum(self._expected.values(), Counter()).items():
            missing = expected - self._read[number]
            if missing > 0 and number in self._connections:
                name = self._connections[number].topic.name
                self._losses.add(f"{missing} of {expected} messages of topic {name} are lost.")


def _following(content: Bytes, record: _Record) -> int:  # noqa: ARG001 - other formats look into it
    """Behind a record; within a chunk that is not compressed, or does not say any more how."""
    return record.start if record.kind == _CHUNK and not _is_compressed(record) else record.stop


def _is_compressed(record: _Record) -> bool:
    return _text(record.fields, b"compression") in _COMPRESSIONS


def _record(content: Bytes, position: int) -> _Record | None:
    """The record at a position; None if there is none. Only the last one of a file may reach beyond its end."""
    if (plain := _PLAIN_MESSAGE.match(content, position)) is not None and (
        record := _plain(content, plain)
    ) is not None:
        return record
    if position + 4 > len(content):
        return None
    (length,) = struct.unpack_from("<I", content, position)
    start = position + 4 + length
    if length > _LONGEST_HEADER or start + 4 > len(content):
        return None
    fields = _fields(content[position + 4 : start])
    kind = _number(fields or {}, b"op", 1)
    if fields is None or kind not in _KINDS:
        return None
    (size,) = struct.unpack_from("<I", content, start)
    stop = start + 4 + size
    if stop > len(content) and _next_record(content, start) is not None and kind != _CHUNK:
        return None  # its length is wrong, as others follow
    return _Record(kind or 0, fields, start + 4, stop)


def _plain(content: Bytes, header: re.Match[bytes]) -> _Record | None:
    """What nearly all records are, read fast; None for one that is not whole."""
    conn, time, size = header.groups()
    start = header.end()
    stop = start + int.from_bytes(size, "little")
    if conn is None or time is None or stop > len(content):
        return None
    return _Record(_MESSAGE, {b"conn": conn, b"time": time}, start, stop)


def _fields(content: bytes) -> Fields | None:
    fields, position = {}, 0
    while position < len(content):
        if position + 4 > len(content):
            return None
        (length,) = struct.unpack_from("<I", content, position)
        field = content[position + 4 : position + 4 + length]
        name, equals, value = field.partition(b"=")
        if len(field) < length or not equals or not name:
            return None
        fields[name] = value
        position += 4 + length
    return fields


def _next_after(content: Bytes, record: _Record) -> int | None:
    """As `_next_record`; what is compressed may look like a message, but never like a chunk."""
    if record.kind != _CHUNK or not _is_compressed(record):
        return _next_record(content, record.start + 1)
    within = _next_record(content, record.start + 1, _CHUNK_OPERATION)
    return within if within is not None and within < record.stop else _next_record(content, record.stop + 1)


def _next_record(content: Bytes, position: int, operation: re.Pattern[bytes] = _OPERATION) -> int | None:
    """Where the next message, chunk or connection begins whose header is whole."""
    for found in operation.finditer(content, position):
        for start in range(found.start() - 4, max(found.start() - 256, position) - 1, -1):
            (length,) = struct.unpack_from("<I", content, start)
            end = start + 4 + length
            if length < 512 and end > found.start() and end + 4 <= len(content):
                fields = _fields(content[start + 4 : end])
                if fields is not None and b"op" in fields and _fits(content, end, fields):
                    return start
    return None


def _fits(content: Bytes, position: int, fields: Fields) -> bool:
    (size,) = struct.unpack_from("<I", content, position)
    return position + 4 + size <= len(content) or fields[b"op"] == bytes([_CHUNK])


def _number(fields: Fields, name: bytes, size: int) -> int | None:
    value = fields.get(name, b"")
    return int.from_bytes(value, "little") if len(value) == size else None


def _time(fields: Fields) -> int | None:
    """Nanoseconds since 1970; None for what is no time: no recorder writes 0."""
    time = _number(fields, b"time", 8) or 0
    nanoseconds = time >> 32
    time_ns = (time & 0xFFFFFFFF) * NANOSECONDS + nanoseconds
    return time_ns if nanoseconds < NANOSECONDS and time_ns else None


def _text(fields: Fields, name: bytes) -> str:
    return fields.get(name, b"").decode("utf-8", errors="replace")


_FORMAT = Format(_record, _next_record, _next_after, _following)
