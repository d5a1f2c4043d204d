"""What a bag holds, told without decoding all of it: topics, channels, and what is damaged."""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bags import topics
from bags.losses import Losses
from bags.messages import Message, Topic
from bags.reading import BagFormat, format_of, messages
from bags.signals import NANOSECONDS, Channel, UnreadableError

Progress = Callable[[int, int], None]
"""Is called with how many bytes of messages are read, and how many bytes the file has."""

_LOOKED_AT = 3  # messages of each topic: the first may be damaged


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSummary:
    """A channel; `rate_hz` is None if there is but one sample."""

    name: str
    unit: str
    rate_hz: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSummary:
    """A topic; `rate_hz` is of its messages, by when they were recorded; None of a single one."""

    name: str
    type_name: str
    messages: int
    rate_hz: float | None
    channels: tuple[ChannelSummary, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BagSummary:
    """A bag.

    Attributes:
        start_ns, end_ns: when its first and its last message were recorded, since 1970.
        losses: what is damaged, each as a sentence.
    """

    bag_format: BagFormat
    size_bytes: int
    start_ns: int
    end_ns: int
    topics: tuple[TopicSummary, ...]
    losses: tuple[str, ...]

    @property
    def duration_seconds(self) -> float:
        """From the first message to the last."""
        return (self.end_ns - self.start_ns) / NANOSECONDS


def summarize(
    path: Path,
    *,
    progress: Progress = lambda done, total: None,  # noqa: ARG005 - what it is called with
) -> BagSummary:
    """Reads a bag through, whether its index is whole or not.

    Raises:
        UnreadableError: the file is no bag, or nothing can be read.
    """
    bag_format = format_of(path)
    if bag_format is None:
        raise UnreadableError(f"{path} is no bag of ROS: neither .bag nor .mcap nor .db3")
    losses, size = Losses(), path.stat().st_size
    found = _count(messages(path, bag_format, losses), size, progress)
    return BagSummary(
        bag_format=bag_format,
        size_bytes=size,
        start_ns=min((counted.first_ns for counted in found.values()), default=0),
        end_ns=max((counted.last_ns for counted in found.values()), default=0),
        topics=tuple(_summary(topic, counted, losses) for topic, counted in found.items()),
        losses=losses.sentences,
    )


@dataclass(slots=True)
class _Counted:
    first_ns: int
    last_ns: int
    count: int = 0
    some: list[Message] = field(default_factory=list)

    def add(self, message: Message) -> None:
        self.first_ns = min(self.first_ns, message.time_ns)
        self.last_ns = max(self.last_ns, message.time_ns)
        self.count += 1
        if len(self.some) < _LOOKED_AT:
            self.some.append(message)

    @property
    def rate_hz(self) -> float | None:
        seconds = (self.last_ns - self.first_ns) / NANOSECONDS
        return (self.count - 1) / seconds if seconds > 0 else None


def _count(found: Iterable[Message], size: int, progress: Progress) -> dict[Topic, _Counted]:
    counts: dict[Topic, _Counted] = {}
    done = 0
    for message in found:
        counted = counts.get(message.topic)
        if counted is None:
            counted = counts[message.topic] = _Counted(message.time_ns, message.time_ns)
        counted.add(message)
        done += len(message.content)
        progress(min(done, size), size)
    return counts


def _summary(topic: Topic, counted: _Counted, losses: Losses) -> TopicSummary:
    with tempfile.TemporaryDirectory(prefix="atlas-bag-") as folder:
        beginning = Losses()
        signals = topics.signals(counted.some, Path(folder), beginning)
        channels = tuple(_channel(channel, counted) for channel in signals.channels)
    if not channels:
        for sentence in beginning.sentences:
            losses.add(sentence)
    return TopicSummary(
        name=topic.name,
        type_name=topic.type_name,
        messages=counted.count,
        rate_hz=counted.rate_hz,
        channels=channels,
    )


def _channel(channel: Channel, counted: _Counted) -> ChannelSummary:
    rate_hz = counted.rate_hz if channel.rate_hz is None else channel.rate_hz
    return ChannelSummary(name=channel.name, unit=channel.unit, rate_hz=rate_hz)
