"""What people say of alerts: rules and channels, who knows of what, and what is to be sent again.

Each writes into the audit log who did it. Addresses and secrets of channels are in none of its lines.
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from atlas.access import Verb, Via
from atlas.errors import WatchNameTakenError
from atlas.watching import AlertKind, ChannelKind, DeliveryState, News
from storage.models import Alert, AlertRule, Channel, Delivery
from storage.records._people import record_action

SECRET_BYTES = 32
RULE, CHANNEL, ALERT, MESSAGE = "alert rule", "channel", "alert", "message"
"""What the audit log calls them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFields:
    """What a person says in a rule. `model`, `tag` and `channels` are keys; without them it is about all, and sent
    nowhere."""

    name: str
    kind: AlertKind
    metric: str = ""
    threshold: float | None = None
    model: int | None = None
    use_case: str = ""
    tag: int | None = None
    component: str = ""
    channels: frozenset[int] = frozenset()
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFields:
    """What a person says in a channel. Without an address it keeps the one that it has."""

    name: str
    kind: ChannelKind
    address: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChannel:
    """A channel that was made, and what its messages are signed with, which nobody is shown again; empty but for a
    webhook."""

    pk: int
    secret: str


# Rules --------------------------------------------------------------------------------------------------------------


@transaction.atomic
def make_rule(fields: RuleFields, *, by: str, via: Via, now: datetime) -> int:
    """Make a rule and return its key.

    Raises:
        WatchNameTakenError: another rule has this name.
    """
    with _name_is_free(RULE, fields.name):
        rule = AlertRule.objects.create(**_columns(fields), created=now, by=by)
    rule.channels.set(fields.channels)
    record_action(by, Verb.ADDED, RULE, rule.name, via=via, detail=_told(_columns(fields)), now=now)
    return rule.pk


@transaction.atomic
def change_rule(pk: int, fields: RuleFields, *, by: str, via: Via, now: datetime) -> bool:
    """Give a rule other fields; whether there is such a rule.

    Raises:
        WatchNameTakenError: another rule has this name.
    """
    rule = AlertRule.objects.select_for_update().filter(pk=pk).first()
    if rule is None:
        return False
    after = _columns(fields)
    before = {name: getattr(rule, name) for name in after}
    with _name_is_free(RULE, fields.name):
        AlertRule.objects.filter(pk=pk).update(**after)
    rule.channels.set(fields.channels)
    record_action(by, Verb.CHANGED, RULE, fields.name, via=via, detail=_changed(before, after), now=now)
    return True


@transaction.atomic
def switch_rule(pk: int, *, enabled: bool, by: str, via: Via, now: datetime) -> str | None:
    """Let a rule count, or not; its name, None if there is no such rule."""
    rule = AlertRule.objects.select_for_update().filter(pk=pk).first()
    if rule is None:
        return None
    AlertRule.objects.filter(pk=pk).update(enabled=enabled)
    record_action(by, Verb.CHANGED, RULE, rule.name, via=via, detail="enabled" if enabled else "disabled", now=now)
    return rule.name


@transaction.atomic
def delete_rule(pk: int, *, by: str, via: Via, now: datetime) -> str | None:
    """Delete a rule; its name, None if there is no such rule. Its alerts stay, and those that are open end with it,
    since nobody would see any more that their cause is gone."""
    rule = AlertRule.objects.select_for_update().filter(pk=pk).first()
    if rule is None:
        return None
    Alert.objects.filter(rule=rule, recovered=None).update(recovered=now)
    rule.delete()
    record_action(by, Verb.DELETED, RULE, rule.name, via=via, now=now)
    return rule.name


def _columns(fields: RuleFields) -> dict[str, Any]:
    """The fields as the table has them, but for the channels."""
    said = asdict(fields)
    said["model_id"], said["tag_id"] = said.pop("model"), said.pop("tag")
    del said["channels"]
    return said


# Channels -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def make_channel(fields: ChannelFields, *, by: str, via: Via, now: datetime) -> NewChannel:
    """Make a channel.

    Raises:
        WatchNameTakenError: another channel has this name.
    """
    secret = secrets.token_urlsafe(SECRET_BYTES) if fields.kind is ChannelKind.WEBHOOK else ""
    with _name_is_free(CHANNEL, fields.name):
        made = Channel.objects.create(**asdict(fields), secret=secret, created=now, by=by)
    record_action(by, Verb.ADDED, CHANNEL, made.name, via=via, detail=fields.kind.value, now=now)
    return NewChannel(pk=made.pk, secret=secret)


@transaction.atomic
def change_channel(pk: int, fields: ChannelFields, *, by: str, via: Via, now: datetime) -> bool:
    """Give a channel another name or address, or let it count or not; whether there is such a channel of this kind.

    Raises:
        WatchNameTakenError: another channel has this name.
    """
    channel = Channel.objects.select_for_update().filter(pk=pk, kind=fields.kind).first()
    if channel is None:
        return False
    moved = bool(fields.address) and fields.address != channel.address
    before = {"name": channel.name, "enabled": channel.enabled}
    after = {"name": fields.name, "enabled": fields.enabled}
    with _name_is_free(CHANNEL, fields.name):
        Channel.objects.filter(pk=pk).update(**after, address=fields.address or channel.address)
    detail = "; ".join(filter(None, [_changed(before, after), "another address" if moved else ""]))
    record_action(by, Verb.CHANGED, CHANNEL, fields.name, via=via, detail=detail, now=now)
    return True


@transaction.atomic
def delete_channel(pk: int, *, by: str, via: Via, now: datetime) -> str | None:
    """Delete a channel with its messages; its name, None if there is no such channel."""
    channel = Channel.objects.select_for_update().filter(pk=pk).first()
    if channel is None:
        return None
    channel.delete()
    record_action(by, Verb.DELETED, CHANNEL, channel.name, via=via, now=now)
    return channel.name


@transaction.atomic
def send_test(pk: int, *, by: str, via: Via, now: datetime) -> str | None:
    """Have an engine send a message about no alert; the channel's name, None if there is no such channel."""
    channel = Channel.objects.filter(pk=pk).first()
    if channel is None:
        return None
    Delivery.objects.create(channel=channel, news=News.TEST, not_before=now)
    record_action(by, Verb.ADDED, MESSAGE, channel.name, via=via, detail="a test", now=now)
    return channel.name


# Alerts and messages ------------------------------------------------------------------------------------------------


@transaction.atomic
def acknowledge(pk: int, note: str, *, by: str, via: Via, now: datetime) -> bool:
    """Note that a person knows of an open alert; False if it has recovered, was acknowledged before, or is not there.

    The first who says so counts.
    """
    alert = Alert.objects.select_for_update().filter(pk=pk, recovered=None, acknowledged=None).first()
    if alert is None:
        return False
    Alert.objects.filter(pk=pk).update(acknowledged=now, acknowledged_by=by, note=note)
    record_action(by, Verb.ACKNOWLEDGED, ALERT, alert.text, via=via, detail=note, now=now)
    return True


@transaction.atomic
def send_again(pk: UUID, *, by: str, via: Via, now: datetime) -> bool:
    """Have an engine try once more to send a message that was given up; False if it is not given up."""
    again = {"state": DeliveryState.WAITING, "attempts": 0, "not_before": now, "lease_until": None}
    if not Delivery.objects.filter(pk=pk, state=DeliveryState.GIVEN_UP).update(**again):
        return False
    message = Delivery.objects.select_related("channel", "alert").get(pk=pk)
    record_action(by, Verb.CHANGED, MESSAGE, str(message), via=via, detail="sent again", now=now)
    return True


@contextmanager
def _name_is_free(kind: str, name: str) -> Iterator[None]:
    """A row is written here whose name may be another's, in a transaction of its own."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise WatchNameTakenError(f"Another {kind} is named {name}; choose another name.") from error


def _told(values: Mapping[str, Any]) -> str:
    """The values that say something, for the audit log."""
    return ", ".join(
        f"{name.removesuffix('_id')}: {value}" for name, value in values.items() if value not in ("", None)
    )


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The old and the new values of what differs, for the audit log."""
    changed = (name for name in after if before[name] != after[name])
    return ", ".join(f"{name.removesuffix('_id')}: {before[name]!s}, now {after[name]!s}" for name in changed)
