"""Every read that the engine makes for alerts: the rules, what they look at, and the messages that wait."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from atlas.alerts import Moved, Part, Rule, Standing
from atlas.changes import MetricChange
from atlas.paired import Finding
from atlas.results import MetricValue
from atlas.states import ComponentState, FailureClass, ModelState, State
from atlas.watching import AlertKind, ChannelKind, DeliveryState, News
from storage.components import SILENCE, Component, components
from storage.models import Alert, AlertRule, Benchmark, Delivery, Metric, RegressionCheck, VersionDrift
from storage.records._removals import in_parts

# Rules and facts ----------------------------------------------------------------------------------------------------


def rules() -> list[Rule]:
    """The rules that are to be looked at."""
    rows = AlertRule.objects.filter(enabled=True).order_by("pk")
    fields = ("pk", "kind", "metric", "threshold", "model", "use_case", "tag", "component")
    return [Rule(**{**row, "kind": AlertKind(row["kind"])}) for row in rows.values(*fields)]


class Stamp(NamedTuple):
    """What differs once there is a new result, failure, comparison or drift. Read in a millisecond."""

    finished: datetime | None
    to_check: int
    drifts: int | None


def stamp() -> Stamp:
    """What there is now. A benchmark that ended may be overlooked if another one of a later time was kept before it."""
    return Stamp(
        finished=Benchmark.objects.aggregate(latest=Max("finished"))["latest"],
        to_check=Benchmark.objects.filter(state=State.DONE, check_due=True).aggregate(n=Count("pk"))["n"],
        drifts=VersionDrift.objects.aggregate(latest=Max("pk"))["latest"],
    )


def standings(looked_at: Collection[Rule]) -> list[Standing]:
    """How each model stands on each of its tags, as far as any of the rules is about it, by the models' keys.

    It costs a query for each kind of fact that a rule needs and 500 benchmarks, and one for all benchmarks.
    """
    wanted = [rule for rule in looked_at if rule.kind is not AlertKind.DOWN]
    if not wanted:
        return []
    rows = list(_newest(wanted).values(*_ROW, *_DRIFT))
    pks = [row["pk"] for row in rows]
    metrics = _metrics(pks, {rule.metric for rule in wanted if rule.kind is AlertKind.METRIC and rule.metric})
    drops = [rule for rule in wanted if rule.kind is AlertKind.DROP]
    changes = _changes(pks, drops) if drops else {}
    return [_standing(row, metrics[row["pk"]], changes.get(row["pk"], ())) for row in rows]


_ROW = (
    "pk",
    "model",
    "model__name",
    "model__use_case",
    "model__primary_metric",
    "dataset_version__tag",
    "dataset_version__tag__name",
    "dataset_version__number",
    "state",
    "failure_class",
    "reason",
    "score",
    "low",
    "high",
    "greater_is_better",
    "check_due",
)
_DRIFT = ("drift__share_moved", "dataset_version__drift__share_moved")


def _newest(looked_at: Sequence[Rule]) -> QuerySet[Benchmark]:
    """The newest benchmark of each model and tag that has ended; one that runs again counts with the result it has."""
    has_result = Q(state=State.DONE) | Q(state__in=(State.QUEUED, State.RUNNING), provenance__isnull=False)
    version = F("dataset_version__number")
    place = Window(
        RowNumber(),
        partition_by=[F("model"), F("dataset_version__tag")],
        order_by=[version.desc(), F("pk").desc()],
    )
    ended = Benchmark.objects.filter(has_result | Q(state=State.FAILED), model__state=ModelState.READY)
    in_scope = ended.filter(reduce(or_, map(_scope, looked_at))) if all(map(_scope, looked_at)) else ended
    return in_scope.annotate(place_from_newest=place).filter(place_from_newest=1).order_by("model", "pk")


def _scope(rule: Rule) -> Q:
    """What a rule is about; an empty condition is all."""
    conditions = {"model": rule.model, "model__use_case": rule.use_case, "dataset_version__tag": rule.tag}
    return Q(**{field: value for field, value in conditions.items() if value not in (None, "")})


def _metrics(benchmarks: Sequence[int], names: Collection[str]) -> dict[int, list[MetricValue]]:
    found: dict[int, list[MetricValue]] = defaultdict(list)
    if not names:
        return found
    fields = ("benchmark", "name", "value", "low", "high", "greater_is_better", "reason")
    for some in in_parts(benchmarks):
        for row in Metric.objects.filter(benchmark__in=some, name__in=names).values(*fields):
            found[row.pop("benchmark")].append(MetricValue(**row))
    return found


def _changes(benchmarks: Sequence[int], looked_at: Collection[Rule]) -> dict[int, list[MetricChange]]:
    """What changed for the worse, or may have; only what the rules ask for is read."""
    names = {rule.metric for rule in looked_at}
    told = (Finding.WORSE, Finding.CANNOT_TELL)
    found: dict[int, list[MetricChange]] = {}
    checks = RegressionCheck.objects.all() if names - {""} else RegressionCheck.objects.filter(finding__in=told)
    for some in in_parts(benchmarks):
        for benchmark, changes in checks.filter(benchmark__in=some).values_list("benchmark", "changes"):
            found[benchmark] = [MetricChange.model_validate(each) for each in changes if each["finding"] in told]
    return found


def _standing(row: dict[str, Any], metrics: list[MetricValue], changes: Sequence[MetricChange]) -> Standing:
    failed = row["state"] == State.FAILED
    primary = () if failed or row["greater_is_better"] is None else (_primary(row),)
    return Standing(
        benchmark=row["pk"],
        model=row["model"],
        model_name=row["model__name"],
        use_case=row["model__use_case"],
        tag=row["dataset_version__tag"],
        dataset=row["dataset_version__tag__name"],
        version=row["dataset_version__number"],
        primary_metric=row["model__primary_metric"],
        failure=_failure(row) if failed else None,
        metrics=(*primary, *metrics),
        changes=None if row["check_due"] else changes,
        moved=_moved(row),
    )


def _primary(row: dict[str, Any]) -> MetricValue:
    kept = {field: row[field] for field in ("low", "high", "greater_is_better")}
    return MetricValue(name=row["model__primary_metric"], value=row["score"], **kept)


def _failure(row: dict[str, Any]) -> str:
    return f"{FailureClass(row['failure_class']).capitalize()}: {row['reason']}"


def _moved(row: dict[str, Any]) -> Moved | None:
    for field in _DRIFT:
        if row[field] is not None:
            return Moved(share=row[field], from_training=field == _DRIFT[0])
    return None


def parts(now: datetime, *, listening_since: datetime) -> list[Part]:
    """The components of the pipeline that were ever heard of.

    Args:
        now: the time.
        listening_since: when this engine was started; what was silent before may have had nobody to speak to.
    """
    heard_of = [each for each in components(now, queued=0) if each.state is not None]
    return [_part(each, has_listened=now - listening_since > SILENCE) for each in heard_of]


def _part(component: Component, has_listened: bool) -> Part:
    if component.silent and not has_listened:
        return Part(name=component.name, is_down=None)
    is_down = component.state is ComponentState.DOWN
    said = f"No sign of life since {component.seen:%Y-%m-%d %H:%M} UTC. It last said: " if component.silent else ""
    return Part(name=component.name, is_down=is_down, why=f"{said}{component.message}" if is_down else "")


# Messages -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The alert that a message is about.

    Attributes:
        alert: its key.
        kind, text, why: what it says.
        model, dataset, version: names and number of what it is about; empty and None where it is about none.
        metric, component: likewise.
        opened, recovered: when it was seen and when it was over; `recovered` is None while it is not.
    """

    alert: int
    kind: AlertKind
    text: str
    why: str
    model: str
    dataset: str
    version: int | None
    metric: str
    component: str
    opened: datetime
    recovered: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a channel is to be told.

    Attributes:
        delivery: names the message, to whoever gets it as well.
        attempts: how often it was tried to send it.
        news: whether the alert began or is over.
        channel, channel_kind, address, secret: where it goes, and what a webhook's messages are signed with.
        about: the alert; None of a test.
    """

    delivery: uuid.UUID
    attempts: int
    news: News
    channel: str
    channel_kind: ChannelKind
    address: str
    secret: str
    about: About | None


def channels_to_serve(now: datetime) -> list[int]:
    """The channels that a message is due for."""
    return list(_due(now).order_by().values_list("channel", flat=True).distinct())


def next_message(channel: int, now: datetime) -> Message | None:
    """The message for a channel that has been due for longest."""
    about = ("channel", "alert__model", "alert__benchmark__dataset_version__tag")
    found = _due(now).filter(channel=channel).select_related(*about).defer(*_LONG).order_by("not_before", "pk").first()
    return _message(found) if found else None


_LONG = ("alert__model__manifest", "alert__benchmark__dataset_version__description")
UNFINISHED = (DeliveryState.WAITING, DeliveryState.SENDING)


def _due(now: datetime) -> QuerySet[Delivery]:
    """Messages that are to be sent now, or that an engine was about to send when it died. What is disabled waits.

    Nobody is told that an alert is over before they were told, as far as that was possible, that it began.
    """
    opening = Delivery.objects.filter(
        alert=OuterRef("alert"), channel=OuterRef("channel"), news=News.OPENED, state__in=UNFINISHED
    )
    lost = Q(state=DeliveryState.SENDING, lease_until__lt=now)
    due = Delivery.objects.filter(Q(state=DeliveryState.WAITING, not_before__lte=now) | lost, channel__enabled=True)
    return due.exclude(Q(news=News.RECOVERED) & Exists(opening))


def _message(row: Delivery) -> Message:
    channel = row.channel
    return Message(
        delivery=row.pk,
        attempts=row.attempts,
        news=News(row.news),
        channel=channel.name,
        channel_kind=ChannelKind(channel.kind),
        address=channel.address,
        secret=channel.secret,
        about=_about(row.alert) if row.alert else None,
    )


def _about(alert: Alert) -> About:
    version = alert.benchmark.dataset_version if alert.benchmark else None
    return About(
        alert=alert.pk,
        kind=AlertKind(alert.kind),
        text=alert.text,
        why=alert.why,
        model=alert.model.name if alert.model else "",
        dataset=version.tag.name if version else "",
        version=version.number if version else None,
        metric=alert.metric,
        component=alert.component,
        opened=alert.opened,
        recovered=alert.recovered,
    )
