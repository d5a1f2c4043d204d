"""The audit log."""

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from atlas.access import Role, Verb, Via
from storage import records
from tests.atlas_web.conftest import Count, Read
from tests.samples import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def administrator(reader: Client) -> None:
    records.set_role(User.objects.get(username="ilse").pk, Role.ADMINISTRATOR)


@pytest.fixture
def told() -> None:
    act("jan", Verb.UPLOADED, "model", "Forest-1.0.0-1", now=NOON)
    act("eva", Verb.DELETED, "model", "Linear-1.0.0-1", now=NOON + timedelta(days=1))
    act("eva", Verb.CHANGED, "person", "jan", detail="role: viewer → data scientist", now=NOON + timedelta(days=2))


def act(person: str, verb: Verb, kind: str, thing: str, **more: object) -> None:
    records.record_action(person, verb, kind, thing, **({"now": NOON} | more))  # type: ignore[arg-type]


def test_who_did_what_and_when_is_listed_the_latest_first(read: Read, told: None) -> None:
    rows = read("/audit/").rows()
    assert [row.split()[-1] for row in rows] == ["page", "page", "page"]
    assert "eva Changed person jan role: viewer → data scientist" in rows[0]
    assert "jan Uploaded model Forest-1.0.0-1" in rows[2]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("person=jan", ["Uploaded"]),
        ("verb=deleted", ["Deleted"]),
        ("kind=model", ["Deleted", "Uploaded"]),
        ("q=forest", ["Uploaded"]),
        ("q=scientist", ["Changed"]),
        ("q=eva+linear", ["Deleted"]),
        ("since=2026-03-03", ["Changed", "Deleted"]),
        ("until=2026-03-02", ["Uploaded"]),
        ("since=2026-03-03&until=2026-03-03", ["Deleted"]),
        ("sort=time", ["Uploaded", "Deleted", "Changed"]),
    ],
)
def test_it_can_be_narrowed(read: Read, told: None, query: str, found: list[str]) -> None:
    verbs = [
        verb
        for row in read(f"/audit/?{query}").rows()
        for verb in row.split()
        if verb in {"Changed", "Deleted", "Uploaded"}
    ]
    assert verbs == found


def test_a_day_that_is_none_is_said(read: Read, told: None) -> None:
    assert read("/audit/?since=yesterday").status == 200


def lines(client: Client, address: str) -> list[list[str]]:
    answer = client.get(address)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    content = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(content)))


def test_what_is_shown_can_be_taken_along_as_csv(reader: Client, read: Read, told: None) -> None:
    assert "/audit/actions.csv?kind=model" in read("/audit/?kind=model").html
    head, *rows = lines(reader, "/audit/actions.csv?kind=model")
    assert head == ["time", "person", "verb", "kind", "thing", "detail", "via"]
    assert [row[1:3] for row in rows] == [["eva", "deleted"], ["jan", "uploaded"]]
    assert rows[1][0] == NOON.isoformat()


def test_no_name_is_run_by_a_spreadsheet(reader: Client) -> None:
    act('=HYPERLINK("https://example.org")', Verb.REFUSED, "sign-in", "10.0.0.1")
    assert lines(reader, "/audit/actions.csv")[1][1] == '\'=HYPERLINK("https://example.org")'


def test_filters_that_are_none_are_refused_rather_than_forgotten(reader: Client, told: None) -> None:
    assert reader.get("/audit/actions.csv?verb=ate").status_code == 400


def test_names_are_text_and_not_a_part_of_the_page(read: Read) -> None:
    act("<script>", Verb.REFUSED, "sign-in", "<b>", detail="<i>")
    page = read("/audit/").html
    assert "&lt;script&gt;" in page
    assert "<b>" not in page
    assert "<i>" not in page


def test_an_empty_log_says_what_will_be_in_it(read: Read) -> None:
    assert "No actions yet" in read("/audit/").text


def test_more_actions_cost_no_more_queries(queries_of: Count) -> None:
    act("jan", Verb.UPLOADED, "model", "0")
    before = queries_of("/audit/")
    for number in range(60):
        act("jan", Verb.UPLOADED, "model", str(number), via=Via.API)
    assert queries_of("/audit/") == before
