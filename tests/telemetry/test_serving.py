"""The dashboard under gunicorn, with several workers: what they count together, and what they log."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers import free_port

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-of-the-test"
SECONDS = 120.0


@dataclass(frozen=True)
class Served:
    """A gunicorn with two workers, the folder of its temporary files, and the file of its log."""

    process: subprocess.Popen[bytes]
    url: str
    temporary: Path
    log: Path

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
def served(tmp_path: Path) -> Iterator[Served]:
    port, temporary, log = free_port(), tmp_path / "tmp", tmp_path / "log"
    temporary.mkdir()
    environment = {
        **os.environ,
        "ATLAS_DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": "",
        "ATLAS_LOG_FORMAT": "json",
        "ATLAS_METRICS_TOKEN": TOKEN,
        "TMPDIR": str(temporary),
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=environment, check=True, cwd=ROOT)
    command = [sys.executable, "-m", "gunicorn", "--config", "python:atlas_web.gunicorn_config", "--workers", "2"]
    command += ["--bind", f"127.0.0.1:{port}"]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, env=environment, cwd=ROOT, stderr=output) as process,
    ):
        try:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}"))
            yield Served(process, f"http://127.0.0.1:{port}", temporary, log)
        finally:
            process.terminate()
            process.wait(SECONDS)


def test_workers_count_together_also_what_ended_ones_counted_and_every_line_is_json(served: Served) -> None:
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
    assert [path for path in served.temporary.iterdir() if path.name.startswith("atlas-metrics-")] == []
