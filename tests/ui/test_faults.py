"""What people and programs see while a store is away, the disk is full, or Atlas itself fails."""

import errno
import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory
from pytest_django import Settings

from atlas import logs
from atlas.errors import ObjectNotFoundError, ObjectStoreError
from ingestion_engine import settings as ingestion_settings
from ui import faults


class UndefinedTable(Exception):  # noqa: N818
    """Named as psycopg2 names it."""


def _caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (OperationalError("connection refused"), faults.DATABASE_AWAY),
        (InterfaceError("connection already closed"), faults.DATABASE_AWAY),
        (OperationalError("could not extend file: No space left on device"), faults.FULL),
        (OperationalError("database or disk is full"), faults.FULL),
        (OperationalError("no such table: storage_model"), faults.OTHER_TABLES),
        (_caused(ProgrammingError('relation "x" does not exist'), UndefinedTable()), faults.OTHER_TABLES),
        (ProgrammingError("syntax error"), faults.OURS),
        (ObjectStoreError("no answer; is the server running?"), faults.STORE_AWAY),
        (ObjectStoreError("cannot write: it is full (XMinioStorageFull)"), faults.FULL),
        (_caused(ObjectStoreError("cannot write"), OSError(errno.ENOSPC, "No space left on device")), faults.FULL),
        (ObjectNotFoundError("nothing there"), faults.GONE),
        (OSError(errno.ENOSPC, "No space left on device"), faults.FULL),
        (OSError(errno.EACCES, "Permission denied"), faults.OURS),
        (ZeroDivisionError(), faults.OURS),
    ],
    ids=lambda value: str(value) if isinstance(value, Exception) else "",
)
def test_each_error_is_explained_by_what_is_behind_it(error: Exception, fault: faults.Fault) -> None:
    assert faults.fault_of(error) == fault


def _raised(error: Exception, request: HttpRequest) -> HttpResponse:
    try:
        raise error
    except type(error):
        return faults.failed(request)


def test_a_page_that_can_be_made_later_asks_for_itself_again(rf: RequestFactory) -> None:
    answer = _raised(OperationalError("connection refused"), rf.get("/"))
    assert (answer.status_code, answer.headers["Retry-After"], answer.headers["Refresh"]) == (503, "10", "10")
    assert "tries again by itself every 10 seconds" in answer.content.decode()


def test_a_person_can_tell_which_request_failed(rf: RequestFactory) -> None:
    logs.begin_request("4f1c9d2e8b7a6053")
    during = _raised(ZeroDivisionError(), rf.get("/"))
    logs.end_request()
    assert "name the request: <code>4f1c9d2e8b7a6053</code>" in during.content.decode()
    assert "name the request" not in _raised(ZeroDivisionError(), rf.get("/")).content.decode()


def test_a_form_is_never_sent_again_by_itself(rf: RequestFactory) -> None:
    answer = _raised(OperationalError("connection refused"), rf.post("/"))
    assert "Refresh" not in answer.headers
    assert "tries again" not in answer.content.decode()


def test_what_does_not_pass_is_not_asked_for_again(rf: RequestFactory) -> None:
    answer = _raised(ZeroDivisionError(), rf.get("/"))
    assert answer.status_code == 500
    assert not {"Refresh", "Retry-After"} & set(answer.headers)


def test_a_part_of_a_page_gets_the_sentence_alone(rf: RequestFactory) -> None:
    answer = _raised(ObjectStoreError("no answer"), rf.get("/", headers={"HX-Request": "true"}))
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.content.decode().startswith("The object store does not answer. The files of")


def test_a_form_that_is_too_large_says_how_much_it_may_have(rf: RequestFactory, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 7 << 20
    answer = faults.not_understood(rf.post("/"), RequestDataTooBig())
    assert answer.status_code == 413
    assert "A form may have 7 MiB at most" in answer.content.decode()


def no_database() -> None:
    """What a connection's `cursor` does while the database is away."""
    raise OperationalError("connection refused")


@pytest.fixture
def visitor(db: None) -> Client:
    """Somebody who signed in while the database was there."""
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_user("ilse"))
    return client


@pytest.fixture
def away(visitor: Client) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "cursor", no_database)
        yield


@pytest.fixture
def on_ingestion(settings: Settings) -> None:
    settings.ROOT_URLCONF, settings.MIDDLEWARE = ingestion_settings.ROOT_URLCONF, ingestion_settings.MIDDLEWARE


def _words(answer: HttpResponseBase) -> str:
    return re.sub(r"<[^>]+>", " ", answer.getvalue().decode())


@pytest.mark.any_database
@pytest.mark.parametrize("address", ["/", "/models/", "/models/1/", "/administration/", "/nowhere/", "/account/"])
def test_every_page_says_that_the_database_is_away(visitor: Client, away: None, address: str) -> None:
    answer = visitor.get(address)
    assert answer.status_code == 503
    assert "The database does not answer" in _words(answer)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "sessionid" not in answer.cookies  # one stays signed in


@pytest.mark.any_database
def test_nobody_can_sign_in_meanwhile_and_is_told_why(visitor: Client, away: None) -> None:
    answer = Client(raise_request_exception=False).post("/login/", {"username": "ilse", "password": "correct horse"})
    assert answer.status_code == 503
    assert "The database does not answer" in _words(answer)


@pytest.mark.any_database
def test_programs_are_told_in_their_own_form(visitor: Client, away: None) -> None:
    answer = visitor.get("/api/v1/models", headers={"Authorization": "Bearer atlas_1"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert answer.headers["Retry-After"] == "10"
    assert answer.json()["detail"].startswith("The database does not answer. Atlas cannot read")


@pytest.mark.any_database
def test_pages_of_recordings_say_so_too(on_ingestion: None, visitor: Client, away: None) -> None:
    answer = visitor.get("/recordings/")
    assert answer.status_code == 503
    assert "The database does not answer" in _words(answer)


@pytest.mark.any_database
def test_and_so_does_the_api_for_recordings(on_ingestion: None, visitor: Client, away: None) -> None:
    answer = visitor.get("/api/v1/tags")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert answer.json()["detail"].startswith("The database does not answer.")
