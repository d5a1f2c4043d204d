"""MCAP files of ROS 2 (and ROS 1), read record by record: their summary is not needed, and may be missing or damaged.

https://mcap.dev/spec. Inside an uncompressed chunk are records as around it, so that the same walk goes through both.
"""

import mmap
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bags.compression import LONGEST_CHUNK, decompressed
from bags.losses import Losses
from bags.messages import Message, Topic, is_defined, is_readable
from bags.records import Bytes, Format, is_zeroed

MAGIC = b"\x89MCAP0\r\n"
_FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK = 2, 3, 4, 5, 6
# How short the content of each kind of record can be, by the specification: from the header, 1, to the data's end, 15.
_SHORTEST = (8, 20, 14, 16, 22, 40, 6, 64, 36, 48, 46, 8, 20, 17, 4)
_COMPRESSIONS = {"", "lz4", "zstd"}
_FORMATS = {"ros2msg": "msg", "ros1msg": "msg", "ros2idl": "idl", "omgidl": "idl"}
_PIECE = 1 << 20
# A chunk, or a message whose content begins as CDR does: what is looked for behind damaged parts.
_BEGINNING = re.compile(
    rb"(?=\x06.{6}\x00\x00.{28}(?:\x00{4}|\x03\x00{3}lz4|\x04\x00{3}zstd)|\x05.{4}\x00{4}.{22}\x00[\x00\x01]..)",
    re.DOTALL,
)


class _Record(NamedTuple):
    kind: int
    start: int  # of the content
    stop: int  # as the record says; perhaps behind the end of the file


class _Chunk(NamedTuple):
    size: int
    checksum: int
    compression: str
    start: int  # of the records


def messages(path: Path, losses: Losses) -> Iterator[Message]:
    """All messages that can be saved, in the order of the file."""
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield from _File(content, losses).messages()


class _File:
    def __init__(self, content: mmap.mmap, losses: Losses) -> None:
        self._content, self._losses = content, losses
        self._schemas: dict[int, tuple[str, str, str]] = {}
        self._topics: dict[int, Topic] = {}

    def messages(self) -> Iterator[Message]:
        self._read_summary()
        yield from self._walk(self._content, len(MAGIC))

    def _read_summary(self) -> None:
        """What channels there are is also said at the end: of use if the beginning is damaged."""
        end = len(self._content)
        if self._content[end - len(MAGIC) :] != MAGIC or end < 45:
            self._losses.add("The recorder did not close the file: what it had not yet written is missing.")
            return
        start, _, checksum = struct.unpack_from("<QQI", self._content, end - 28)
        if 0 < start < end and checksum in (0, zlib.crc32(self._content[start : end - 12])):
            for record, _ in _FORMAT.walk(self._content, start, Losses()):
                self._note(record, self._content)

    def _walk(self, content: Bytes, position: int) -> Iterator[Message]:
        """Messages from a position on. Chunks within chunks are not allowed, and not followed."""
        for record, is_followed in _FORMAT.walk(content, position, self._losses):
            self._note(record, content)
            if record.kind == _CHUNK and content is self._content:
                yield from self._chunk(record)
            elif record.kind == _MESSAGE and (message := self._message(record, content, is_followed)) is not None:
                yield message

    def _note(self, record: _Record, content: Bytes) -> None:
        if record.kind not in (_SCHEMA, _CHANNEL) or record.stop - record.start > LONGEST_CHUNK:
            return
        fields = _Fields(content[record.start : record.stop])
        try:
            if record.kind == _SCHEMA:
                number = fields.number("<H")
                self._schemas.setdefault(number, (fields.text(), fields.text(), fields.text()))
            else:
                self._add_channel(fields)
        except (struct.error, UnicodeDecodeError):
            self._losses.count("descriptions of topics are damaged and were skipped")

    def _add_channel(self, fields: "_Fields") -> None:
        number, schema = fields.number("<H"), fields.number("<H")
        topic, encoding = fields.text(), fields.text()
        type_name, schema_encoding, definition = self._schemas.get(schema, ("", "", ""))
        found = Topic(
            name=topic,
            type_name=type_name,
            definition=definition if schema_encoding in _FORMATS else "",
            definition_format=_FORMATS.get(schema_encoding, "msg"),
            encoding="ros1" if encoding == "ros1" else "cdr",
        )
        known = self._topics.get(number)
        if known is None or (known != found and is_defined(found) and not is_defined(known)):
            self._topics[number] = found

    def _chunk(self, record: _Record) -> Iterator[Message]:
        chunk = _chunk(self._content, record.start)
        if chunk is None or chunk.compression not in _COMPRESSIONS:
            self._losses.damage(record.start, min(record.stop, len(self._content)))
        elif chunk.compression:
            yield from self._compressed(record, chunk)
        elif record.stop <= len(self._content) and not self._is_whole(record, chunk):
            self._losses.add(f"A chunk, bytes {record.start} to {record.stop}, has a wrong checksum and was skipped.")
        # The records of another uncompressed chunk come next in the walk itself.

    def _is_whole(self, record: _Record, chunk: _Chunk) -> bool:
        checksum = 0
        for first in range(chunk.start, record.stop, _PIECE):
            checksum = zlib.crc32(self._content[first : min(first + _PIECE, record.stop)], checksum)
        return chunk.checksum in (0, checksum)

    def _compressed(self, record: _Record, chunk: _Chunk) -> Iterator[Message]:
        if chunk.size > LONGEST_CHUNK or record.stop - chunk.start > LONGEST_CHUNK:
            self._losses.damage(record.start, min(record.stop, len(self._content)))
            return
        content = decompressed(self._content[chunk.start : record.stop], chunk.compression, chunk.size)
        is_cut = record.stop > len(self._content)
        if not is_cut and (len(content) < chunk.size or chunk.checksum not in (0, zlib.crc32(content))):
            self._losses.add(f"The chunk of bytes {record.start} to {record.stop} does not decompress and was skipped.")
            return
        yield from self._walk(content, 0)

    def _message(self, record: _Record, content: Bytes, is_followed: bool) -> Message | None:
        if record.stop > len(content) or not 22 <= record.stop - record.start <= LONGEST_CHUNK:
            return None
        number, _, time_ns, _ = struct.unpack_from("<HIQQ", content, record.start)
        if number not in self._topics:
            self._losses.count("messages belong to a topic that the file does not describe any more")
            return None
        message = Message(self._topics[number], time_ns, content[record.start + 22 : record.stop])
        if not is_followed and (is_zeroed(content, record.stop) or not is_readable(message.topic, message.content)):
            self._losses.count("messages at the edges of damaged parts are not whole and were left out")
            return None
        return message


class _Fields:
    """Reads fields one after another."""

    def __init__(self, content: bytes) -> None:
        self._content, self._position = content, 0

    def number(self, form: str) -> int:
        (value,) = struct.unpack_from(form, self._content, self._position)
        self._position += struct.calcsize(form)
        return int(value)

    def text(self) -> str:
        length = self.number("<I")
        if self._position + length > len(self._content):
            raise struct.error("the text is longer than its record")
        self._position += length
        return self._content[self._position - length : self._position].decode()


def _following(content: Bytes, record: _Record) -> int:
    """Within a chunk that is neither compressed nor damaged, else behind the record; behind the footer is nothing."""
    if record.kind == _FOOTER and record.stop + len(MAGIC) == len(content):
        return len(content)
    chunk = _chunk(content, record.start) if record.kind == _CHUNK else None
    if chunk is None or chunk.compression:
        return record.stop
    checksum = zlib.crc32(content[chunk.start : record.stop]) if chunk.checksum and record.stop <= len(content) else 0
    return chunk.start if not checksum or checksum == chunk.checksum else record.stop


def _record(content: Bytes, position: int) -> _Record | None:
    if position + 9 > len(content):
        return None
    kind, length = struct.unpack_from("<BQ", content, position)
    start, stop = position + 9, position + 9 + length
    if not _is_possible(kind, length) or (kind == _CHUNK and _chunk(content, start) is None):
        return None
    if stop > len(content) and not _is_cut(content, kind, start):
        return None
    return _Record(kind, start, stop)


def _is_possible(kind: int, length: int) -> bool:
    """Whether a kind of record may have that length; those from 128 on are of programs."""
    if kind >= 0x80:
        return 0 < length < 1 << 62
    return 1 <= kind <= len(_SHORTEST) and _SHORTEST[kind - 1] <= length < 1 << 62


def _is_cut(content: Bytes, kind: int, start: int) -> bool:
    """Whether a record reaches beyond the end because the file was cut off, and not because its length is wrong."""
    if kind == _CHUNK:
        return _chunk(content, start) is not None
    return kind == _MESSAGE and _next_record(content, start) is None


def _chunk(content: Bytes, position: int) -> _Chunk | None:
    """What a chunk says of itself; None if it cannot be true."""
    if position + 40 > len(content):
        return None
    (length,) = struct.unpack_from("<Q", content, position - 8)
    first, last, size, checksum, text = struct.unpack_from("<QQQII", content, position)
    start = position + 40 + text
    if text > 4 or start > len(content) or first > last:
        return None
    compression = content[position + 32 : position + 32 + text]
    (records,) = struct.unpack_from("<Q", content, start - 8)
    if records + 40 + text != length or (not text and records != size):
        return None
    return _Chunk(size, checksum, compression.decode("ascii", errors="replace"), start)


def _next_after(content: Bytes, record: _Record) -> int | None:
    """As `_next_record`; what is compressed may look like a message, but hardly like a chunk."""
    chunk = _chunk(content, record.start) if record.kind == _CHUNK else None
    if chunk is None or not chunk.compression:
        return _next_record(content, record.start + 1)
    starts = (found.start() for found in _BEGINNING.finditer(content, chunk.start, min(record.stop, len(content))))
    within = (start for start in starts if content[start] == _CHUNK and _chunk(content, start + 9) is not None)
    return next(within, None) or _next_record(content, record.stop + 1)


def _next_record(content: Bytes, position: int) -> int | None:
    """Where the next chunk or message begins whose lengths fit each other."""
    for found in _BEGINNING.finditer(content, position):
        start = found.start()
        (length,) = struct.unpack_from("<Q", content, start + 1)
        stop = start + 9 + length
        if content[start] == _CHUNK and _chunk(content, start + 9) is not None:
            return start
        if content[start] == _MESSAGE and length >= 22 and stop <= len(content) and _may_follow(content, stop):
            return start
    return None


def _may_follow(content: Bytes, position: int) -> bool:
    """Whether a record may begin here: what is found by chance is rarely followed by one."""
    if position == len(content):
        return True
    if position + 9 > len(content):
        return False
    kind, length = struct.unpack_from("<BQ", content, position)
    return _is_possible(kind, length) and position + 9 + length <= len(content)


_FORMAT = Format(_record, _next_record, _next_after, _following)
