"""Bags whose every byte is known, and damage to them: what must be salvaged, and what may be."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bags import mcap, ros1
from bags.compression import decompressed
from bags.losses import Losses
from bags.messages import Message
from bags.reading import format_of, messages
from bags.signals import NANOSECONDS
from tests.bags import recordings
from tests.bags.recordings import CHUNK_TYPE, START

Span = tuple[int, int]
Known = tuple[str, str, int, bytes]  # topic, type, time, content
_PAGE = 4096
_HEADERS = {"bag": 46, "mcap": 31}  # bytes before a message's content


@dataclass(frozen=True, kw_only=True)
class Original:
    """A whole bag.

    Attributes:
        messages: all that were written.
        spans: of each, the bytes that it needs: its record, or the chunk or page that it is in.
        descriptions: of each topic, where it is described; one of these places is enough.
    """

    kind: str
    content: bytes
    messages: list[Known]
    spans: list[Span]
    descriptions: dict[str, list[Span]]


def known(path: Path) -> tuple[list[Known], tuple[str, ...]]:
    """The messages of a bag, and its losses."""
    losses, bag_format = Losses(), format_of(path)
    assert bag_format is not None
    return [_known(message) for message in messages(path, bag_format, losses)], losses.sentences


def _known(message: Message) -> Known:
    return message.topic.name, message.topic.type_name, message.time_ns, bytes(message.content)


def original(kind: str, folder: Path) -> Original:
    """A bag of sound and of two sensors."""
    path = recordings.write(kind, folder, _entries(recordings.ros_of(kind)))
    content, (found, losses) = path.read_bytes(), known(path)
    assert not losses
    assert len(found) == len({each[3] for each in found}) == 600
    path.unlink()
    spans, descriptions = (_pages if kind == "db3" else _records)(kind, content, found)
    return Original(kind=kind, content=content, messages=found, spans=spans, descriptions=descriptions)


def _entries(ros: int) -> list[recordings.Entry]:
    store, random = recordings.typestore(ros), np.random.default_rng(1)
    entries: list[recordings.Entry] = []
    for number in range(200):
        time = START + number * NANOSECONDS + number
        sound = random.integers(-9999, 9999, (100, 2))
        entries.append(("/sound", CHUNK_TYPE, time, recordings.audio(store, time, number * 100, sound, ros)))
        for topic in ("/air", "/oil"):
            heat = recordings.temperature(store, time, random.random(), ros)
            entries.append((topic, "sensor_msgs/msg/Temperature", time, heat))
    return entries


def _records(kind: str, content: bytes, found: Sequence[Known]) -> tuple[list[Span], dict[str, list[Span]]]:
    name, _, compression = kind.partition("-")
    chunks = list(_chunks(name, content)) if compression else []
    spans, descriptions = [], {topic: list[Span]() for topic in ("/sound", "/air", "/oil")}
    for each in found:
        if chunks:
            spans.append(next(span for span, inner in chunks if each[3] in inner))
        else:
            place = content.index(each[3])
            spans.append((place - _HEADERS[name], place + len(each[3])))
    for topic, places in descriptions.items():
        text = topic.encode()
        places += [span for span, inner in chunks if text in inner]
        place = content.find(text)
        while place >= 0:
            places.append((place - 60, place + 2000))  # with the definition that follows
            place = content.find(text, place + 2000)
    return spans, descriptions


def _chunks(name: str, content: bytes) -> list[tuple[Span, bytes]]:
    form, magic = (ros1._FORMAT, ros1.MAGIC) if name == "bag" else (mcap._FORMAT, mcap.MAGIC)
    found, before = [], len(magic)
    for record, _ in form.walk(content, len(magic), Losses()):
        inner = _inner(name, content, record)
        if inner:
            found.append(((before, record.stop), inner))
        before = record.stop
    return found


def _inner(name: str, content: bytes, record: ros1._Record | mcap._Record) -> bytes:
    if isinstance(record, ros1._Record):
        compression = record.fields.get(b"compression", b"none").decode()
        return b"" if compression == "none" else decompressed(content[record.start : record.stop], compression, 1 << 24)
    chunk = mcap._chunk(content, record.start) if record.kind == mcap._CHUNK else None
    return decompressed(content[chunk.start : record.stop], chunk.compression, chunk.size) if chunk else b""


def _pages(kind: str, content: bytes, found: Sequence[Known]) -> tuple[list[Span], dict[str, list[Span]]]:
    """Pages of rows; all other pages together describe all topics."""
    starts = [content.index(each[3]) // _PAGE * _PAGE for each in found]
    others = sorted(set(range(0, len(content), _PAGE)) - set(starts))
    spans = [(start, start + _PAGE) for start in starts]
    # Places that are all needed: given as one, since damage to any of them may cost everything.
    return spans, {topic: [(other, other + _PAGE) for other in others] for topic in ("/sound", "/air", "/oil")}


def damaged(content: bytes, random: np.random.Generator) -> tuple[bytes, list[Span]]:
    """Cut off, with blocks of zeros, or with wrong bytes; and which bytes are touched."""
    way = int(random.integers(0, 3))
    if way == 0:
        stop = int(random.integers(20, len(content)))
        return content[:stop], [(stop, len(content))]
    lengths = random.integers(1, 6000, int(random.integers(1, 4))) if way == 1 else [1] * int(random.integers(1, 9))
    changed, touched = bytearray(content), []
    for length in lengths:
        start = int(random.integers(0, len(content)))
        stop = min(start + int(length), len(content))
        changed[start:stop] = (
            bytes(stop - start) if way == 1 else bytes([changed[start] ^ int(random.integers(1, 256))])
        )
        touched.append((start, stop))
    return bytes(changed), touched


def is_touched(span: Span, touched: Sequence[Span]) -> bool:
    """Whether any of its bytes are."""
    return any(first < span[1] and span[0] < stop for first, stop in touched)


def intact(bag: Original, touched: Sequence[Span]) -> list[Known]:
    """The messages that must come back."""
    are_all_needed = bag.kind == "db3"
    quantity = any if are_all_needed else all
    lost = {
        topic for topic, places in bag.descriptions.items() if quantity(is_touched(place, touched) for place in places)
    }
    pairs = zip(bag.messages, bag.spans, strict=True)
    return [each for each, span in pairs if each[0] not in lost and not is_touched(span, touched)]
