"""What people may ask to have predicted, checked at the edge: the same for the page and the API."""

import re
import uuid
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from django.core.files.uploadedfile import UploadedFile

from atlas.errors import AtlasError
from atlas_web.files import store
from storage import queries
from storage.inferring import SENT_ROWS
from storage.records import Wanted
from ui import formats

MOST_EVENTS = 10_000
"""So many ids can be named at a time."""
MOST_ROWS = 100_000
"""So many rows are predicted at a time."""
MOST_BYTES = 256 << 20
"""The largest file of rows."""
SUFFIXES = (".csv", ".parquet", ".json")
MOST_ID = 500
_VERSION = re.compile(r"(?P<tag>[^:\s]+?)(?:\s*:\s*v?(?P<number>[0-9]{1,9}))?")


class AskError(AtlasError):
    """What is asked for cannot be predicted; `field` is what is wrong with it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def model_named(name: str) -> int:
    """The key of a model that can predict.

    Raises:
        AskError: there is none of this name.
    """
    found = queries.ready_model(name.strip()) if "\0" not in name else None
    if found is None:
        raise AskError("model", f"There is no model named {name}. Choose one from the list, or copy its whole name.")
    return found.pk


def events_of_version(dataset: str, events: Sequence[str], most: int | None) -> Wanted:
    """Events of a dataset version, `tag:number` or the newest of `tag`: those named, else so many of the first ones.

    Raises:
        AskError: there is no such version, or too many events are wanted.
    """
    asked = _VERSION.fullmatch(dataset.strip())
    number = int(asked["number"]) if asked and asked["number"] else None
    found = queries.version_called(asked["tag"], number) if asked and "\0" not in dataset else None
    if found is None:
        raise AskError("dataset", f"There is no dataset version {dataset}. Write it as impacts:3, or impacts alone.")
    named = tuple(dict.fromkeys(events))
    if len(named) > MOST_EVENTS:
        raise AskError("events", f"{len(named):,} events are named; at most {MOST_EVENTS:,} can be.")
    if any(len(event) > MOST_ID or "\0" in event for event in named):
        raise AskError("events", f"An id has at most {MOST_ID} characters, and no zero character.")
    return Wanted(version=found.pk, events=named, most=None if named else most)


def sent_rows(file: "BinaryIO | UploadedFile[bytes]", name: str, size_bytes: int | None = None) -> Wanted:
    """Rows that a person sends: they are kept in the object store, for an engine to decode.

    Args:
        file: what is sent.
        name: of the file; its ending says what it is written in.
        size_bytes: how large it is.

    Raises:
        AskError: it has another ending, or is too large.
        ObjectStoreError: the store does not answer.
    """
    suffix = PurePosixPath(name.lower()).suffix
    if suffix not in SUFFIXES:
        raise AskError("file", f"{name}: a file that ends in {' or '.join(SUFFIXES)} is wanted.")
    if size_bytes is not None and size_bytes > MOST_BYTES:
        sizes = formats.size(size_bytes), formats.size(MOST_BYTES)
        raise AskError("file", f"The file has {sizes[0]}; {sizes[1]} are allowed.")
    key = f"{SENT_ROWS}{uuid.uuid4()}{suffix}"
    store().put(key, cast(BinaryIO, file))
    return Wanted(rows_key=key, rows_name=name[:255])
