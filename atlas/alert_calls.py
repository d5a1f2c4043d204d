"""The part of the REST client that speaks of alerts, their rules and the channels that they are sent by."""

from collections.abc import Iterator
from uuid import UUID

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
    NewChannel,
)
from atlas.connection import Connection
from atlas.paging import all_of


class AlertCalls:
    """What a client may ask and say of alerts. Its methods raise what those of `atlas.client.AtlasClient` do."""

    _connection: Connection

    def alerts(self, **filters: str) -> Iterator[AlertSummary]:
        """All alerts, the latest first, narrowed by `q`, `state`, `kind`, `rule`, `model`, `benchmark`, `use_case`,
        `since` or `until`."""
        return all_of(self._connection, AlertSummary, "alerts", filters)

    def alert(self, alert: int) -> AlertDetail:
        """An alert with the messages that told of it."""
        return self._connection.ask(AlertDetail, "GET", f"alerts/{alert}")

    def acknowledge(self, alert: int, note: str = "") -> AlertDetail:
        """Say that you know of an alert, and what you know."""
        sent = AcknowledgeRequest(note=note).model_dump(mode="json")
        return self._connection.ask(AlertDetail, "POST", f"alerts/{alert}/acknowledge", json=sent)

    def send_again(self, delivery: UUID) -> DeliverySummary:
        """Have a message sent that was given up."""
        return self._connection.ask(DeliverySummary, "POST", f"deliveries/{delivery}/send-again")

    def alert_rules(self) -> Iterator[AlertRuleDetail]:
        """All rules, by name."""
        return all_of(self._connection, AlertRuleDetail, "alert-rules")

    def make_alert_rule(self, rule: AlertRuleRequest) -> AlertRuleDetail:
        """Make a rule, which counts at once."""
        sent = rule.model_dump(mode="json")
        return self._connection.ask(AlertRuleDetail, "POST", "alert-rules", json=sent)

    def change_alert_rule(self, rule: int, fields: AlertRuleRequest) -> AlertRuleDetail:
        """Replace all fields of a rule."""
        sent = fields.model_dump(mode="json")
        return self._connection.ask(AlertRuleDetail, "PUT", f"alert-rules/{rule}", json=sent)

    def delete_alert_rule(self, rule: int) -> None:
        """Delete a rule. Its alerts stay; those that are open count as recovered."""
        self._connection.request("DELETE", f"alert-rules/{rule}")

    def channels(self) -> Iterator[ChannelReference]:
        """The keys and names of all channels."""
        return all_of(self._connection, ChannelReference, "channels")

    def channel(self, channel: int) -> ChannelDetail:
        """A channel, without what may be a password."""
        return self._connection.ask(ChannelDetail, "GET", f"channels/{channel}")

    def make_channel(self, channel: ChannelRequest) -> NewChannel:
        """Make a channel. The answer holds the secret of a webhook, which nobody is told again."""
        return self._connection.ask(NewChannel, "POST", "channels", json=channel.model_dump(mode="json"))

    def change_channel(self, channel: int, fields: ChannelRequest) -> ChannelDetail:
        """Give a channel another name or address, or let it send or not; without an address it keeps its own."""
        sent = fields.model_dump(mode="json")
        return self._connection.ask(ChannelDetail, "PUT", f"channels/{channel}", json=sent)

    def delete_channel(self, channel: int) -> None:
        """Delete a channel with its messages."""
        self._connection.request("DELETE", f"channels/{channel}")

    def test_channel(self, channel: int) -> None:
        """Have an engine send a test message by a channel."""
        self._connection.request("POST", f"channels/{channel}/test")
