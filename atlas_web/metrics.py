"""What the dashboard's `/metrics` looks up: how much there is of everything, and what waits or is silent."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.utils import timezone
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from atlas.states import ComponentState, State
from storage.components import Component
from storage.standing import Figures, figures
from telemetry.families import age_seconds, gauge, gauges


def looked_up() -> Iterable[Metric]:
    """All of them, as of now."""
    now = timezone.now()
    found = figures(now)
    yield from _queue(found, now)
    yield gauges("atlas_benchmarks", "Benchmarks by state", "state", found.benchmarks)
    yield gauges("atlas_benchmarks_failed", "Benchmarks that failed for good, by class", "failure", found.failures)
    yield gauges("atlas_models", "Model files by state", "state", found.models)
    yield gauge("atlas_dataset_versions", "Dataset versions of all tags", found.versions)
    yield gauges("atlas_alerts_open", "Alerts that nobody has acknowledged, by kind", "kind", found.alerts)
    yield gauge("atlas_alert_messages_waiting", "Messages about alerts that are still to be sent", found.messages)
    yield from _components(found.components, now)


def _queue(found: Figures, now: datetime) -> Iterator[Metric]:
    yield gauge("atlas_queue_benchmarks", "Benchmarks that wait for an engine", found.benchmarks[State.QUEUED])
    waits = age_seconds(found.waits_since, now)
    yield gauge("atlas_queue_oldest_seconds", "How long the oldest benchmark that may start has waited", waits)
    yield gauge("atlas_queue_paused", "1 while a person pauses the queue", float(found.paused))


def _components(components: Iterable[Component], now: datetime) -> Iterator[Metric]:
    """Those that were heard of: 1 for the state that each is in, and for how long it has been silent."""
    states = GaugeMetricFamily(
        "atlas_component_state", "1 for the state that a component is in", labels=["component", "state"]
    )
    silence = GaugeMetricFamily(
        "atlas_component_silent_seconds", "Time since a component's last sign of life", labels=["component"]
    )
    for component in components:
        if component.state is not None:
            for state in ComponentState:
                states.add_metric([component.name, state.value], float(component.state is state))
        if component.seen is not None:
            silence.add_metric([component.name], age_seconds(component.seen, now))
    yield states
    yield silence
