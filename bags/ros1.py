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
from bags.messages import Message, Topic
from bags.records import Bytes, Format
from bags.signals import UnreadableError

MAGIC = b"#ROSBAG V2.0\n"
_MESSAGE, _BAG_HEADER, _INDEX, _CHUNK, _CHUNK_INFO, _CONNECTION = 2, 3, 4, 5, 6, 7
_KINDS = range(_MESSAGE, _CONNECTION + 1)
_OPERATION = re.compile(rb"\x04\x00\x00\x00op=[\x02\x05\x07]")
_LONGEST_HEADER = 1 << 16
_LONGEST_DEFINITION = 1 << 20
_COMPRESSIONS = {"none", "lz4", "bz2"}

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


class _Bag:
    def __init__(self, content: mmap.mmap, losses: Losses) -> None:
        self._content, self._losses = content, losses
        self._topics: dict[int, Topic] = {}
        self._expected: Counter[int] = Counter()
        self._read: Counter[int] = Counter()

    def messages(self) -> Iterator[Message]:
        """Twice through the file: what connections there are is also said at its end."""
        for record, _ in _FORMAT.walk(self._content, len(MAGIC), Losses()):
            self._note(record, self._content)
        for record, _ in _FORMAT.walk(self._content, len(MAGIC), self._losses):
            if record.kind == _CHUNK and _text(record.fields, b"compression") != "none":
                yield from self._chunk(record)
            elif (message := self._message(record, self._content)) is not None:
                yield message
        self._compare()

    def _note(self, record: _Record, content: Bytes) -> None:
        if record.kind == _CONNECTION:
            self._connect(record, content)
        elif record.kind == _CHUNK_INFO:
            counts = content[record.start : min(record.stop, record.start + _LONGEST_HEADER)]
            self._expected.update(dict(struct.iter_unpack("<II", counts[: len(counts) // 8 * 8])))
        elif record.kind == _BAG_HEADER:
            if record.fields.get(b"encryptor"):
                raise UnreadableError("the bag is encrypted; decrypt it with `rosbag decrypt`")
            self._note_end(_number(record.fields, b"index_pos", "<Q"))

    def _note_end(self, index: int | None) -> None:
        if index == 0:
            self._losses.add("The recorder did not close the bag: what it had not yet written is missing.")
        elif index is not None and index >= len(self._content):
            self._losses.add(f"The file was cut off: it had more than {index} bytes, and has {len(self._content)}.")

    def _connect(self, record: _Record, content: Bytes) -> None:
        number = _number(record.fields, b"conn", "<I")
        fields = _fields(content[record.start : min(record.stop, record.start + _LONGEST_DEFINITION)])
        if number is None or fields is None or number in self._topics or record.stop > len(content):
            return
        self._topics[number] = Topic(
            name=_text(record.fields, b"topic"),
            type_name=_text(fields, b"type"),
            definition=_text(fields, b"message_definition"),
            encoding="ros1",
            md5=_text(fields, b"md5sum"),
        )

    def _chunk(self, record: _Record) -> Iterator[Message]:
        compression, size = _text(record.fields, b"compression"), _number(record.fields, b"size", "<I") or 0
        if compression not in _COMPRESSIONS or size > LONGEST_CHUNK or record.stop - record.start > LONGEST_CHUNK:
            self._losses.damage(record.start, record.stop)
            return
        content = decompressed(self._content[record.start : record.stop], compression, size)
        if len(content) < size and record.stop <= len(self._content):
            self._losses.add(f"A chunk of bytes {record.start} to {record.stop} does not decompress and was skipped.")
            return
        inner = list(_FORMAT.walk(content, 0, self._losses if len(content) == size else Losses()))
        for found, _ in inner:
            self._note(found, content)
        for found, _ in inner:
            if (message := self._message(found, content)) is not None:
                yield message

    def _message(self, record: _Record, content: Bytes) -> Message | None:
        if record.kind != _MESSAGE or record.stop > len(content) or record.stop - record.start > LONGEST_CHUNK:
            return None
        number, time = _number(record.fields, b"conn", "<I"), record.fields.get(b"time", b"")
        if number is None or number not in self._topics or len(time) != 8:
            self._losses.count("messages belong to a topic that the bag does not describe any more")
            return None
        seconds, nanoseconds = struct.unpack("<II", time)
        self._read[number] += 1
        return Message(self._topics[number], seconds * 1_000_000_000 + nanoseconds, content[record.start : record.stop])

    def _compare(self) -> None:
        for number, expected in self._expected.items():
            missing = expected - self._read[number]
            if missing > 0 and number in self._topics:
                name = self._topics[number].name
                self._losses.add(f"{missing} of {expected} messages of topic {name} are lost.")


def _following(content: Bytes, record: _Record) -> int:  # noqa: ARG001 - other formats look into it
    is_open = record.kind == _CHUNK and _text(record.fields, b"compression") == "none"
    return record.start if is_open else record.stop


def _record(content: Bytes, position: int) -> _Record | None:
    """The record at a position; None if there is none. Only the last one of a file may reach beyond its end."""
    if position + 4 > len(content):
        return None
    (length,) = struct.unpack_from("<I", content, position)
    start = position + 4 + length
    if length > _LONGEST_HEADER or start + 4 > len(content):
        return None
    fields = _fields(content[position + 4 : start])
    kind = _number(fields or {}, b"op", "<B")
    if fields is None or kind not in _KINDS:
        return None
    (size,) = struct.unpack_from("<I", content, start)
    stop = start + 4 + size
    if stop > len(content) and _next_record(content, start) is not None and kind != _CHUNK:
        return None  # its length is wrong, as others follow
    return _Record(kind or 0, fields, start + 4, stop)


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


def _next_record(content: Bytes, position: int) -> int | None:
    """Where the next message, chunk or connection begins whose header is whole."""
    for found in _OPERATION.finditer(content, position):
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


def _number(fields: Fields, name: bytes, form: str) -> int | None:
    value = fields.get(name, b"")
    return int(struct.unpack(form, value)[0]) if len(value) == struct.calcsize(form) else None


def _text(fields: Fields, name: bytes) -> str:
    return fields.get(name, b"").decode("utf-8", errors="replace")


_FORMAT = Format(_record, _next_record, _following)
