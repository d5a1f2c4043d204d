"""Processes of one machine that take turns where the work of both would be the same."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings


@contextmanager
def turn(name: str) -> Iterator[None]:
    """Wait until nobody else on this machine, be it a process or a thread, is in such a block of this name.

    The kernel ends the turn of a process that dies. Nothing relies on turns to be correct: they save work and memory.
    """
    folder = Path(settings.ATLAS_INGESTION_TURNS)  # type: ignore[misc]  # a setting of this process alone
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
