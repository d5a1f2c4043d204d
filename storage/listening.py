"""What a store tells of as it happens: paths that are written in a folder, keys that are written in a bucket."""

import json
import threading
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from watchfiles import Change, watch

STEP_MILLISECONDS = 50
"""A folder's changes are told when there was no other one for so long."""
CROWD_MILLISECONDS = 400
"""They are told after so long even if there always is another one."""
QUIET_MILLISECONDS = 500
"""A file that is written in place is told of when it was left alone for so long."""
STREAM = "text/event-stream"


def watched(folder: Path, stop: threading.Event) -> Iterator[str]:
    """The paths of files and folders that come to be below `folder`, or are written; it ends soon after `stop` is set.

    A file that is moved there is told of at once. In the place of a new folder's files, the folder may be told.
    Watching has begun when this returns.

    Raises:
        OSError: the folder cannot be watched, or (while waiting) is gone.
    """
    batches = watch(
        folder,
        watch_filter=None,
        step=STEP_MILLISECONDS,
        debounce=CROWD_MILLISECONDS,
        rust_timeout=QUIET_MILLISECONDS,
        yield_on_timeout=True,
        stop_event=stop,
        raise_interrupt=False,
    )
    first = next(batches, set())
    return _settled(chain([first], batches), str(folder))


def _settled(batches: Iterable[set[tuple[Change, str]]], folder: str) -> Iterator[str]:
    busy: set[str] = set()
    for batch in batches:
        if (Change.deleted, folder) in batch:
            raise FileNotFoundError(f"the folder {folder} was removed")
        written = {path for change, path in batch if change is Change.modified}
        yield from sorted((busy - written) | {path for change, path in batch if change is Change.added})
        busy = written


def told(chunks: Iterable[bytes], stop: threading.Event) -> Iterator[str]:
    """The keys in a server's stream of notifications: lines of JSON, and blanks in between as signs of life.

    It ends with the stream, or at the first sign of life after `stop` is set.
    """
    line = b""
    for chunk in chunks:
        if stop.is_set():
            return
        *lines, line = (line.lstrip() + chunk).split(b"\n")
        for complete in filter(bytes.strip, lines):
            yield from _keys(complete)


def _keys(line: bytes) -> list[str]:
    records = json.loads(line).get("Records") or ()
    return [record["s3"]["object"]["key"] for record in records]
