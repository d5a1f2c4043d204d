"""What the dashboard tells Prometheus of the database."""

from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client import CollectorRegistry
from pytest_django import DjangoAssertNumQueries

from atlas.states import ComponentState
from atlas.watching import DeliveryState
from atlas_web.metrics import looked_up
from storage import records
from telemetry.exposition import FromDatabase
from tests import alerts, stage

pytestmark = pytest.mark.django_db

QUERIES = 9


def value(name: str, **labels: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(FromDatabase(looked_up))
    return registry.get_sample_value(name, labels)


def test_an_empty_database_shows_noughts() -> None:
    assert value("atlas_queue_benchmarks") == 0
    assert value("atlas_queue_oldest_seconds") == 0
    assert value("atlas_benchmarks", state="failed") == 0
    assert value("atlas_benchmarks_failed", failure="out of memory") == 0
    assert value("atlas_alerts_open", kind="drop") == 0
    assert value("atlas_component_state", component="engine", state="healthy") is None


def test_benchmarks_and_models_are_counted_by_state_and_class_of_failure() -> None:
    model, version = stage.add_model(), stage.add_version()
    stage.finish(model, version)
    stage.fail(stage.add_model("Other-1.0.0-1"), version)
    stage.add_invalid_file("broken", "It is no bundle.")
    assert value("atlas_benchmarks", state="done") == 1
    assert value("atlas_benchmarks", state="failed") == 1
    assert value("atlas_benchmarks_failed", failure="load error") == 1
    assert value("atlas_models", state="ready") == 2
    assert value("atlas_models", state="invalid") == 1
    assert value("atlas_dataset_versions") == 1


def test_the_queue_has_a_length_and_an_age() -> None:
    stage.queue(stage.add_model(), stage.add_version(), now=timezone.now() - timedelta(hours=1))
    stage.queue(stage.add_model("Other-1.0.0-1"), stage.add_version(2), now=timezone.now() + timedelta(hours=1))
    assert value("atlas_queue_benchmarks") == 2
    assert value("atlas_queue_oldest_seconds") == pytest.approx(3600, abs=300)
    assert value("atlas_queue_paused") == 0
    records.pause(by="ilse", reason="maintenance", now=timezone.now())
    assert value("atlas_queue_paused") == 1


def test_components_say_their_state_and_how_long_they_were_silent() -> None:
    now = timezone.now()
    records.report_status("engine", ComponentState.HEALTHY, "", now=now)
    records.report_status("storage", ComponentState.HEALTHY, "", now=now - timedelta(hours=1))
    assert value("atlas_component_state", component="engine", state="healthy") == 1
    assert value("atlas_component_state", component="engine", state="down") == 0
    assert value("atlas_component_state", component="storage", state="down") == 1
    assert value("atlas_component_silent_seconds", component="storage") == pytest.approx(3600, abs=300)
    assert value("atlas_component_silent_seconds", component="ingestion") is None


def test_alerts_that_nobody_knows_of_and_messages_that_wait_are_counted() -> None:
    alert, channel = alerts.add_alert(), alerts.add_channel().pk
    alerts.add_alert("Known", acknowledged=timezone.now())
    alerts.add_delivery(alert, channel, DeliveryState.WAITING)
    alerts.add_delivery(alerts.add_alert("Sent"), channel, DeliveryState.SENT)
    assert value("atlas_alerts_open", kind="drop") == 2
    assert value("atlas_alert_messages_waiting") == 1


def test_looking_takes_a_fixed_number_of_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    version = stage.add_version()
    for number in range(5):
        stage.queue(stage.add_model(f"Forest-1.0.{number}-1"), version)
    with django_assert_num_queries(QUERIES):
        list(looked_up())
