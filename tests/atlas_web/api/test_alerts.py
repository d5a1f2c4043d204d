"""Alerts, rules and channels over the API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from atlas.access import Verb, Via
from atlas.api import AlertDetail, AlertRuleDetail, AlertSummary, ChannelDetail, DeliverySummary, NewChannel, Page
from atlas.watching import AlertKind, AlertState, ChannelKind, DeliveryState, News
from storage import queries, records
from storage.models import Delivery
from tests import alerts, stage
from tests.atlas_web.api.conftest import Script
from tests.samples import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

DROP = {"name": "Damage detector falls", "kind": "drop", "metric": "f1", "threshold": 0.05}


@pytest.fixture(autouse=True)
def no_rules() -> None:
    """Rules are only those of the tests, and not those that an installation begins with."""
    alerts.without_rules()


def errors(script: Script, method: str, path: str, fields: dict[str, Any]) -> dict[str, str]:
    """What is wrong with each field of a request that is refused."""
    answer = script(method, path, fields)
    assert answer.status == 422, answer.content
    return {each["field"]: each["message"] for each in answer.document["errors"]}


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("", ["It failed", "F1 fell"]),
        ("state=open", ["F1 fell"]),
        ("state=recovered", ["It failed"]),
        ("kind=failed", ["It failed"]),
        ("rule={rule}", ["F1 fell"]),
        ("model={model}", ["F1 fell"]),
        ("use_case=damage%20detector", ["F1 fell"]),
        ("q=FAILED", ["It failed"]),
        ("since=2026-03-02T12:30:00Z", ["It failed"]),
        ("until=2026-03-02T12:30:00Z", ["F1 fell"]),
    ],
)
def test_alerts_are_found(reading: Script, query: str, texts: list[str]) -> None:
    rule, model = alerts.add_rule(), stage.add_model()
    alerts.add_alert("F1 fell", rule_id=rule, model_id=model, metric="f1")
    alerts.add_alert("It failed", kind=AlertKind.FAILED, opened=NOON + timedelta(hours=1), recovered=NOON)
    page = Page[AlertSummary].model_validate(reading.get(f"alerts?{query.format(rule=rule, model=model)}"))
    assert [each.text for each in page.items] == texts


def test_the_list_costs_as_many_queries_whatever_it_holds(queries_per_call: Callable[[str], int]) -> None:
    alerts.add_all()
    queries_per_call("alerts")  # the first call notes the use of the token
    few = queries_per_call("alerts")
    for number in range(8):
        alerts.add_alert(rule_id=alerts.add_rule(f"rule {number}"), model_id=stage.add_model(f"Ash-1.0.0-{number}"))
    assert queries_per_call("alerts") == few


def test_an_alert_is_told_with_its_messages(reading: Script) -> None:
    keys = alerts.add_all()
    found = AlertDetail.model_validate(reading.get(f"alerts/{keys['alert']}"))
    assert (found.state, found.kind, found.rule and found.rule.name) == (AlertState.OPEN, AlertKind.DROP, "falls")
    (told,) = found.deliveries
    assert (told.channel.name, told.news, told.state) == ("mailbox", News.OPENED, DeliveryState.GIVEN_UP)
    assert (told.attempts, told.problem) == (8, "example.org refused it.")


def test_an_alert_is_acknowledged_once(writing: Script) -> None:
    alert = alerts.add_alert("F1 fell")
    answer = writing("POST", f"alerts/{alert}/acknowledge", {"note": "I look into it."})
    found = AlertDetail.model_validate(answer.document)
    assert (found.state, found.acknowledged_by, found.note) == (
        AlertState.ACKNOWLEDGED, "data-scientist", "I look into it.",
    )  # fmt: skip
    again = writing("POST", f"alerts/{alert}/acknowledge", {})
    assert (again.status, again.document["detail"]) == (
        409, "Somebody acknowledged it before, or it has recovered.",
    )  # fmt: skip
    assert writing("POST", "alerts/9999/acknowledge", {}).status == 404
    told = queries.actions().get()
    assert (told.verb, told.via, told.thing, told.detail) == (
        Verb.ACKNOWLEDGED, Via.API, "F1 fell", "I look into it.",
    )  # fmt: skip


def test_a_message_that_was_given_up_is_sent_again(writing: Script) -> None:
    message = UUID(str(alerts.add_all()["message"]))
    answer = writing("POST", f"deliveries/{message}/send-again")
    assert DeliverySummary.model_validate(answer.document).state is DeliveryState.WAITING
    assert writing("POST", f"deliveries/{message}/send-again").status == 409
    assert writing("POST", f"deliveries/{UUID(int=1)}/send-again").status == 404


def test_a_rule_is_made_read_changed_and_deleted(writing: Script) -> None:
    stage.add_version()
    model, channel = stage.add_model("Ash-1.0.0-1"), alerts.add_channel().pk
    answer = writing("POST", "alert-rules", DROP | {"model": "Ash-1.0.0-1", "tag": "impacts", "channels": [channel]})
    made = AlertRuleDetail.model_validate(answer.document)
    assert (answer.status, made.threshold, made.enabled, made.by) == (201, 0.05, True, "data-scientist")
    assert (made.model and made.model.id, made.tag, [each.id for each in made.channels]) == (
        model,
        "impacts",
        [channel],
    )
    assert made.says.startswith("Ash-1.0.0-1 on impacts: F1 gets worse by more than noise, and by at least 5")
    assert writing.get(f"alert-rules/{made.id}") == answer.document
    assert writing.get("alert-rules")["items"] == [answer.document]
    changed = writing("PUT", f"alert-rules/{made.id}", DROP | {"enabled": False}).document
    assert (changed["model"], changed["tag"], changed["channels"], changed["enabled"]) == (None, "", [], False)
    assert writing("DELETE", f"alert-rules/{made.id}").status == 204
    for method in ("GET", "DELETE"):
        assert writing(method, f"alert-rules/{made.id}").status == 404
    assert [action.verb for action in queries.actions()] == [Verb.DELETED, Verb.CHANGED, Verb.ADDED, Verb.ADDED]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "metric", "threshold": None}, "threshold"),
        ({"threshold": 5}, "threshold"),
        ({"kind": "down", "threshold": None}, "metric"),
        ({"metric": "nonsense"}, "metric"),
        ({"model": "nobody"}, "model"),
        ({"channels": [99]}, "channels"),
        ({"name": "  "}, "name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_rule_is_refused_with_the_field_s_name(writing: Script, fields: dict[str, Any], field: str) -> None:
    rule = alerts.add_rule()
    assert list(errors(writing, "POST", "alert-rules", DROP | fields)) == [field]
    assert list(errors(writing, "PUT", f"alert-rules/{rule}", DROP | fields)) == [field]
    assert queries.names_of_alert_rules() == ["falls"]


def test_names_are_taken_once(administering: Script) -> None:
    rule = alerts.add_rule("one")
    alerts.add_rule("two")
    wrong = {"name": "Another alert rule is named two; choose another name."}
    taken = errors(administering, "PUT", f"alert-rules/{rule}", {"name": "two", "kind": "failed"})
    assert {name: text.removeprefix("name: ") for name, text in taken.items()} == wrong
    alerts.add_channel("Team")
    mailbox = {"name": "Team", "kind": "email", "address": "team@example.org"}
    assert list(errors(administering, "POST", "channels", mailbox)) == ["name"]


def test_a_channel_is_made_changed_tested_and_deleted(administering: Script) -> None:
    hook = {"name": "CI", "kind": "webhook", "address": "https://ci.example.org/hooks?key=s3cr3t"}
    made = NewChannel.model_validate(administering("POST", "channels", hook).document)
    assert alerts.secret_of(made.id) == (hook["address"], made.secret)
    shown = ChannelDetail.model_validate(administering.get(f"channels/{made.id}"))
    assert (shown.leads_to, shown.enabled) == ("https://ci.example.org/…", True)
    changed = administering("PUT", f"channels/{made.id}", {"name": "Build", "kind": "webhook", "enabled": False})
    assert (changed.document["name"], changed.document["enabled"]) == ("Build", False)
    assert alerts.secret_of(made.id) == (hook["address"], made.secret)
    assert administering("PUT", f"channels/{made.id}", {"name": "Build", "kind": "email"}).status == 409
    assert administering("POST", f"channels/{made.id}/test").status == 204
    assert Delivery.objects.get().news == News.TEST
    assert administering("DELETE", f"channels/{made.id}").status == 204
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/test")):
        assert administering(method, f"channels/{made.id}{path}").status == 404
    assert "s3cr3t" not in str(administering.get("audit"))
    assert made.secret not in str(administering.get("audit"))


def test_who_writes_rules_sees_the_names_of_channels_alone(writing: Script) -> None:
    made = alerts.add_channel("Chat", ChannelKind.CHAT, "discord://12345678/s3cr3t")
    assert writing.get("channels")["items"] == [{"id": made.pk, "name": "Chat"}]


@pytest.mark.parametrize(
    ("kind", "address"),
    [("email", "ines"), ("email", ""), ("webhook", "example.org"), ("chat", "nobody://knows")],
)
def test_a_wrong_address_is_refused(administering: Script, kind: str, address: str) -> None:
    wrong = errors(administering, "POST", "channels", {"name": "Team", "kind": kind, "address": address})
    assert list(wrong) == ["address"]
    assert queries.channels().count() == 0


def test_rules_made_by_others_are_read_by_viewers(reading: Script) -> None:
    alerts.add_rule("down", AlertKind.DOWN, component="engine")
    (rule,) = Page[AlertRuleDetail].model_validate(reading.get("alert-rules")).items
    assert (rule.says, rule.component, rule.open) == ("Engine is down.", "engine", 0)
    records.delete_rule(rule.id, by="jan", via=Via.PAGE, now=NOON)
    assert reading.get("alert-rules")["total"] == 0
