"""The engine looks at rules: at everything once, and then only at what is new."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from pytest_django import DjangoAssertNumQueries

from atlas.states import ComponentState
from atlas.watching import AlertKind
from benchmark_engine.alerting import LOOK_AGAIN, Seen, look_after_alerts
from benchmark_engine.connector import Connector
from storage import records
from storage.models import Alert, AlertRule
from tests import stage
from tests.alerts import add_channel, add_rule
from tests.benchmark_engine.conftest import at
from tests.samples import NOON, result

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

Look = Callable[..., list[tuple[str, bool]]]


@pytest.fixture
def look(connector: Connector) -> Look:
    """Has one engine look so long after noon, and tells the alerts: their text, and whether they are open."""
    AlertRule.objects.all().delete()
    seen = Seen()

    def after(seconds: float = 0) -> list[tuple[str, bool]]:
        look_after_alerts(replace(connector, clock=at(NOON + timedelta(seconds=seconds))), seen)
        return [(alert.text, alert.recovered is None) for alert in Alert.objects.order_by("pk")]

    return after


def test_what_is_wrong_now_is_told_though_the_rule_is_newer(look: Look) -> None:
    model = stage.add_model("Forest-1")
    stage.finish(model, stage.add_version(1), result(f1=0.5))
    assert look() == []
    add_rule(kind=AlertKind.METRIC, threshold=0.7)
    low = "F1 of Forest-1 is 0.500 on impacts v1"
    assert look(1) == [(low, True)]
    stage.finish(model, stage.add_version(2), result(f1=0.4), now=NOON + timedelta(seconds=2))
    assert look(3) == [("F1 of Forest-1 is 0.400 on impacts v2", True)]
    stage.finish(model, stage.add_version(3), result(f1=0.9), now=NOON + timedelta(seconds=4))
    assert look(5) == [("F1 of Forest-1 is 0.400 on impacts v2", False)]
    stage.finish(model, stage.add_version(4), result(f1=0.5), now=NOON + timedelta(seconds=6))
    assert look(7)[1] == ("F1 of Forest-1 is 0.500 on impacts v4", True)


def test_with_nothing_new_a_look_costs_a_few_cheap_queries(
    look: Look, django_assert_num_queries: DjangoAssertNumQueries, connector: Connector
) -> None:
    add_rule(kind=AlertKind.METRIC, threshold=0.7)
    stage.finish(stage.add_model(), stage.add_version(), result(f1=0.5))
    seen = Seen()
    look_after_alerts(connector, seen)
    with django_assert_num_queries(5):  # rules, three parts of the stamp, components
        look_after_alerts(connector, seen)


def test_what_no_stamp_tells_of_is_seen_within_a_minute(look: Look) -> None:
    add_rule(kind=AlertKind.FAILED)
    benchmark = stage.fail(stage.add_model("Forest-1"), stage.add_version())
    assert look() == [("Forest-1 failed on impacts v1", True)]
    records.delete_benchmarks([benchmark], by="eva", via="page", now=NOON)  # type: ignore[arg-type]
    assert look(LOOK_AGAIN.total_seconds()) == [("Forest-1 failed on impacts v1", False)]


def test_an_engine_whose_looks_take_long_rests_in_between(connector: Connector) -> None:
    AlertRule.objects.all().delete()
    add_rule(kind=AlertKind.FAILED)
    model, seen = stage.add_model("Forest-1"), Seen()
    times = iter([0, 2, 2])
    look_after_alerts(replace(connector, clock=lambda: NOON + timedelta(seconds=next(times))), seen)
    stage.fail(model, stage.add_version(), now=NOON)
    look_after_alerts(replace(connector, clock=at(NOON + timedelta(seconds=19))), seen)
    assert Alert.objects.count() == 0
    look_after_alerts(replace(connector, clock=at(NOON + timedelta(seconds=20))), seen)
    assert Alert.objects.count() == 1


@pytest.mark.parametrize("gone", ["deleted", "disabled"])
def test_a_rule_that_is_gone_ends_its_alerts_silently(look: Look, gone: str) -> None:
    pk = add_rule(kind=AlertKind.FAILED, channels=frozenset([add_channel().pk]))
    stage.fail(stage.add_model("Forest-1"), stage.add_version())
    look()
    if gone == "deleted":
        AlertRule.objects.filter(pk=pk).delete()
    else:
        AlertRule.objects.filter(pk=pk).update(enabled=False)
    assert look(1) == [("Forest-1 failed on impacts v1", False)]
    assert Alert.objects.get().deliveries.count() == 1


def test_components_are_looked_at_each_time(look: Look) -> None:
    add_rule(kind=AlertKind.DOWN)
    say("ingestion", ComponentState.HEALTHY)
    assert look() == []
    say("ingestion", ComponentState.DOWN)
    assert look(1) == [("Ingestion is down", True)]
    say("ingestion", ComponentState.HEALTHY, NOON + timedelta(seconds=2))
    assert look(2) == [("Ingestion is down", False)]
    assert look(200)[-1] == ("Ingestion is down", True)
    assert len(look(200)) == 2


def say(component: str, state: ComponentState, now: datetime = NOON) -> None:
    records.report_status(component, state, "as it is", now=now)


def test_each_installation_begins_with_rules_that_tell_nobody() -> None:
    AlertRule.objects.all().delete()
    import_module("storage.migrations.0009_first_alert_rules").add(apps, None)
    found = {rule.name: (AlertKind(rule.kind), rule.threshold) for rule in AlertRule.objects.filter(by="Atlas")}
    assert found == {
        "A score fell": (AlertKind.DROP, None),
        "A benchmark failed": (AlertKind.FAILED, None),
        "Much of the data has moved": (AlertKind.DRIFT, 0.5),
        "A part of the pipeline is down": (AlertKind.DOWN, None),
    }
