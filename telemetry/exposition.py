"""`/metrics` of a process that serves pages: what its workers counted, and what the database says at that moment."""

import os
from collections.abc import Callable, Iterable

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, disable_created_metrics, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from telemetry.tracing import untraced

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which the library lets several processes count together, in files of that folder."""
SCHEME = "Bearer "

Collect = Callable[[], Iterable[Metric]]


class FromDatabase(Collector):
    """Metrics that are looked up when they are asked for."""

    def __init__(self, collect: Collect) -> None:
        self._collect = collect

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        return self._collect()


def exposed(collect: Collect) -> Callable[[HttpRequest], HttpResponse]:
    """The view that shows what `collect` looks up and what was counted, to who has the token; for others it is not
    there."""

    @login_not_required
    @require_safe
    def metrics(request: HttpRequest) -> HttpResponse:
        if not _may_ask(request):
            raise Http404
        registry = CollectorRegistry()
        registry.register(FromDatabase(collect))
        with untraced():
            found = generate_latest(registry)
        return HttpResponse(_counted() + found, content_type=CONTENT_TYPE_LATEST)

    return metrics


def _may_ask(request: HttpRequest) -> bool:
    token: str = settings.ATLAS_METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    return bool(token) and given.startswith(SCHEME) and constant_time_compare(given.removeprefix(SCHEME), token)


def _counted() -> bytes:
    """What all processes counted that share a folder; without one, what this process did."""
    if SHARED_FOLDER not in os.environ:
        # As where several count together; when a count began is no count.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
