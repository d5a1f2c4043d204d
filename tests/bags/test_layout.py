"""Messages that are alike are read at once, and give what reading them one by one gives."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bags.layout import Layout
from bags.losses import Losses
from bags.messages import MessageType
from bags.reading import BagFormat, messages, read
from bags.signals import NANOSECONDS
from tests.bags import recordings
from tests.bags.recordings import START


def of(path: Path) -> tuple[MessageType, list[bytes]]:
    found = list(messages(path, BagFormat.ROS1, Losses()))
    return MessageType(found[0].topic), [message.content for message in found]


def test_fields_of_all_messages_are_those_of_each(tmp_path: Path) -> None:
    kind, contents = of(recordings.write("bag", tmp_path, recordings.temperatures(50, 1)))
    found = Layout(kind, contents[0]).read(contents, ["temperature", "variance", "header.stamp.sec"])
    assert found is not None
    objects: list[Any] = [kind.read(content) for content in contents]
    assert found["temperature"].tolist() == [each.temperature for each in objects]
    assert found["header.stamp.sec"].tolist() == [each.header.stamp.sec for each in objects]


@pytest.mark.parametrize("frame", [b"bus", b"cart"])
def test_a_message_with_another_text_is_not_alike(frame: bytes, tmp_path: Path) -> None:
    kind, contents = of(recordings.write("bag", tmp_path, recordings.temperatures(2, 1)))
    other = contents[1].replace(b"\x03\0\0\0car", len(frame).to_bytes(4, "little") + frame)
    assert Layout(kind, contents[0]).read([contents[0], other], ["temperature"]) is None


def test_messages_that_differ_become_the_same_channels(tmp_path: Path) -> None:
    store = recordings.typestore(1)
    entries = recordings.temperatures(3000, 1)
    for number in range(5, 3000, 700):
        topic, kind, time, message = entries[number]
        message.header.frame_id = "another"
        entries[number] = (topic, kind, time, message)
    entries.append(("/air", entries[0][1], START, recordings.temperature(store, 0, -1.0, 1)))
    (tmp_path / "samples").mkdir()
    path = recordings.write("bag", tmp_path, entries)
    [channel, _] = read(path, tmp_path / "samples").channels
    assert channel.times is not None
    assert channel.values.tolist() == [0.0, -1.0, *range(1, 3000)]
    assert (np.diff(channel.times[1:]) == NANOSECONDS).all()
