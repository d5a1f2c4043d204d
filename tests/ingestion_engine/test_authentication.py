"""Who may do what over the API: every operation of its document, asked without and with each kind of credential."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from atlas.access import Right, Role
from atlas.errors import SettingsError
from ingestion_engine.settings import IngestionEnvironment
from storage import records
from tests.ingestion_engine.engine import COMPONENTS_TOKEN, Api, token_of_a

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs/reference/ingestion-openapi.json").read_text())
OPERATIONS = sorted((method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods)
ADDING = {("POST", "recordings"), ("POST", "tags"), ("POST", "uploads")} | {
    (method, "uploads/{upload}") for method in ("GET", "PUT", "DELETE")
}
CHANGING = {
    ("PUT", "recordings/{name}/labels"),
    ("POST", "recordings/{name}/events"),
    ("PATCH", "recordings/{name}/events/{event}"),
    ("DELETE", "recordings/{name}/events/{event}"),
}
READING = {(method, path.removeprefix("/api/v1/")) for method, path in OPERATIONS} - ADDING - CHANGING
ALL = ADDING | CHANGING | READING
REFUSED = {401, 403}

pytestmark = pytest.mark.any_database


def ask(client: Client, operation: tuple[str, str], **headers: str) -> HttpResponse:
    """The answer to an operation on things that are not there, with a body that is none."""
    method, path = operation
    address = path.format(name="n", event="e", query_id="q", tag="t", number=0, column="c", upload="0" * 32)
    return client.generic(method, f"/api/v1/{address}", b"", headers=headers)  # type: ignore[return-value]


def let_through(client: Client, headers: Mapping[str, str]) -> set[tuple[str, str]]:
    """The operations that are refused for none of the reasons that lie in who asks."""
    return {each for each in ALL if ask(client, each, **headers).status_code not in REFUSED}


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def outsider(api: Api) -> Client:
    """Nobody, with a browser."""
    return Client(raise_request_exception=False)


def test_the_document_has_all_operations_that_are_spoken_of_here() -> None:
    assert {(method, path.removeprefix("/api/v1/")) for method, path in OPERATIONS} == ALL
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            assert operation["security"] == [{"Bearer": []}, {"Session": []}], f"{method} {path}"
            assert {"401", "403"} <= set(operation["responses"]), f"{method} {path}"


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic YTpi", f"Basic {COMPONENTS_TOKEN}"])
def test_nobody_is_let_through_without_a_token_that_is_known(outsider: Client, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    for operation in sorted(ALL):
        answer = ask(outsider, operation, **headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="Atlas"'), operation
        assert "Send a token in the header Authorization" in json.loads(answer.content)["detail"]


def test_components_read_and_add_and_change_nothing(outsider: Client) -> None:
    assert let_through(outsider, bearing(COMPONENTS_TOKEN)) == READING | ADDING


def test_components_have_no_token_where_none_is_set(outsider: Client, settings: Settings) -> None:
    settings.ATLAS_INGESTION_TOKEN = ""
    assert let_through(outsider, {"Authorization": "Bearer "}) == set()


@pytest.mark.parametrize(
    ("role", "allowed"), [(Role.VIEWER, READING), (Role.DATA_SCIENTIST, ALL), (Role.ADMINISTRATOR, ALL)]
)
def test_people_do_by_token_and_by_session_what_their_role_allows(
    outsider: Client, role: Role, allowed: set[tuple[str, str]]
) -> None:
    assert let_through(outsider, bearing(token_of_a(role))) == allowed
    person = User.objects.create_user("ilse")
    records.set_role(person.pk, role)
    outsider.force_login(person)
    assert let_through(outsider, {}) == allowed


def test_a_token_gives_no_more_than_it_was_made_for(outsider: Client) -> None:
    assert let_through(outsider, bearing(token_of_a(Role.ADMINISTRATOR, Right.READ))) == READING
    assert let_through(outsider, bearing(token_of_a(Role.ADMINISTRATOR, Right.WRITE))) == ADDING | CHANGING


def test_a_closed_account_s_token_is_no_good(outsider: Client) -> None:
    token = token_of_a(Role.ADMINISTRATOR)
    User.objects.update(is_active=False)
    assert let_through(outsider, bearing(token)) == set()


def test_a_session_changes_nothing_without_the_page_s_token(api: Api) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("root"))
    assert {method for method, _ in let_through(strict, {})} == {"GET"}
    answer = ask(strict, ("POST", "tags"))
    assert (answer.status_code, json.loads(answer.content)["detail"]) == (
        403,
        "The header X-CSRFToken is missing or wrong.",
    )


def test_labels_beside_a_recording_are_told_by_people(api: Api) -> None:
    api.client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {COMPONENTS_TOKEN}"
    fault = api.upload("monday", "label\ndent\n", labels=_file("start,end,label\n0,1,dent\n"), status=403)
    assert fault["detail"].startswith("labels: they are told by people")
    assert api.get("recordings") == []


def test_what_the_api_says_of_itself_is_for_those_who_are_signed_in(outsider: Client) -> None:
    for address in ("/api/v1/docs", "/api/v1/openapi.json"):
        answer = outsider.get(address)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/login/?next={address}")


@pytest.mark.parametrize("token", ["short", "with a space in its middle", "ümlaut-ümlaut-ümlaut-ümlaut"])
def test_a_token_that_could_be_guessed_or_not_be_sent_is_refused(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_INGESTION_TOKEN", token)
    with pytest.raises(SettingsError, match=r"ATLAS_INGESTION_TOKEN: .*at least 20") as refused:
        IngestionEnvironment.from_environment()
    assert token not in str(refused.value)


def _file(content: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("labels.csv", content.encode())
