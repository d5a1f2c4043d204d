"""What `atlas backup` and `atlas restore` do, once Django is ready: one line at the end says what was done."""

import time
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from atlas.terminal import console, printable, say
from backups import making, restoring
from backups.checking import problems
from backups.databases import database, faults
from backups.documents import BackupError, Manifest, StoreName
from backups.folders import Backups
from backups.making import Made, Stores
from backups.showing import Bar
from storage.objects import open_store
from ui import formats

MOST_NAMED = 20
"""So many problems are told one by one."""


def back_up(folder: Path, keep: int | None, *, quiet: bool) -> None:
    """Make a backup, and remove all but the newest `keep`.

    Raises:
        AtlasError: it could not be made; those that are there stay.
    """
    begun, backups = time.monotonic(), Backups(folder)
    with backups.locked(), faults():
        made = making.make(backups, database(), _stores(), clock=_now, bar=Bar(quiet=quiet))
        backups.remove_broken_off()
        removed, freed = backups.prune(keep) if keep else (0, 0)
    for store, key in made.lost[:MOST_NAMED]:
        say("warning", f"The database refers to {key}, which the store {store} has lost.", "yellow")
    pruned = f"; {removed:,} older removed, {formats.size(freed)} freed" if keep else ""
    _tell(f"Backup {made.backup.name}: {_what(made)}, in {_since(begun)}{pruned}.")


def verify(folder: Path, *, quiet: bool) -> None:
    """Read all backups of a folder back.

    Raises:
        BackupError: one of them cannot be restored, or there is none.
    """
    begun, backups = time.monotonic(), Backups(folder)
    newest = backups.at(None)
    complete, count = backups.complete(), 0
    for count, problem in enumerate(problems(complete, backups.pool, Bar(quiet=quiet)), start=1):
        if count <= MOST_NAMED:
            say("damaged", problem, "bold red")
    for path in backups.broken_off():
        say("warning", f"{path.name} was broken off, and is removed with the next backup.", "yellow")
    if count:
        raise BackupError(f"Problems in {len(complete)} backups: {count:,}.")
    _tell(f"All is as it was written: {len(complete)} backups, the newest is {newest.name}; read in {_since(begun)}.")


def restore(folder: Path, moment: datetime | None, *, replace: bool, force: bool, quiet: bool) -> None:
    """Put the newest backup, or the newest until `moment`, in the place of what is there.

    Args:
        folder: of all backups.
        moment: the time, or None.
        replace: whether anything that is there may go.
        force: whether Atlas may seem to run.
        quiet: whether no progress is shown.

    Raises:
        AtlasError: it may not be restored, or it could not be; then it is run again.
    """
    begun, bar, backups = time.monotonic(), Bar(quiet=quiet), Backups(folder)
    current, stores = database(), _stores()
    with backups.locked(), faults():
        if not force:
            restoring.check_stopped(_now())
        chosen = backups.at(moment)
        _allow(restoring.existing(chosen, stores), replace=replace)
        restoring.check(chosen, backups.pool, current, bar)
        restoring.restore(chosen, backups.pool, current, stores, bar)
    _tell(
        f"Restored {chosen.name}: {_there(chosen.manifest)}, in {_since(begun)}. "
        "Run `manage.py prepare` before Atlas is started."
    )


def _allow(there: restoring.Existing, *, replace: bool) -> None:
    """Say what goes.

    Raises:
        BackupError: nothing may go.
    """
    if there and not replace:
        raise BackupError(
            f"There is something already: {there}. With --replace it goes, and the backup takes its place."
        )
    if there:
        say("warning", f"This goes: {there}.", "yellow")


def _what(made: Made) -> str:
    manifest = made.backup.manifest
    return (
        f"database {formats.size(manifest.dump.size_bytes)}, {_objects(manifest)}, of which {made.copied.objects:,} of "
        f"{formats.size(made.copied.size_bytes)} were copied now"
    )


def _there(manifest: Manifest) -> str:
    rows = f"{sum(manifest.rows.values()):,} rows in {len(manifest.rows)} tables"
    return f"{rows}, {_objects(manifest)}"


def _objects(manifest: Manifest) -> str:
    size = sum(each.size_bytes for each in manifest.stores.values())
    return f"{manifest.objects:,} objects of {formats.size(size)}"


def _since(begun: float) -> str:
    return formats.duration(time.monotonic() - begun)


def _stores() -> Stores:
    """The stores that the settings name."""
    ingestion: str = settings.ATLAS_INGESTION_STORE  # type: ignore[misc]  # of the ingestion engine's settings alone
    return {StoreName.ATLAS: open_store(settings.ATLAS_OBJECT_STORE), StoreName.INGESTION: open_store(ingestion)}


def _now() -> datetime:
    return datetime.now(UTC)


def _tell(line: str) -> None:
    console().print(printable(line), soft_wrap=True)
