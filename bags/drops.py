"""Where the collector dropped messages, as its recordings tell: channels called `dropped` count them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bags.archive import Archive, ArchivedChannel

MOST = 2000
"""So many are told."""

_MOST_SAMPLES = 1 << 20  # of a channel; a count comes once a set


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Messages that did not become part of a recording.

    Attributes:
        channel: which counted them.
        seconds: when it did, since the recording began.
        messages: how many there were since the count before.
    """

    channel: str
    seconds: float
    messages: int


def drops(archive: Archive) -> list[Drop]:
    """The first that the recording tells of, in the order of time."""
    counted = (each for channel in archive.channels if _counts(channel) for each in _of(archive, channel))
    return sorted(counted, key=lambda drop: drop.seconds)[:MOST]


def _counts(channel: ArchivedChannel) -> bool:
    is_whole = np.dtype(channel.dtype).kind in "iu"
    return is_whole and channel.name.rpartition("/")[2] == "dropped" and channel.samples <= _MOST_SAMPLES


def _of(archive: Archive, channel: ArchivedChannel) -> Iterator[Drop]:
    found = archive.samples(channel.name, range(channel.samples))
    for index in np.flatnonzero(found.values)[:MOST].tolist():
        seconds = (found.time_at(index) - archive.start_ns) / 1e9
        yield Drop(channel=channel.name, seconds=seconds, messages=int(found.values[index]))
