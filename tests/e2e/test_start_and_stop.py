"""Every process fails at once where it cannot begin, and ends in good order where it is told to."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import migrated
from tests.e2e.installation import PATIENCE_SECONDS, ROOT
from tests.e2e.installation import answers as lives
from tests.servers import free_port

pytestmark = pytest.mark.system

MANAGE = (sys.executable, "manage.py")
PROCESSES = {
    "dashboard": (sys.executable, "-m", "gunicorn", "--config", "python:atlas_web.gunicorn_config"),
    "ingestion": (*MANAGE, "run_ingestion", "--port", "0"),
    "engine": (*MANAGE, "run_engine"),
    "messenger": (*MANAGE, "send_alerts"),
    "training": (sys.executable, "-m", "training_engine", "config.yaml"),
}
WRONG = {
    "dashboard": ("ATLAS_WEB_WORKERS", "many"),
    "ingestion": ("ATLAS_DECODE_SECONDS", "-1"),
    "engine": ("ATLAS_WORKERS", "many"),
    "messenger": ("ATLAS_SMTP_URL", "ftp://mail"),
    "training": ("ATLAS_INGESTION_TOKEN_FILE", "/nowhere/token"),
}
Ended = dict[str, tuple[int, str]]
"""Exit status and output of each process."""
BODY = "username=ilse&password=wrong"


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """That of a process which keeps everything in a folder."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ATLAS_", "DATABASE_"))}
    return inherited | {"ATLAS_DATA_DIR": str(folder), "ATLAS_WEB_ADDRESS": "127.0.0.1:0"} | variables


@pytest.fixture
def ended(tmp_path: Path) -> Callable[[dict[str, dict[str, str]]], Ended]:
    """Starts processes at the same time, each with variables of its own and a database without tables."""

    def start(variables: dict[str, dict[str, str]]) -> Ended:
        running = {
            name: subprocess.Popen(
                PROCESSES[name],
                cwd=ROOT,
                env=environment(tmp_path, **own),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for name, own in variables.items()
        }
        outputs = {name: process.communicate(timeout=200)[0] for name, process in running.items()}
        return {name: (process.returncode, outputs[name]) for name, process in running.items()}

    return start


def test_a_wrong_setting_ends_each_process_with_the_line_that_names_it(ended: Callable[..., Ended]) -> None:
    for name, (status, output) in ended({name: dict([wrong]) for name, wrong in WRONG.items()}).items():
        assert status != 0, name
        assert sum(WRONG[name][0] in line for line in output.splitlines()) == 1, output
        assert "Traceback" not in output, output


def test_without_tables_no_process_begins(ended: Callable[..., Ended]) -> None:
    for name, (status, output) in ended({name: {} for name in PROCESSES if name != "training"}).items():
        assert status != 0, name
        assert "run manage.py prepare" in output, output
        assert "Traceback" not in output, output


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[list[tuple[subprocess.Popen[bytes], int]]]:
    """The dashboard and the ingestion engine, which answer, and their ports."""
    migrated.file(tmp_path)
    ports = (free_port(), free_port())
    commands = (PROCESSES["dashboard"], (*MANAGE, "run_ingestion", "--port", str(ports[1])))
    known = environment(tmp_path, ATLAS_WEB_ADDRESS=f"127.0.0.1:{ports[0]}")
    processes = [subprocess.Popen(command, cwd=ROOT, env=known) for command in commands]
    try:
        for port in ports:
            _wait_until(port, answers=True)
        yield list(zip(processes, ports, strict=True))
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_a_request_that_is_under_way_is_answered_before_a_process_ends(
    serving: list[tuple[subprocess.Popen[bytes], int]],
) -> None:
    for process, port in serving:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as half_sent:
            half_sent.sendall(_head_of_a_form())
            assert half_sent.recv(100).startswith(b"HTTP/1.1 100 Continue")  # a thread reads it now
            process.terminate()
            _wait_until(port, answers=False)
            half_sent.sendall(BODY.encode())
            answer = half_sent.makefile("rb").read().decode()
        assert answer.startswith("HTTP/1.1 403")
        assert "This form has expired" in answer
        assert process.wait(60) == 0


def _head_of_a_form() -> bytes:
    lines = (
        "POST /login/ HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(BODY)}",
        "Expect: 100-continue",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _wait_until(port: int, *, answers: bool) -> None:
    """Wait until a server answers, or takes nobody in any more."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while lives(f"http://127.0.0.1:{port}/healthz") != answers:
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
