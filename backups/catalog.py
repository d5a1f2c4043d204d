"""The list of a backup's objects: an SQLite file, so that it may be longer than memory.

While the backup is made it also holds what the stores list and what the database refers to.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from backups.documents import Content, Contents, StoreName
from storage.objects import StoredObject

PAGE = 200
"""So many objects are looked at together."""
_OBJECTS = """
CREATE TABLE IF NOT EXISTS objects (
    store TEXT NOT NULL, key TEXT NOT NULL, etag TEXT NOT NULL, modified TEXT NOT NULL,
    sha256 TEXT NOT NULL, size_bytes INTEGER NOT NULL, PRIMARY KEY (store, key)
) WITHOUT ROWID;
"""
_WORK = """
CREATE TABLE IF NOT EXISTS listed (
    store TEXT NOT NULL, key TEXT NOT NULL, etag TEXT NOT NULL, modified TEXT NOT NULL, size_bytes INTEGER NOT NULL,
    PRIMARY KEY (store, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS referred (
    store TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (store, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS removed (key TEXT NOT NULL, etag TEXT NOT NULL);
"""
_IS_COPIED = """EXISTS (
    SELECT 1 FROM objects o WHERE o.store = l.store AND o.key = l.key AND o.etag = l.etag AND o.modified = l.modified
)"""
_IS_LISTED = "EXISTS (SELECT 1 FROM listed l WHERE l.store = objects.store AND l.key = objects.key)"
_IS_REFERRED = "EXISTS (SELECT 1 FROM referred r WHERE r.store = objects.store AND r.key = objects.key)"
_IS_REMOVED = "EXISTS (SELECT 1 FROM removed g WHERE g.key = objects.key AND g.etag IN ('', objects.etag))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An object as its store lists it. `modified` is a time in ISO 8601."""

    store: StoreName
    key: str
    etag: str
    modified: str
    size_bytes: int

    @classmethod
    def of(cls, store: StoreName, found: StoredObject) -> Self:
        """What a store says of an object."""
        return cls(
            store=store,
            key=found.key,
            etag=found.etag,
            modified=found.modified.isoformat(),
            size_bytes=found.size_bytes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An object of a backup, and its content."""

    store: StoreName
    key: str
    content: Content


class Catalog:
    """The objects of one backup, by store and key."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        how = "ro&immutable=1" if read_only else "rwc"
        self._rows = sqlite3.connect(f"{path.resolve().as_uri()}?mode={how}", uri=True)
        if not read_only:
            self._rows.executescript(_OBJECTS + _WORK)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()

    def list_anew(self, found: Iterable[Listed]) -> None:
        """Remember what the stores list now, in the place of what they listed before."""
        with self._rows:
            self._rows.execute("DELETE FROM listed")
            self._rows.executemany(
                "INSERT OR REPLACE INTO listed VALUES (?, ?, ?, ?, ?)",
                ((each.store, each.key, each.etag, each.modified, each.size_bytes) for each in found),
            )

    def refer_anew(self, referred: Iterable[tuple[StoreName, str]], removed: Iterable[tuple[str, str]]) -> None:
        """Remember what the snapshot of the database refers to, and what people want gone: keys and etags."""
        with self._rows:
            self._rows.executescript("DELETE FROM referred; DELETE FROM removed")
            self._rows.executemany("INSERT OR IGNORE INTO referred VALUES (?, ?)", referred)
            self._rows.executemany("INSERT INTO removed VALUES (?, ?)", removed)

    def left_to_copy(self) -> Contents:
        """How many of the objects that are listed have no entry, or one of another content."""
        query = f"SELECT count(*), coalesce(sum(size_bytes), 0) FROM listed l WHERE NOT {_IS_COPIED}"  # noqa: S608
        count, size = self._rows.execute(query).fetchone()
        return Contents(objects=count, size_bytes=size)

    def pages_to_copy(self) -> Iterator[list[Listed]]:
        """These objects, some at a time; entries may be added meanwhile."""
        after = ("", "")
        query = f"""
            SELECT store, key, etag, modified, size_bytes FROM listed l
            WHERE (store, key) > (?, ?) AND NOT {_IS_COPIED} ORDER BY store, key LIMIT {PAGE}
        """  # noqa: S608
        while page := [_listed(*row) for row in self._rows.execute(query, after)]:
            yield page
            after = (page[-1].store, page[-1].key)

    def find(self, listed: Listed) -> Content | None:
        """The content of an object that is still what it was, as its store says."""
        row = self._rows.execute(
            "SELECT sha256, size_bytes FROM objects WHERE store = ? AND key = ? AND etag = ? AND modified = ?",
            (listed.store, listed.key, listed.etag, listed.modified),
        ).fetchone()
        return Content(sha256=row[0], size_bytes=row[1]) if row and row[1] == listed.size_bytes else None

    def add(self, copied: Iterable[tuple[Listed, Content]]) -> None:
        """Add entries of objects whose contents are kept."""
        rows = ((o.store, o.key, o.etag, o.modified, c.sha256, c.size_bytes) for o, c in copied)
        with self._rows:
            self._rows.executemany("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?)", rows)

    def missing(self) -> set[tuple[str, str]]:
        """What the database refers to and is not here: stores and keys."""
        return set(self._rows.execute("SELECT store, key FROM referred EXCEPT SELECT store, key FROM objects"))

    def settle(self) -> None:
        """Keep what the stores list now or the database refers to, without what people want gone, and nothing else."""
        with self._rows:
            self._rows.execute(
                f"DELETE FROM objects WHERE NOT {_IS_REFERRED} AND (NOT {_IS_LISTED} OR store = ? AND {_IS_REMOVED})",  # noqa: S608
                (StoreName.ATLAS,),
            )
        for table in ("listed", "referred", "removed"):
            self._rows.execute(f"DROP TABLE {table}")
        self._rows.commit()
        self._rows.execute("VACUUM")

    def totals(self) -> dict[StoreName, Contents]:
        """What there is of each store."""
        rows = self._rows.execute("SELECT store, count(*), sum(size_bytes) FROM objects GROUP BY store")
        found = {name: Contents(objects=count, size_bytes=size) for name, count, size in rows}
        return {store: found.get(store, Contents(objects=0, size_bytes=0)) for store in StoreName}

    def entries(self) -> Iterator[Entry]:
        """All objects, by store and key. The list must not change meanwhile."""
        for store, key, sha256, size in self._rows.execute("SELECT store, key, sha256, size_bytes FROM objects"):
            yield Entry(store=StoreName(store), key=key, content=Content(sha256=sha256, size_bytes=size))

    def contents(self) -> Iterator[Content]:
        """The contents of all objects, each once."""
        for sha256, size in self._rows.execute("SELECT DISTINCT sha256, size_bytes FROM objects ORDER BY sha256"):
            yield Content(sha256=sha256, size_bytes=size)

    def has(self, store: StoreName, key: str) -> bool:
        """Whether there is such an object."""
        query = "SELECT 1 FROM objects WHERE store = ? AND key = ?"
        return self._rows.execute(query, (store, key)).fetchone() is not None


class Needed:
    """The names of the contents that some backups need; on disk where they are many."""

    def __init__(self) -> None:
        self._names = sqlite3.connect("")
        self._names.execute("CREATE TABLE names (sha256 TEXT PRIMARY KEY) WITHOUT ROWID")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._names.close()

    def add_all_of(self, catalog: Catalog) -> None:
        """Need what a backup has."""
        with self._names:
            rows = ((each.sha256,) for each in catalog.contents())
            self._names.executemany("INSERT OR IGNORE INTO names VALUES (?)", rows)

    def __contains__(self, sha256: object) -> bool:
        with closing(self._names.execute("SELECT 1 FROM names WHERE sha256 = ?", (sha256,))) as found:
            return found.fetchone() is not None


def _listed(store: str, key: str, etag: str, modified: str, size_bytes: int) -> Listed:
    return Listed(store=StoreName(store), key=key, etag=etag, modified=modified, size_bytes=size_bytes)
