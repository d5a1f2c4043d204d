"""A folder or bucket from which recordings are taken in, with the labels that lie beside them.

`ride.bag` becomes the recording `ride`; `ride.bag.labels.csv`, or `ride.labels.csv`, or either in JSON, labels it.
Nothing is removed from there.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import DatabaseError, close_old_connections

from atlas.errors import AtlasError, ObjectNotFoundError
from ingestion_engine import label_files, receiving
from ingestion_engine.errors import RefusedError
from ingestion_engine.models import LabelFile, Recording
from storage.objects import NoEventsError, ObjectStore, StoredObject

STILL = timedelta(seconds=3)
"""A file that was written so lately may be half copied."""
SCAN_SECONDS = 30.0
UNFINISHED = (".active", ".part", ".tmp", ".crdownload", ".filepart")
LABELS = (".labels.csv", ".labels.json")

logger = logging.getLogger(__name__)


class Inbox:
    """What lies in a folder or bucket, and what of it was looked at."""

    def __init__(self, inbox: ObjectStore, store: ObjectStore) -> None:
        self._inbox, self._store = inbox, store
        self._done: dict[str, str] = {}

    def take_in(self, *, now: datetime) -> bool:
        """Take in all files that are new or were changed, and are whole; whether some may not be whole yet.

        A file that is refused is told of once, and left alone until it changes.

        Raises:
            ObjectStoreError: the inbox or the store does not answer.
        """
        found = [each for each in self._inbox.list() if not each.key.endswith(UNFINISHED)]
        new = [each for each in found if self._done.get(each.key) != each.etag]
        whole = [each for each in new if each.modified <= now - STILL]
        keys = frozenset(each.key for each in found)
        for each in sorted(whole, key=lambda each: (not each.key.endswith(LABELS), each.key)):
            with suppress(ObjectNotFoundError):  # it was taken away since
                self._take(each, keys, now)
        return len(whole) < len(new)

    def _take(self, found: StoredObject, keys: frozenset[str], now: datetime) -> None:
        name, is_labels = told_by(found.key, keys)
        if not _is_known(name, found, is_labels=is_labels):
            self._receive(found.key, name, is_labels=is_labels, now=now)
        self._done[found.key] = found.etag

    def _receive(self, key: str, name: str, *, is_labels: bool, now: datetime) -> None:
        with TemporaryDirectory(prefix="atlas-inbox-") as folder:
            path = Path(folder) / "file"
            self._inbox.get(key, path)
            try:
                if is_labels:
                    label_files.keep(self._store, name, path.read_bytes(), who="", now=now)
                else:
                    receiving.receive(self._store, path, name=name, filename=key, now=now)
            except RefusedError as error:
                logger.warning("The file %s in the inbox is refused: %s", key, error)
            else:
                logger.info("The file %s was taken in from the inbox.", key)


def told_by(key: str, keys: frozenset[str]) -> tuple[str, bool]:
    """The name of the recording that a file in the inbox is or labels, and whether it labels it.

    Labels lie beside the file whose whole name theirs begins with, or bear the recording's name.
    """
    for suffix in LABELS:
        if key.endswith(suffix):
            beside = key.removesuffix(suffix)
            return (_name_of(beside) if beside in keys else beside.rpartition("/")[2]), True
    return _name_of(key), False


def _name_of(key: str) -> str:
    return Path(key).stem.replace(" ", "-")


def _is_known(name: str, found: StoredObject, *, is_labels: bool) -> bool:
    """Whether the very file was taken in before this process began: it has not been changed since it was received."""
    if is_labels:
        return LabelFile.objects.filter(recording_name=name, received__gt=found.modified).exists()
    return Recording.objects.filter(name=name, size_bytes=found.size_bytes, received__gt=found.modified).exists()


def watch(inbox: ObjectStore, store: ObjectStore, stop: threading.Event, clock: Callable[[], datetime]) -> None:
    """Take in what lies in the inbox and what comes, until `stop` is set. What fails is told, and tried again later."""
    known, arrived = Inbox(inbox, store), threading.Event()
    threading.Thread(target=_listen, args=(inbox, stop, arrived), name="news of the inbox", daemon=True).start()
    while not stop.is_set():
        arrived.clear()
        close_old_connections()
        try:
            is_unfinished = known.take_in(now=clock())
        except (AtlasError, OSError, DatabaseError):
            logger.exception("The inbox could not be looked at; it is tried again soon.")
            is_unfinished = True
        if is_unfinished:
            stop.wait(STILL.total_seconds())
        else:
            arrived.wait(SCAN_SECONDS)


def _listen(inbox: ObjectStore, stop: threading.Event, arrived: threading.Event) -> None:
    """Set `arrived` whenever something comes; where the inbox tells nothing, it is looked at from time to time."""
    while not stop.is_set():
        try:
            with inbox.changes("", stop) as keys:
                for _ in keys:
                    arrived.set()
        except NoEventsError:
            break
        except AtlasError as error:
            logger.warning("The inbox does not tell what comes: %s", error)
            stop.wait(SCAN_SECONDS)
    if stop.is_set():
        arrived.set()
