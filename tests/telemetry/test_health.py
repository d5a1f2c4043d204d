"""Whether a process lives and can do its work."""

import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def test_both_answer_without_a_sign_in(client: Client) -> None:
    for address in ("/healthz", "/readyz"):
        answer = client.get(address)
        assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.parametrize(
    "error", [OperationalError("connection to 10.0.0.7 refused"), InterfaceError("connection already closed")], ids=repr
)
def test_a_process_whose_database_is_away_lives_but_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse() -> None:
        raise error

    monkeypatch.setattr(connection, "cursor", refuse)
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (503, b"The database does not answer.\n")


def test_a_process_that_may_not_read_its_tables_yet_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_recorder: MigrationRecorder) -> None:
        raise ProgrammingError("permission denied for table django_migrations")

    monkeypatch.setattr(MigrationRecorder, "applied_migrations", refuse)
    answer = client.get("/readyz")
    assert (answer.status_code, b"manage.py prepare" in answer.content) == (503, True)


def test_a_process_whose_tables_are_of_an_older_version_is_not_ready(client: Client) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("storage", "0009_first_alert_rules")
    assert client.get("/readyz").status_code == 503
    recorder.record_applied("storage", "0009_first_alert_rules")
    recorder.record_applied("storage", "9999_of_a_newer_version")
    assert client.get("/readyz").status_code == 200
