"""Installations as earlier releases left them, and their upgrade to the code that is here."""

import gzip
import io
import json
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import dj_database_url
import psycopg2
from django.core.management import call_command
from django.db import connections
from django.db.utils import load_backend

from tests.upgrade.making import LEFT_OUT

RELEASES = sorted(folder for folder in Path(__file__).parent.glob("v*") if folder.is_dir())
Rows = dict[tuple[str, str], dict[str, Any]]
"""The fields of each row by its model and key, with the field's own key among them."""


def put_objects(release: Path, folder: Path) -> None:
    """Lay out the object stores below a folder."""
    with tarfile.open(release / "objects.tar.gz") as archive:
        archive.extractall(folder, filter="data")


def put_sqlite(release: Path, folder: Path) -> str:
    """Make the database as a file in a folder; its URL."""
    path = folder / "atlas.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(_sql(release, "sqlite"))
    return f"sqlite:///{path}"


def empty_tables(release: Path, folder: Path) -> list[str]:
    """The tables in which the release left nothing."""
    put_sqlite(release, folder)
    with closing(sqlite3.connect(folder / "atlas.sqlite3")) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [name for name in names if not connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone()]


def put_postgresql(release: Path, url: str) -> str:
    """Fill an empty database; its URL."""
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(_sql(release, "postgresql"))
    return url


def _sql(release: Path, database: str) -> str:
    return gzip.decompress((release / f"{database}.sql.gz").read_bytes()).decode()


@contextmanager
def connected(url: str) -> Iterator[None]:
    """Have Django speak to another database while the block runs."""
    before = connections["default"]
    config = {**before.settings_dict, **dj_database_url.parse(url), "OPTIONS": {}}
    connections["default"] = load_backend(config["ENGINE"]).DatabaseWrapper(config, "default")
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = before


def rows_of(release: Path) -> Rows:
    """Every row as the release left it."""
    return _by_key(json.loads(gzip.decompress((release / "rows.json.gz").read_bytes())))


def rows_now() -> Rows:
    """Every row of the database that Django speaks to."""
    written = io.StringIO()
    call_command("dumpdata", exclude=LEFT_OUT, stdout=written)
    return _by_key(json.loads(written.getvalue()))


def _by_key(dumped: list[dict[str, Any]]) -> Rows:
    return {(each["model"], str(each["pk"])): each["fields"] for each in dumped}
