"""Atlas' processes: started together, watched, and stopped in order. None outlives the demo."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from atlas_web.environment import ROOT
from demo.errors import DemoError

START_SECONDS = 60.0
STOP_SECONDS = 40.0
POLL_SECONDS = 0.2
TAIL_LINES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A process that was started."""

    title: str
    child: "subprocess.Popen[bytes]"


class Processes:
    """The processes of one run. `environment` is added to what they inherit; each prints to a file in `logs`."""

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._environment = {**os.environ, **environment}
        self._running: list[Running] = []

    def start(self, title: str, *arguments: str) -> Running:
        """Start `python ARGUMENTS`, which has to run until it is stopped."""
        started = self._spawn(title, arguments)
        self._running.append(started)
        return started

    def run(self, title: str, *arguments: str, meanwhile: Callable[[], object]) -> int:
        """Run `python ARGUMENTS` to its end, calling `meanwhile` now and then; its exit status."""
        passing = self._spawn(title, arguments)
        try:
            while passing.child.poll() is None:
                self.check()
                meanwhile()
                time.sleep(POLL_SECONDS)
        finally:
            _stop(passing)
        return passing.child.returncode

    def tail(self, title: str) -> str:
        """The last lines that the process of this title printed."""
        return "\n".join(self._log(title).read_text(errors="replace").splitlines()[-TAIL_LINES:])

    def check(self) -> None:
        """Notice a process that ended by itself.

        Raises:
            DemoError: one did; the message has the last lines that it printed.
        """
        for process in self._running:
            status = process.child.poll()
            if status is not None:
                raise DemoError(
                    f"The {process.title} ended by itself with status {status}. The end of its log "
                    f"{self._log(process.title)}:\n{self.tail(process.title)}"
                )

    def wait_until(self, ready: Callable[[], bool], what: str, *, seconds: float = START_SECONDS) -> None:
        """Wait for something that the processes bring about.

        Raises:
            DemoError: it did not come in time, or a process ended.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise DemoError(f"{what} after {seconds:.0f} seconds. What the processes say is in {self._logs}.")
            time.sleep(POLL_SECONDS)

    def stop(self, tell: Callable[[str], object]) -> None:
        """Stop all of them, the last started first, and tell each one's title."""
        while self._running:
            process = self._running.pop()
            tell(process.title)
            _stop(process)

    def _spawn(self, title: str, arguments: tuple[str, ...]) -> Running:
        """In a session of its own: Ctrl-C reaches the demo alone, which then stops the others in order."""
        with self._log(title).open("wb") as output:
            child = subprocess.Popen(
                [sys.executable, "-m", "demo.tether", str(os.getpid()), sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=self._environment,
                start_new_session=True,
            )
        return Running(title=title, child=child)

    def _log(self, title: str) -> Path:
        return self._logs / f"{title.replace(' ', '-')}.log"


def _stop(process: Running) -> None:
    if process.child.poll() is not None:
        return
    process.child.terminate()
    try:
        process.child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.child.pid, signal.SIGKILL)
        process.child.wait()


def answers(url: str) -> bool:
    """Whether a server gives any answer that is not a fault of its own."""
    try:
        return not httpx.get(url, timeout=10).is_server_error
    except httpx.TransportError:
        return False


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
