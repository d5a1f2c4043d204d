"""Any recording as channels; the format is told by what the file begins with."""

from pathlib import Path

from bags import database, mcap, ros1, sound, tables, topics
from bags.losses import Losses
from bags.signals import Signals, UnreadableError

_BAGS = {ros1.MAGIC: ros1.messages, mcap.MAGIC: mcap.messages, database.MAGIC: database.messages}


def read(path: Path, folder: Path, *, filename: str = "") -> Signals:
    """What a recording holds, whatever its format: bags of ROS 1 and 2, sound, CSV and Parquet.

    Args:
        path: the file.
        folder: where samples are written; the channels' values are mapped from files in it.
        filename: what the file was called where it came from: sound takes its date from it.

    Raises:
        UnreadableError: nothing can be read, with what to do.
    """
    with path.open("rb") as stream:
        start = stream.read(16)
    if not start:
        raise UnreadableError("the file is empty")
    for magic, messages in _BAGS.items():
        if start.startswith(magic):
            losses = Losses()
            return topics.signals(messages(path, losses), folder, losses)
    if start.startswith(sound.MAGICS):
        return sound.read(path, folder, filename=filename or path.name)
    if start.startswith(tables.PARQUET_MAGIC):
        return tables.read_parquet(path, folder)
    return tables.read_csv(path, folder)
