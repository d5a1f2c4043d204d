"""Objects of the store that pages are made of: whole, not too large, and the latest ones kept at hand."""

from collections import OrderedDict
from threading import Lock

from django.conf import settings

from atlas.errors import AtlasError
from storage.objects import open_store
from ui import formats

MOST_BYTES = 64 << 20
"""No page is made of an object that is larger."""
KEPT_BYTES = 128 << 20
"""How much each process keeps at hand."""


class ObjectTooLargeError(AtlasError):
    """The object is too large to make a page of it."""


class LatestObjects:
    """The contents that were used last, by key, at most so many bytes of them. Threads may share it."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._contents: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[str, str]) -> bytes | None:
        """The content, if it is still kept."""
        with self._lock:
            if key in self._contents:
                self._contents.move_to_end(key)
            return self._contents.get(key)

    def add(self, key: tuple[str, str], content: bytes) -> None:
        """Keep a content, in the place of those that nobody used for longest."""
        with self._lock:
            self._contents[key] = content
            while sum(map(len, self._contents.values())) > self._most_bytes:
                self._contents.popitem(last=False)


_LATEST = LatestObjects(KEPT_BYTES)


def content(key: str) -> bytes:
    """The content of an object, which never changes: each explanation and each file of predictions has its own key.

    Raises:
        ObjectNotFoundError: there is no such object.
        ObjectTooLargeError: it has more than `MOST_BYTES`.
        ObjectStoreError: the store cannot be reached.
    """
    url = str(settings.ATLAS_OBJECT_STORE)
    found = _LATEST.get((url, key))
    if found is None:
        found = _read(url, key)
        _LATEST.add((url, key), found)
    return found


def _read(url: str, key: str) -> bytes:
    with open_store(url).open(key) as stream:
        found = stream.read(MOST_BYTES + 1)
    if len(found) > MOST_BYTES:
        raise ObjectTooLargeError(f"The file is larger than {formats.size(MOST_BYTES)}, too large for a page.")
    return found
