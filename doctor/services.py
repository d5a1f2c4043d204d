"""Whether the ingestion engine and the dashboard answer, and how the components say that they are."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.utils import timezone

from atlas.errors import IngestionError, IngestionUnavailableError
from atlas.ingestion import IngestionClient, IngestionSettings
from atlas.states import ComponentState
from benchmark_engine.delivery_settings import DeliverySettings
from doctor.findings import Finding, broken, doubtful, well
from storage import queries
from storage.queries import Component

TIMEOUT_SECONDS = 5.0
SHORT = timedelta(days=14)
"""A certificate should hold for so long at least."""
LONG_WAIT = timedelta(hours=1)
INGESTION, DASHBOARD, CERTIFICATE, QUEUE = "ingestion engine", "dashboard", "certificate", "queue"
INGESTION_REMEDY = "Start it with manage.py run_ingestion, and set ATLAS_INGESTION_URL to where it listens."
DASHBOARD_REMEDY = "Start it, and set ATLAS_DASHBOARD_URL to where people reach it."
COMPONENTS_REMEDY = "The database has to answer first, with the tables of this release."


def look_at_ingestion() -> Iterator[Finding]:
    """Ask the ingestion engine whether it lives, and whether it takes this process' token."""
    given = IngestionSettings.from_environment()
    _answer(f"{given.ingestion_url.rstrip('/')}/healthz")
    yield well(INGESTION, f"It answers at {given.ingestion_url}.")
    try:
        token = given.kept_token(settings.ENVIRONMENT.data_dir)
        client = IngestionClient(given.ingestion_url, token=token, timeout_seconds=TIMEOUT_SECONDS, attempts=1)
        with closing(client):
            tags = len(client.tags())
    except IngestionUnavailableError:
        raise
    except IngestionError as error:
        yield broken(INGESTION, f"It refuses this process: {error}", "Give both the same ATLAS_INGESTION_TOKEN.")
    else:
        yield well(INGESTION, f"It speaks version 1 of the API, and has {tags} tags.")


def look_at_dashboard() -> Iterator[Finding]:
    """Ask the dashboard whether it lives, and how long its certificate holds."""
    url = DeliverySettings.from_environment().dashboard_url
    if urlsplit(url).scheme == "https":
        yield _certificate(url, datetime.now(UTC))
    _answer(f"{url.rstrip('/')}/healthz")
    yield well(DASHBOARD, f"It answers at {url}.")


def _answer(url: str) -> None:
    httpx.get(url, timeout=TIMEOUT_SECONDS).raise_for_status()


def _certificate(url: str, now: datetime) -> Finding:
    parts = urlsplit(url)
    host = parts.hostname or ""
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, parts.port or 443), timeout=TIMEOUT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as encrypted,
    ):
        ends = ssl.cert_time_to_seconds(str((encrypted.getpeercert() or {})["notAfter"]))
    left = datetime.fromtimestamp(ends, UTC) - now
    said = f"It holds for {left.days} more days."
    return doubtful(CERTIFICATE, said, "Renew it.") if left < SHORT else well(CERTIFICATE, said)


def look_at_components() -> Iterator[Finding]:
    """Tell the signs of life that components gave, and how long benchmarks have waited."""
    now = timezone.now()
    for component in queries.components(now, queued=queries.counters().queued):
        yield _of(component)
    yield _waiting(queries.longest_wait(now))


def _of(component: Component) -> Finding:
    part = component.name
    if component.state is None:
        return doubtful(part, "Nobody has heard of it yet.", "Start it, if it is to run.")
    if component.state is ComponentState.HEALTHY:
        return well(part, f"It is well: {component.message}")
    seen = f"It gave no sign of life since {component.seen:%Y-%m-%d %H:%M} UTC. " if component.seen else ""
    said = f"{seen if component.silent else ''}{component.message}" or "It has never run, and benchmarks wait for it."
    judge = broken if component.state is ComponentState.DOWN else doubtful
    return judge(part, said, "Look at its log, and start it again.")


def _waiting(age: timedelta) -> Finding:
    if queries.pause():
        return doubtful(QUEUE, "It is paused.", "Resume it on the page Administration when you are done.")
    if age > LONG_WAIT:
        said = f"A benchmark has waited for {age / timedelta(hours=1):.1f} hours."
        return doubtful(QUEUE, said, "Start more engines, or read their logs.")
    return well(QUEUE, "No benchmark has waited for long.")
