"""`manage.py prepare` on a database that is there, and while its servers are not."""

from contextlib import closing
from io import StringIO

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from atlas.errors import SettingsError
from atlas_web.preparing.waiting import LOCK, alone, wait_for_database, wait_for_objects
from tests.servers import free_port

READY = [
    "Database: it answers.",
    "Tables: up to date.",
    "Database roles: none; all components have the one that prepares.",
    "Object store: it answers.",
]


def prepared() -> list[str]:
    """What the command prints."""
    said = StringIO()
    call_command("prepare", stdout=said)
    return said.getvalue().splitlines()


@pytest.mark.django_db
def test_it_says_what_it_did_and_does_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_ADMIN_NAME", "ilse")
    monkeypatch.setenv("ATLAS_ADMIN_PASSWORD", "correct horse")
    assert prepared() == [*READY, "Administrators: ilse was added."]
    assert prepared() == [*READY, "Administrators: ilse is there already."]


@pytest.mark.django_db
@pytest.mark.any_database
def test_a_wrong_setting_ends_it_before_anything_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_DATABASE_URL_ENGINE", "atlas")
    with pytest.raises(CommandError, match=r"^ATLAS_DATABASE_URL_ENGINE: it must look like"):
        prepared()


@pytest.mark.django_db
def test_only_one_prepares_at_a_time() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is for one machine")
    with closing(psycopg2.connect(**connection.get_connection_params())) as other, other.cursor() as cursor:
        with alone():
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            assert cursor.fetchall() == [(False,)]
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        assert cursor.fetchall() == [(True,)]


def answers(monkeypatch: pytest.MonkeyPatch, *problems: str) -> list[str]:
    """Have the database refuse connections with some problems, one after the other, and then answer."""
    left = list(problems)

    def connect() -> None:
        if left:
            raise OperationalError(left.pop(0))

    monkeypatch.setattr(connection, "ensure_connection", connect)
    return left


def test_a_database_that_starts_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    left = answers(monkeypatch, "Connection refused", "the database system is starting up")
    wait_for_database(30)
    assert not left


def test_one_that_refuses_the_password_is_not_and_the_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = 'FATAL:  password authentication failed for user "atlas"'
    left = answers(monkeypatch, refusal, refusal)
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: .* password authentication failed"):
        wait_for_database(600)
    assert left == [refusal]


def test_a_store_that_never_answers_is_named_by_its_setting() -> None:
    url = f"s3://atlas:secret@127.0.0.1:{free_port()}/atlas?secure=false"
    with pytest.raises(SettingsError, match=r"^ATLAS_OBJECT_STORE_ADMIN: .* is the server running"):
        wait_for_objects("ATLAS_OBJECT_STORE_ADMIN", url, 0.1)
