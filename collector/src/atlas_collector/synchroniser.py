"""Puts messages of several topics together that were taken at the same time.

The filter that ROS brings keeps its lock for ever once a callback raises, and does not tell what it drops. This one
returns complete sets instead of calling anybody, and counts each message that ends up in no set.
"""

import threading
from bisect import bisect_left, insort
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from operator import attrgetter

from atlas_collector.clock import NANOSECONDS, Instant

_stamp = attrgetter("stamp_ns")


class Drop(StrEnum):
    """Why a message is in no set."""

    NO_PARTNER = "no partner"  # the other sensors sent nothing of its time while it could wait
    TOO_OLD = "too old"  # its stamp was already past waiting for when it came
    DUPLICATE = "duplicate"
    FUTURE = "stamp in the future"
    CLOCK = "clock was set"  # it waited while the wall clock jumped


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came.

    Attributes:
        stamp_ns: when it was measured, in nanoseconds since 1970.
        arrival: when it came, in seconds of the monotonic clock.
    """

    topic: str
    stamp_ns: int
    arrival: float
    content: object = field(compare=False)


@dataclass(frozen=True, slots=True)
class MessageSet:
    """At most one message of each topic, all stamped within the tolerance.

    Attributes:
        messages: sorted by topic.
        dropped: how many messages of any topic were dropped since the set before.
    """

    messages: tuple[Message, ...]
    dropped: int

    @property
    def stamp_ns(self) -> int:
        """The earliest stamp."""
        return min(message.stamp_ns for message in self.messages)

    @property
    def spread_seconds(self) -> float:
        """From the earliest stamp to the latest."""
        return (max(message.stamp_ns for message in self.messages) - self.stamp_ns) / NANOSECONDS

    @property
    def arrival(self) -> float:
        """When the last of them came, in seconds of the monotonic clock."""
        return max(message.arrival for message in self.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Synchronisation:
    """What makes a set.

    Attributes:
        required: for each topic, whether a set needs it. Another one is waited for only
            while its sensor sends.
        tolerance_seconds: from the earliest stamp in a set to the latest, at most.
        queue_size: how many messages of a topic wait for partners, at most.
        patience_seconds: how long a message waits for partners, at most.
    """

    required: Mapping[str, bool]
    tolerance_seconds: float
    queue_size: int = 20
    patience_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Counts:
    """What the synchroniser has seen since it was made."""

    received: Mapping[str, int]
    dropped: Mapping[str, Mapping[Drop, int]]
    sets: int


class Synchroniser:
    """Collects messages and returns sets as soon as they are complete. May be used by many threads.

    Where the ticks of the sensors lie further apart than the tolerance, which they do when all are stamped with
    multiples of one interval, the sets are the same in whatever order the messages come. Otherwise a message goes to
    the partners that lie closest together when it comes. A required sensor that is gone means no sets: what the others
    send meanwhile is dropped and counted.
    """

    def __init__(self, settings: Synchronisation) -> None:
        self._settings = settings
        self._tolerance = round(settings.tolerance_seconds * NANOSECONDS)
        self._waiting: dict[str, list[Message]] = {topic: [] for topic in sorted(settings.required)}
        self._used: dict[str, deque[int]] = {topic: deque(maxlen=settings.queue_size) for topic in self._waiting}
        self._heard: dict[str, float] = {}
        self._received: Counter[str] = Counter()
        self._dropped: dict[str, Counter[Drop]] = {topic: Counter() for topic in self._waiting}
        self._sets = self._reported = 0
        self._lock = threading.Lock()

    def add(self, topic: str, stamp_ns: int, content: object, now: Instant) -> list[MessageSet]:
        """Takes a message that came now; returns the sets that are complete with it, mostly none or one.

        Raises:
            KeyError: the topic is none of those in the settings.
        """
        message = Message(topic, stamp_ns, now.monotonic, content)
        with self._lock:
            self._received[topic] += 1
            refused = self._refusal(message, now)
            if refused:
                self._dropped[topic][refused] += 1
                return self._expired(now.monotonic)
            self._heard[topic] = now.monotonic
            self._wait(message)
            return [*self._completed(message, self._awaited(now.monotonic)), *self._expired(now.monotonic)]

    def expire(self, monotonic: float) -> list[MessageSet]:
        """Ends the waiting of messages that came too long ago; returns sets that only lack what is not required."""
        with self._lock:
            return self._expired(monotonic)

    def forget(self) -> None:
        """Drops all that wait, because the wall clock was set: their stamps mean nothing any more."""
        with self._lock:
            for topic, waiting in self._waiting.items():
                self._dropped[topic][Drop.CLOCK] += len(waiting)
                waiting.clear()
                self._used[topic].clear()

    def counts(self) -> Counts:
        """What was received, dropped and put together until now."""
        with self._lock:
            received = {topic: self._received[topic] for topic in self._waiting}
            dropped = {topic: dict(reasons) for topic, reasons in self._dropped.items()}
            return Counts(received, dropped, self._sets)

    @property
    def waiting(self) -> int:
        """How many messages wait for partners."""
        with self._lock:
            return sum(map(len, self._waiting.values()))

    def _refusal(self, message: Message, now: Instant) -> Drop | None:
        ahead = message.stamp_ns - now.wall_ns
        if ahead > self._tolerance:
            return Drop.FUTURE
        if -ahead > self._settings.patience_seconds * NANOSECONDS:
            return Drop.TOO_OLD
        known = [*self._used[message.topic], *map(_stamp, self._waiting[message.topic])]
        return Drop.DUPLICATE if message.stamp_ns in known else None

    def _awaited(self, monotonic: float) -> list[str]:
        """The topics that a set has to wait for: those required, and those heard of lately."""
        since = monotonic - self._settings.patience_seconds
        return [
            topic
            for topic, required in self._settings.required.items()
            if required or self._heard.get(topic, -1.0) >= since
        ]

    def _wait(self, message: Message) -> None:
        waiting = self._waiting[message.topic]
        insort(waiting, message, key=_stamp)
        if len(waiting) > self._settings.queue_size:
            waiting.pop(0)
            self._dropped[message.topic][Drop.NO_PARTNER] += 1

    def _completed(self, message: Message, awaited: Sequence[str]) -> list[MessageSet]:
        """The set around a message that waits, if all topics that are awaited have a message for it."""
        candidates = [self._beginning(start, message) for start in self._starts(message)]
        complete = [found for found in candidates if found.keys() >= set(awaited)]
        if message not in self._waiting[message.topic] or not complete:
            return []
        best = min(complete, key=lambda found: (-len(found), _spread(found)))
        return [self._taken(best)]

    def _starts(self, message: Message) -> list[int]:
        """The stamps that may be the earliest of a set with this message."""
        earliest = message.stamp_ns - self._tolerance
        stamps = {waits.stamp_ns for waiting in self._waiting.values() for waits in waiting}
        return sorted(stamp for stamp in stamps if earliest <= stamp <= message.stamp_ns)

    def _beginning(self, start: int, message: Message) -> dict[str, Message]:
        """Of each topic, the first message from the start on within the tolerance; of the message's topic, itself."""
        found = {message.topic: message}
        for topic, waiting in self._waiting.items():
            place = bisect_left(waiting, start, key=_stamp)
            is_there = place < len(waiting) and waiting[place].stamp_ns <= start + self._tolerance
            if topic != message.topic and is_there:
                found[topic] = waiting[place]
        return found

    def _taken(self, found: Mapping[str, Message]) -> MessageSet:
        for topic, message in found.items():
            self._waiting[topic].remove(message)
            self._used[topic].append(message.stamp_ns)
        self._sets += 1
        total = sum(sum(reasons.values()) for reasons in self._dropped.values())
        dropped, self._reported = total - self._reported, total
        return MessageSet(tuple(found[topic] for topic in sorted(found)), dropped)

    def _expired(self, monotonic: float) -> list[MessageSet]:
        """Sets of what has waited long enough, without what is not required; the rest of it is dropped."""
        since = monotonic - self._settings.patience_seconds
        required = [topic for topic, needed in self._settings.required.items() if needed]
        late = [message for waiting in self._waiting.values() for message in waiting if message.arrival < since]
        sets = []
        for message in sorted(late, key=_stamp):
            sets.extend(self._completed(message, required))
            if message in self._waiting[message.topic]:
                self._waiting[message.topic].remove(message)
                self._dropped[message.topic][Drop.NO_PARTNER] += 1
        return sets


def _spread(found: Mapping[str, Message]) -> int:
    stamps = [message.stamp_ns for message in found.values()]
    return max(stamps) - min(stamps)
