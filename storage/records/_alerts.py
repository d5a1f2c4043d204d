"""Alerts, which begin and end here and nowhere else, and the messages that tell of them.

A message: waiting -> sending -> sent | given up | waiting (another try);  sending -> sending (the engine died)

Whoever changes a message compares how often it was tried before, so that of two engines one sends it.
"""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from atlas.alerts import Cause, Verdict
from atlas.states import State
from atlas.watching import AlertKind, DeliveryState, News
from storage.models import Alert, AlertRule, Channel, Delivery
from storage.records._removals import AT_ONCE, in_parts
from storage.retries import doubled

SHORTEST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=1)

# Alerts -------------------------------------------------------------------------------------------------------------


def settle(rule: int, verdict: Verdict, *, now: datetime) -> None:
    """Have a rule's open alerts be those causes that hold, and tell the rule's channels what began and what is over.

    A cause that holds on keeps its alert, which says what is known now. One of which nothing is known stays as it is,
    and so does a failure whose benchmark runs again. Of two engines that settle at once, the second has nothing to do.
    """
    if not _settling(rule, verdict).is_needed:
        return
    with transaction.atomic():
        if AlertRule.objects.select_for_update().filter(pk=rule, enabled=True).first() is None:
            return
        todo = _settling(rule, verdict)
        _open(rule, todo.begun, now)
        _recover(todo.over, now)
        Alert.objects.bulk_update(todo.changed, ["text", "why", "benchmark"], batch_size=AT_ONCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settling:
    """What tells a rule's open alerts from the causes that hold."""

    begun: list[Cause]
    over: list[Alert]
    changed: list[Alert]

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.begun or self.over or self.changed)


def _settling(rule: int, verdict: Verdict) -> _Settling:
    alerts = Alert.objects.filter(rule=rule, recovered=None).order_by("pk")
    open_now = {alert.cause: alert for alert in alerts}
    causes = {cause.key: cause for cause in verdict.causes}
    gone = [alert for key, alert in open_now.items() if key not in causes and key not in verdict.unknown]
    return _Settling(
        begun=[cause for key, cause in causes.items() if key not in open_now],
        over=_without_those_that_run_again(gone),
        changed=[alert for key, alert in open_now.items() if key in causes and _told_anew(alert, causes[key])],
    )


def _without_those_that_run_again(gone: list[Alert]) -> list[Alert]:
    failed = [alert.pk for alert in gone if alert.kind == AlertKind.FAILED]
    unfinished = Q(benchmark__state__in=(State.QUEUED, State.RUNNING))
    again = set(Alert.objects.filter(unfinished, pk__in=failed).values_list("pk", flat=True)) if failed else set()
    return [alert for alert in gone if alert.pk not in again]


def _told_anew(alert: Alert, cause: Cause) -> bool:
    """Have an alert say what is known of its cause now; whether it said something else."""
    before = (alert.text, alert.why, alert.benchmark_id)
    alert.text, alert.why, alert.benchmark_id = cause.text, cause.why, cause.benchmark
    return before != (cause.text, cause.why, cause.benchmark)


def _open(rule: int, causes: Iterable[Cause], now: datetime) -> None:
    alerts = Alert.objects.bulk_create((_alert(rule, cause, now) for cause in causes), batch_size=AT_ONCE)
    channels = Channel.objects.filter(rules=rule, enabled=True).values_list("pk", flat=True)
    _tell([(alert.pk, channel) for alert in alerts for channel in channels], News.OPENED, now)


def _alert(rule: int, cause: Cause, now: datetime) -> Alert:
    return Alert(
        rule_id=rule,
        kind=cause.kind,
        cause=cause.key,
        model_id=cause.model,
        benchmark_id=cause.benchmark,
        metric=cause.metric,
        component=cause.component,
        text=cause.text,
        why=cause.why,
        opened=now,
    )


def _recover(alerts: Collection[Alert], now: datetime) -> None:
    """End alerts, and tell so to those who were told that they began, as far as they are still to be told anything."""
    for some in in_parts(alert.pk for alert in alerts):
        Alert.objects.filter(pk__in=some, recovered=None).update(recovered=now)
        told = Delivery.objects.filter(alert__in=some, news=News.OPENED, channel__enabled=True)
        _tell(list(told.values_list("alert", "channel")), News.RECOVERED, now)


def _tell(whom: Iterable[tuple[int, int]], news: News, now: datetime) -> None:
    Delivery.objects.bulk_create(
        (Delivery(alert_id=alert, channel_id=channel, news=news, not_before=now) for alert, channel in whom),
        batch_size=AT_ONCE,
    )


def end_what_nobody_watches(*, now: datetime) -> int:
    """End the alerts of rules that were disabled or deleted, and tell nobody; how many that were."""
    unwatched = Q(rule=None) | Q(rule__enabled=False)
    return Alert.objects.filter(pk__in=Alert.objects.filter(unwatched, recovered=None).values("pk")).update(
        recovered=now
    )


# Messages -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A message that this engine may send until its lease ends; `attempts` tells this attempt from earlier ones."""

    delivery: uuid.UUID
    attempts: int


def begin_sending(delivery: uuid.UUID, attempts: int, *, lease: timedelta, now: datetime) -> Sending | None:
    """Take a message that is due, unless another engine was faster.

    Args:
        delivery: its key.
        attempts: how often it was tried so far.
        lease: for how long no other engine takes it.
        now: the time.
    """
    lost = Q(state=DeliveryState.SENDING, lease_until__lt=now)
    due = Delivery.objects.filter(Q(state=DeliveryState.WAITING, not_before__lte=now) | lost)
    taken = due.filter(pk=delivery, attempts=attempts).update(
        state=DeliveryState.SENDING, attempts=attempts + 1, lease_until=now + lease
    )
    return Sending(delivery=delivery, attempts=attempts + 1) if taken else None


def keep_sending(sending: Iterable[Sending], *, lease: timedelta, now: datetime) -> None:
    """Lengthen the leases of messages that are being sent."""
    for each in sending:
        _held(each).update(lease_until=now + lease)


def has_sent(sending: Sending, *, now: datetime, remark: str = "") -> bool:
    """Keep that a message was taken, and what its receiver remarked; whether this engine still held it."""
    return _ended(sending, DeliveryState.SENT, sent=now, problem=remark)


def not_sent(sending: Sending, problem: str, *, first_wait: timedelta, now: datetime) -> bool:
    """Keep why a message was not taken, and have it tried again after a while, or given up after a day of tries.

    Args:
        sending: the attempt.
        problem: why.
        first_wait: before the second try; doubled before each more, from a second on and up to `LONGEST_WAIT`.
        now: the time.

    Returns:
        Whether this engine still held it and it was given up.
    """
    first = max(first_wait, SHORTEST_WAIT)
    waits = [doubled(first, attempts, longest=LONGEST_WAIT) for attempts in range(1, sending.attempts + 1)]
    if sum(waits, timedelta()) > GIVEN_UP_AFTER:
        return give_up(sending, problem)
    _ended(sending, DeliveryState.WAITING, not_before=now + waits[-1], problem=problem)
    return False


def give_up(sending: Sending, problem: str) -> bool:
    """Keep why a message will never be taken; whether this engine still held it."""
    return _ended(sending, DeliveryState.GIVEN_UP, problem=problem)


def _held(sending: Sending) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=sending.delivery, state=DeliveryState.SENDING, attempts=sending.attempts)


def _ended(sending: Sending, state: DeliveryState, **fields: object) -> bool:
    """Set a message's new state if it is still being sent by this attempt; whether it was."""
    return _held(sending).update(state=state, lease_until=None, **fields) == 1
