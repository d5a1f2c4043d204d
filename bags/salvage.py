"""What is intact of a damaged bag, as a whole bag of the same kind, with an index.

A message is intact if its record and the description of its topic are. Where a chunk has a checksum, or is compressed,
all of its messages are intact or none. Elsewhere nothing tells whether the bytes within a message are still those that
were recorded: the message comes back as the file holds it.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rosbags.interfaces import Connection
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag1 import WriterError as WriterError1
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as Writer2
from rosbags.rosbag2 import WriterError as WriterError2
from rosbags.typesys.msg import normalize_msgtype

from atlas.errors import AtlasError
from bags.losses import Losses
from bags.messages import IDL_SEPARATOR, Message, MessageType, Topic, UnreadableTypeError, is_type_name
from bags.reading import BagFormat, format_of, messages
from bags.signals import UnreadableError

Progress = Callable[[int, int], None]
"""Is called with how many bytes of messages are written, and how many bytes the damaged file has."""

_PLUGINS = {BagFormat.MCAP: StoragePlugin.MCAP, BagFormat.SQLITE: StoragePlugin.SQLITE3}
_NO_HASH = "RIHS01_" + "0" * 64  # of a type that is not defined


class SalvageError(AtlasError):
    """The salvaged bag cannot be written there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """What became of a damaged bag.

    Attributes:
        path: of the new bag.
        messages: how many it holds, by topic.
        losses: what could not be saved, each as a sentence.
    """

    path: Path
    messages: dict[str, int]
    losses: tuple[str, ...]


def salvage(
    path: Path,
    output: Path | None = None,
    *,
    progress: Progress = lambda done, total: None,  # noqa: ARG005 - what it is called with
) -> Salvaged:
    """Writes every intact message of a bag, with its time, topic and type, into a new bag; the old one stays as it is.

    Args:
        path: of a bag of ROS 1 or 2, perhaps one that its recorder did not close.
        output: of the new bag; else beside the old one: `a.salvaged.bag` of `a.bag` or `a.bag.active`.
        progress: is told how far it is.

    Raises:
        SalvageError: the output exists already.
        UnreadableError: the file is no bag, or nothing of it is intact.
    """
    bag_format = format_of(path)
    if bag_format is None:
        raise UnreadableError(f"{path} is no bag of ROS: neither .bag nor .mcap nor .db3")
    output = output or _beside(path, bag_format)
    if output.exists():
        raise SalvageError(f"{output} exists already; name another file by --output, or move it away")
    losses = Losses()
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".salvage-") as folder:
        found = _told(messages(path, bag_format, losses), path.stat().st_size, progress)
        written, counts = _write(Path(folder), bag_format, found, losses)
        if not counts:
            raise UnreadableError(f"no message of {path} is intact. {' '.join(losses.sentences)}".strip())
        shutil.move(written, output)
    return Salvaged(path=output, messages=dict(counts), losses=losses.sentences)


def _beside(path: Path, bag_format: BagFormat) -> Path:
    stem = path.name.removesuffix(".active").removesuffix(bag_format.suffix)
    return path.with_name(f"{stem}.salvaged{bag_format.suffix}")


def _told(found: Iterable[Message], total: int, progress: Progress) -> Iterator[Message]:
    done = 0
    for message in found:
        yield message
        done += len(message.content)
        progress(min(done, total), total)


def _write(folder: Path, bag_format: BagFormat, found: Iterable[Message], losses: Losses) -> tuple[Path, Counter[str]]:
    counts: Counter[str] = Counter()
    with _opened(folder / "salvaged", bag_format) as writer:
        connections: dict[Topic, Connection | None] = {}
        for message in found:
            topic = message.topic
            if topic not in connections:
                connections[topic] = _connected(writer, topic, connections)
            connection = connections[topic]
            if connection is None:
                losses.count(f"messages of topic {topic.name} are left out: the description of their type is damaged")
                continue
            writer.write(connection, message.time_ns, message.content)
            counts[topic.name] += 1
    return _file(folder / "salvaged"), counts


@contextmanager
def _opened(path: Path, bag_format: BagFormat) -> Iterator[Any]:
    plugin = _PLUGINS.get(bag_format)
    with Writer1(path) if plugin is None else Writer2(path, version=9, storage_plugin=plugin) as writer:
        yield writer


def _connected(writer: Any, topic: Topic, others: dict[Topic, Connection | None]) -> Connection | None:
    """The topic's connection in the new bag; None if its type's name or checksum is lost."""
    if not is_type_name(topic.type_name) or (isinstance(writer, Writer1) and not topic.md5):
        return None
    kind = normalize_msgtype(topic.type_name)
    try:
        if isinstance(writer, Writer1):
            return writer.add_connection(topic.name, kind, msgdef=topic.definition, md5sum=topic.md5)
        connection: Connection = writer.add_connection(
            topic.name,
            kind,
            msgdef=_definition(topic),
            rihs01=_hash(topic),
            serialization_format=topic.encoding,
        )
    except (WriterError1, WriterError2):  # described twice, with other words
        alike = (each for each in others.values() if each and (each.topic, each.msgtype) == (topic.name, kind))
        return next(alike, None)
    return connection


def _definition(topic: Topic) -> str:
    is_bare = topic.definition_format == "idl" and not topic.definition.startswith(IDL_SEPARATOR)
    return f"{IDL_SEPARATOR}{topic.type_name}\n{topic.definition}" if is_bare else topic.definition


def _hash(topic: Topic) -> str:
    try:
        return MessageType(topic).ros2_hash()
    except UnreadableTypeError:
        return _NO_HASH


def _file(path: Path) -> Path:
    """The bag itself: of ROS 2 it is in a folder, beside a description that can be made from it."""
    return path if path.is_file() else next(each for each in path.iterdir() if each.suffix != ".yaml")
