"""Rows of the tables of alerts as the documents that the API answers with."""

from collections.abc import Iterable
from typing import Any

from atlas.api import (
    AlertDetail,
    AlertRuleDetail,
    AlertSummary,
    ChannelDetail,
    ChannelReference,
    DeliverySummary,
    RuleReference,
)
from atlas_web import alert_words
from atlas_web.api.documents import model_reference


def _alert_fields(row: Any) -> dict[str, Any]:
    return {
        "id": row.pk,
        "state": row.state,
        "kind": row.kind,
        "text": row.text,
        "why": row.why,
        "rule": RuleReference(id=row.rule.pk, name=row.rule.name) if row.rule else None,
        "model": model_reference(row.model) if row.model else None,
        "benchmark": row.benchmark_id,
        "metric": row.metric,
        "component": row.component,
        "opened": row.opened,
        "recovered": row.recovered,
        "acknowledged": row.acknowledged,
        "acknowledged_by": row.acknowledged_by,
        "note": row.note,
    }


def alert_summary(row: Any) -> AlertSummary:
    """Of a row of `queries.alerts()`."""
    return AlertSummary(**_alert_fields(row))


def alert_detail(row: Any, deliveries: Iterable[Any]) -> AlertDetail:
    """Of a row of `queries.alerts()` and the messages about it."""
    return AlertDetail(**_alert_fields(row), deliveries=tuple(map(delivery_summary, deliveries)))


def delivery_summary(row: Any) -> DeliverySummary:
    """Of a message with its channel."""
    return DeliverySummary(
        id=row.pk,
        channel=_channel_reference(row.channel),
        news=row.news,
        state=row.state,
        attempts=row.attempts,
        not_before=row.not_before,
        sent=row.sent,
        problem=row.problem,
    )


def _channel_reference(row: Any) -> ChannelReference:
    return ChannelReference(id=row.pk, name=row.name)


def alert_rule(row: Any) -> AlertRuleDetail:
    """Of a row of `queries.alert_rules()`."""
    return AlertRuleDetail(
        id=row.pk,
        name=row.name,
        kind=row.kind,
        says=alert_words.sentence(row),
        metric=row.metric,
        threshold=row.threshold,
        model=model_reference(row.model) if row.model else None,
        use_case=row.use_case,
        tag=row.tag.name if row.tag else "",
        component=row.component,
        channels=tuple(map(_channel_reference, row.channels.all())),
        enabled=row.enabled,
        open=row.open,
        created=row.created,
        by=row.by,
    )


def channel(row: Any) -> ChannelDetail:
    """Of a row of `queries.channels()`."""
    return ChannelDetail(
        id=row.pk,
        name=row.name,
        kind=row.kind,
        leads_to=alert_words.where(row),
        enabled=row.enabled,
        created=row.created,
        by=row.by,
    )
