"""Messages become channels: numbers as they are, chunks of sound as one signal at a rate."""

from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from bags.chunks import Chunks, chunk_of, is_sound, signals_of
from bags.losses import Losses
from bags.messages import Field, Message, MessageType, Topic, UnreadableMessageError, UnreadableTypeError
from bags.raw import Column, Rows
from bags.signals import NANOSECONDS, Channel, Signals
from bags.units import unit_of

LONGEST_ARRAY = 16  # a longer one is a scan or a picture, not some channels
_DEEPEST = 8
_MOST_COLUMNS = 1024  # of a topic
_MOST_TOPICS = 1000
_ROWS = 1024  # kept before they are written
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
        self._has_header = any(field.name == "header" and field.kind == _SKIPPED[0] for field in message_type.fields())
        self.name = topic.name.lstrip("/") or "messages"

    def read(self, message: Message) -> tuple[int, Any] | None:
        """The time in nanoseconds since 1970 and the content; None if it is damaged."""
        try:
            content = self._type.read(message.content)
        except UnreadableMessageError:
            self.lose()
            return None
        stamp = content.header.stamp if self._has_header else None
        stamped = stamp.sec * NANOSECONDS + stamp.nanosec if stamp is not None else 0
        time_ns = stamped if stamped > 0 else message.time_ns
        if not 0 <= time_ns < _END_OF_TIME:
            self.lose()
            return None
        return time_ns, content

    def lose(self) -> None:
        """Notes that a message was left out."""
        self._losses.count(self._unreadable)


class _NumbersTopic:
    """A topic whose messages hold numbers: a channel for each."""

    def __init__(
        self, topic: Topic, message_type: MessageType, fields: list[Field], folder: Path, losses: Losses
    ) -> None:
        self._messages = _Stamped(topic, message_type, losses)
        self._dtype = np.dtype([(field.name, _DTYPES[field.kind], _shape(field)) for field in fields])
        self._getters = [attrgetter(field.name) for field in fields]
        self._columns = list(_columns(self._messages.name, message_type.name, fields))
        self._rows = Rows(folder, self._dtype)
        self._times: list[int] = []
        self._values: list[tuple[Any, ...]] = []

    def add(self, message: Message) -> None:
        if (read := self._messages.read(message)) is None:
            return
        self._times.append(read[0])
        self._values.append(tuple(get(read[1]) for get in self._getters))
        if len(self._times) >= _ROWS:
            self._flush()

    def channels(self) -> Iterable[Channel]:
        self._flush()
        return self._rows.channels(self._columns)

    def _flush(self) -> None:
        self._rows.append(np.array(self._times, np.int64), np.array(self._values, self._dtype))
        self._times, self._values = [], []


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
