"""Temporary folders that go with a process, even if it is killed: an engine's own, and the one of its workspaces."""

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from benchmark_engine.sandbox.removal import remove

PREFIX = "atlas-sandbox-"


class Base:
    """A new folder below the system's temporary one, locked while a process lives that has `lock` open.

    The zygote of an engine that was killed removes the folder of its workspaces; what nobody could remove, the next
    engine does.

    Attributes:
        path: the folder.
        lock: a descriptor of it, which a zygote inherits.
    """

    def __init__(self) -> None:
        remove_left_behind()
        unlocked = Path(tempfile.mkdtemp(prefix=f".{PREFIX}"))
        unlocked.chmod(0o711)  # children may be other users, who know the way to their folder, and no other
        self.lock = _opened(unlocked)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.path = unlocked.rename(unlocked.with_name(unlocked.name.removeprefix(".")))

    def close(self) -> None:
        """Remove it, once no process works in it.

        Raises:
            OSError: one still does; the next engine removes what is left.
        """
        try:
            remove(self.path)
        finally:
            os.close(self.lock)


def remove_left_behind() -> None:
    """Remove the folders whose engine and zygote are gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # another user's, or another engine removes it
            _remove_unless_locked(folder)


def _remove_unless_locked(folder: Path) -> None:
    lock = _opened(folder)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(folder)
    finally:
        os.close(lock)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
