"""Removes folders that hostile code has written. `shutil.rmtree` gives up on folders a thousand levels deep."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def remove(folder: Path, *, parent: int | None = None) -> None:
    """Remove a folder with all that is in it, however deep, without following links.

    Call it once every process that could write to it has ended. `parent` is the opened folder that it is in, for who
    sees `folder` as a mount, which cannot be removed by its path.

    Raises:
        OSError: something in it belongs to someone else.
    """
    if not folder.is_dir() or folder.is_symlink():
        return
    folder.chmod(0o700)
    with opened(str(folder)) as top:
        _empty(top)
    os.rmdir(folder if parent is None else folder.name, dir_fd=parent)


def _empty(top: int) -> None:
    """Lift each folder in a folder up to the top, so that the depth never grows."""
    unguessed = secrets.token_hex(8)
    pending = _unlinked(top)
    lifted = 0
    while pending:
        name = pending.pop()
        with opened(name, within=top) as inside:
            for inner in _unlinked(inside):
                lifted += 1
                new = f"{unguessed}-{lifted}"
                os.rename(inner, new, src_dir_fd=inside, dst_dir_fd=top)
                pending.append(new)
        os.rmdir(name, dir_fd=top)


def _unlinked(folder: int) -> list[str]:
    """Remove the files of a folder; the names of the folders in it, which can be opened from now on."""
    folders = []
    for name in os.listdir(folder):
        if not stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=folder)
            continue
        os.chmod(name, 0o700, dir_fd=folder)
        folders.append(name)
    return folders


@contextmanager
def opened(name: str, within: int | None = None) -> Iterator[int]:
    """A folder, which is no link, as a file descriptor."""
    folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=within)
    try:
        yield folder
    finally:
        os.close(folder)
