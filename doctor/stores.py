"""Whether an object store can be listed, read and written, and whether it tells of new objects."""

import threading
import time
import uuid
from collections.abc import Iterator
from itertools import islice

from atlas.errors import ObjectStoreError
from doctor.findings import Check, Finding, doubtful, well
from storage.objects import NoEventsError, ObjectStore, open_store

REMEDY = "See that the server runs, and that the key, secret, bucket and certificates in its address are right."
SLOW_SECONDS = 1.0


def check_of(part: str, url: str) -> Check:
    """The check of the store at an address."""
    return Check(part, lambda: _look(part, url), REMEDY)


def _look(part: str, url: str) -> Iterator[Finding]:
    store = open_store(url)
    begun = time.monotonic()
    list(islice(store.list("models/"), 1))
    yield _speed(part, time.monotonic() - begun)
    yield _written(part, store)
    yield _news(part, store)


def _speed(part: str, seconds: float) -> Finding:
    said = f"It answers within {seconds * 1000:.0f} ms."
    remedy = "Look at the server's load and the network between: every page with a picture waits so long."
    return doubtful(part, said, remedy) if seconds > SLOW_SECONDS else well(part, said)


def _written(part: str, store: ObjectStore) -> Finding:
    """Whether an object can be written, read and deleted; a component may well have no right to write here."""
    key = f"doctor/{uuid.uuid4().hex}"
    try:
        store.put(key, b"atlas doctor")
        store.read(key, 0, 5)
        store.delete(key)
    except ObjectStoreError as error:
        return doubtful(
            part,
            f"It cannot be written to here: {error}",
            "This is right for a component that only reads.",
        )
    return well(part, "Objects can be written, read and deleted.")


def _news(part: str, store: ObjectStore) -> Finding:
    try:
        with store.changes("doctor/", threading.Event()):
            return well(part, "It tells of new objects as they arrive.")
    except NoEventsError:
        return doubtful(
            part,
            "It does not tell of new objects.",
            "New models are found by looking, every ATLAS_POLL_SECONDS; allow s3:ListenBucketNotification to be told.",
        )
