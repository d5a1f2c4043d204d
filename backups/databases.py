"""Copying a database as it is at one moment while others write, and putting such a copy in its place.

Within a snapshot, Django's own connection reads what the copy holds: so references can be asked for that fit it.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any, Protocol

from django.db import DatabaseError, connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from psycopg2.extensions import make_dsn

from backups.documents import BackupError, DatabaseKind

CLIENT = "apt-get install postgresql-client, in the server's version or a newer one"
OF_CONNECTIONS = {"assume_role", "isolation_level", "pool", "server_side_binding"}
"""Django's own options of PostgreSQL, which its client does not know."""


class Database(Protocol):
    """The database that the settings name."""

    kind: DatabaseKind

    def snapshot(self, dump: Path) -> Any:
        """A block that begins when all of the database is in the new file `dump`, and in which Django reads the same.

        Raises:
            BackupError: it cannot be copied.
        """

    def server(self) -> str:
        """The version of its server or library."""

    def clear(self) -> None:
        """Remove all tables.

        Raises:
            DatabaseError: somebody uses them, or they belong to another role.
        """

    def restore(self, dump: Path) -> None:
        """Put a copy in the place of a database without tables: all of it, or nothing.

        Raises:
            BackupError: the copy cannot be used.
        """


def database() -> Database:
    """The database that the settings name.

    Raises:
        BackupError: it is of a kind that cannot be backed up.
    """
    kinds: dict[str, type[Postgres] | type[Sqlite]] = {"postgresql": Postgres, "sqlite": Sqlite}
    if connection.vendor not in kinds:
        raise BackupError(f"A database of the kind {connection.vendor} cannot be backed up.")
    return kinds[connection.vendor]()


class Postgres:
    """PostgreSQL, by its own programs. A role that may read all tables is enough for a snapshot."""

    kind = DatabaseKind.POSTGRESQL

    @contextmanager
    def snapshot(self, dump: Path) -> Iterator[None]:
        """pg_dump copies the snapshot that our own transaction has exported."""
        self._check_program("pg_dump")
        with _read_only("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"):
            _value("SET LOCAL idle_in_transaction_session_timeout = 0")  # while pg_dump works, we say nothing
            name = _value("SELECT pg_export_snapshot()")
            self._run("pg_dump", "--format=custom", f"--snapshot={name}", f"--file={dump}")
            yield

    def server(self) -> str:
        """The server's version."""
        return str(_value("SHOW server_version"))

    def clear(self) -> None:
        """Remove the tables of the schema in which Atlas' lie, in one transaction."""
        names = [connection.ops.quote_name(name) for name in connection.introspection.table_names()]
        if not names:
            return
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '30s'")
            cursor.execute(f"DROP TABLE {', '.join(names)} CASCADE")

    def restore(self, dump: Path) -> None:
        """pg_restore does so in one transaction, whoever the tables belonged to."""
        self._check_program("pg_restore")
        options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
        connection.close()
        self._run("pg_restore", *options, str(dump))

    def _check_program(self, program: str) -> None:
        if shutil.which(program) is None:
            raise BackupError(f"{program} is not installed: {CLIENT}")
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        version, server = said.partition("(PostgreSQL)")[2].split()[0], self.server().split()[0]
        if _major(version) < _major(server):
            raise BackupError(f"{program} {version} is older than the server, which is {server}: {CLIENT}")

    def _run(self, program: str, *options: str) -> None:
        """Run a client program on the database; the password is in no command line.

        It dies with this process: the next restore would meet the tables of one that goes on alone.
        """
        dsn, secret = self._address()
        command = ["setpriv", "--pdeathsig", "KILL", program, *options, f"--dbname={dsn}"]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **secret}, check=False)
        if done.returncode:
            raise BackupError(f"{program} failed: {done.stderr.strip() or done.returncode}")

    @staticmethod
    def _address() -> tuple[str, Mapping[str, str]]:
        """How a client reaches the database, and what it has to have in its environment for that."""
        known = connection.settings_dict
        given = {name: known[name.upper()] for name in ("user", "host", "port")}
        options = {name: value for name, value in known["OPTIONS"].items() if name not in OF_CONNECTIONS}
        secret = {"PGPASSWORD": str(known["PASSWORD"])} if known["PASSWORD"] else {}
        named = {"dbname": known["NAME"], **given, **options}
        return make_dsn(**{name: value for name, value in named.items() if value not in (None, "")}), secret


class Sqlite:
    """A file of SQLite."""

    kind = DatabaseKind.SQLITE

    @contextmanager
    def snapshot(self, dump: Path) -> Iterator[None]:
        """SQLite copies what our own transaction sees; who writes goes on."""
        with _read_only("BEGIN"):
            _value("SELECT count(*) FROM sqlite_master")  # the transaction sees what there is at its first read
            with closing(sqlite3.connect(dump)) as target:
                connection.connection.backup(target)
                target.execute("PRAGMA journal_mode=DELETE")  # the copy is one file, without a log beside it
            yield

    def server(self) -> str:
        """The library's version."""
        return sqlite3.sqlite_version

    def clear(self) -> None:
        """An empty database takes its place."""
        with closing(sqlite3.connect(":memory:")) as empty:
            self._become(empty)

    def restore(self, dump: Path) -> None:
        """SQLite writes the copy into the database in one transaction."""
        with closing(sqlite3.connect(dump)) as source:
            self._become(source)

    @staticmethod
    def _become(source: sqlite3.Connection) -> None:
        connection.ensure_connection()
        source.backup(connection.connection)


def _major(version: str) -> int:
    """The first number of a version such as 17.5, 18beta1 or 19devel."""
    return int("".join(takewhile(str.isdigit, version)))


@contextmanager
def _read_only(begin: str) -> Iterator[None]:
    """A transaction that only reads. Django's own would lock SQLite's file against all who write."""
    _value(begin)
    try:
        yield
    finally:
        _value("ROLLBACK")


def _value(query: str) -> Any:
    """The first value that a statement gives, if it gives any."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


@contextmanager
def faults() -> Iterator[None]:
    """A block in which a database that cannot be reached, or refuses, is an error of one line; ours are of SQLite.

    Raises:
        BackupError: it cannot, or does.
    """
    try:
        yield
    except (DatabaseError, sqlite3.Error) as error:
        raise BackupError(f"The database: {' '.join(str(error).split())}") from error


def row_counts() -> dict[str, int]:
    """The number of rows of each table; nothing where there is no table."""
    names = sorted(connection.introspection.table_names())
    return {name: _value(f"SELECT count(*) FROM {connection.ops.quote_name(name)}") for name in names}  # noqa: S608


def migrations() -> dict[str, tuple[str, ...]]:
    """The names of the migrations that the database has, by app."""
    found: dict[str, list[str]] = {}
    for app, name in sorted(MigrationRecorder(connection).applied_migrations()):
        found.setdefault(app, []).append(name)
    return {app: tuple(names) for app, names in found.items()}
