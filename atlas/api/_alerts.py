"""Alerts, the rules that open them and the channels that they are sent by, as the API tells of them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from atlas.api._common import NO_ZERO, Answer
from atlas.api._models import ModelReference
from atlas.vocabulary import Document
from atlas.watching import AlertKind, AlertState, ChannelKind, DeliveryState, News

LAST_KEY = 2**63 - 1
ChannelKey = Annotated[int, Field(strict=True, ge=1, le=LAST_KEY)]


class RuleReference(Answer):
    """A rule."""

    id: int
    name: str


class ChannelReference(Answer):
    """A channel."""

    id: int
    name: str


class AlertSummary(Answer):
    """One cause, from when it was seen until it is gone.

    `rule` is None once it is deleted; `benchmark` is the key of the one that shows the cause, if one does.
    """

    id: int
    state: AlertState
    kind: AlertKind
    text: str
    why: str
    rule: RuleReference | None
    model: ModelReference | None
    benchmark: int | None
    metric: str
    component: str
    opened: datetime
    recovered: datetime | None
    acknowledged: datetime | None
    acknowledged_by: str
    note: str


class DeliverySummary(Answer):
    """A message by one channel: `problem` says what went wrong with the last attempt."""

    id: UUID
    channel: ChannelReference
    news: News
    state: DeliveryState
    attempts: int
    not_before: datetime
    sent: datetime | None
    problem: str


class AlertDetail(AlertSummary):
    """An alert with the messages that told of it."""

    deliveries: tuple[DeliverySummary, ...]


class AcknowledgeRequest(Document):
    """The request to note that a person knows of an alert, and what they say of it."""

    note: str = Field(default="", max_length=2000, pattern=NO_ZERO, examples=["We train on the new sensor."])


class AlertRuleRequest(Document):
    """What a rule is to be. Without a model, use case, tag or component it is about all of them.

    `atlas.watching.AlertKind` says what the threshold means. `channels` are keys.
    """

    name: str = Field(min_length=1, max_length=100, pattern=NO_ZERO, examples=["Damage detector falls"])
    kind: AlertKind = Field(examples=["drop"])
    metric: str = Field(default="", max_length=200, pattern=NO_ZERO, description="the primary one if empty")
    threshold: float | None = Field(default=None, strict=True, examples=[0.05])
    model: str = Field(default="", max_length=500, pattern=NO_ZERO, description="the whole name of one")
    use_case: str = Field(default="", max_length=200, pattern=NO_ZERO, examples=["damage detector"])
    tag: str = Field(default="", max_length=128, pattern=NO_ZERO)
    component: str = Field(default="", max_length=50, pattern=NO_ZERO)
    channels: tuple[Annotated[int, Field(strict=True, ge=1, le=LAST_KEY)], ...] = Field(
        default=(), max_length=100, examples=[[]]
    )
    enabled: bool = Field(default=True, strict=True)


class AlertRuleDetail(Answer):
    """A rule, in words too: `says`. `open` is how many of its alerts have not recovered."""

    id: int
    name: str
    kind: AlertKind
    says: str
    metric: str
    threshold: float | None
    model: ModelReference | None
    use_case: str
    tag: str
    component: str
    channels: tuple[ChannelReference, ...]
    enabled: bool
    open: int
    created: datetime
    by: str


class ChannelRequest(Document):
    """What a channel is to be. The kind of one that there is stays, and without an address it keeps the one it has."""

    name: str = Field(min_length=1, max_length=100, pattern=NO_ZERO, examples=["Team mailbox"])
    kind: ChannelKind
    address: str = Field(default="", max_length=4000, pattern=NO_ZERO, examples=["team@example.org"])
    enabled: bool = Field(default=True, strict=True)


class ChannelDetail(Answer):
    """A channel. `leads_to` are addresses of e-mail; of a URL, only what is no secret."""

    id: int
    name: str
    kind: ChannelKind
    leads_to: str
    enabled: bool
    created: datetime
    by: str


class NewChannel(ChannelDetail):
    """A channel that was made, with what its messages are signed with, if it is a webhook: it is told this once."""

    secret: str
