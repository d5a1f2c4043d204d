"""Alerts: their list, the page of one, acknowledging, and sending again."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client

from atlas.access import Verb, Via
from atlas.watching import AlertKind, DeliveryState, News
from storage import queries, records
from storage.models import DatasetVersion
from tests import alerts, stage
from tests.atlas_web.conftest import Count, Read
from tests.samples import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_rules() -> None:
    """Rules are only those of the tests, and not those that an installation begins with."""
    alerts.without_rules()


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def fill() -> dict[str, int]:
    """An open alert, one that somebody knows of, and one that has recovered."""
    model, other = stage.add_model(), stage.add_model("Linear-1.0.0-2", use_case="tyre pressure")
    benchmark = stage.fail(other, stage.add_version())
    rule = alerts.add_rule("falls")
    keys = {
        "open": alerts.add_alert("F1 fell", rule_id=rule, model_id=model, metric="f1"),
        "known": alerts.add_alert(
            "It failed", kind=AlertKind.FAILED, model_id=other, benchmark_id=benchmark, opened=NOON + timedelta(hours=1)
        ),
        "over": alerts.add_alert("Engine is down", kind=AlertKind.DOWN, component="engine", recovered=NOON),
    }
    records.acknowledge(keys["known"], "Out of memory.", by="jan", via=Via.PAGE, now=NOON)
    return keys


def test_without_alerts_the_list_says_where_they_come_from(read: Read) -> None:
    shown = read("/alerts/")
    assert "No alerts yet" in shown.text
    assert '<a class="btn btn-quiet" href="/alerts/rules/">See the rules</a>' in shown.html


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("", ["It failed", "Engine is down", "F1 fell"]),
        ("state=open", ["F1 fell"]),
        ("state=acknowledged", ["It failed"]),
        ("state=recovered", ["Engine is down"]),
        ("kind=down", ["Engine is down"]),
        ("rule=falls", ["F1 fell"]),
        ("use_case=tyre+pressure", ["It failed"]),
        ("model=Linear-1.0.0-2", ["It failed"]),
        ("q=forest", ["F1 fell"]),
        ("sort=text", ["Engine is down", "F1 fell", "It failed"]),
    ],
)
def test_the_list_is_narrowed_and_sorted(read: Read, query: str, texts: list[str]) -> None:
    fill()
    rows = read(f"/alerts/?{query}").rows()
    assert [next(text for text in texts if text in row) for row in rows] == texts


def test_the_list_costs_as_many_queries_whatever_it_holds(queries_of: Count) -> None:
    fill()
    few = queries_of("/alerts/")
    for number in range(12):
        alerts.add_alert(rule_id=alerts.add_rule(f"rule {number}"), model_id=stage.add_model(f"Ash-1.0.0-{number}"))
    assert queries_of("/alerts/") == few


def test_the_page_of_an_alert_says_what_why_since_when_and_by_which_rule(read: Read) -> None:
    keys = fill()
    shown = read(f"/alerts/{keys['open']}/")
    assert "F1 fell Open" in shown.text
    assert "0.9 before, 0.8 now." in shown.text
    assert "Rule falls Any model: its primary metric gets worse by more than noise." in shown.text
    assert "Since 2026-03-02 12:00 UTC" in shown.text
    assert "Metric F1" in shown.text
    assert 'href="/alerts/rules/#rule-' in shown.html
    assert 'href="/alerts/?model=Forest-1.0.0-1"' in shown.html
    assert "Nobody has acknowledged it." in shown.text
    assert "Acknowledged by jan" in read(f"/alerts/{keys['known']}/").text
    assert "It recovered before anybody acknowledged it." in read(f"/alerts/{keys['over']}/").text
    assert 'href="/logs/?component=engine"' in read(f"/alerts/{keys['over']}/").html
    assert read("/alerts/9999/").status == 404


def test_an_alert_outlives_its_rule_and_its_benchmark(read: Read) -> None:
    keys = fill()
    (rule,) = queries.alert_rules()
    records.delete_rule(rule.pk, by="jan", via=Via.PAGE, now=NOON)
    shown = read(f"/alerts/{keys['open']}/").text
    assert "Rule deleted since" in shown
    assert "Recovered 2026-03-02 12:00 UTC" in shown
    assert DatasetVersion.objects.count() == 1


def test_a_person_acknowledges_an_alert_once(writer: Client) -> None:
    alert = alerts.add_alert("F1 fell")
    for note in (" I look into it. ", "Me too."):
        answer = writer.post(f"/alerts/{alert}/acknowledge/", {"note": note}, follow=True)
    assert "Somebody acknowledged it before, or it has recovered." in answer.content.decode()
    shown = page(writer, f"/alerts/{alert}/")
    assert "I look into it." in shown
    assert "Me too." not in shown
    told = queries.actions().get()
    assert (told.person, told.verb, told.kind, told.thing, told.detail) == (
        "ilse", Verb.ACKNOWLEDGED, "alert", "F1 fell", "I look into it.",
    )  # fmt: skip


def test_what_has_recovered_is_not_acknowledged(writer: Client) -> None:
    alert = alerts.add_alert(recovered=NOON)
    writer.post(f"/alerts/{alert}/acknowledge/")
    assert queries.actions().count() == 0


def test_a_note_that_is_too_long_is_answered_in_place(writer: Client) -> None:
    alert = alerts.add_alert()
    answer = writer.post(f"/alerts/{alert}/acknowledge/", {"note": "x" * 2001})
    assert answer.status_code == 422
    assert "at most 2000 characters" in answer.content.decode()


def test_a_message_that_was_given_up_is_sent_again(writer: Client) -> None:
    keys = alerts.add_all()
    message = UUID(str(keys["message"]))
    shown = page(writer, f"/alerts/{keys['alert']}/")
    assert "example.org refused it." in shown
    assert "Given up" in shown
    answer = writer.post(f"/alerts/messages/{message}/again/", follow=True)
    assert "An engine tries again to send it by mailbox." in answer.content.decode()
    sent = queries.delivery(message)
    assert sent is not None
    assert (sent.state, sent.attempts, sent.news) == (DeliveryState.WAITING, 0, News.OPENED)
    told = queries.actions().first()
    assert told is not None
    assert (told.verb, told.kind, told.detail) == (Verb.CHANGED, "message", "sent again")
    again = writer.post(f"/alerts/messages/{message}/again/", follow=True)
    assert "It is not given up" in again.content.decode()
