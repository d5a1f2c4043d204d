"""What the ingestion engine counts, and what its `/metrics` looks up."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter

from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client import Histogram
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from ingestion_engine.models import Recording, RecordingState, Tag, Version
from telemetry.families import age_seconds, gauge

DECODING = Histogram(
    "atlas_recording_decode_seconds",
    "Time that decoding a recording took, whatever became of it",
    buckets=(0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600),
)


@contextmanager
def decoding() -> Iterator[None]:
    """A recording is decoded in the block."""
    began = perf_counter()
    try:
        yield
    finally:
        DECODING.observe(perf_counter() - began)


def looked_up() -> Iterable[Metric]:
    """How much there is, as of now."""
    counted = dict(Recording.objects.order_by().values_list("state").annotate(Count("pk")))
    recordings = GaugeMetricFamily("atlas_recordings", "Recordings by state", labels=["state"])
    for state in RecordingState:
        recordings.add_metric([state.value], counted.get(state.value, 0))
    yield recordings
    waiting = Recording.objects.filter(state=RecordingState.WAITING).aggregate(since=Min("received"))
    oldest = age_seconds(waiting["since"], timezone.now())
    yield gauge("atlas_recording_oldest_waiting_seconds", "How long the oldest recording has waited", oldest)
    yield gauge("atlas_ingestion_tags", "Tags that name a query", Tag.objects.count())
    yield gauge("atlas_ingestion_versions", "Dataset versions that were made", Version.objects.count())
