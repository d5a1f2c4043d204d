"""The engine and its worker are killed at many moments: nothing acknowledged is lost, and nothing is half there."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from atlas.ingestion import IngestionClient, RecordingDescription, RecordingState
from tests.ingestion_engine.engine import COMPONENTS_TOKEN
from tests.ingestion_engine.server import MANAGE, person_token, prepared, wait_until
from tests.servers import free_port

pytestmark = pytest.mark.system
EVENTS = 3000
CUTS = 4
PART_BYTES = 20_000
LABELS = "start,end,label\n" + "".join(f"{second},{second}.5,dent\n" for second in range(0, 50, 5))


class Mortal:
    """An engine with all its processes, which can lose its power and be started again."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment, self._token = environment, person_token(environment)
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        command = [sys.executable, str(MANAGE), "run_ingestion", "--port", str(self._port)]
        self._process = subprocess.Popen(command, env=self._environment, cwd="/")
        wait_until(self._is_well)

    def send(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **arguments: Any
    ) -> httpx.Response:
        """The answer to a request that is acknowledged."""
        bearer = {"Authorization": f"Bearer {self._token}", **(headers or {})}
        answer = httpx.request(method, f"{self.url}/api/v1/{path}", headers=bearer, timeout=30, **arguments)
        return answer.raise_for_status()

    def kill(self) -> None:
        """Kill all processes at once, as a power cut does."""
        known = psutil.Process(self._process.pid)
        for each in [known, *known.children(recursive=True)]:
            try:
                os.kill(each.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.wait()

    def _is_well(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz").is_success
        except httpx.HTTPError:
            return False


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Mortal]:
    with prepared(tmp_path) as environment:
        mortal = Mortal(environment)
        yield mortal
        mortal.kill()


@contextmanager
def asking(url: str) -> Iterator[IngestionClient]:
    client = IngestionClient(url, token=COMPONENTS_TOKEN, attempts=1)
    try:
        yield client
    finally:
        client.close()


def table(number: int) -> bytes:
    """A recording of events that no other number has."""
    return b"label,speed\n" + b"".join(b"dent,%d\n" % (number * EVENTS + row) for row in range(EVENTS))


def samples() -> bytes:
    """A recording of signals, a minute long."""
    return b"time,air\n" + b"".join(b"%.2f,%d\n" % (row / 100, row % 7) for row in range(6000))


def final(url: str, name: str) -> RecordingDescription:
    """The recording, once it is decoded."""
    with asking(url) as client:
        wait_until(lambda: client.recording(name).state.is_final)
        return client.recording(name)


def test_recordings_that_were_acknowledged_become_ready_by_themselves(engine: Mortal) -> None:
    for number in range(CUTS):
        content = table(number)
        engine.send("POST", "recordings", files={"file": (f"r{number}.csv", content)})
        time.sleep(0.1 * number)
        engine.kill()
        engine.start()
        found = final(engine.url, f"r{number}")
        assert (found.state, found.events) == (RecordingState.READY, EVENTS)
        assert found.sha256 == hashlib.sha256(content).hexdigest()
    with asking(engine.url) as client:
        assert client.create_tag("all").versions[-1].rows == CUTS * EVENTS


def test_an_upload_in_parts_goes_on_where_the_power_was_cut(engine: Mortal) -> None:
    content = table(1)
    told = {
        "name": "parts",
        "filename": "parts.csv",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    received = 0
    while received < len(content):
        upload = engine.send("POST", "uploads", json=told).json()
        assert upload["received_bytes"] >= received, "a part that was acknowledged is there"
        received = upload["received_bytes"]
        part = content[received : received + PART_BYTES]
        headers = {"Upload-Offset": str(received)}
        sent = engine.send("PUT", f"uploads/{upload['id']}", content=part, headers=headers).json()
        received = sent["received_bytes"]
        engine.kill()
        engine.start()
    assert final(engine.url, "parts").events == EVENTS


def test_labels_that_were_acknowledged_are_applied_once(engine: Mortal) -> None:
    for number in range(2):
        name = f"ride{number}"
        engine.send("PUT", f"recordings/{name}/labels", content=LABELS)
        engine.send("POST", "recordings", files={"file": (f"{name}.csv", samples())})
        time.sleep(0.3 * number)
        engine.kill()
        engine.start()
        found = final(engine.url, name)
        assert (found.state, found.events, found.losses) == (RecordingState.READY, 10, ())
