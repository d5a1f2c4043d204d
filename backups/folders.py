"""The folder that backups lie in: one folder for each, named after its time, and the pool that they share."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from backups.catalog import Catalog, Needed
from backups.documents import TIME_FORMAT, BackupError, Manifest, folder_name
from backups.pool import Pool

POOL = "pool"
LOCK = "lock"
MANIFEST = "manifest.json"
DUMP = "database"
CATALOG = "objects.sqlite3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup that is complete, and its folder."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """What its folder is called, after its time."""
        return self.folder.name

    @property
    def dump(self) -> Path:
        """The database's file."""
        return self.folder / DUMP

    def catalog(self) -> Catalog:
        """The list of its objects."""
        return Catalog(self.folder / CATALOG, read_only=True)


class Backups:
    """All backups in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def pool(self) -> Pool:
        """The contents that they share."""
        return Pool(self.folder / POOL)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """A block in which nobody else changes the folder, which is made if it is not there.

        Raises:
            BackupError: somebody does at this moment.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BackupError(f"Another backup is made in {self.folder} at this moment.") from error
            yield

    def complete(self) -> list[Backup]:
        """Those that are complete, oldest first.

        Raises:
            BackupError: a manifest cannot be read.
        """
        folders = [folder for folder in self._folders() if (folder / MANIFEST).exists()]
        return [Backup(folder=folder, manifest=_manifest(folder / MANIFEST)) for folder in folders]

    def broken_off(self) -> list[Path]:
        """The folders of those that are not, oldest first."""
        return [folder for folder in self._folders() if not (folder / MANIFEST).exists()]

    def at(self, moment: datetime | None) -> Backup:
        """The newest that is complete, of those that were made until `moment` if it is given.

        Raises:
            BackupError: there is none.
        """
        found = [each for each in self.complete() if moment is None or each.manifest.made <= moment]
        if not found:
            until = f" that was made until {moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""
            raise BackupError(f"There is no complete backup in {self.folder}{until}.")
        return found[-1]

    def begin(self, now: datetime) -> Path:
        """A new folder for a backup that is begun."""
        folder, _ = self._free(now)
        folder.mkdir()
        return folder

    def rename(self, folder: Path, made: datetime) -> tuple[Path, datetime]:
        """Name a backup's folder after the time of its snapshot; both, to the second."""
        renamed, made = self._free(made)
        folder.rename(renamed)
        return renamed, made

    def _free(self, moment: datetime) -> tuple[Path, datetime]:
        """A folder that is not there yet, named after a moment, or after the next second that is free."""
        moment = moment.replace(microsecond=0)
        while (folder := self.folder / folder_name(moment)).exists():
            moment += timedelta(seconds=1)
        return folder, moment

    def remove_broken_off(self) -> None:
        """Remove what is left of backups that were broken off; contents stay until `prune`."""
        for folder in self.broken_off():
            shutil.rmtree(folder)

    def prune(self, keep: int) -> tuple[int, int]:
        """Remove all but the newest `keep` backups, and contents that none needs: how many backups, and bytes."""
        complete = self.complete()
        removed = complete[:-keep]
        for backup in removed:
            (backup.folder / MANIFEST).unlink()  # first, so that what is left of it is known for what it is
            shutil.rmtree(backup.folder)
        with Needed() as needed:
            for backup in complete[-keep:]:
                with backup.catalog() as catalog:
                    needed.add_all_of(catalog)
            return len(removed), self.pool.keep_only(needed.__contains__)

    def _folders(self) -> list[Path]:
        if not self.folder.is_dir():
            raise BackupError(f"There is no folder {self.folder}.")
        return sorted(folder for folder in self.folder.iterdir() if folder.is_dir() and _is_time(folder.name))


def _is_time(name: str) -> bool:
    try:
        datetime.strptime(name, TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return False
    return True


def _manifest(path: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise BackupError(f"{path} is damaged, or was written by a newer release of Atlas.") from error
