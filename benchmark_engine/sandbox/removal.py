"""Removes folders that hostile code has written. `shutil.rmtree` gives up on folders a thousand levels deep."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, however deep, without following links.

    Call it once every process that could write to it has ended.

    Raises:
        OSError: something in it belongs to someone else.
    """
    if not folder.is_dir() or folder.is_symlink():
        return
    folder.chmod(0o700)
    with _opened(str(folder)) as top:
        _empty(top)
    folder.rmdir()


def _empty(top: int) -> None:
    """Lift each folder in a folder up to the top, so that the depth never grows."""
    unguessed = secrets.token_hex(8)
    pending = _unlinked(top)
    lifted = 0
    while pending:
        name = pending.pop()
        with _opened(name, within=top) as opened:
            for inner in _unlinked(opened):
                lifted += 1
                new = f"{unguessed}-{lifted}"
                os.rename(inner, new, src_dir_fd=opened, dst_dir_fd=top)
                pending.append(new)
        os.rmdir(name, dir_fd=top)


def _unlinked(opened: int) -> list[str]:
    """Remove the files of a folder; the names of the folders in it, which can be opened from now on."""
    folders = []
    for name in os.listdir(opened):
        if not stat.S_ISDIR(os.stat(name, dir_fd=opened, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=opened)
            continue
        os.chmod(name, 0o700, dir_fd=opened)
        folders.append(name)
    return folders


@contextmanager
def _opened(name: str, within: int | None = None) -> Iterator[int]:
    opened = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=within)
    try:
        yield opened
    finally:
        os.close(opened)
