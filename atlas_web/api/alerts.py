"""Alerts: what rules found, who knows of it, the rules, and the channels."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query
from ninja.responses import Status

from atlas.access import Right, Via
from atlas.api import (
    AcknowledgeRequest,
    AlertDetail,
    AlertRuleDetail,
    AlertRuleRequest,
    AlertSummary,
    ChannelDetail,
    ChannelReference,
    ChannelRequest,
    DeliverySummary,
    FieldProblem,
    NewChannel,
    Page,
)
from atlas.errors import WatchNameTakenError
from atlas.watching import AlertKind, AlertState, ChannelKind
from atlas_web.alert_forms import RuleForm
from atlas_web.api import alert_documents as documents
from atlas_web.api.authentication import caller_of
from atlas_web.api.lists import Key, Paging, Search, Since, Until, Words, narrowed, page_of, whole
from atlas_web.api.operations import Operations
from atlas_web.api.problems import ConflictError, FieldError, RequestError, UnknownError
from atlas_web.channel_form import ChannelForm
from storage import queries, records
from ui.filters import matching

operations = Operations("alerts")
Form = TypeVar("Form", bound=forms.Form)


class AlertFilters(Paging):
    """What the list of alerts is narrowed by; `rule`, `model` and `benchmark` are keys."""

    q: Search = ""
    state: AlertState | None = None
    kind: AlertKind | None = None
    rule: Key | None = None
    model: Key | None = None
    benchmark: Key | None = None
    use_case: Words = ""
    since: Since | None = None
    until: Until | None = None


@operations.declare("GET", "alerts", Right.READ, {200: Page[AlertSummary]})
def list_alerts(request: HttpRequest, response: HttpResponse, asked: Query[AlertFilters]) -> Page[AlertSummary]:
    """What rules found, the latest first."""
    rows = narrowed(
        matching(queries.alerts(), asked.q, ("text", "why", "model__name")),
        kind=asked.kind,
        rule=asked.rule,
        model=asked.model,
        benchmark=asked.benchmark,
        model__use_case=asked.use_case,
        opened__gte=asked.since,
        opened__lte=asked.until,
    )
    found = rows.filter(queries.in_state(asked.state)) if asked.state else rows
    return page_of(request, response, found, asked, documents.alert_summary, Page[AlertSummary])


@operations.declare("GET", "alerts/{alert}", Right.READ, {200: AlertDetail})
def get_alert(request: HttpRequest, alert: Key) -> AlertDetail:  # noqa: ARG001  # ninja finds it by its name
    """An alert, and the messages that told of it."""
    return _alert(alert)


@operations.declare("POST", "alerts/{alert}/acknowledge", Right.WRITE, {200: AlertDetail}, 409)
def acknowledge_alert(request: HttpRequest, alert: Key, asked: AcknowledgeRequest) -> AlertDetail:
    """Note that a person knows of an alert that has not recovered."""
    _alert(alert)
    if not records.acknowledge(alert, asked.note.strip(), **_who(request)):
        raise ConflictError("Somebody acknowledged it before, or it has recovered.")
    return _alert(alert)


@operations.declare("POST", "deliveries/{delivery}/send-again", Right.WRITE, {200: DeliverySummary}, 409)
def send_again(request: HttpRequest, delivery: UUID) -> DeliverySummary:
    """Have a message sent that was given up."""
    if queries.delivery(delivery) is None:
        raise UnknownError(f"There is no message {delivery}.")
    if not records.send_again(delivery, **_who(request)):
        raise ConflictError("It is not given up, so it is not sent again.")
    return documents.delivery_summary(queries.delivery(delivery))


# Rules --------------------------------------------------------------------------------------------------------------


@operations.declare("GET", "alert-rules", Right.READ, {200: Page[AlertRuleDetail]})
def list_alert_rules(request: HttpRequest) -> Page[AlertRuleDetail]:  # noqa: ARG001  # ninja finds it by its name
    """All rules, by name."""
    return whole(map(documents.alert_rule, queries.alert_rules()), Page[AlertRuleDetail])


@operations.declare("POST", "alert-rules", Right.WRITE, {201: AlertRuleDetail})
def make_alert_rule(request: HttpRequest, asked: AlertRuleRequest) -> Status[AlertRuleDetail]:
    """Make a rule. It counts at once, unless it is not enabled."""
    fields = _rule_fields(asked)
    try:
        made = records.make_rule(fields, **_who(request))
    except WatchNameTakenError as error:
        raise FieldError("name", str(error)) from error
    return Status(201, _rule(made))


@operations.declare("GET", "alert-rules/{rule}", Right.READ, {200: AlertRuleDetail})
def get_alert_rule(request: HttpRequest, rule: Key) -> AlertRuleDetail:  # noqa: ARG001  # ninja finds it by its name
    """A rule."""
    return _rule(rule)


@operations.declare("PUT", "alert-rules/{rule}", Right.WRITE, {200: AlertRuleDetail})
def change_alert_rule(request: HttpRequest, rule: Key, asked: AlertRuleRequest) -> AlertRuleDetail:
    """Give a rule other fields: all of them are replaced."""
    _rule(rule)
    fields = _rule_fields(asked)
    try:
        records.change_rule(rule, fields, **_who(request))
    except WatchNameTakenError as error:
        raise FieldError("name", str(error)) from error
    return _rule(rule)


@operations.declare("DELETE", "alert-rules/{rule}", Right.WRITE, {204: None})
def delete_alert_rule(request: HttpRequest, rule: Key) -> Status[None]:
    """Delete a rule. Its alerts stay; those that are open count as recovered, without a message."""
    if records.delete_rule(rule, **_who(request)) is None:
        raise UnknownError(f"There is no rule with the key {rule}.")
    return Status(204, None)


# Channels -----------------------------------------------------------------------------------------------------------


@operations.declare("GET", "channels", Right.READ, {200: Page[ChannelReference]})
def list_channels(request: HttpRequest) -> Page[ChannelReference]:  # noqa: ARG001  # ninja finds it by its name
    """The keys and names of all channels, which rules choose from."""
    found = (ChannelReference(id=pk, name=name) for pk, name in queries.names_of_channels())
    return whole(found, Page[ChannelReference])


@operations.declare("POST", "channels", Right.ADMINISTER, {201: NewChannel})
def make_channel(request: HttpRequest, asked: ChannelRequest) -> Status[NewChannel]:
    """Make a channel. The answer holds the secret of a webhook, which no other answer does."""
    form = _checked(ChannelForm(asked.model_dump(mode="json")))
    try:
        made = records.make_channel(form.fields_of_channel(enabled=asked.enabled), **_who(request))
    except WatchNameTakenError as error:
        raise FieldError("name", str(error)) from error
    return Status(201, NewChannel(**_channel(made.pk).model_dump(), secret=made.secret))


@operations.declare("GET", "channels/{channel}", Right.ADMINISTER, {200: ChannelDetail})
def get_channel(request: HttpRequest, channel: Key) -> ChannelDetail:  # noqa: ARG001  # ninja finds it by its name
    """A channel, without what may be a password."""
    return _channel(channel)


@operations.declare("PUT", "channels/{channel}", Right.ADMINISTER, {200: ChannelDetail}, 409)
def change_channel(request: HttpRequest, channel: Key, asked: ChannelRequest) -> ChannelDetail:
    """Give a channel another name or address, or let it send or not."""
    kind = ChannelKind(_channel(channel).kind)
    if asked.kind is not kind:
        raise ConflictError(f"It is a channel of the kind {kind}, which stays. Make another one.")
    form = _checked(ChannelForm(asked.model_dump(mode="json"), known=kind))
    try:
        records.change_channel(channel, form.fields_of_channel(enabled=asked.enabled), **_who(request))
    except WatchNameTakenError as error:
        raise FieldError("name", str(error)) from error
    return _channel(channel)


@operations.declare("DELETE", "channels/{channel}", Right.ADMINISTER, {204: None})
def delete_channel(request: HttpRequest, channel: Key) -> Status[None]:
    """Delete a channel with its messages."""
    if records.delete_channel(channel, **_who(request)) is None:
        raise UnknownError(f"There is no channel with the key {channel}.")
    return Status(204, None)


@operations.declare("POST", "channels/{channel}/test", Right.ADMINISTER, {204: None})
def test_channel(request: HttpRequest, channel: Key) -> Status[None]:
    """Have an engine send a test message."""
    if records.send_test(channel, **_who(request)) is None:
        raise UnknownError(f"There is no channel with the key {channel}.")
    return Status(204, None)


def _who(request: HttpRequest) -> dict[str, Any]:
    """Who does it, by what way, and when."""
    return {"by": caller_of(request).name, "via": Via.API, "now": timezone.now()}


def _alert(pk: int) -> AlertDetail:
    found = queries.alert(pk)
    if found is None:
        raise UnknownError(f"There is no alert with the key {pk}.")
    return documents.alert_detail(found, queries.deliveries_of(pk))


def _rule(pk: int) -> AlertRuleDetail:
    found = queries.alert_rule(pk)
    if found is None:
        raise UnknownError(f"There is no rule with the key {pk}.")
    return documents.alert_rule(found)


def _channel(pk: int) -> ChannelDetail:
    found = queries.channel(pk)
    if found is None:
        raise UnknownError(f"There is no channel with the key {pk}.")
    return documents.channel(found)


def _rule_fields(asked: AlertRuleRequest) -> records.RuleFields:
    return _checked(RuleForm(asked.model_dump(mode="json"))).fields_of_rule(enabled=asked.enabled)


def _checked(form: Form) -> Form:
    """The form, if nothing is wrong with what it was given; the pages check with the same one.

    Raises:
        RequestError: some fields are wrong.
    """
    if form.is_valid():
        return form
    errors: Mapping[str, Iterable[Any]] = form.errors
    problems = [FieldProblem(field=name, message=" ".join(map(str, texts))) for name, texts in errors.items()]
    raise RequestError(f"Wrong: {', '.join(problem.field for problem in problems)}.", problems)
