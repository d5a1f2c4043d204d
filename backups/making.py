"""Making a backup of database and stores that fit each other, while everything goes on.

Rows refer to objects, and what they refer to is written before them and deleted after them. So contents are copied
first, then the database, then the contents that came meanwhile: what the snapshot refers to was there before it, and
is in one of the two rounds, unless it came after the first one was listed and was deleted before the second one was.
Whether that happened is looked up; then the snapshot is taken anew, with very little left to copy. Nobody who
deletes has to know of backups, no role has to write, and a backup that dies holds nothing up.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from itertools import chain
from pathlib import Path

from atlas.errors import ObjectNotFoundError
from backups import databases
from backups.catalog import Catalog, Listed
from backups.databases import Database
from backups.documents import BackupError, Content, Contents, Manifest, StoreName
from backups.folders import CATALOG, DUMP, MANIFEST, Backup, Backups
from backups.pool import Pool, content_of
from backups.showing import Bar
from ingestion_engine import referred as of_ingestion
from storage import referred as of_atlas
from storage.catalog import removals
from storage.objects import ObjectStore

MOST_SNAPSHOTS = 5
AT_A_TIME = 4
"""So many objects are read at once: those of a distant store are small, and each has to be waited for."""

Stores = Mapping[StoreName, ObjectStore]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A backup that was made.

    Attributes:
        backup: itself.
        copied: the objects whose content had to be read, since the backups before do not have it.
        lost: stores and keys of objects that the database refers to and that are in no store.
    """

    backup: Backup
    copied: Contents
    lost: tuple[tuple[str, str], ...]


def make(backups: Backups, database: Database, stores: Stores, *, clock: Callable[[], datetime], bar: Bar) -> Made:
    """Make a backup in a folder that is locked. What an earlier one, or one that was broken off, has is not read again.

    Raises:
        BackupError: the database cannot be copied, or objects are deleted faster than they are copied.
        ObjectStoreError: a store does not answer.
    """
    folder = backups.begin(clock())
    with ExitStack() as stack:
        catalog = stack.enter_context(Catalog(folder / CATALOG))
        earlier = [stack.enter_context(each) for each in _earlier(backups, folder)]
        copying = _Copying(stores, catalog, earlier, backups.pool, bar)
        copying.copy_all()
        snapshot, lost = _consistent(database, folder / DUMP, catalog, copying, clock, bar)
        catalog.settle()
        totals = catalog.totals()
    folder, made = backups.rename(folder, snapshot.made)
    manifest = Manifest(
        made=made,
        atlas=metadata.version("atlas-benchmark"),
        database=database.kind,
        server=database.server(),
        migrations=snapshot.migrations,
        rows=snapshot.rows,
        dump=content_of(folder / DUMP),
        catalog=content_of(folder / CATALOG),
        stores=totals,
        lost=len(lost),
    )
    _write_last(folder, manifest)
    copied = Contents(objects=copying.objects, size_bytes=copying.size_bytes)
    return Made(backup=Backup(folder=folder, manifest=manifest), copied=copied, lost=tuple(sorted(lost)))


def _earlier(backups: Backups, ours: Path) -> Iterator[Catalog]:
    """What is known of earlier backups: those that were broken off since the last one, and that one."""
    complete = backups.complete()[-1:]
    last = complete[0].name if complete else ""
    for folder in backups.broken_off():
        if folder != ours and folder.name > last and (folder / CATALOG).exists():
            yield Catalog(folder / CATALOG)
    for backup in complete:
        yield backup.catalog()


class _Copying:
    """Copies what the stores have into the pool.

    Attributes:
        objects: how many were copied.
        size_bytes: how much that was.
    """

    def __init__(self, stores: Stores, catalog: Catalog, earlier: list[Catalog], pool: Pool, bar: Bar) -> None:
        self._stores, self._catalog, self._earlier, self._pool, self._bar = stores, catalog, earlier, pool, bar
        self.objects = self.size_bytes = 0

    def copy_all(self) -> None:
        """Give every object that is in the stores now an entry in the catalog."""
        with self._bar.step("Listing objects"):
            self._catalog.list_anew(
                Listed.of(name, each) for name, store in self._stores.items() for each in store.list()
            )
        left = self._catalog.left_to_copy()
        with self._bar.step("Copying objects", left.size_bytes) as advance, ThreadPoolExecutor(AT_A_TIME) as threads:
            for page in self._catalog.pages_to_copy():
                known = [self._known(each) for each in page]
                unknown = [listed for listed, content in zip(page, known, strict=True) if content is None]
                copied = zip(unknown, threads.map(self._copy, unknown), strict=True)
                kept = [(listed, content) for listed, content in zip(page, known, strict=True) if content]
                self._catalog.add(chain(kept, self._counted(copied)))
                advance(sum(each.size_bytes for each in page))

    def _known(self, listed: Listed) -> Content | None:
        found = (catalog.find(listed) for catalog in self._earlier)
        return next((content for content in found if content and self._pool.has(content)), None)

    def _copy(self, listed: Listed) -> Content | None:
        """The content that was copied; None if the object was deleted meanwhile."""
        try:
            with self._stores[listed.store].open(listed.key) as stream:
                return self._pool.add(stream)
        except ObjectNotFoundError:
            return None

    def _counted(self, copied: Iterator[tuple[Listed, Content | None]]) -> Iterator[tuple[Listed, Content]]:
        for listed, content in copied:
            if content is not None:
                self.objects += 1
                self.size_bytes += content.size_bytes
                yield listed, content


@dataclass(frozen=True, slots=True, kw_only=True)
class _Snapshot:
    """What is known of a copy of the database: when it was taken, its rows by table, its migrations by app."""

    made: datetime
    rows: dict[str, int]
    migrations: dict[str, tuple[str, ...]]


def _consistent(
    database: Database, dump: Path, catalog: Catalog, copying: _Copying, clock: Callable[[], datetime], bar: Bar
) -> tuple[_Snapshot, set[tuple[str, str]]]:
    """Take a snapshot whose objects are all in the catalog, but for those that were lost before: they are told.

    What two snapshots refer to and neither round of copying found is no matter of when one looks: it is lost.
    """
    missing_before: set[tuple[str, str]] = set()
    for _ in range(MOST_SNAPSHOTS):
        with bar.step("Copying the database"):
            snapshot = _taken(database, dump, catalog, clock())
        copying.copy_all()
        missing = catalog.missing()
        if missing <= missing_before:
            return snapshot, missing
        missing_before = missing
    raise BackupError("Objects were deleted faster than they could be copied; try again when there is less going on.")


def _taken(database: Database, dump: Path, catalog: Catalog, made: datetime) -> _Snapshot:
    """Copy the database, and tell the catalog what the copy refers to."""
    dump.unlink(missing_ok=True)
    with database.snapshot(dump):
        catalog.refer_anew(_referred(), ((each.key, each.etag) for each in removals()))
        return _Snapshot(made=made, rows=databases.row_counts(), migrations=databases.migrations())


def _referred() -> Iterator[tuple[StoreName, str]]:
    for key in of_atlas.referred_objects():
        yield StoreName.ATLAS, key
    for key in of_ingestion.referred_objects():
        yield StoreName.INGESTION, key


def _write_last(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, once all that it tells of is on the disk."""
    for name in (DUMP, CATALOG):
        with (folder / name).open("rb") as stream:
            os.fsync(stream.fileno())
    arriving = folder / f"{MANIFEST}.new"
    with arriving.open("w") as stream:
        stream.write(manifest.model_dump_json(indent=2))
        stream.flush()
        os.fsync(stream.fileno())
    arriving.replace(folder / MANIFEST)
