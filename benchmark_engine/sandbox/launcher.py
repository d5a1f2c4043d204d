"""Starts the sandboxed child, watches it, and says how it ended."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from atlas.results import Failure
from atlas.states import FailureClass
from benchmark_engine.sandbox.protocol import OUTPUT

POLL_SECONDS = 0.05
KEPT_OUTPUT_BYTES = 64 << 10
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one benchmark may use.

    Attributes:
        wall_seconds: from start to end.
        memory_bytes: of address space.
        file_bytes: of the largest file that it writes, its output included.
        threads: of the numeric libraries.
    """

    wall_seconds: float = 600.0
    memory_bytes: int = 8 << 30
    file_bytes: int = 1 << 30
    threads: int = 1


class Stage(StrEnum):
    """What a child is asked to do."""

    PREDICT = "predict"
    MEASURE = "measure"


class Ending(StrEnum):
    """How a child ended."""

    BY_ITSELF = "by itself"
    TIMEOUT = "timeout"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a child ended: its exit code is negative where a signal ended it."""

    ending: Ending
    exit_code: int
    output: str
    wall_seconds: float


def run(stage: Stage, scratch: Path, *, limits: Limits, stop: threading.Event) -> Outcome:
    """Run the child for one stage in its scratch folder, until it ends, its time is over, or `stop` is set.

    The child gets an environment of its own with no credentials in it, a session of its own that ends as a whole, and
    the limits; it sets those that a process sets for itself before it imports anything.
    """
    started = time.monotonic()
    with (scratch / OUTPUT).open("wb") as output:
        child = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benchmark_engine.sandbox.child",
                stage,
                str(limits.memory_bytes),
                str(limits.file_bytes),
            ],
            cwd=scratch,
            env=_environment(scratch, limits.threads),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        ending = _watch(child, deadline=started + limits.wall_seconds, stop=stop)
    return Outcome(
        ending=ending,
        exit_code=child.wait(),
        output=kept_output(scratch / OUTPUT),
        wall_seconds=time.monotonic() - started,
    )


def _environment(scratch: Path, threads: int) -> dict[str, str]:
    fixed = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "PYTHONUNBUFFERED": "1",
    }
    return fixed | dict.fromkeys(THREAD_VARIABLES, str(threads))


def _watch(child: subprocess.Popen[bytes], *, deadline: float, stop: threading.Event) -> Ending:
    try:
        while child.poll() is None:
            if time.monotonic() > deadline:
                return Ending.TIMEOUT
            if stop.is_set():
                return Ending.STOPPED
            stop.wait(POLL_SECONDS)
        return Ending.BY_ITSELF
    finally:
        _end_session(child)


def _end_session(child: subprocess.Popen[bytes]) -> None:
    """End the child and all that it started: its session is gone as a whole."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


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
    if outcome.ending is Ending.TIMEOUT or outcome.exit_code == -signal.SIGXCPU:
        kind, reason = FailureClass.TIMEOUT, f"It was not done after {limits.wall_seconds:,.0f} s."
    elif outcome.ending is Ending.STOPPED:
        kind, reason = FailureClass.LOST_WORKER, "The engine was stopped while it ran."
    elif outcome.exit_code == -signal.SIGKILL:
        kind, reason = FailureClass.OUT_OF_MEMORY, "The operating system ended it, most likely for want of memory."
    elif outcome.exit_code < 0:
        name = signal.Signals(-outcome.exit_code).name
        kind, reason = FailureClass.CRASH, f"The model crashed the process ({name}): a library or the file is damaged."
    else:
        kind, reason = FailureClass.CRASH, f"The model ended the process itself, with exit code {outcome.exit_code}."
    return Failure(failure_class=kind, reason=reason, output=outcome.output)
