"""A file that comes in part by part: its parts are kept as objects, put together and verified.

Each part is an object of its own, named after the place where it begins, so that any process can take the next one.
This module knows no tables: who uses it remembers how much of the file has arrived.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO

from atlas.errors import AtlasError, ObjectNotFoundError
from storage.objects import ObjectStore

PART_BYTES = 8 << 20
"""The most that one part may have."""
KEPT = timedelta(days=1)
"""An upload that got no part for so long is forgotten."""
CHUNK_BYTES = 1 << 20


class UploadError(AtlasError):
    """The file cannot be taken in."""


class WrongPlaceError(UploadError):
    """The part does not begin where the last one ended."""

    def __init__(self, received_bytes: int) -> None:
        super().__init__(f"The next part begins at byte {received_bytes:,}.")
        self.received_bytes = received_bytes


class TooLargeError(UploadError):
    """The file or the part is larger than allowed."""


class DigestError(UploadError):
    """The file that arrived is not the one that was announced."""


class Parts:
    """The parts of one file, below `folder`, a key that ends in "/".

    All methods raise ObjectStoreError if the store does not answer.
    """

    def __init__(self, store: ObjectStore, folder: str) -> None:
        self._store, self._folder = store, folder

    def keep(self, begins: int, content: bytes, *, received_bytes: int, size_bytes: int, most_bytes: int) -> bool:
        """Keep the part that begins at `begins` of a file of `size_bytes`, of which `received_bytes` have arrived;
        whether there was anything new in it. One that is there already changes nothing.

        Raises:
            WrongPlaceError: it begins elsewhere than the next byte.
            TooLargeError: it has more than `most_bytes`, or the file would be larger than was said.
        """
        is_next = begins == received_bytes
        if len(content) > most_bytes:
            raise TooLargeError(f"A part has {most_bytes:,} bytes at most.")
        if not is_next and not (begins < received_bytes and self._has(begins, len(content))):
            raise WrongPlaceError(received_bytes)
        if begins + len(content) > size_bytes:
            raise TooLargeError(f"The file was to have {size_bytes:,} bytes; this part would go beyond.")
        if is_next and content:
            self._store.put(self._key(begins), content)
        return is_next and bool(content)

    @contextmanager
    def assembled(self, sha256: str, filename: str) -> Iterator[Path]:
        """All parts as one file of this name, for as long as the block runs.

        Raises:
            DigestError: they make another file than the one that was announced.
        """
        with tempfile.TemporaryDirectory(prefix="atlas-upload-") as folder:
            path = Path(folder) / filename
            with path.open("wb") as target:
                digest = self._write(target)
            if digest != sha256:
                raise DigestError(f"What arrived has the sha256 {digest}, not {sha256}. Send the file again.")
            yield path

    def any(self) -> bool:
        """Whether any part is kept."""
        return next(iter(self._store.list(self._folder)), None) is not None

    def remove(self) -> None:
        """Remove all parts."""
        for found in list(self._store.list(self._folder)):
            self._store.delete(found.key)

    def _has(self, begins: int, size_bytes: int) -> bool:
        try:
            return self._store.stat(self._key(begins)).size_bytes == size_bytes
        except ObjectNotFoundError:
            return False

    def _write(self, target: IO[bytes]) -> str:
        """Write the parts one after the other; the sha256 of them all."""
        digest = hashlib.sha256()
        for key in sorted(found.key for found in self._store.list(self._folder)):
            for chunk in chunks(self._store, key):
                digest.update(chunk)
                target.write(chunk)
        return digest.hexdigest()

    def _key(self, begins: int) -> str:
        return f"{self._folder}{begins:016d}"


def chunks(store: ObjectStore, key: str) -> Iterator[bytes]:
    """The content of an object, piece by piece."""
    with store.open(key) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


def remove_unneeded(store: ObjectStore, keys: list[str], needed: set[str]) -> None:
    """Remove the parts among `keys` that lie in none of the folders that are needed."""
    for key in keys:
        if key[: key.rfind("/") + 1] not in needed:
            store.delete(key)
