"""A process that has imported what every benchmark needs, and forks a child for each: `python -m … LISTENER LIFELINE`.

It is started by exec with an environment of its own, holds nothing of the engine's, and never loads a model itself.
Each connection to the listener asks for one child; the zygote answers with the child's process id, and later with how
it ended. A connection that closes ends its child; when the lifeline closes, the engine is gone and all of it ends.
"""

import ctypes
import gc
import json
import os
import resource
import selectors
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
MAX_REQUEST_BYTES = 1 << 16
PRELOADED = ("benchmark_engine.sandbox.stages", "joblib", "skops.io", "sklearn.ensemble", "shap")
"""Slow to import, and inherited by every child."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running child and who asked for it."""

    pid: int
    pidfd: int
    asker: socket.socket


def main(listener_fd: int, lifeline_fd: int) -> None:
    """Import, then fork a child for each request until the engine is gone."""
    for module in PRELOADED:
        with suppress(ImportError):
            import_module(module)
    gc.collect()
    gc.freeze()
    Zygote(socket.socket(fileno=listener_fd), lifeline_fd).serve()


class Zygote:
    """The loop: requests, children that end, askers that leave, and the engine's end."""

    def __init__(self, listener: socket.socket, lifeline_fd: int) -> None:
        self._listener = listener
        self._lifeline_fd = lifeline_fd
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ, None)
        self._selector.register(lifeline_fd, selectors.EVENT_READ, None)

    def serve(self) -> None:
        """Until the lifeline closes. The children end with this process."""
        while True:
            for key, _ in self._selector.select():
                if key.fd == self._lifeline_fd:
                    return
                if key.fileobj is self._listener:
                    self._start()
                else:
                    self._hear(key.data, ended=key.fd == key.data.pidfd)

    def _start(self) -> None:
        asker, _ = self._listener.accept()
        request, fds, _, _ = socket.recv_fds(asker, MAX_REQUEST_BYTES, 1)
        if not request or not fds:
            asker.close()
            return
        pid = os.fork()
        if pid == 0:
            run_child(json.loads(request), fds[0])
        os.close(fds[0])
        child = Child(pid, os.pidfd_open(pid), asker)
        self._selector.register(child.pidfd, selectors.EVENT_READ, child)
        self._selector.register(asker, selectors.EVENT_READ, child)
        with suppress(OSError):
            asker.sendall(f"{pid}\n".encode())

    def _hear(self, child: Child, *, ended: bool) -> None:
        """The child has ended, or its asker has left and the child has to end."""
        if child.pidfd not in self._selector.get_map():
            return
        end_session(child.pid)
        _, status = os.waitpid(child.pid, 0)
        self._selector.unregister(child.pidfd)
        self._selector.unregister(child.asker)
        os.close(child.pidfd)
        if ended:
            with suppress(OSError):
                child.asker.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
        child.asker.close()


def end_session(pid: int) -> None:
    """End a child and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def run_child(request: dict[str, str | int], output_fd: int) -> None:
    """Do one stage in its scratch folder, within its limits, and end."""
    code = 1
    try:
        enter(str(request["scratch"]), output_fd)
        confine(int(request["memory_bytes"]), int(request["file_bytes"]))
        from benchmark_engine.sandbox.stages import STAGES

        STAGES[str(request["stage"])]()
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:  # noqa: BLE001 - process boundary
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code & 0xFF)  # what a model left running, such as threads, does not keep the child alive


def enter(scratch: str, output_fd: int) -> None:
    """A session of its own, the scratch folder as home, the output in its file, and nothing else that is open."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(output_fd, 1)
    os.dup2(output_fd, 2)
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    os.chdir(scratch)
    os.environ.update(HOME=scratch, TMPDIR=scratch)
    tempfile.tempdir = scratch


def confine(memory_bytes: int, file_bytes: int) -> None:
    """End with the zygote, gain no rights, leave no core file, and keep to the limits."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for limit, value in (
        (resource.RLIMIT_AS, address_space_bytes() + memory_bytes),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def address_space_bytes() -> int:
    """What this process has mapped already: the libraries of the zygote."""
    with open("/proc/self/statm") as file:  # noqa: PTH123 - imports as little as it can
        return int(file.read().split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
