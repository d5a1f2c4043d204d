"""Whether the database answers, is safe to reach, and has the tables of this release."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from doctor.findings import Finding, broken, doubtful, well

PART = "database"
REMEDY = "See that the server runs and that DATABASE_URL names it, its role and password."
LOCAL = ("", "localhost", "127.0.0.1", "::1")
DOUBTFUL_SECONDS, WRONG_SECONDS = 2.0, 30.0


def look() -> Iterator[Finding]:
    """Ask the database; without PostgreSQL there is no role, no network and no clock of its own to ask about."""
    connection.ensure_connection()
    yield well(PART, f"{connection.display_name} {'.'.join(map(str, connection.get_database_version()))} answers.")
    if connection.vendor == "postgresql":
        yield _encryption()
        yield _role()
        yield _clock(datetime.now(UTC))
    yield _migrations()


def _ask(query: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


def _encryption() -> Finding:
    if _ask("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"):
        return well(PART, "The connection is encrypted.")
    if settings.DATABASES["default"]["HOST"] in LOCAL:
        return well(PART, "The connection is not encrypted, and does not leave this machine.")
    return doubtful(
        PART, "The connection is not encrypted.", "Add ?sslmode=verify-full&sslrootcert=FILE to DATABASE_URL."
    )


def _role() -> Finding:
    role = _ask("SELECT current_user")
    if _ask("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        return doubtful(
            PART, f"The role {role} may do anything with the server.", "Give each component a role of its own."
        )
    readable = _ask("SELECT has_table_privilege(to_regclass('django_migrations'), 'SELECT')")
    if readable is False:
        return broken(
            PART, f"The role {role} may not read the tables.", "Run manage.py prepare, which grants its rights."
        )
    return well(PART, f"The role is {role}.")


def _clock(now: datetime) -> Finding:
    apart = abs((_ask("SELECT clock_timestamp()") - now).total_seconds())
    said = f"Its clock and this machine's are {apart:.1f} seconds apart."
    remedy = "Have both machines set their clocks by the network: leases and signs of life are compared by them."
    if apart > WRONG_SECONDS:
        return broken(PART, said, remedy)
    return doubtful(PART, said, remedy) if apart > DOUBTFUL_SECONDS else well(PART, said)


def _migrations() -> Finding:
    loader = MigrationExecutor(connection).loader
    applied, known = set(loader.applied_migrations), set(loader.graph.nodes)
    if missing := known - applied:
        return broken("tables", f"{len(missing)} migrations are missing.", "Run manage.py prepare, then start again.")
    own = {app for app, _ in known}
    if newer := {key for key in applied - known if key[0] in own and key not in loader.replacements}:
        names = ", ".join(f"{app} {name}" for app, name in sorted(newer))
        return doubtful(
            "tables", f"They are of a newer release: {names}.", "Upgrade this process too, or restore a backup."
        )
    return well("tables", "They are those of this release.")
