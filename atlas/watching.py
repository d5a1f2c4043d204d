"""The words of watching models over time: alerts, channels, gates, stages, predictions on demand."""

from enum import StrEnum

from atlas.vocabulary import Document


class AlertKind(StrEnum):
    """What a rule looks at, and what its threshold means."""

    METRIC = "metric"
    """A metric is worse than the threshold: below it, or above it where less is better."""
    DROP = "drop"
    """A metric is worse than on the version before or than at its best by more than noise, and by at least the
    threshold as a share of the earlier value; by any share without a threshold."""
    DRIFT = "drift"
    """More than the threshold, a share, of the columns have moved from what the model was trained on; of a model
    without a training reference, from the version before."""
    FAILED = "failed"
    """The benchmark on the newest version failed. There is no threshold."""
    DOWN = "down"
    """A component of the pipeline is down. There is no threshold."""


class AlertState(StrEnum):
    """Where an alert stands."""

    OPEN = "open"
    """Nobody has acknowledged it."""
    ACKNOWLEDGED = "acknowledged"
    """It is still so, and a person knows."""
    RECOVERED = "recovered"
    """It is over, whether or not somebody acknowledged it."""


class ChannelKind(StrEnum):
    """How alerts are sent."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    CHAT = "chat"


class News(StrEnum):
    """What a message says of an alert; a test is about none."""

    OPENED = "opened"
    RECOVERED = "recovered"
    TEST = "test"


class DeliveryState(StrEnum):
    """How far a message is."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    GIVEN_UP = "given up"


class Stage(StrEnum):
    """Where a model stands in its use case. There is at most one champion."""

    CANDIDATE = "candidate"
    CHAMPION = "champion"
    RETIRED = "retired"


class GateKind(StrEnum):
    """What a gate's rule asks of a model, on the newest version of each of its tags, and what its threshold means."""

    BENCHMARKED = "benchmarked"
    """It has a result on the newest version. There is no threshold."""
    METRIC = "metric"
    """A metric is at least as good as the threshold."""
    NOT_WORSE = "not worse"
    """It is not worse than the champion by more than noise. There is no threshold."""
    DRIFT = "drift"
    """At most the threshold, a share, of the columns have moved from what it was trained on."""
    NO_ALERT = "no alert"
    """No alert about it is open. There is no threshold."""


class GateCheck(Document):
    """A rule of a gate, and whether a model passes it; `sentence` says why."""

    kind: GateKind
    passed: bool
    sentence: str


class InferenceKind(StrEnum):
    """Why a model predicts apart from benchmarks."""

    ON_DEMAND = "on demand"
    LIVE = "live"
