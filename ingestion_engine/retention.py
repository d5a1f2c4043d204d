"""Removing files of old dataset versions. The lists of their events stay, from which the files are made again, in the
same bytes, as soon as somebody asks for them.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from atlas.datasets import DatasetDescription, Format
from ingestion_engine.models import Tag, Version
from ingestion_engine.versions import split_key
from storage.objects import ObjectStore, StoredObject
from storage.retention import Removable, RetentionSettings

WHAT = "files of dataset versions"
FOLDER = "splits/"


def look(store: ObjectStore, settings: RetentionSettings, now: datetime) -> Removable:
    """What is removed, without removing it.

    Raises:
        ObjectStoreError: the store does not answer.
    """
    removable = {found.key: found for found in _removable(store, settings, now)}
    kept = (found.modified for found in store.list(FOLDER) if found.key not in removable)
    return Removable(
        what=WHAT,
        days=settings.version_files_days,
        count=len(removable),
        size_bytes=sum(found.size_bytes for found in removable.values()),
        oldest_kept=min(kept, default=None),
    )


def remove_old(store: ObjectStore, settings: RetentionSettings, now: datetime) -> int:
    """Remove files that were written, or made again, before the days that they are kept; how many there were.

    The newest versions of each tag keep theirs, and so do versions that could not be made again. A file that a new
    version has in common with an old one, and that is removed at the moment when it is made, is made again as well.

    Raises:
        ObjectStoreError: the store does not answer.
    """
    count = 0
    for found in list(_removable(store, settings, now)):
        store.delete(found.key)
        count += 1
    return count


def _removable(store: ObjectStore, settings: RetentionSettings, now: datetime) -> Iterator[StoredObject]:
    if not settings.version_files_days:
        return
    until = now - timedelta(days=settings.version_files_days)
    old = [found for found in store.list(FOLDER) if found.modified < until]
    kept = set(_kept(settings.versions)) if old else set()
    yield from (found for found in old if found.key not in kept)


def _kept(newest: int) -> Iterator[str]:
    """The keys of files that stay, however old they are."""
    for tag in Tag.objects.order_by("pk").values_list("pk", flat=True):
        numbers = Version.objects.filter(tag=tag).order_by("-number").values_list("number", flat=True)[:newest]
        newest_ones = Version.objects.filter(tag=tag, number__in=list(numbers))
        for description in newest_ones.values_list("description", flat=True):
            yield from files_of(description)
    yield from files_that_stay()


def files_that_stay() -> Iterator[str]:
    """The keys of files of versions that were made before lists of events were kept: nothing could make them again."""
    for description in Version.objects.filter(events_key="").values_list("description", flat=True).iterator():
        yield from files_of(description)


def files_of(description: str) -> Iterator[str]:
    """The keys of a version's files, given its description as JSON."""
    described = DatasetDescription.model_validate_json(description)
    for form, files in ((Format.ARROW, described.splits), (Format.PARQUET, described.parquet)):
        yield from (split_key(file.sha256, form) for file in files.values())
