"""The contents of all backups in a folder, each once, named by its sha256."""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from atlas.errors import ObjectNotFoundError
from backups.documents import Content
from storage.objects import DirectoryStore

CHUNK_BYTES = 1 << 20


class Pool:
    """A folder of contents. They appear whole, and survive a power failure once `add` has returned."""

    def __init__(self, folder: Path) -> None:
        self._store = DirectoryStore(folder)

    def add(self, stream: BinaryIO) -> Content:
        """Keep what remains of a stream; one that is there already is replaced by the same.

        Raises:
            ObjectStoreError: the pool cannot be written to.
        """
        with self._store.scratch() as folder:
            path = folder / "content"
            with path.open("wb") as target:
                content = digested(stream, target)
            self._store.take(_key(content.sha256), path)
        return content

    def has(self, content: Content) -> bool:
        """Whether there is a content of this name and size; it is not read."""
        try:
            return self._store.stat(_key(content.sha256)).size_bytes == content.size_bytes
        except ObjectNotFoundError:
            return False

    def open(self, sha256: str) -> AbstractContextManager[BinaryIO]:
        """The content.

        Raises:
            ObjectNotFoundError: it is not there.
        """
        return self._store.open(_key(sha256))

    def problem(self, content: Content) -> str:
        """What is wrong with a content, all of which is read; empty if it is what its name says."""
        try:
            with self.open(content.sha256) as stream:
                found = digested(stream)
        except ObjectNotFoundError:
            return f"is missing (pool/{_key(content.sha256)})"
        return "" if found == content else f"is not what it was (pool/{_key(content.sha256)})"

    def keep_only(self, is_needed: Callable[[str], bool]) -> int:
        """Remove the contents that are not needed; how many bytes that were."""
        freed = 0
        for found in list(self._store.list()):
            if not is_needed(found.key.rpartition("/")[2]):
                self._store.delete(found.key)
                freed += found.size_bytes
        return freed


def digested(stream: BinaryIO, target: BinaryIO | None = None) -> Content:
    """The sha256 and size of what remains of a stream, which is written to `target` on the way."""
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
        if target is not None:
            target.write(chunk)
    return Content(sha256=digest.hexdigest(), size_bytes=size)


def content_of(path: Path) -> Content:
    """The sha256 and size of a file."""
    with path.open("rb") as stream:
        return digested(stream)


def _key(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"
