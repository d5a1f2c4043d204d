"""What all operations have in common: pages of lists, unchanged answers, problems, the document."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from atlas.api import Problem
from atlas.errors import ObjectStoreError
from atlas_web import files
from atlas_web.api import api
from storage import queries
from tests import stage
from tests.atlas_web.api.conftest import ROOT, Script

pytestmark = pytest.mark.django_db


@pytest.fixture
def models() -> None:
    """Three models."""
    for name in ("Ash", "Birch", "Cedar"):
        stage.add_model(name)


def links(header: str) -> dict[str, str]:
    return {name: address for address, name in re.findall(r'<(.*?)>; rel="(\w+)"', header)}


@pytest.mark.usefixtures("models")
def test_a_list_is_read_page_by_page(reading: Script) -> None:
    path, names = "models?order=name&page_size=1&q=", []
    while path:
        page = reading.get(path)
        assert page["total"] == 3
        names += [each["name"] for each in page["items"]]
        path = (page["next"] or "").partition(ROOT)[2]
    assert names == ["Ash", "Birch", "Cedar"]


@pytest.mark.usefixtures("models")
def test_a_list_links_to_its_neighbours(reading: Script) -> None:
    first = reading("GET", "models?page_size=1")
    second = reading("GET", "models?page_size=1&page=2")
    beyond = reading("GET", "models?page_size=1&page=9")
    assert set(links(first.headers["Link"])) == {"first", "last", "next"}
    assert links(second.headers["Link"])["prev"].endswith("/api/v1/models?page_size=1&page=1")
    assert (beyond.document["items"], beyond.document["next"]) == ([], None)
    assert links(beyond.headers["Link"])["prev"].endswith("page=3")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("models?usecase=x", "usecase"),
        ("models/1/history?page_size=201", "page_size"),
        ("models?page=0", "page"),
        ("models?order=colour", "order"),
        ("benchmarks?state=finished", "state"),
        ("benchmarks?score_min=nan", "score_min"),
        ("logs?q=%00", "q"),
        ("whoami?verbose=1", "verbose"),
        ("benchmarks/x", "benchmark"),
    ],
)
def test_a_wrong_parameter_is_named(reading: Script, path: str, field: str) -> None:
    answer = reading("GET", path)
    assert answer.status == 422
    problem = Problem.model_validate(answer.document)
    assert [each.field for each in problem.errors] == [field]
    assert field in problem.detail


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("path", ["models", "models/Ash", "counters", "queue", "whoami"])
def test_what_is_unchanged_is_not_sent_again(reading: Script, path: str) -> None:
    first = reading("GET", path)
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = reading("GET", path, If_None_Match=first.headers["ETag"])
    assert (again.status, again.content) == (304, b"")
    assert again.headers["Cache-Control"] == "private, no-cache"


def test_what_has_changed_is_sent_again(reading: Script) -> None:
    etag = reading("GET", "models").headers["ETag"]
    stage.add_model()
    assert reading("GET", "models", If_None_Match=etag).status == 200


def test_what_is_not_as_supposed_is_refused(reading: Script) -> None:
    answer = reading("GET", "models", If_Match='"another"')
    assert (answer.status, answer.document["title"]) == (412, "Precondition Failed")


def faulty(*_args: object, **_options: object) -> Any:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("GET", "", None, 404),
        ("GET", "models/", None, 404),
        ("PATCH", "models", None, 405),
        ("POST", "uploads", b"{", 400),
        ("POST", "uploads", None, 422),
        ("POST", "uploads", [], 422),
    ],
)
def test_every_fault_is_a_problem(writing: Script, method: str, path: str, body: Any, status: int) -> None:
    answer = writing(method, path, body)
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert Problem.model_validate(answer.document).status == status


def test_a_fault_of_the_server_s_own_is_a_problem_and_tells_nothing(
    reading: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "counters", faulty)
    answer = reading("GET", "counters")
    assert (answer.status, answer.headers["Content-Type"]) == (500, "application/problem+json")
    assert b"ZeroDivision" not in answer.content


def test_a_store_that_does_not_answer_is_told(reading: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable() -> Any:
        raise ObjectStoreError("the object store cannot be reached")

    stage.add_model("Ash")
    monkeypatch.setattr(files, "store", unreachable)
    assert reading("GET", "models/Ash/file").status == 503


def test_a_method_that_an_address_does_not_have_is_told_with_those_that_it_has(reading: Script) -> None:
    allowed = reading("PATCH", "models/Ash").headers["Allow"]
    assert set(allowed.split(", ")) == {"DELETE", "GET"}


def test_the_document_leaves_nothing_out() -> None:
    document = api.get_openapi_schema(path_prefix=ROOT)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], path
            assert operation["security"] == [{"Bearer": []}, {"Session": []}]
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    content = response["content"]["application/problem+json"]
                    assert content["example"]["status"] == int(status)
                elif int(status) not in (204, 304):
                    assert response["content"], f"{method} {path} {status}"
    assert {tag["name"] for tag in document["tags"]} >= {"models", "benchmarks", "uploads"}


def test_the_document_is_for_those_who_are_signed_in_and_its_page_needs_nobody_else_s_server(client: Client) -> None:
    for address in ("openapi.json", "docs"):
        assert client.get(f"{ROOT}{address}").status_code == 302
    client.force_login(User.objects.create_user("ilse"))
    assert client.get(f"{ROOT}openapi.json").json()["info"]["title"] == "Atlas"
    html = client.get(f"{ROOT}docs").content.decode()
    assert re.findall(r'(?:src|href)="(?!/static/)', html) == []
    assert "swagger-ui-bundle.js" in html
