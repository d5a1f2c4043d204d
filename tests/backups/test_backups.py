"""What is backed up while Atlas goes on comes back as it was at one moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from backups import restoring
from backups.databases import Database, database
from backups.documents import StoreName
from backups.folders import Backup, Backups
from backups.making import Made, Stores, make
from backups.showing import Bar
from storage.models import Model
from tests.backups import filled
from tests.backups.conftest import Clock

BAR = Bar(quiet=True)


def back_up(backups: Backups, stores: Stores, clock: Clock, source: Database | None = None) -> Made:
    with backups.locked():
        return make(backups, source or database(), stores, clock=clock, bar=BAR)


def put_back(backup: Backup, backups: Backups, stores: Stores) -> None:
    restoring.check(backup, backups.pool, database(), BAR)
    restoring.restore(backup, backups.pool, database(), stores, BAR)


def rows() -> dict[str, list[Any]]:
    """All that is in the database."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found[table] = sorted(repr([bytes(v) if isinstance(v, memoryview) else v for v in row]) for row in cursor)
    return found


class Meanwhile:
    """The database, about whose snapshots other things happen."""

    def __init__(self, *, before: Callable[[], None] = lambda: None, after: Callable[[], None] = lambda: None) -> None:
        self._real, self._before, self._after = database(), before, after
        self.kind, self.server, self.clear, self.restore = (
            self._real.kind,
            self._real.server,
            self._real.clear,
            self._real.restore,
        )
        self.snapshots = 0

    @contextmanager
    def snapshot(self, dump: Path) -> Iterator[None]:
        self._before()
        with self._real.snapshot(dump):
            yield
        self.snapshots += 1
        if self.snapshots == 1:
            self._after()


@pytest.mark.django_db(transaction=True)
def test_all_comes_back_as_it_was(stores: Stores, backups: Backups, clock: Clock, tmp_path: Path) -> None:
    filled.fill(stores, tmp_path)
    before, objects = rows(), set(filled.contents(stores))
    made = back_up(backups, stores, clock)
    filled.delete(stores, Model.objects.get(name="Forest-1.0.0-1").pk)
    stores[StoreName.INGESTION].put("recordings/strange", b"what the backup does not know")
    assert restoring.existing(made.backup, stores)
    put_back(made.backup, backups, stores)
    assert rows() == before
    assert set(filled.contents(stores)) == objects
    assert not made.lost
