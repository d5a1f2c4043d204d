"""Metrics that are looked up rather than counted, in the form that Prometheus reads."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from prometheus_client.metrics_core import GaugeMetricFamily

Word = TypeVar("Word", bound=StrEnum)


def gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    """One number."""
    return GaugeMetricFamily(name, text, value=value)


def gauges(name: str, text: str, label: str, values: Mapping[Word, float]) -> GaugeMetricFamily:
    """A number for each word of an enumeration, also where it is 0: so a rate or a sum is never missing."""
    family = GaugeMetricFamily(name, text, labels=[label])
    for word, value in values.items():
        family.add_metric([word.value], value)
    return family


def age_seconds(since: datetime | None, now: datetime) -> float:
    """How long ago something was; 0 if it is not at all, or is still to come by another machine's clock."""
    return max((now - since).total_seconds(), 0.0) if since else 0.0
