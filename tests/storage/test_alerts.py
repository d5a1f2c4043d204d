"""Rules over the tables: what the engine reads for them, and how alerts begin and end with their messages."""

import time
from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest_django import DjangoAssertNumQueries

from atlas.alerts import Cause, Facts, Moved, Part, Rule, Standing, Verdict
from atlas.changes import Beside, MetricChange
from atlas.paired import Difference, Finding
from atlas.states import ComponentState
from atlas.watching import AlertKind, ChannelKind, DeliveryState, News
from monitoring.alerts import judge
from storage import alerting, records
from storage.alerting import Stamp
from storage.models import (
    Alert,
    AlertRule,
    Benchmark,
    Channel,
    DatasetTag,
    DatasetVersion,
    Delivery,
    Drift,
    Model,
    RegressionCheck,
    VersionDrift,
)
from tests import stage
from tests.alerts import add_channel, add_rule
from tests.samples import NOON, result

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(minutes=5)
WAIT = timedelta(seconds=10)
LEASE = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def no_rules(request: pytest.FixtureRequest) -> None:
    """Without the rules that each installation begins with."""
    request.getfixturevalue("transactional_db" if "transactional_db" in request.fixturenames else "db")
    AlertRule.objects.all().delete()


def rule(kind: AlertKind, **fields: Any) -> Rule:
    return Rule(pk=1, kind=kind, **fields)


def standing(*rules: Rule) -> Standing:
    (found,) = alerting.standings(rules or [rule(AlertKind.FAILED)])
    return found


def check(benchmark: int, finding: Finding, *metrics: str) -> None:
    difference = Difference(value=-0.2, low=-0.3, high=-0.1, finding=finding)
    before = Beside(benchmark=benchmark, version=1, value=0.8, shared=0, difference=difference)
    changes = [
        MetricChange(metric=name, value=0.6, greater_is_better=True, before=before, finding=finding)
        for name in metrics or ("f1",)
    ]
    documents = [each.model_dump(mode="json") for each in changes]
    RegressionCheck.objects.create(benchmark_id=benchmark, changes=documents, finding=finding, made=NOON)
    Benchmark.objects.filter(pk=benchmark).update(check_due=False)


# What rules look at -------------------------------------------------------------------------------------------------


def test_the_newest_version_that_has_ended_counts_however_late_an_older_one_ends() -> None:
    model = stage.add_model()
    newest = stage.finish(model, stage.add_version(2), now=NOON)
    stage.finish(model, stage.add_version(1), result(f1=0.1), now=LATER)
    stage.queue(model, stage.add_version(3))
    found = standing()
    assert (found.benchmark, found.data, found.failure) == (newest, "impacts v2", None)
    assert [(metric.name, metric.value) for metric in found.metrics] == [("f1", 0.8)]


def test_a_failure_is_there_with_its_class_and_reason() -> None:
    stage.fail(stage.add_model(), stage.add_version())
    assert standing().failure == "Load error: It is broken."
    assert standing().metrics == ()


def test_a_result_counts_until_its_benchmark_that_runs_again_has_another() -> None:
    model = stage.add_model()
    stage.finish(model, stage.add_version(1), result(f1=0.1))
    again = stage.finish(model, stage.add_version(2))
    records.run_again(again, now=LATER)
    assert standing().benchmark == again


def test_metrics_that_rules_name_are_there_beside_the_primary_one() -> None:
    stage.finish(stage.add_model(), stage.add_version())
    named = rule(AlertKind.METRIC, metric="accuracy", threshold=0.95)
    assert [metric.name for metric in standing(named).metrics] == ["f1", "accuracy"]


@pytest.mark.parametrize("metric", ["", "accuracy"])
def test_a_fall_counts_once_results_were_compared(metric: str) -> None:
    benchmark = stage.finish(stage.add_model(), stage.add_version())
    drop = rule(AlertKind.DROP, metric=metric)
    assert standing(drop).changes is None
    check(benchmark, Finding.WORSE, "f1", "accuracy")
    assert [change.metric for change in standing(drop).changes or ()] == ["f1", "accuracy"]


def test_what_did_not_fall_is_not_read() -> None:
    check(stage.finish(stage.add_model(), stage.add_version()), Finding.WITHIN_NOISE)
    assert list(standing(rule(AlertKind.DROP)).changes or ()) == []


def test_drift_is_that_from_the_training_data_or_else_from_the_version_before() -> None:
    version = stage.add_version()
    benchmark = stage.finish(stage.add_model(), version)
    assert standing().moved is None
    VersionDrift.objects.update_or_create(version_id=version, defaults={"share_moved": 0.3, "made": NOON})
    assert standing().moved == Moved(share=0.3, from_training=False)
    Drift.objects.update_or_create(benchmark_id=benchmark, defaults={"share_moved": 0.6})
    assert standing().moved == Moved(share=0.6, from_training=True)


def test_only_what_some_rule_is_about_is_read() -> None:
    version, other_data = stage.add_version(), stage.add_version(tag="drives")
    forest, glass = stage.add_model("Forest-1"), stage.add_model("Glass-1", use_case="glass finder")
    for model in (forest, glass):
        for on in (version, other_data):
            stage.finish(model, on)
    drives = DatasetTag.objects.get(name="drives").pk
    one, other = rule(AlertKind.FAILED, model=forest, tag=drives), rule(AlertKind.FAILED, use_case="glass finder")
    read = [(each.model_name, each.dataset) for each in alerting.standings([one, other])]
    assert sorted(read) == [("Forest-1", "drives"), ("Glass-1", "drives"), ("Glass-1", "impacts")]
    assert len(alerting.standings([one, other, rule(AlertKind.FAILED)])) == 4
    assert alerting.standings([rule(AlertKind.DOWN)]) == []


def test_all_facts_cost_few_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    version = stage.add_version()
    for number in range(3):
        stage.finish(stage.add_model(f"Forest-{number}"), version)
    kinds = [rule(kind, threshold=0.5) for kind in AlertKind]
    with django_assert_num_queries(3):
        alerting.standings([*kinds, rule(AlertKind.METRIC, metric="accuracy", threshold=0.5)])


def test_a_stamp_changes_with_results_failures_comparisons_and_drifts() -> None:
    stamps = {alerting.stamp()}
    benchmark = stage.finish(stage.add_model(), stage.add_version(1), now=NOON)
    stamps.add(alerting.stamp())
    Benchmark.objects.filter(pk=benchmark).update(check_due=False)
    stamps.add(alerting.stamp())
    stage.fail(Model.objects.get().pk, stage.add_version(2), now=LATER)
    stamps.add(alerting.stamp())
    VersionDrift.objects.update_or_create(version=DatasetVersion.objects.last(), defaults={"made": NOON})
    stamps.add(alerting.stamp())
    assert len(stamps) == 5
    assert Stamp(finished=LATER, to_check=0, drifts=VersionDrift.objects.get().pk) in stamps


def test_a_component_that_says_so_or_is_silent_is_down() -> None:
    for name, state in (("ingestion", ComponentState.DOWN), ("storage", ComponentState.HEALTHY)):
        records.report_status(name, state, "as it is", now=NOON)
    assert alerting.parts(NOON, listening_since=NOON) == [
        Part(name="ingestion", is_down=True, why="as it is"),
        Part(name="storage", is_down=False),
    ]
    said = "No sign of life since 2026-03-02 12:00 UTC. It last said: as it is"
    assert [part.why for part in alerting.parts(LATER, listening_since=NOON)] == [said, said]


def test_an_engine_that_just_started_does_not_take_for_silent_what_it_could_not_hear() -> None:
    records.report_status("storage", ComponentState.HEALTHY, "12 files", now=NOON)
    assert alerting.parts(LATER, listening_since=LATER) == [Part(name="storage", is_down=None)]


# Beginning and end --------------------------------------------------------------------------------------------------


def cause(key: str = "a", text: str = "F1 of Forest fell", **fields: Any) -> Cause:
    return Cause(kind=AlertKind.DROP, key=key, text=text, why="0.9, and 0.8 now.", **fields)


def holds(*causes: Cause, unknown: frozenset[str] = frozenset()) -> Verdict:
    return Verdict(causes=causes, unknown=unknown)


def watched(*channels: int) -> int:
    return add_rule(channels=frozenset(channels))


def messages() -> list[tuple[str, str]]:
    """Of each message whom it goes to and what it says, in order."""
    rows = Delivery.objects.order_by("alert", "not_before", "channel")
    return list(rows.values_list("channel__name", "news"))


def test_a_cause_is_told_once_to_each_channel_however_often_it_is_found() -> None:
    pk = watched(add_channel("mail").pk, add_channel("hook", ChannelKind.WEBHOOK).pk)
    for minute in range(3):
        records.settle(pk, holds(cause()), now=NOON + timedelta(minutes=minute))
    (alert,) = Alert.objects.all()
    assert (alert.text, alert.opened, alert.recovered, alert.rule_id) == ("F1 of Forest fell", NOON, None, pk)
    assert sorted(messages()) == [("hook", News.OPENED), ("mail", News.OPENED)]


def test_a_cause_that_is_gone_is_told_once_and_begins_anew_as_another_alert() -> None:
    pk = watched(add_channel("mail").pk)
    for verdict in (holds(cause()), holds(), holds(), holds(cause())):
        records.settle(pk, verdict, now=NOON)
    assert [alert.recovered for alert in Alert.objects.order_by("pk")] == [NOON, None]
    assert sorted(messages()) == [("mail", News.OPENED), ("mail", News.OPENED), ("mail", News.RECOVERED)]


def test_a_cause_of_which_nothing_is_known_stays_as_it_is() -> None:
    pk = watched()
    records.settle(pk, holds(cause()), now=NOON)
    records.settle(pk, holds(unknown=frozenset("a")), now=LATER)
    assert Alert.objects.get().recovered is None


def test_an_alert_says_what_is_known_now_without_another_message() -> None:
    pk = watched(add_channel().pk)
    records.settle(pk, holds(cause()), now=NOON)
    newer = stage.finish(stage.add_model(), stage.add_version())
    records.settle(pk, holds(cause(text="F1 of Forest fell further", benchmark=newer)), now=LATER)
    alert = Alert.objects.get()
    assert (alert.text, alert.benchmark_id, alert.opened) == ("F1 of Forest fell further", newer, NOON)
    assert len(messages()) == 1


def test_a_failure_is_not_over_while_its_benchmark_runs_again() -> None:
    pk = add_rule(kind=AlertKind.FAILED)
    benchmark = stage.fail(stage.add_model(), stage.add_version())

    def look(now: datetime) -> bool:
        watching = rule(AlertKind.FAILED)
        records.settle(pk, judge(watching, Facts(standings=alerting.standings([watching]))), now=now)
        return Alert.objects.get().recovered is None

    assert look(NOON)
    records.run_again(benchmark, now=LATER)
    assert look(LATER)
    held = records.claim(benchmark, engine="one", lease=LEASE, now=LATER)
    assert held is not None
    records.finish(held, result(), primary_metric="f1", now=LATER)
    assert not look(LATER)


def test_a_channel_that_is_disabled_is_told_nothing() -> None:
    off, on = add_channel("off").pk, add_channel("on").pk
    pk = watched(off, on)
    Channel.objects.filter(pk=off).update(enabled=False)
    records.settle(pk, holds(cause("a")), now=NOON)
    Channel.objects.filter(pk=on).update(enabled=False)
    records.settle(pk, holds(), now=LATER)
    assert messages() == [("on", News.OPENED)]


def test_only_who_was_told_of_the_beginning_is_told_of_the_end() -> None:
    pk = watched(add_channel("old").pk)
    records.settle(pk, holds(cause()), now=NOON)
    AlertRule.objects.get(pk=pk).channels.set([add_channel("new").pk])
    records.settle(pk, holds(), now=LATER)
    assert messages() == [("old", News.OPENED), ("old", News.RECOVERED)]


@pytest.mark.parametrize("deleted", [True, False])
def test_alerts_of_a_rule_that_nobody_looks_at_end_silently(deleted: bool) -> None:
    pk, other = watched(add_channel().pk), add_rule("other")
    for each in (pk, other):
        records.settle(each, holds(cause()), now=NOON)
    looked_away = AlertRule.objects.filter(pk=pk)
    looked_away.delete() if deleted else looked_away.update(enabled=False)
    records.settle(pk, holds(cause("b")), now=LATER)
    assert records.end_what_nobody_watches(now=LATER) == 1
    assert list(Alert.objects.order_by("pk").values_list("recovered", flat=True)) == [LATER, None]
    assert len(messages()) == 1


def test_what_holds_on_costs_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    pk = watched()
    records.settle(pk, holds(cause()), now=NOON)
    with django_assert_num_queries(1):
        records.settle(pk, holds(cause()), now=LATER)


@pytest.mark.django_db(transaction=True)
def test_of_engines_that_find_a_cause_at_once_one_tells_it() -> None:
    pk = watched(add_channel().pk)
    start = Barrier(4)

    def settle(*causes: Cause) -> None:
        start.wait()
        while not settled(*causes):
            time.sleep(0.01)
        connection.close()

    def settled(*causes: Cause) -> bool:
        try:
            records.settle(pk, holds(*causes), now=NOON)
        except OperationalError:  # SQLite in memory lets nobody wait for a lock; an engine tries again as well
            return False
        return True

    for causes in ([cause()], []):
        threads = [Thread(target=settle, args=causes) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert Alert.objects.count() == 1
    assert messages() == [("mailbox", News.OPENED), ("mailbox", News.RECOVERED)]


# Messages -----------------------------------------------------------------------------------------------------------


def opened() -> tuple[int, Delivery]:
    """A channel and the message that waits for it."""
    channel = add_channel().pk
    records.settle(watched(channel), holds(cause()), now=NOON)
    return channel, Delivery.objects.get()


def begin(message: Delivery, now: datetime = NOON) -> records.Sending:
    message.refresh_from_db()
    held = records.begin_sending(message.pk, message.attempts, lease=LEASE, now=now)
    assert held is not None
    return held


def test_a_message_is_sent_by_whoever_takes_it_first() -> None:
    channel, message = opened()
    assert alerting.channels_to_serve(NOON) == [channel]
    found = alerting.next_message(channel, NOON)
    assert found is not None
    assert (found.delivery, found.news, found.attempts) == (message.pk, News.OPENED, 0)
    held = begin(message)
    assert records.begin_sending(message.pk, 0, lease=LEASE, now=NOON) is None
    assert alerting.channels_to_serve(NOON) == []
    assert records.has_sent(held, now=LATER)
    message.refresh_from_db()
    assert (message.state, message.sent, message.attempts) == (DeliveryState.SENT, LATER, 1)
    assert not records.has_sent(held, now=LATER)


def test_a_message_of_an_engine_that_died_is_sent_by_another_and_the_first_can_say_no_more() -> None:
    channel, message = opened()
    dead = begin(message)
    records.keep_sending([dead], lease=LEASE, now=LATER)
    assert alerting.next_message(channel, LATER + LEASE) is None
    after = LATER + LEASE + timedelta(seconds=1)
    assert alerting.next_message(channel, after) is not None
    alive = begin(message, after)
    assert not records.has_sent(dead, now=after)
    assert records.has_sent(alive, now=after)


def test_a_message_is_tried_again_after_ever_longer_waits_and_given_up_after_a_day() -> None:
    _, message = opened()
    now, waits = NOON, []
    while not records.not_sent(begin(message, now), "refused", first_wait=WAIT, now=now):
        message.refresh_from_db()
        waits.append((message.not_before - now).total_seconds())
        now = message.not_before
    message.refresh_from_db()
    assert waits[:9] == [10, 20, 40, 80, 160, 320, 640, 1280, 2560]
    assert set(waits[9:]) == {3600}
    assert timedelta(hours=23) < now - NOON <= timedelta(days=1)
    assert (message.state, message.problem) == (DeliveryState.GIVEN_UP, "refused")


def test_what_a_person_wants_sent_again_is_tried_for_another_day() -> None:
    channel, message = opened()
    records.give_up(begin(message), "410 Gone")
    assert alerting.next_message(channel, LATER) is None
    records.send_again(message.pk, by="eva", via="page", now=LATER)  # type: ignore[arg-type]
    assert not records.not_sent(begin(message, LATER), "refused", first_wait=WAIT, now=LATER)


def test_messages_of_a_disabled_channel_wait_until_it_is_enabled() -> None:
    channel, _ = opened()
    Channel.objects.update(enabled=False)
    assert alerting.next_message(channel, LATER) is None
    assert alerting.channels_to_serve(LATER) == []
    Channel.objects.update(enabled=True)
    assert alerting.next_message(channel, LATER) is not None


def test_nobody_is_told_of_an_end_before_the_beginning() -> None:
    channel, message = opened()
    held = begin(message)
    records.settle(AlertRule.objects.get().pk, holds(), now=LATER)
    assert alerting.next_message(channel, LATER - timedelta(minutes=4, seconds=50)) is None
    records.has_sent(held, now=LATER)
    found = alerting.next_message(channel, LATER)
    assert found is not None
    assert found.news is News.RECOVERED


def test_a_message_says_what_it_is_about() -> None:
    model = stage.add_model("Forest-1")
    benchmark = stage.finish(model, stage.add_version(7))
    channel = add_channel("hook", ChannelKind.WEBHOOK, "https://example.org/hook")
    records.settle(watched(channel.pk), holds(cause(model=model, benchmark=benchmark, metric="f1")), now=NOON)
    found = alerting.next_message(channel.pk, NOON)
    assert found is not None
    assert (found.channel, found.channel_kind, found.secret) == ("hook", ChannelKind.WEBHOOK, channel.secret)
    about = found.about
    assert about is not None
    assert (about.model, about.dataset, about.version, about.metric) == ("Forest-1", "impacts", 7, "f1")
