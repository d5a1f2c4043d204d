"""Running the decoding of a file in a process of its own: one that crashes, hangs or takes all memory fails alone.

The processes are forked from a server that has loaded the libraries and knows neither the tables nor the settings.
"""

import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext, ForkServerProcess

from atlas.errors import AtlasError
from ingestion_engine import decoding
from ingestion_engine.decoding import Job

PR_SET_PDEATHSIG = 1
LOOK_SECONDS = 0.2


class StoppedError(AtlasError):
    """The engine ends; whoever runs next decodes the file."""


class CrashedError(AtlasError):
    """The process that decoded the file ended before it was done."""


class TooLongError(AtlasError):
    """Decoding the file took longer than allowed."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What decoding one file may take."""

    memory_bytes: int = 4 << 30
    seconds: float = 3600.0


def run(job: Job, limits: Limits, meanwhile: Callable[[], None]) -> None:
    """Decode a file; what becomes of it lies in the job's folder. `meanwhile` is called some times a second.

    Raises:
        CrashedError: the process ended before it was done.
        TooLongError: it took longer than allowed.
        Whatever `meanwhile` raises; the process is ended then.
    """
    process = _context().Process(target=_decode, args=(job, limits.memory_bytes), daemon=True)
    process.start()
    try:
        _wait(process, limits.seconds, meanwhile)
    finally:
        process.kill()
        process.join()
        status = process.exitcode
        process.close()
    if status:
        raise CrashedError(
            f"the process that decoded the file ended with status {status}; it may need more memory than it is allowed"
        )


def _wait(process: ForkServerProcess, seconds: float, meanwhile: Callable[[], None]) -> None:
    deadline = time.monotonic() + seconds
    while process.is_alive():
        if time.monotonic() > deadline:
            raise TooLongError(f"decoding the file took longer than {seconds:g} seconds")
        meanwhile()
        process.join(LOOK_SECONDS)


@cache
def _context() -> ForkServerContext:
    context = get_context("forkserver")
    context.set_forkserver_preload([decoding.__name__])
    return context


def _decode(job: Job, memory_bytes: int) -> None:
    """In the process: keep to the limits, then decode."""
    if sys.platform == "linux":  # the server that forks ends with the worker, and this process with the server
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()  # Ctrl-C reaches the worker alone
    # Unlike the address space, the data segment does not count files that are mapped, as long signals are.
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    decoding.decode(job)
