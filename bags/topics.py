"""Messages become channels: numbers as they are, chunks of sound as one signal at a rate."""

from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from bags.chunks import Chunks, chunk_of, is_sound, signals_of
from bags.layout import Layout
from bags.losses import Losses
from bags.messages import Field, Message, MessageType, Topic, UnreadableMessageError, UnreadableTypeError
from bags.raw import Column, Rows
from bags.signals import NANOSECONDS, Channel, Signals
from bags.units import unit_of

LONGEST_ARRAY = 16  # a longer one is a scan or a picture, not some channels
_DEEPEST = 8
_MOST_COLUMNS = 1024  # of a topic
_MOST_TOPICS = 1000
_ROWS, _BYTES = 1024, 1 << 20  # kept before they are read and written
_STAMP = ("header.stamp.sec", "header.stamp.nanosec")
_END_OF_TIME = 1 << 62  # nanoseconds since 1970 beyond which no true clock is
_DTYPES = {f"{kind}{bits}": f"<{kind[0]}{bits // 8}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)}
_DTYPES |= {"float32": "<f4", "float64": "<f8", "bool": "<u1", "byte": "<i2", "char": "<i2", "octet": "<i2"}
_SKIPPED = ("std_msgs/msg/Header", "builtin_interfaces/msg/Time", "builtin_interfaces/msg/Duration")


def signals(messages: Iterable[Message], folder: Path, losses: Losses) -> Signals:
    """The channels of a bag's messages, by topic in the order of their first messages."""
    readers: dict[Topic, _Reader] = {}
    for message in messages:
        reader = readers.get(message.topic)
        if reader is None:
            if len(readers) >= _MOST_TOPICS:
                losses.count(f"messages belong to more than {_MOST_TOPICS} topics and were left out")
                continue
            reader = readers[message.topic] = _reader(message.topic, folder, losses)
        reader.add(message)
    channels = _named_once(channel for reader in readers.values() for channel in reader.channels())
    return Signals(channels=tuple(channels), losses=losses.sentences)


def _named_once(channels: Iterable[Channel]) -> Iterator[Channel]:
    """Two types may come under the name of one topic: the second's channels get a number."""
    seen: set[str] = set()
    for channel in channels:
        name, number = channel.name, 2
        while name in seen:
            name, number = f"{channel.name}~{number}", number + 1
        seen.add(name)
        yield channel if name == channel.name else _renamed(channel, name)


def _renamed(channel: Channel, name: str) -> Channel:
    return Channel(
        name=name,
        unit=channel.unit,
        values=channel.values,
        rate_hz=channel.rate_hz,
        times=channel.times,
        start_ns=channel.start_ns,
        gaps=channel.gaps,
    )


class _Reader(Protocol):
    """Takes the messages of a topic."""

    def add(self, message: Message) -> None: ...

    def channels(self) -> Iterable[Channel]: ...


def _reader(topic: Topic, folder: Path, losses: Losses) -> _Reader:
    try:
        message_type = MessageType(topic)
    except UnreadableTypeError as error:
        return _Lost(topic, str(error), losses)
    if is_sound(list(message_type.fields())):
        return _SoundTopic(topic, message_type, folder, losses)
    if names := signals_of(list(message_type.fields())):
        return _SignalsTopic(topic, message_type, names, folder, losses)
    fields = list(_numbers(message_type))
    return _NumbersTopic(topic, message_type, fields, folder, losses) if fields else _Ignored()


class _Ignored:
    """A topic without numbers."""

    def add(self, message: Message) -> None:
        pass

    def channels(self) -> Iterable[Channel]:
        return ()


class _Lost:
    """A topic whose messages cannot be read."""

    def __init__(self, topic: Topic, reason: str, losses: Losses) -> None:
        self._losses = losses
        self._what = f"messages of topic {topic.name} could not be read: type {topic.type_name}: {reason}"

    def add(self, message: Message) -> None:  # noqa: ARG002
        self._losses.count(self._what)

    def channels(self) -> Iterable[Channel]:
        return ()


class _Stamped:
    """Reads messages of a type, and when they were taken."""

    def __init__(self, topic: Topic, message_type: MessageType, losses: Losses) -> None:
        self._type, self._losses = message_type, losses
        self._unreadable = f"messages of topic {topic.name} are damaged and were left out"
        self.has_header = any(field.name == "header" and field.kind == _SKIPPED[0] for field in message_type.fields())
        self.name = topic.name.lstrip("/") or "messages"

    def read(self, message: Message) -> tuple[int, Any] | None:
        """The time in nanoseconds since 1970 and the content; None if it is damaged."""
        try:
            content = self._type.read(message.content)
        except UnreadableMessageError:
            self.lose()
            return None
        stamp = content.header.stamp if self.has_header else None
        stamped = stamp.sec * NANOSECONDS + stamp.nanosec if stamp is not None else 0
        time_ns = stamped if stamped > 0 else message.time_ns
        if not 0 <= time_ns < _END_OF_TIME:
            self.lose()
            return None
        return time_ns, content

    def lose(self, number: int = 1) -> None:
        """Notes that messages were left out."""
        self._losses.count(self._unreadable, number)


class _NumbersTopic:
    """A topic whose messages hold numbers: a channel for each."""

    def __init__(
        self, topic: Topic, message_type: MessageType, fields: list[Field], folder: Path, losses: Losses
    ) -> None:
        self._type, self._messages = message_type, _Stamped(topic, message_type, losses)
        self._dtype = np.dtype([(field.name, _DTYPES[field.kind], _shape(field)) for field in fields])
        self._getters = [attrgetter(field.name) for field in fields]
        self._names = [field.name for field in fields]
        self._columns = list(_columns(self._messages.name, message_type.name, fields))
        self._rows = Rows(folder, self._dtype)
        self._layout: Layout | None = None
        self._waiting: list[Message] = []
        self._bytes = 0

    def add(self, message: Message) -> None:
        self._waiting.append(message)
        self._bytes += len(message.content)
        if len(self._waiting) >= _ROWS or self._bytes >= _BYTES:
            self._flush()

    def channels(self) -> Iterable[Channel]:
        self._flush()
        return self._rows.channels(self._columns)

    def _flush(self) -> None:
        if self._waiting and not self._read_at_once():
            self._read_one_by_one()
        self._waiting, self._bytes = [], 0

    def _read_at_once(self) -> bool:
        """Whether all that wait are alike, and so could be read."""
        if self._type.topic.encoding != "ros1":
            return False
        stamp = _STAMP if self._messages.has_header else ()
        contents, names = [message.content for message in self._waiting], (*self._names, *stamp)
        found = self._layout.read(contents, names) if self._layout else None
        if found is None and self._type.can_read(contents[0]):
            self._layout = Layout(self._type, contents[0])
            found = self._layout.read(contents, names)
        if found is None:
            return False
        times = np.array([message.time_ns for message in self._waiting], np.int64)
        if stamp:
            stamped = found[_STAMP[0]].astype(np.int64) * NANOSECONDS + found[_STAMP[1]]
            times = np.where(stamped > 0, stamped, times)
        self._keep(times, found)
        return True

    def _keep(self, times: npt.NDArray[np.int64], found: npt.NDArray[Any]) -> None:
        rows = np.empty(len(found), self._dtype)
        for name in self._names:
            rows[name] = found[name]
        is_true = (times >= 0) & (times < _END_OF_TIME)
        self._messages.lose(int((~is_true).sum()))
        self._rows.append(times[is_true], rows[is_true])

    def _read_one_by_one(self) -> None:
        read = [found for found in map(self._messages.read, self._waiting) if found is not None]
        values = [tuple(get(content) for get in self._getters) for _, content in read]
        self._rows.append(np.array([time for time, _ in read], np.int64), np.array(values, self._dtype))


class _SoundTopic:
    """A topic whose messages are chunks of sound."""

    def __init__(self, topic: Topic, message_type: MessageType, folder: Path, losses: Losses) -> None:
        self._messages = _Stamped(topic, message_type, losses)
        self._sound = Chunks(f"sound {self._messages.name}", folder, losses)

    def add(self, message: Message) -> None:
        if (read := self._messages.read(message)) is not None:
            self._sound.add(*read)

    def channels(self) -> Iterable[Channel]:
        return self._sound.channels(lambda number: (f"{self._messages.name}.{number + 1}", ""))


class _SignalsTopic:
    """A topic whose messages are chunks of several signals at one rate, such as the axes of an accelerometer."""

    def __init__(self, topic: Topic, message_type: MessageType, names: list[str], folder: Path, losses: Losses) -> None:
        self._messages, self._names = _Stamped(topic, message_type, losses), names
        self._labels = [(f"{self._messages.name}/{name}", unit_of(message_type.name, name)) for name in names]
        self._chunks = Chunks(self._messages.name, folder, losses, "<f4")

    def add(self, message: Message) -> None:
        if (read := self._messages.read(message)) is None:
            return
        if (chunk := chunk_of(read[1], self._names)) is None:
            self._messages.lose()
        elif chunk.data:
            self._chunks.add(read[0], chunk)

    def channels(self) -> Iterable[Channel]:
        return self._chunks.channels(self._labels.__getitem__)


def _shape(field: Field) -> tuple[int, ...]:
    return () if field.length is None else (field.length,)


def _numbers(message_type: MessageType) -> Iterator[Field]:
    """The numbers of a type and of those within it, their names as paths such as `linear.x`."""
    found = 0
    for field in _leaves(message_type, "", "", 0):
        found += field.length or 1
        if found > _MOST_COLUMNS:
            return
        yield field


def _leaves(message_type: MessageType, type_name: str, above: str, depth: int) -> Iterator[Field]:
    for field in message_type.fields(type_name):
        if "covariance" in field.name:
            continue
        if field.is_message and field.length is None and field.kind not in _SKIPPED and depth < _DEEPEST:
            yield from _leaves(message_type, field.kind, f"{above}{field.name}.", depth + 1)
        elif field.kind in _DTYPES and (field.length is None or 0 < field.length <= LONGEST_ARRAY):
            yield field._replace(name=above + field.name)


def _columns(topic: str, type_name: str, fields: list[Field]) -> Iterator[Column]:
    for field in fields:
        name, unit = f"{topic}/{field.name}", unit_of(type_name, field.name)
        if field.length is None:
            yield Column(name, field.name, unit=unit)
        else:
            for index in range(field.length):
                yield Column(f"{name}[{index}]", field.name, index=index, unit=unit)
