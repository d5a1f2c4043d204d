"""Has the zygote start a child for each stage of a benchmark, watches it, and says how it ended."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from atlas.results import Failure
from atlas.states import FailureClass
from benchmark_engine.sandbox.protocol import OUTPUT

POLL_SECONDS = 0.1
START_SECONDS = 120.0
"""How long the first child may wait for the zygote's imports."""
KEPT_OUTPUT_BYTES = 64 << 10
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one benchmark may use.

    Attributes:
        wall_seconds: from start to end.
        memory_bytes: of address space, besides that of the libraries which are loaded beforehand.
        file_bytes: of the largest file that it writes, its output included.
    """

    wall_seconds: float = 600.0
    memory_bytes: int = 8 << 30
    file_bytes: int = 1 << 30


class Stage(StrEnum):
    """What a child is asked to do."""

    PREDICT = "predict"
    MEASURE = "measure"


class Ending(StrEnum):
    """How a child ended."""

    BY_ITSELF = "by itself"
    TIMEOUT = "timeout"
    STOPPED = "stopped"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a child ended: its exit code is negative where a signal ended it."""

    ending: Ending
    exit_code: int
    output: str
    wall_seconds: float


class Sandbox:
    """Starts children with an environment of their own, in a session of their own that ends as a whole.

    Threads share it. The zygote behind it starts with the `with` block, and anew if it ever ends.
    """

    def __init__(self, *, threads: int = 1) -> None:
        """The numeric libraries of each child use `threads` threads."""
        self._threads = threads
        self._lock = threading.Lock()
        self._zygote: _Zygote | None = None

    def __enter__(self) -> Self:
        self._connected().close()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the zygote, and with it all children."""
        with self._lock:
            if self._zygote is not None:
                self._zygote.close()
            self._zygote = None

    def run(self, stage: Stage, scratch: Path, *, limits: Limits, stop: threading.Event) -> Outcome:
        """Run one stage in its scratch folder until it ends, its time is over, or `stop` is set."""
        request = {
            "stage": stage,
            "scratch": str(scratch),
            "memory_bytes": limits.memory_bytes,
            "file_bytes": limits.file_bytes,
        }
        with (scratch / OUTPUT).open("wb") as output, self._connected() as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # a zygote that dies now is seen below
                socket.send_fds(connection, [json.dumps(request).encode()], [output.fileno()])
            _, ending = _heard(connection, deadline=time.monotonic() + START_SECONDS, stop=stop)
            started = time.monotonic()
            exit_code = -signal.SIGKILL
            if ending is Ending.BY_ITSELF:
                exit_code, ending = _heard(connection, deadline=started + limits.wall_seconds, stop=stop)
            wall_seconds = time.monotonic() - started
        kept = kept_output(scratch / OUTPUT)
        return Outcome(ending=ending, exit_code=exit_code, output=kept, wall_seconds=wall_seconds)

    def _connected(self) -> socket.socket:
        with self._lock:
            if self._zygote is None or self._zygote.has_ended:
                self._zygote = _Zygote(self._threads)
            return self._zygote.connect()


class _Zygote:
    """The process of `zygote.py`, seen from the engine."""

    def __init__(self, threads: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="atlas-zygote-")
        self._address = f"{self._folder.name}/socket"
        self._lifeline, theirs = socket.socketpair()
        with socket.socket(socket.AF_UNIX) as listener, theirs:
            listener.bind(self._address)
            listener.listen(128)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmark_engine.sandbox.zygote", str(listener.fileno()), str(theirs.fileno())],
                cwd=self._folder.name,
                env=_environment(self._folder.name, threads),
                stdin=subprocess.DEVNULL,
                pass_fds=[listener.fileno(), theirs.fileno()],
                start_new_session=True,
            )

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._address)
        return connection

    def close(self) -> None:
        self._lifeline.close()
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()


def _environment(home: str, threads: int) -> dict[str, str]:
    """All that a child's environment holds: nothing of the engine's, and no credentials."""
    fixed = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": home, "TMPDIR": home, "PYTHONUNBUFFERED": "1"}
    return fixed | dict.fromkeys(THREAD_VARIABLES, str(threads))


def _heard(connection: socket.socket, *, deadline: float, stop: threading.Event) -> tuple[int, Ending]:
    """Wait for the next number from the zygote: the child's id, then its exit code.

    Who stops waiting closes the connection, which ends the child.
    """
    answer = b""
    while not answer.endswith(b"\n"):
        if time.monotonic() > deadline:
            return -signal.SIGKILL, Ending.TIMEOUT
        if stop.is_set():
            return -signal.SIGKILL, Ending.STOPPED
        if select.select([connection], [], [], POLL_SECONDS)[0]:
            part = _received(connection)
            if not part:
                return -signal.SIGKILL, Ending.LOST
            answer += part
    return int(answer), Ending.BY_ITSELF


def _received(connection: socket.socket) -> bytes:
    """One byte, so that a number that follows at once is left for later; none if the zygote is gone."""
    try:
        return connection.recv(1)
    except ConnectionResetError:
        return b""


def kept_output(path: Path) -> str:
    """The first and the last 64 KiB of what was printed."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= 2 * KEPT_OUTPUT_BYTES:
            kept = file.read()
        else:
            first = file.read(KEPT_OUTPUT_BYTES)
            file.seek(size - KEPT_OUTPUT_BYTES)
            left_out = f"\n[… {size - 2 * KEPT_OUTPUT_BYTES:,} bytes left out …]\n".encode()
            kept = first + left_out + file.read(KEPT_OUTPUT_BYTES)
    return kept.decode("utf-8", errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def failure(outcome: Outcome, limits: Limits) -> Failure:
    """Why a child that gave no answer gave none, for a person."""
    kind, reason = _explained(outcome, limits)
    return Failure(failure_class=kind, reason=reason, output=outcome.output)


def _explained(outcome: Outcome, limits: Limits) -> tuple[FailureClass, str]:
    if outcome.ending is Ending.TIMEOUT:
        return FailureClass.TIMEOUT, f"It was not done after {limits.wall_seconds:,.0f} s."
    if outcome.ending is Ending.STOPPED:
        return FailureClass.LOST_WORKER, "The engine was stopped while it ran."
    if outcome.ending is Ending.LOST:
        return FailureClass.LOST_WORKER, "The process that it ran in was ended from outside."
    if outcome.exit_code == -signal.SIGKILL:
        return FailureClass.OUT_OF_MEMORY, "The operating system ended it, most likely for want of memory."
    if outcome.exit_code < 0:
        name = signal.Signals(-outcome.exit_code).name
        return FailureClass.CRASH, f"The model crashed the process ({name}): a library or the file is damaged."
    return FailureClass.CRASH, f"The model ended the process itself, with exit code {outcome.exit_code}."
