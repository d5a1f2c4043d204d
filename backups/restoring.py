"""Putting a backup back: all objects first, the database last and at once, as Atlas itself writes them.

So a restore that is broken off leaves a database without tables, and objects of the backup alone: it is run again.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from atlas.errors import ObjectNotFoundError
from backups import databases
from backups.catalog import PAGE, Catalog, Entry
from backups.checking import problems
from backups.databases import Database
from backups.documents import BackupError, Contents, StoreName
from backups.folders import Backup
from backups.making import AT_A_TIME, Stores
from backups.pool import Pool, digested
from backups.showing import Bar
from storage.components import alive
from storage.objects import ObjectStore

OF_A_NEW_DATABASE = ("auth_", "axes_", "django_", "storage_action", "storage_alertrule", "storage_componentstatus")
"""Tables in which there may be rows before anybody used Atlas: of Django, the first administrator, the first rules."""
MOST_NAMED = 10
"""So many problems are told one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """What is there before a restore.

    Attributes:
        rows: of tables in which there are none before Atlas is used, by table.
        objects: in each store, those that are not the backup's.
    """

    rows: dict[str, int]
    objects: dict[StoreName, Contents]

    def __bool__(self) -> bool:
        return bool(self.rows) or any(each.objects for each in self.objects.values())

    def __str__(self) -> str:
        rows = f"{sum(self.rows.values()):,} rows in {len(self.rows)} tables of the database"
        stores = (f"{each.objects:,} objects in the store {name}" for name, each in self.objects.items())
        return ", ".join([rows, *stores])


def check(backup: Backup, pool: Pool, database: Database, bar: Bar) -> None:
    """Make sure that a backup is whole, and can be read by this release and put into this kind of database.

    Raises:
        BackupError: it is not, or cannot.
    """
    if backup.manifest.database is not database.kind:
        raise BackupError(
            f"The backup is of a {backup.manifest.database} database; DATABASE_URL names one of {database.kind}."
        )
    newer = _unknown_migrations(backup.manifest.migrations)
    if newer:
        raise BackupError(
            f"The backup was made by Atlas {backup.manifest.atlas}, whose database is newer than this release knows "
            f"({', '.join(newer)}): restore it with that release."
        )
    found = list(problems([backup], pool, bar))
    if found:
        more = f" (and {len(found) - MOST_NAMED:,} more)" if len(found) > MOST_NAMED else ""
        raise BackupError(f"The backup is damaged: {' '.join(found[:MOST_NAMED])}{more}")


def check_stopped(now: datetime) -> None:
    """Make sure that no engine works on this database.

    Raises:
        BackupError: one gave a sign of life a short while ago.
    """
    names = alive(now) if "storage_componentstatus" in connection.introspection.table_names() else []
    if names:
        raise BackupError(
            f"Atlas is running: the last sign of life of the {', '.join(names)} is less than two minutes old. "
            "Stop it first; --force restores in spite of that."
        )


def existing(backup: Backup, stores: Stores) -> Existing:
    """What a restore would replace; nothing where nobody used Atlas yet, or a restore of this backup was broken off.

    Raises:
        ObjectStoreError: a store does not answer.
        BackupError: the database does not.
    """
    rows = {name: count for name, count in databases.row_counts().items() if count and _is_ours(name)}
    with backup.catalog() as catalog:
        return Existing(rows=rows, objects={name: _foreign(name, stores, catalog) for name in stores})


def restore(backup: Backup, pool: Pool, database: Database, stores: Stores, bar: Bar) -> None:
    """Put a backup in the place of whatever is there.

    Raises:
        BackupError: the database is not what the backup's manifest says afterwards.
        ObjectStoreError: a store does not answer; run it again.
    """
    with bar.step("Clearing the database"):
        database.clear()
    with backup.catalog() as catalog:
        for name, store in stores.items():
            for key in [found.key for found in store.list() if not catalog.has(name, found.key)]:
                store.delete(key)
        _put_all(catalog, pool, stores, bar)
    with bar.step("Restoring the database"):
        database.restore(backup.dump)
    if databases.row_counts() != backup.manifest.rows:
        raise BackupError("The restored database has other numbers of rows than the backup's manifest says.")


def _put_all(catalog: Catalog, pool: Pool, stores: Stores, bar: Bar) -> None:
    total = sum(each.size_bytes for each in catalog.totals().values())

    def put(entry: Entry) -> int:
        store = stores[entry.store]
        if not _is_there(entry, store):
            with pool.open(entry.content.sha256) as stream:
                store.put(entry.key, stream)
        return entry.content.size_bytes

    with bar.step("Restoring objects", total) as advance, ThreadPoolExecutor(AT_A_TIME) as threads:
        entries = catalog.entries()
        while page := list(islice(entries, PAGE)):
            for size in threads.map(put, page):
                advance(size)


def _is_there(entry: Entry, store: ObjectStore) -> bool:
    """Whether an earlier attempt has put the very content there."""
    try:
        if store.stat(entry.key).size_bytes != entry.content.size_bytes:
            return False
        with store.open(entry.key) as stream:
            return digested(stream) == entry.content
    except ObjectNotFoundError:
        return False


def _is_ours(table: str) -> bool:
    return not table.startswith(OF_A_NEW_DATABASE)


def _foreign(name: StoreName, stores: Stores, catalog: Catalog) -> Contents:
    """The objects of a store that the backup has not."""
    count = size = 0
    for found in stores[name].list():
        if not catalog.has(name, found.key):
            count, size = count + 1, size + found.size_bytes
    return Contents(objects=count, size_bytes=size)


def _unknown_migrations(named: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Those that this release does not have, of the apps that are loaded here."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    ours = {app: names for app, names in named.items() if app in loader.migrated_apps}
    unknown = (
        (app, name) for app, names in ours.items() for name in names if (app, name) not in loader.disk_migrations
    )
    return [f"{app} {name}" for app, name in unknown]
