"""Where a process without pages can be looked at: `/metrics` and `/healthz` at `ATLAS_METRICS_ADDRESS`."""

import shutil
import threading
import time
from collections.abc import Mapping
from functools import partial
from hmac import compare_digest
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import disable_created_metrics, make_wsgi_app
from pydantic import Field

from atlas.settings import Settings
from benchmark_engine import metrics
from benchmark_engine.serving import Server

STUCK_SECONDS = 60.0
"""What has not been heard of for so long is stuck."""
VARIABLE = "ATLAS_METRICS_ADDRESS"
NOTHING = (HTTPStatus.NOT_FOUND, "There is nothing here.")
NO_FOLDERS: Mapping[str, Path] = MappingProxyType({})


class WatchSettings(Settings):
    """Where a process can be looked at."""

    metrics_address: str = Field(
        "", pattern=r"^(.+:\d+)?$", description="host:port where /metrics and /healthz answer; nowhere if unset"
    )


class Pulse:
    """Remembers when each of a process' loops gave its last sign; any thread may call it."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def beat(self, loop: str) -> None:
        """This loop goes round."""
        self._last[loop] = time.monotonic()

    def trouble(self) -> str:
        """What is stuck, as a sentence; empty if nothing is. A loop that never gave a sign is not known yet."""
        now = time.monotonic()
        silent = {loop: now - last for loop, last in self._last.items() if now - last > STUCK_SECONDS}
        stuck = ", ".join(f"{loop} ({seconds:.0f} s)" for loop, seconds in sorted(silent.items()))
        return f"No sign of life from: {stuck}." if stuck else ""


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


class Watched:
    """The application behind the address, as WSGI wants it.

    Args:
        pulse: of the process.
        token: what must be shown to read the metrics; whoever reaches the address may if it is empty.
        folders: those whose disks' free space is told, by what they are for.
    """

    def __init__(self, pulse: Pulse, token: str = "", folders: Mapping[str, Path] = NO_FOLDERS) -> None:
        self._pulse = pulse
        self._allowed = f"Bearer {token}".encode() if token else b""
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._metrics = make_wsgi_app()
        for name, folder in folders.items():
            metrics.DISK_FREE.labels(name).set_function(partial(_free_bytes, folder))

    def __call__(self, request: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        """Answer a request."""
        if request["PATH_INFO"] == "/metrics" and self._may_ask(request):
            return list(self._metrics(request, start_response))
        status, text = (
            self._health() if request["PATH_INFO"] == "/healthz" else (HTTPStatus.NOT_FOUND, "There is nothing here.")
        )
        body = f"{text}\n".encode()
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]

    def _may_ask(self, request: WSGIEnvironment) -> bool:
        given = request.get("HTTP_AUTHORIZATION", "").encode("latin-1")
        return not self._allowed or compare_digest(given, self._allowed)

    def _health(self) -> tuple[HTTPStatus, str]:
        trouble = self._pulse.trouble()
        return (HTTPStatus.SERVICE_UNAVAILABLE, trouble) if trouble else (HTTPStatus.OK, "ok")


class Watch:
    """Answers at an address while the `with` block runs, in a thread of its own; nowhere if the address is empty.

    Raises:
        SettingsError: the address cannot be had.
    """

    def __init__(self, address: str, watched: Watched) -> None:
        self._stop = threading.Event()
        self._server = Server(address, watched, variable=VARIABLE) if address else None
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    @property
    def port(self) -> int:
        """Where it answers; 0 for nowhere."""
        return self._server.port if self._server else 0

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        if self._server is not None:
            self._server.run(self._stop)
