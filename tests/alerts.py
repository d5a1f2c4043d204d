"""Alerts, rules and channels in the tables, for tests of what shows and changes them."""

from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from django.utils import timezone

from atlas.access import Via
from atlas.alerts import Facts
from atlas.watching import AlertKind, ChannelKind, DeliveryState, News
from monitoring.alerts import judge
from storage import alerting, records
from storage.models import Alert, AlertRule, Channel, Delivery
from tests.samples import NOON

_numbers = count()


def without_rules() -> None:
    """Delete the rules that an installation begins with."""
    AlertRule.objects.all().delete()


def add_rule(name: str = "falls", kind: AlertKind = AlertKind.DROP, **fields: Any) -> int:
    return records.make_rule(records.RuleFields(name=name, kind=kind, **fields), by="eva", via=Via.PAGE, now=NOON)


def look(now: datetime | None = None) -> None:
    """Have an engine's rules be looked at once."""
    rules, moment = alerting.rules(), now or timezone.now()
    facts = Facts(standings=alerting.standings(rules), parts=alerting.parts(moment, listening_since=moment))
    for rule in rules:
        records.settle(rule.pk, judge(rule, facts), now=moment)


def add_channel(
    name: str = "mailbox", kind: ChannelKind = ChannelKind.EMAIL, address: str = "team@example.org"
) -> records.NewChannel:
    fields = records.ChannelFields(name=name, kind=kind, address=address)
    return records.make_channel(fields, by="eva", via=Via.PAGE, now=NOON)


def add_alert(text: str = "F1 of Forest-1.0.0-1 fell", *, opened: datetime = NOON, **fields: Any) -> int:
    """An open alert of a kind that is a drop, unless it is said otherwise."""
    said = {"kind": AlertKind.DROP, "why": "0.9 before, 0.8 now.", "cause": f"{next(_numbers):064x}"} | fields
    return Alert.objects.create(text=text, opened=opened, **said).pk


def add_delivery(alert: int, channel: int, state: DeliveryState, **fields: Any) -> Delivery:
    return Delivery.objects.create(
        alert_id=alert, channel_id=channel, news=News.OPENED, state=state, not_before=NOON, **fields
    )


def add_all() -> dict[str, int | UUID]:
    """The keys of an alert with a message that was given up, its rule and its channel."""
    channel = add_channel().pk
    rule = add_rule(channels=frozenset({channel}))
    alert = add_alert(rule_id=rule)
    message = add_delivery(alert, channel, DeliveryState.GIVEN_UP, attempts=8, problem="example.org refused it.")
    return {"alert": alert, "rule": rule, "channel": channel, "message": message.pk}


def secret_of(channel: int) -> tuple[str, str]:
    """A channel's address and secret."""
    return Channel.objects.values_list("address", "secret").get(pk=channel)
