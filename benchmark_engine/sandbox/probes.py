"""What no model may do, tried in earnest by a child that plays a hostile model, for `atlas sandbox-check`."""

import ctypes
import os
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

from benchmark_engine.sandbox.protocol import Probe

NO_NAMES = "no names of files outside"
"""The one promise that needs bubblewrap."""

ADDRESS = ("192.0.2.1", 9)
"""Of a block that is kept for documentation: nothing answers there."""
PTRACE_ATTACH = 16


class EscapeError(Exception):
    """Something succeeded that no model may do."""


def tried() -> tuple[Probe, ...]:
    """Every promise of the sandbox, put to the test."""
    return tuple(_outcome(promise, attempt) for promise, attempt in _attempts())


def _attempts() -> Iterator[tuple[str, Callable[[], object]]]:
    yield "no network", _connect
    yield "no datagrams", _send_datagram
    yield "no other sockets", lambda: socket.socket(socket.AF_UNIX).close()
    yield "no files of the system", lambda: Path("/etc/passwd").read_bytes()
    yield "no files of the engine", lambda: list(Path("../..").iterdir())
    yield NO_NAMES, lambda: Path("/etc/passwd").stat()
    yield "no writing outside its folder", lambda: Path("../inputs/poison").write_text("poison")
    yield "no look into other processes", lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes()
    yield "no grip on other processes", _attach
    yield "no signals to other processes", lambda: os.kill(os.getppid(), signal.SIGCONT)
    yield "no child processes", _fork
    yield "no other programs", _execute
    yield "no higher limits", _raise_limit
    yield "no other user", _become_root
    yield "no memory without end", _take_memory


def _outcome(promise: str, attempt: Callable[[], object]) -> Probe:
    try:
        attempt()
    except (OSError, ValueError, MemoryError) as error:
        return Probe(promise=promise, contained=True, outcome=f"{type(error).__name__}: {error}")
    except EscapeError as escape:
        return Probe(promise=promise, contained=False, outcome=str(escape))
    return Probe(promise=promise, contained=False, outcome="it was possible")


def _connect() -> None:
    with closing(socket.socket()) as opened:
        opened.settimeout(0.1)
        opened.connect(ADDRESS)


def _send_datagram() -> None:
    with closing(socket.socket(type=socket.SOCK_DGRAM)) as opened:
        opened.sendto(b"", ADDRESS)


def _attach() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(PTRACE_ATTACH, os.getppid(), None, None) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _fork() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _execute() -> None:
    """A program that there is not: whoever may execute is told so, and this process goes on."""
    with suppress(FileNotFoundError):
        os.execv("/no/such/program", ["program"])  # noqa: S606 - without a shell, on purpose


def _raise_limit() -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[0], limits[1] + 1))


def _become_root() -> None:
    os.setresuid(0, 0, 0)


def _take_memory() -> None:
    """More than this child may have, whatever the machine has; untouched pages cost nothing."""
    bytearray(64 << 30)
