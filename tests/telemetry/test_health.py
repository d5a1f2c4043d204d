"""Whether a process lives and can do its work."""

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def test_both_answer_without_a_sign_in(client: Client) -> None:
    for address in ("/healthz", "/readyz"):
        answer = client.get(address)
        assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_a_process_whose_database_is_away_lives_but_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OperationalError("connection to 10.0.0.7 refused")

    monkeypatch.setattr(connection, "cursor", refuse)
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (503, b"The database does not answer.\n")


def test_a_process_whose_tables_are_of_an_older_version_is_not_ready(client: Client) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("storage", "0009_first_alert_rules")
    assert client.get("/readyz").status_code == 503
    recorder.record_applied("storage", "0009_first_alert_rules")
    recorder.record_applied("storage", "9999_of_a_newer_version")
    assert client.get("/readyz").status_code == 200
