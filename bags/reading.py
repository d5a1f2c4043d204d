"""Any recording as channels; the format is told by what the file begins with."""

from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path

from bags import database, mcap, ros1, sound, tables, topics
from bags.losses import Losses
from bags.messages import Message
from bags.signals import Signals, UnreadableError


class BagFormat(Enum):
    """Kinds of bags: what they are called, and how their files end."""

    ROS1 = "ROS 1 bag", ".bag"
    MCAP = "ROS 2 MCAP", ".mcap"
    SQLITE = "ROS 2 SQLite", ".db3"

    def __init__(self, title: str, suffix: str) -> None:
        self.title, self.suffix = title, suffix


_BEGINNING = 16  # bytes that tell what a file is
_BAGS: dict[BagFormat, tuple[bytes, Callable[[Path, Losses], Iterator[Message]]]] = {
    BagFormat.ROS1: (ros1.MAGIC, ros1.messages),
    BagFormat.MCAP: (mcap.MAGIC, mcap.messages),
    BagFormat.SQLITE: (database.MAGIC, database.messages),
}


def format_of(path: Path, *, filename: str = "") -> BagFormat | None:
    """What kind of bag a file is: by what it begins with, or if that is damaged by its name; None for no bag.

    Raises:
        UnreadableError: the file is empty.
    """
    with path.open("rb") as stream:
        start = stream.read(_BEGINNING)
    if not start:
        raise UnreadableError("the file is empty")
    for bag_format, (magic, _) in _BAGS.items():
        if start.startswith(magic):
            return bag_format
    suffixes = Path(filename or path.name).suffixes
    return next((each for each in BagFormat if each.suffix in suffixes), None)


def messages(path: Path, bag_format: BagFormat, losses: Losses) -> Iterator[Message]:
    """All messages of a bag that can be saved, in the order of the file.

    Raises:
        UnreadableError: nothing can be read, with what to do.
    """
    return _BAGS[bag_format][1](path, losses)


def read(path: Path, folder: Path, *, filename: str = "") -> Signals:
    """What a recording holds, whatever its format: bags of ROS 1 and 2, sound, CSV and Parquet.

    Args:
        path: the file.
        folder: where samples are written; the channels' values are mapped from files in it.
        filename: what the file was called where it came from: sound takes its date from it.

    Raises:
        UnreadableError: nothing can be read, with what to do.
    """
    bag_format = format_of(path, filename=filename)
    if bag_format is not None:
        losses = Losses()
        return topics.signals(messages(path, bag_format, losses), folder, losses)
    with path.open("rb") as stream:
        start = stream.read(_BEGINNING)
    if start.startswith(sound.MAGICS):
        return sound.read(path, folder, filename=filename or path.name)
    if start.startswith(tables.PARQUET_MAGIC):
        return tables.read_parquet(path, folder)
    return tables.read_csv(path, folder)
