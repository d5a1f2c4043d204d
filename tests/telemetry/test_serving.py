"""The dashboard under gunicorn, with several workers: what they count together, and what they log."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests import migrated
from tests.servers import free_port

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-of-the-test"
SECONDS = 120.0


@dataclass
class Traces:
    """What an OpenTelemetry collector was sent: the service and the name of each span."""

    spans: list[tuple[str, str]] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [(named["service.name"], span.name) for span in scope.spans]


@pytest.fixture
def traces() -> Iterator[tuple[Traces, str]]:
    """A collector, and its address."""
    taken = Traces()

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(HTTPStatus.OK)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - likewise
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield taken, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@dataclass(frozen=True)
class Served:
    """A gunicorn with two workers, the folder of its temporary files, and the file of its log."""

    process: subprocess.Popen[bytes]
    url: str
    temporary: Path
    log: Path
    traces: Traces

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def get(self, address: str, headers: Mapping[str, str]) -> str:
        return httpx.get(f"{self.url}{address}", headers=dict(headers), timeout=SECONDS).raise_for_status().text

    def counted(self) -> float:
        """How often the page of the sign-in was asked for."""
        shown = self.get("/metrics", {"Authorization": f"Bearer {TOKEN}"})
        found = [line for line in shown.splitlines() if 'status="2xx",view="login"' in line]
        return sum(float(line.rpartition(" ")[2]) for line in found)


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}/healthz", timeout=SECONDS).is_success
    return False


@pytest.fixture
def served(tmp_path: Path, traces: tuple[Traces, str]) -> Iterator[Served]:
    port, temporary, log = free_port(), tmp_path / "tmp", tmp_path / "log"
    temporary.mkdir()
    environment = {
        **os.environ,
        "ATLAS_DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": "",
        "ATLAS_LOG_FORMAT": "json",
        "ATLAS_METRICS_TOKEN": TOKEN,
        "TMPDIR": str(temporary),
        "OTEL_EXPORTER_OTLP_ENDPOINT": traces[1],
    }
    migrated.file(tmp_path / "data")
    command = [sys.executable, "-m", "gunicorn", "--config", "python:atlas_web.gunicorn_config", "--workers", "2"]
    command += ["--bind", f"127.0.0.1:{port}"]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, env=environment, cwd=ROOT, stderr=output) as process,
    ):
        try:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}"))
            yield Served(process, f"http://127.0.0.1:{port}", temporary, log, traces[0])
        finally:
            process.terminate()
            process.wait(SECONDS)


def test_workers_count_together_write_json_and_trace_requests(
    served: Served,
) -> None:
    for number in range(10):
        served.get("/login/", {"X-Request-ID": f"request-{number}"})
    assert served.counted() == 10
    served.process.send_signal(signal.SIGHUP)
    wait_until(lambda: sum("Booting worker" in line["message"] for line in served.lines()) == 4)
    wait_until(lambda: sum("Worker exiting" in line["message"] for line in served.lines()) == 2)
    served.get("/login/", {})
    assert served.counted() == 11
    served.process.terminate()
    served.process.wait(SECONDS)
    asked = {line.get("request") for line in served.lines() if line["logger"] == "gunicorn.access"}
    assert {f"request-{number}" for number in range(10)} <= asked
    assert served.traces.spans.count(("atlas-dashboard", "GET login/")) == 11
    assert {name for _, name in served.traces.spans} == {"GET login/"}
    assert [path for path in served.temporary.iterdir() if path.name.startswith("atlas-metrics-")] == []
