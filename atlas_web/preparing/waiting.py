"""Waiting for servers that start at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from atlas.errors import ObjectStoreError, SettingsError
from storage.objects import open_store

_BETWEEN_SECONDS = 0.5
LOCK = 0x41746C6173
"""The advisory lock of whoever prepares a database: any number that nothing else there locks."""
_FOR_GOOD = (
    "authentication failed", "does not exist", "no pg_hba.conf entry",
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied",
)  # fmt: skip
"""What PostgreSQL and S3 stores say to those whom they will not let in later either."""


def wait_for_database(seconds: float) -> None:
    """Wait until the database takes connections.

    Raises:
        SettingsError: it does not within the time, or refuses the name, the password or the database.
    """
    try:
        _retrying(seconds, OperationalError)(connection.ensure_connection)
    except OperationalError as error:
        raise SettingsError(f"DATABASE_URL: the database cannot be used: {str(error).strip()}") from error


def wait_for_objects(variable: str, url: str, seconds: float) -> None:
    """Wait until an object store answers. Its bucket or folder is made if it is missing.

    Args:
        variable: the setting that names the store.
        url: what it says.
        seconds: how long to wait.

    Raises:
        SettingsError: the store does not answer within the time, or refuses.
    """
    try:
        _retrying(seconds, ObjectStoreError)(open_store, url)
    except ObjectStoreError as error:
        raise SettingsError(f"{variable}: {error}") from error


@contextmanager
def alone() -> Iterator[None]:
    """Within the block nobody else prepares this database. SQLite, which is for one machine, is not locked."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _retrying(seconds: float, error: type[Exception]) -> Retrying:
    return Retrying(
        stop=stop_after_delay(seconds),
        wait=wait_fixed(_BETWEEN_SECONDS),
        retry=retry_if_exception(lambda met: isinstance(met, error) and not _stays(met)),
        reraise=True,
    )


def _stays(error: BaseException) -> bool:
    return any(words in str(error) for words in _FOR_GOOD)
