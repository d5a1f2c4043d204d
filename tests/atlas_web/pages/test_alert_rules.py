"""The rules that alerts come from, on their pages."""

from typing import Any

import pytest
from django.test import Client

from atlas.access import Verb, Via
from atlas.watching import AlertKind, AlertState
from storage import queries, records
from tests import alerts, stage
from tests.atlas_web.conftest import Count, Read
from tests.samples import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_rules() -> None:
    """Rules are only those of the tests, and not those that an installation begins with."""
    alerts.without_rules()


DROP = {"name": "Damage detector falls", "kind": "drop", "metric": "f1", "threshold": "0.05"}


def made(client: Client, **fields: Any) -> Any:
    """The rule that a form makes, which has to be right."""
    answer = client.post("/alerts/rules/new/", fields)
    assert answer.status_code == 302, answer.content.decode()
    return queries.alert_rules().get()


def errors(client: Client, **fields: Any) -> dict[str, str]:
    """What is said beside each field of a form that is not taken."""
    answer = client.post("/alerts/rules/new/", fields)
    assert answer.status_code == 422
    assert queries.alert_rules().count() == 0
    found: dict[str, list[str]] = answer.context["form"].errors
    shown = answer.content.decode()
    assert all(text in shown for texts in found.values() for text in texts)
    return {name: " ".join(texts) for name, texts in found.items()}


def test_without_rules_the_page_says_what_they_are_for(read: Read) -> None:
    shown = read("/alerts/rules/").text
    assert "No rules yet" in shown
    assert "New rule" not in shown


def test_a_person_makes_a_rule(writer: Client) -> None:
    stage.add_version()
    stage.add_model()
    channel = alerts.add_channel().pk
    rule = made(writer, **DROP, use_case="damage detector", tag="impacts", channels=[channel])
    assert (rule.metric, rule.threshold, rule.tag.name, rule.by, rule.enabled) == ("f1", 0.05, "impacts", "ilse", True)
    shown = " ".join(writer.get("/alerts/rules/").content.decode().split())
    sentence = "Any model for damage detector on impacts: F1 gets worse by more than noise, and by at least 5"
    assert sentence in shown
    assert "Sent by mailbox" in shown
    told = queries.actions().first()
    assert told is not None
    assert (told.person, told.verb, told.kind, told.thing) == ("ilse", Verb.ADDED, "alert rule", rule.name)
    assert "threshold: 0.05" in told.detail


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": " "}, {"name": "Give the rule a name: messages are sent in it."}),
        ({"threshold": "1.5"}, {"threshold": "A share lies between 0 and 1: 0.05 is 5 %."}),
        ({"threshold": "much"}, {"threshold": "Write a number with a point, such as 0.85."}),
        ({"threshold": "nan"}, {"threshold": "Write a number with a point, such as 0.85."}),
        ({"kind": "metric", "threshold": ""}, {"threshold": "Say from where on it is an alert."}),
        ({"kind": "drift", "metric": "", "threshold": ""}, {"threshold": "Say from where on it is an alert."}),
        ({"kind": "drift"}, {"metric": "An alert of this kind has no metric. Leave it out."}),
        ({"metric": "f2"}, {"metric": "No model is measured by f2."}),
        ({"model": "Oak-1"}, {"model": "There is no model named Oak-1. Copy its whole name from its page."}),
        ({"tag": "winter"}, {"tag": "There is no dataset tag winter."}),
        ({"use_case": "tyre pressure"}, {"use_case": "No model is for tyre pressure."}),
        ({"channels": ["99"]}, {"channels": "There is no channel with the key 99."}),
        (
            {"kind": "down", "metric": "", "threshold": "", "component": "toaster"},
            {"component": "Nobody has heard of toaster."},
        ),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(writer: Client, fields: dict[str, Any], wrong: dict[str, str]) -> None:
    assert errors(writer, **DROP | fields) == wrong


def test_a_model_is_not_for_another_use_case(writer: Client) -> None:
    stage.add_model("Ash-1.0.0-1")
    stage.add_model("Oak-1.0.0-1", use_case="tyre pressure")
    assert errors(writer, **DROP, model="Ash-1.0.0-1", use_case="tyre pressure") == {
        "use_case": "This model is for damage detector. Leave the use case out."
    }


def test_names_are_taken_once(writer: Client) -> None:
    alerts.add_rule(DROP["name"])
    answer = writer.post("/alerts/rules/new/", DROP)
    assert answer.status_code == 422
    assert "Another alert rule is named Damage detector falls; choose another name." in answer.content.decode()


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("metric", {"metric", "threshold", "model", "use_case", "tag"}),
        ("drop", {"metric", "threshold", "model", "use_case", "tag"}),
        ("drift", {"threshold", "model", "use_case", "tag"}),
        ("failed", {"model", "use_case", "tag"}),
        ("down", {"component"}),
    ],
)
def test_the_form_shows_the_fields_of_the_chosen_kind(writer: Client, kind: str, shown: set[str]) -> None:
    form = writer.get(f"/alerts/rules/new/?kind={kind}&name=mine").content.decode()
    fields = {"metric", "threshold", "model", "use_case", "tag", "component"}
    assert {name for name in fields if f'name="{name}"' in form} == shown
    assert 'value="mine"' in form


def test_a_person_changes_a_rule(writer: Client) -> None:
    channel = alerts.add_channel().pk
    rule = alerts.add_rule(metric="f1", threshold=0.05, channels=frozenset({channel}))
    form = writer.get(f"/alerts/rules/{rule}/").content.decode()
    assert 'value="0.05"' in form
    assert "checked" in form
    writer.post(f"/alerts/rules/{rule}/", DROP | {"threshold": "0.1"})
    changed = queries.alert_rules().get()
    assert (changed.name, changed.threshold, list(changed.channels.all())) == (DROP["name"], 0.1, [])
    told = queries.actions().first()
    assert told is not None
    assert (told.verb, told.detail) == (
        Verb.CHANGED, "name: falls, now Damage detector falls, threshold: 0.05, now 0.1",
    )  # fmt: skip


def test_a_disabled_rule_stays_disabled_when_it_is_changed(writer: Client) -> None:
    rule = alerts.add_rule()
    writer.post(f"/alerts/rules/{rule}/switch/", {"enabled": "no"})
    writer.post(f"/alerts/rules/{rule}/", DROP)
    assert "Disabled" in writer.get("/alerts/rules/").content.decode()
    writer.post(f"/alerts/rules/{rule}/switch/", {"enabled": "yes"})
    assert queries.is_watched()


def test_open_alerts_end_with_their_rule(writer: Client) -> None:
    rule = alerts.add_rule()
    alert = alerts.add_alert(rule_id=rule)
    asked = writer.get(f"/alerts/rules/{rule}/delete/").content.decode()
    assert "Its 1 open alert will count as recovered, without a message." in asked
    writer.post(f"/alerts/rules/{rule}/delete/")
    assert queries.alert_rules().count() == 0
    kept = queries.alert(alert)
    assert kept is not None
    assert kept.state is AlertState.RECOVERED
    told = queries.actions().first()
    assert told is not None
    assert (told.verb, told.kind, told.thing) == (Verb.DELETED, "alert rule", "falls")


def test_the_list_of_rules_costs_as_many_queries_whatever_it_holds(queries_of: Count) -> None:
    channels = frozenset(alerts.add_channel(f"mailbox {number}").pk for number in range(3))
    alerts.add_rule(channels=channels)
    few = queries_of("/alerts/rules/")
    for number in range(8):
        rule = alerts.add_rule(f"rule {number}", AlertKind.FAILED, channels=channels)
        alerts.add_alert(rule_id=rule)
    assert queries_of("/alerts/rules/") == few


def test_a_rule_that_somebody_deleted_meanwhile_is_not_there(writer: Client) -> None:
    rule = alerts.add_rule()
    records.delete_rule(rule, by="jan", via=Via.PAGE, now=NOON)
    for part in ("", "switch/", "delete/"):
        assert writer.post(f"/alerts/rules/{rule}/{part}", DROP).status_code == 404
