"""Databases that `manage.py migrate` has filled with tables: made once by each process of tests, and copied."""

import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import psycopg2

ROOT = Path(__file__).parents[1]
FILE = "atlas.sqlite3"
_made: set[str] = set()


def new_database(server: str, name: str, *, like: str = "template1") -> str:
    """Make a database on a PostgreSQL server, empty unless it is to be like another one; its URL."""
    connection = psycopg2.connect(server)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {like}")
    connection.close()
    return f"{server.rpartition('/')[0]}/{name}"


def database(server: str, name: str) -> str:
    """Make a database with all tables on a PostgreSQL server; its URL."""
    _made.add(url := new_database(server, name, like=_template(server)))
    return url


def is_one(url: str) -> bool:
    """Whether a database was made here."""
    return url in _made


def file(folder: Path) -> None:
    """Make the SQLite file with all tables of an Atlas that keeps everything in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(_kept().name) / FILE, folder / FILE)


@cache
def _template(server: str) -> str:
    """The name of a database with all tables on a server. Nobody may be connected to it while it is copied."""
    name = f"migrated_{os.getpid()}"
    with tempfile.TemporaryDirectory(prefix="atlas-migrated-") as folder:
        _migrate(folder, new_database(server, name))
    return name


@cache
def _kept() -> tempfile.TemporaryDirectory[str]:
    """A folder with a SQLite file that has all tables; it is gone with this process."""
    folder = tempfile.TemporaryDirectory(prefix="atlas-migrated-")
    _migrate(folder.name, "")
    return folder


def _migrate(folder: str, database_url: str) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ATLAS_")}
    environment = inherited | {"ATLAS_DATA_DIR": folder, "DATABASE_URL": database_url}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
