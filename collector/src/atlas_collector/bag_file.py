"""Bags as Debian's rosbag writes them, uncompressed: a Pi is too slow to compress eight channels of sound."""

from pathlib import Path
from typing import Any, BinaryIO

import genpy
import rosbag

from atlas_collector.clock import NANOSECONDS
from atlas_collector.msg import SetInfo as SetInfoMessage
from atlas_collector.recorder import SetInfo

_CHUNK_BYTES = 1 << 30  # flush ends the chunks: one for each set


class RosbagWriter:
    """Writes messages of ROS into a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._bag = rosbag.Bag(file, "w", chunk_threshold=_CHUNK_BYTES)

    def write(self, topic: str, message: object, time_ns: int) -> None:
        """Adds a message, or a SetInfo, at its time."""
        content = set_message(message) if isinstance(message, SetInfo) else message
        self._bag.write(topic, content, ros_time(time_ns))

    def flush(self) -> None:
        """Ends the chunk."""
        self._bag.flush()

    def close(self) -> None:
        """Writes the index, and closes the file."""
        self._bag.close()


class Rosbags:
    """Bags of ROS 1, format 2.0."""

    def create(self, file: BinaryIO) -> RosbagWriter:
        """A new bag in an empty file."""
        return RosbagWriter(file)

    def repair(self, path: Path) -> None:
        """Writes the index of a bag that consists of whole chunks and was not closed."""
        with rosbag.Bag(str(path), "a", allow_unindexed=True) as bag:
            for _ in bag.reindex():
                pass

    def type_name(self, message: object) -> str:
        """Such as `atlas_collector/GasReading`."""
        return str(SetInfoMessage._type if isinstance(message, SetInfo) else getattr(message, "_type"))  # noqa: B009


def ros_time(time_ns: int) -> Any:
    """A time in nanoseconds since 1970 as ROS has it."""
    return genpy.Time(time_ns // NANOSECONDS, time_ns % NANOSECONDS)


def set_message(info: SetInfo) -> Any:
    """What is published and recorded about a set."""
    message = SetInfoMessage(number=info.number, monotonic=info.monotonic, spread=info.spread, dropped=info.dropped)
    message.header.stamp = ros_time(info.stamp_ns)
    return message
