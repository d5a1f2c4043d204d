"""The folders of one benchmark: what its children may read, and a scratch folder for each of them."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmark_engine.sandbox.removal import remove

INPUTS = "inputs"
FIRST_GIVEN = 16
"""The descriptor by which a child has the first of what it is given, and those after it the others."""
MOST_GIVEN = 16


class Workspace:
    """A folder of one benchmark. Its children read `inputs`; each has a scratch folder of its own beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inputs = folder / INPUTS
        self.inputs.mkdir()
        self.given: list[Path] = []
        self._children = 0

    def give(self, name: str, path: Path) -> None:
        """Let the children read a file or folder from outside, as `inputs/NAME`, wherever it is and whoever owns it."""
        if len(self.given) == MOST_GIVEN:
            raise ValueError(f"more than {MOST_GIVEN} files and folders are given")
        (self.inputs / name).symlink_to(f"/proc/self/fd/{FIRST_GIVEN + len(self.given)}")
        self.given.append(path)

    def new_scratch(self) -> Path:
        """An empty folder for the next child to write to."""
        self._children += 1
        scratch = self.folder / f"scratch-{self._children}"
        scratch.mkdir(mode=0o700)
        return scratch


@contextmanager
def workspace(base: Path) -> Iterator[Workspace]:
    """A new workspace below `base`, which is removed whatever was done to it."""
    folder = Path(tempfile.mkdtemp(prefix="benchmark-", dir=base))
    try:
        yield Workspace(folder)
    finally:
        remove(folder)


def hand_over(scratch: Path, user: int) -> None:
    """Give a user that scratch folder to write, and its workspace's inputs to read; others get nothing.

    Only root can call it.
    """
    folder = scratch.parent
    for readable in (folder, *_all_below(folder / INPUTS)):
        os.chown(readable, -1, user, follow_symlinks=False)
        if not readable.is_symlink():
            readable.chmod(0o750 if readable.is_dir() else 0o640)
    os.chown(scratch, user, user)


def _all_below(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.rglob("*")
