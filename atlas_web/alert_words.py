"""How the pages speak of alerts and rules. Pure functions but for the addresses that they know."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.text import capfirst

from atlas.metrics import REGISTRY
from atlas.watching import AlertKind, AlertState, ChannelKind
from atlas_web import words
from storage import queries
from ui import formats
from ui.components import Look, Tone

KINDS: Mapping[str, Look] = {
    AlertKind.METRIC: Look("bad", "arrow-down-circle", "Metric beyond a value"),
    AlertKind.DROP: Look("bad", "arrow-trending-down", "Drop"),
    AlertKind.DRIFT: Look("warn", "arrows-right-left", "Drift"),
    AlertKind.FAILED: Look("bad", "x-circle", "Benchmark failed"),
    AlertKind.DOWN: Look("bad", "power", "Component down"),
}
"""What each kind of alert is called, and how it looks."""
CONDITIONS: Mapping[AlertKind, str] = {
    AlertKind.METRIC: "a metric is beyond a value",
    AlertKind.DROP: "a metric gets worse by more than noise",
    AlertKind.DRIFT: "data have moved from what a model was trained on",
    AlertKind.FAILED: "a benchmark fails",
    AlertKind.DOWN: "a component is down",
}
"""When a rule of each kind opens an alert."""
CHANNELS: Mapping[str, Look] = {
    ChannelKind.EMAIL: Look("", "envelope", "E-mail"),
    ChannelKind.WEBHOOK: Look("", "bolt", "Webhook"),
    ChannelKind.CHAT: Look("", "chat-bubble-left-right", "Chat service"),
}
THRESHOLDS: Mapping[str, str] = {
    AlertKind.METRIC: (
        "In the unit of the metric, such as 0.85. The metric has to be below it, or above it where less is better."
    ),
    AlertKind.DROP: (
        "A share of the earlier value, between 0 and 1: 0.05 is 5 %. A smaller drop is no alert, nor is any within "
        "noise. Without it, every drop beyond noise is one."
    ),
    AlertKind.DRIFT: (
        "A share of the columns, between 0 and 1: 0.3 is 30 %. More of them have to have moved from what the model "
        "was trained on."
    ),
}
"""What the threshold of a rule means, by its kind; others have none."""


def tone(alert: Any) -> Tone:
    """How an alert is coloured: only while nobody knows of it."""
    return KINDS[alert.kind].tone if alert.state is AlertState.OPEN else "idle"


def known(alert: Any) -> str:
    """Who has acknowledged an alert, and what they say of it; empty while nobody has."""
    if not alert.acknowledged:
        return ""
    return f"Acknowledged by {alert.acknowledged_by}{f': {alert.note}' if alert.note else ''}"


def metric(alert: Any) -> str:
    """The metric that an alert is about; empty if it is about none."""
    return words.metric_title(alert.metric) if alert.metric else ""


def place(alert: Any) -> tuple[str, str]:
    """Where one sees why an alert is there: an address, and what leads there is called."""
    if alert.component:
        return f"{reverse('logs')}?{urlencode({'component': queries.logged_as(alert.component)})}", "Read the log"
    if alert.benchmark_id and alert.kind != AlertKind.FAILED:
        chosen = f"?{urlencode({'metric': alert.metric})}" if alert.metric else ""
        return f"{reverse('why', args=[alert.benchmark_id])}{chosen}", "See why"
    if alert.benchmark_id:
        return reverse("benchmark", args=[alert.benchmark_id]), "Open benchmark"
    if alert.model_id:
        return reverse("model", args=[alert.model_id]), "Open model"
    return reverse("alert", args=[alert.pk]), "Open alert"


def sentence(rule: Any) -> str:
    """A rule in words: `Any model for damage detector on impacts: F1 gets worse by more than noise.`"""
    if rule.kind == AlertKind.DOWN:
        return f"{capfirst(rule.component) or 'Any component'} is down."
    return f"{_subject(rule)}: {_WHAT[AlertKind(rule.kind)](rule)}."


def _subject(rule: Any) -> str:
    models = rule.model.name if rule.model else f"Any model{f' for {rule.use_case}' if rule.use_case else ''}"
    return f"{models} on {rule.tag.name}" if rule.tag else models


def _metric_of(rule: Any) -> str:
    return words.metric_title(rule.metric) if rule.metric else "its primary metric"


def _beyond(rule: Any) -> str:
    known = REGISTRY.get(rule.metric)
    side = "worse than" if known is None else "below" if known.greater_is_better else "above"
    return f"{_metric_of(rule)} is {side} {rule.threshold:g}"


def _dropped(rule: Any) -> str:
    at_least = f", and by at least {_share(rule)}" if rule.threshold else ""
    return f"{_metric_of(rule)} gets worse by more than noise{at_least}"


def _share(rule: Any) -> str:
    """A share in as many digits as somebody wrote."""
    return f"{round(100 * rule.threshold, 6):g}{formats.NARROW_SPACE}%"


def _drifted(rule: Any) -> str:
    return f"more than {_share(rule)} of the columns have moved from the training data"


_WHAT: Mapping[AlertKind, Callable[[Any], str]] = {
    AlertKind.METRIC: _beyond,
    AlertKind.DROP: _dropped,
    AlertKind.DRIFT: _drifted,
    AlertKind.FAILED: lambda rule: "the benchmark on the newest version fails",  # noqa: ARG005 - called with it
}


def where(channel: Any) -> str:
    """Where a channel leads, without what may be a password: of a URL only its scheme, and the host of a webhook."""
    if channel.kind == ChannelKind.EMAIL:
        return str(channel.address)
    scheme, _, rest = channel.address.partition("://")
    host = rest.partition("/")[0].partition("?")[0].rpartition("@")[2] if channel.kind == ChannelKind.WEBHOOK else ""
    return f"{scheme}://{host}{'/' if host else ''}…"
