"""`python -m storage.starting`: whether a process may begin, so that one that may not fails at once and says why.

What merely does not answer now is waited for by the process itself: its pages say so meanwhile, and its jobs are tried
again. What no waiting mends ends it.
"""

import logging
import sys

import django
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from atlas.errors import AtlasError, SettingsError
from storage.objects import check_url

STORES = ("ATLAS_OBJECT_STORE", "ATLAS_INGESTION_STORE")
_FOR_GOOD = (
    "authentication failed", "does not exist", "no pg_hba.conf entry", "certificate verify failed",
    "unable to open database file", "invalid connection option", "invalid dsn", "root certificate file",
)  # fmt: skip
"""What a database, or its driver, says to those whom it will not let in later either."""

logger = logging.getLogger("storage.starting")  # also where it is run as a program


def check() -> None:
    """See that the database lets this process in and has this release's tables, and that the stores have addresses.

    Raises:
        SettingsError: with what is wrong, and what to do, in one line.
    """
    for name in STORES:
        _check_store(name)
    try:
        behind = _migrations_behind()
    except DatabaseError as error:
        said = " ".join(str(error).split())
        if any(words in said for words in _FOR_GOOD):
            raise SettingsError(f"DATABASE_URL: the database cannot be used: {said}") from error
        logger.warning("The database does not answer yet: %s", said)
        return
    finally:
        connection.close()
    if behind:
        raise SettingsError(f"The database lacks {behind} migrations: run manage.py prepare, then start again.")


def _check_store(name: str) -> None:
    try:
        check_url(getattr(settings, name, "."))
    except SettingsError as error:
        raise SettingsError(f"{name}: {error}") from error


def _migrations_behind() -> int:
    connection.ensure_connection()
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def main() -> None:
    """Ask, with the settings that `DJANGO_SETTINGS_MODULE` names."""
    try:
        django.setup()
        check()
    except AtlasError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
