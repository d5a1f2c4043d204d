"""Parts of an object: over HTTP, so that an interrupted download can be resumed, and for readers that seek."""

import io
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO

from atlas.errors import AtlasError
from storage.objects import ObjectStore

CHUNK_BYTES = 1 << 20


class RangeError(AtlasError):
    """The range lies outside the file."""

    def __init__(self, header: str, *, size: int) -> None:
        super().__init__(f"the range {header!r} lies outside the file, which has {size} bytes")
        self.size = size


def requested_range(header: str, size: int) -> range | None:
    """The bytes that a Range header asks for; None if it asks in a way that may be ignored (RFC 9110, section 14.2).

    Raises:
        RangeError: it begins behind the end.
    """
    found = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", header.strip())
    if not found or not any(found.groups()):
        return None
    first, last = (int(number) if number else None for number in found.groups())
    if first is None:
        wanted = range(max(size - (last or 0), 0), size)
    elif last is None:
        wanted = range(first, size)
    elif last < first:
        return None
    else:
        wanted = range(first, min(last + 1, size))
    if not wanted:
        raise RangeError(header, size=size)
    return wanted


class ObjectFile(io.RawIOBase):
    """An object as a file that can be read at any place; only the bytes that are asked for leave the store.

    The object must not be replaced meanwhile.

    Raises:
        ObjectNotFoundError: there is no such object.
    """

    def __init__(self, store: ObjectStore, key: str) -> None:
        self._store, self._key = store, key
        self._size = store.stat(key).size_bytes
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a place, counted from the beginning, from here or from the end; where that is."""
        self._place = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence] + offset
        return self._place

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, as many as are asked for or there are."""
        stop = self._size if size < 0 else self._place + size
        found = self._store.read(self._key, self._place, stop)
        self._place += len(found)
        return found


class ObjectPart:
    """Some bytes of an object, a chunk at a time. Opens it at once: a missing object shows before the answer begins."""

    def __init__(self, store: ObjectStore, key: str, part: range) -> None:
        self._part = part
        self._open = ExitStack()
        self._stream = self._open.enter_context(store.open(key))

    def __iter__(self) -> Iterator[bytes]:
        _skip(self._stream, self._part.start)
        remaining = len(self._part)
        while remaining and (chunk := self._stream.read(min(CHUNK_BYTES, remaining))):
            remaining -= len(chunk)
            yield chunk

    def close(self) -> None:
        """Let go of the object."""
        self._open.close()


def _skip(stream: BinaryIO, size: int) -> None:
    """Move on by `size` bytes; a stream from a server has to be read for it."""
    if stream.seekable():
        stream.seek(size)
        return
    while size and (chunk := stream.read(min(CHUNK_BYTES, size))):
        size -= len(chunk)
