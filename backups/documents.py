"""What a backup says of itself: its manifest, and what went wrong."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime

from atlas.errors import AtlasError
from atlas.vocabulary import Document

SCHEMA_VERSION: Literal[1] = 1
TIME_FORMAT = "%Y-%m-%dT%H%M%SZ"
"""How the folder of a backup is named after the time when it was begun, in UTC."""


class BackupError(AtlasError):
    """The backup cannot be made, read or restored."""


class DatabaseKind(StrEnum):
    """Which database a dump is of: one cannot be restored into the other."""

    POSTGRESQL = "postgresql"
    SQLITE = "sqlite"


class StoreName(StrEnum):
    """The object stores of Atlas."""

    ATLAS = "atlas"
    """Models, predictions, explanations: ATLAS_OBJECT_STORE."""
    INGESTION = "ingestion"
    """Recordings, signals, dataset versions: ATLAS_INGESTION_STORE."""


class Content(Document):
    """The content of a file: its sha256 and size."""

    sha256: str
    size_bytes: int


class Contents(Document):
    """How many objects of a store a backup has, and their size."""

    objects: int
    size_bytes: int


class Manifest(Document):
    """What a backup holds. It is written last: a folder without one is a backup that was broken off.

    Attributes:
        schema_version: of this document.
        made: when the snapshot of the database was taken.
        atlas: the version of Atlas that made it.
        database: the kind of the database.
        server: the version of the database's server or library.
        migrations: the names of those that the database had, by app.
        rows: the number of rows by table.
        dump: the database's file.
        catalog: the list of objects, an SQLite file.
        stores: what is in it of each store.
        lost: how many objects the database refers to that were in no store.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    made: AwareDatetime
    atlas: str
    database: DatabaseKind
    server: str
    migrations: dict[str, tuple[str, ...]]
    rows: dict[str, int]
    dump: Content
    catalog: Content
    stores: dict[StoreName, Contents]
    lost: int = 0

    @property
    def size_bytes(self) -> int:
        """All of it, each object counted although contents are shared."""
        return self.dump.size_bytes + sum(each.size_bytes for each in self.stores.values())

    @property
    def objects(self) -> int:
        """How many objects it has."""
        return sum(each.objects for each in self.stores.values())


def folder_name(moment: datetime) -> str:
    """The name of the folder of a backup that is begun now."""
    return moment.strftime(TIME_FORMAT)
