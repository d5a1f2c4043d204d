"""A process that has imported what every benchmark needs, and forks a child for each:
`python -m … ORDERS BASE PARENT NAMESPACES`.

It is started by exec with an environment of its own, holds nothing of the engine's, and never loads a model itself.
Each message of the socket ORDERS is an order for one child, with two file descriptors: a connection to who asks for it
and a pipe for its output. The child confines itself, says over the connection which layers hold, and closes it before
it touches a model; later the zygote says over it how the child ended. A connection whose other side is shut ends its
child; when ORDERS closes, the engine is gone and all of it ends. BASE is the folder that all workspaces are in, and
PARENT the opened folder that this one is in. NAMESPACES is empty if bubblewrap has made some for it, else why not.
"""

import gc
import importlib
import os
import secrets
import selectors
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from atlas.formats.registry import OWN
from benchmark_engine.sandbox import stages
from benchmark_engine.sandbox.compat import adapt
from benchmark_engine.sandbox.confinement import Confinement, confine, unreachable_for_others
from benchmark_engine.sandbox.hugepages import use_huge_pages
from benchmark_engine.sandbox.limits import Limits
from benchmark_engine.sandbox.monitor import (
    Excess,
    excess,
    explaining,
    ran_out_of_cpu_time,
    resident_bytes_and_threads,
)
from benchmark_engine.sandbox.privileges import USERS
from benchmark_engine.sandbox.protocol import CHOSEN, Ended, Order, Stage, Started
from benchmark_engine.sandbox.removal import remove
from benchmark_engine.sandbox.spare import MAX_ORDER_BYTES, Spare, fork_spare
from benchmark_engine.sandbox.workspace import FIRST_GIVEN, INPUTS
from explainability.tree_shap import warm_up

ASKER = 3
"""The descriptor by which a child has its asker."""
LOOK_SECONDS = 0.03
"""How often the children are looked at."""
PRELOADED = (
    "skops.io",
    "pyarrow.pandas_compat",
    "narwhals._pandas_like.namespace",
    "narwhals.stable.v2._namespace",
    "librosa.core.spectrum",
    "librosa.core.pitch",
    *(f"atlas.formats.{name}" for name in OWN),
)
"""Slow to import, and inherited by every child; `skops.io` brings all of scikit-learn with it, but for what its checks
of data frames import when they see the first. No format brings its library before it is used. librosa, where it is
installed, has numba compile when it is imported, and keeps that where children can't write."""


@dataclass(slots=True)
class Child:
    """A running child, who ordered it, and what it had too much of."""

    pid: int
    pidfd: int
    asker: socket.socket
    order: Order
    excess: Excess | None = None
    is_ending: bool = False
    limits: Limits | None = None

    def current_limits(self, inherited_bytes: int) -> Limits:
        """Its limits, and from when it is told what to explain on, with what memory that leaves it."""
        if self.limits is None and self.order.stage is Stage.PREDICT and self._chosen.exists():
            self.limits = explaining(self.order.limits, self.pid, inherited_bytes)
        return self.limits or self.order.limits

    @property
    def _chosen(self) -> Path:
        return self.order.scratch.parent / INPUTS / CHOSEN


def main(orders_fd: int, base: Path, parent_fd: int, namespaces: str) -> None:
    """Fork a child for each order until the engine is gone."""
    for module in PRELOADED:
        with suppress(ImportError):
            importlib.import_module(module)
    warm_up()
    gc.collect()
    gc.freeze()
    use_huge_pages()
    orders = socket.socket(fileno=orders_fd)
    Zygote(orders, own_user=unreachable_for_others(base), namespaces=namespaces).serve()
    remove(base, parent=parent_fd)  # an engine that was killed could not


class Zygote:
    """The loop: orders, children that end or use too much, askers that leave, and the engine's end."""

    def __init__(self, orders: socket.socket, *, own_user: str, namespaces: str) -> None:
        self._orders = orders
        self._own_user = own_user
        self._namespaces = namespaces
        self._user_shift = 0 if namespaces else secrets.randbelow(USERS)
        self._pid = os.getpid()
        self._inherited_bytes = resident_bytes_and_threads(self._pid)[0]
        self._children: list[Child] = []
        self._rehearses = True
        self._spare: Spare | None = None
        self._looked = time.monotonic()
        self._selector = selectors.DefaultSelector()
        self._selector.register(orders, selectors.EVENT_READ, None)
        self._fork_spare()

    def serve(self) -> None:
        """Until there will be no more orders; then no child is left."""
        while self._selector.get_map().get(self._orders) is not None:
            for key, _ in self._selector.select(LOOK_SECONDS if self._children else None):
                if key.fileobj is self._orders:
                    self._take_order()
                elif isinstance(key.data, Spare):
                    self._lose(key.data)
                elif key.fd == key.data.pidfd:
                    self._bury(key.data)
                else:
                    self._end(key.data)
            if time.monotonic() > self._looked + LOOK_SECONDS:
                self._look()
        if self._spare is not None:
            self._spare.dismiss()
        for child in list(self._children):
            self._bury(child)

    def _take_order(self) -> None:
        message, fds, _, _ = socket.recv_fds(self._orders, MAX_ORDER_BYTES, 2)
        if not message:
            self._selector.unregister(self._orders)
            return
        connection, output_fd = fds
        spare = self._spare or self._fork_spare()
        self._selector.unregister(spare.pidfd)
        spare.take(message, connection, output_fd)
        os.close(output_fd)
        self._watch(Child(spare.pid, spare.pidfd, socket.socket(fileno=connection), Order.model_validate_json(message)))
        self._fork_spare()

    def _fork_spare(self) -> Spare:
        self._spare = fork_spare(self._work, rehearsed=self._rehearses)
        self._selector.register(self._spare.pidfd, selectors.EVENT_READ, self._spare)
        return self._spare

    def _lose(self, spare: Spare) -> None:
        """One that somebody has ended is replaced; one that may have ended of its rehearsal, by one without."""
        if spare is not self._spare:  # it has got its order since, and is heard of as a child
            return
        self._selector.unregister(spare.pidfd)
        spare.dismiss()
        self._spare = None
        if self._rehearses:
            self._rehearses = False
            self._fork_spare()

    def _work(self, order: Order, asker: socket.socket, output_fd: int) -> NoReturn:
        """In the child."""
        run_child(order, self._confinement(order), asker, output_fd)

    def _watch(self, child: Child) -> None:
        self._children.append(child)
        self._selector.register(child.pidfd, selectors.EVENT_READ, child)
        self._selector.register(child.asker, selectors.EVENT_READ, child)

    def _confinement(self, order: Order) -> Confinement:
        return Confinement(
            scratch=order.scratch,
            inputs=order.scratch.parent / INPUTS,
            given=tuple(f"/proc/self/fd/{FIRST_GIVEN + place}" for place in range(len(order.given))),
            limits=order.limits,
            parent=self._pid,
            own_user=self._own_user,
            namespaces=self._namespaces,
            user_shift=self._user_shift,
        )

    def _look(self) -> None:
        """End the children that use too much."""
        for child in self._children:
            if not child.is_ending:
                scratch, limits = str(child.order.scratch), child.current_limits(self._inherited_bytes)
                child.excess = excess(child.pid, scratch, limits, inherited_bytes=self._inherited_bytes)
                if child.excess:
                    self._end(child)
        self._looked = time.monotonic()

    def _end(self, child: Child) -> None:
        """Its end is heard of later, from its process."""
        if not child.is_ending:
            child.is_ending = True
            self._selector.unregister(child.asker)
            end_process(child.pid)

    def _bury(self, child: Child) -> None:
        """Say how a child ended, and forget it."""
        self._end(child)
        say(child.asker, ended(child))
        self._selector.unregister(child.pidfd)
        os.close(child.pidfd)
        child.asker.close()
        self._children.remove(child)


def ended(child: Child) -> Ended:
    """How a child that is ending has ended."""
    _, status, used = os.wait4(child.pid, 0)
    exit_code = os.waitstatus_to_exitcode(status)
    out_of_time = ran_out_of_cpu_time(exit_code, used.ru_utime + used.ru_stime, child.order.limits)
    return Ended(exit_code=exit_code, excess=child.excess or (Excess.CPU_TIME if out_of_time else None))


def end_process(pid: int) -> None:
    """End a child, and all of its session."""
    for kill in (os.kill, os.killpg):
        with suppress(ProcessLookupError):
            kill(pid, signal.SIGKILL)


def say(asker: socket.socket, message: Started | Ended) -> None:
    """Tell who ordered a child; whoever has left is not told."""
    with suppress(OSError):
        asker.sendall(message.model_dump_json().encode() + b"\n")


def run_child(order: Order, confinement: Confinement, asker: socket.socket, output_fd: int) -> NoReturn:
    """Do one stage in its scratch folder, within its walls, and end."""
    code = 1
    try:
        asker = enter(order, output_fd, asker)
        walls = confine(confinement)
        refused = "" if order.trusted else walls.gaps
        say(asker, Started(layers=tuple(walls.held), missing=walls.missing, refused=refused))
        asker.close()
        if not refused:
            adapt(order.limits.threads)
            stages.STAGES[order.stage]()
            code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:  # noqa: BLE001 - process boundary
        import traceback

        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
        finally:  # whatever the model made of it
            os._exit(code & 0xFF)  # what the model left running, such as threads, does not keep the child alive


def enter(order: Order, output_fd: int, asker: socket.socket) -> socket.socket:
    """A session of its own, the scratch folder as home, the output in its pipe, and nothing else open but what is given
    and the asker, as it is from now on."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(output_fd, 1)
    os.dup2(output_fd, 2)
    asker_fd = os.dup2(asker.detach(), ASKER)
    os.closerange(ASKER + 1, os.sysconf("SC_OPEN_MAX"))
    for place, path in enumerate(order.given):
        open_at(FIRST_GIVEN + place, path)
    os.chdir(order.scratch)
    home = str(order.scratch)
    os.environ.update(HOME=home, TMPDIR=home, MPLCONFIGDIR=home, NUMBA_CACHE_DIR=home, JOBLIB_TEMP_FOLDER=home)
    tempfile.tempdir = home
    return socket.socket(fileno=asker_fd)


def open_at(descriptor: int, path: Path) -> None:
    """Open a file or folder to read, under that descriptor: a user of its own may have no way to it by name."""
    opened = os.open(path, os.O_PATH if path.is_dir() else os.O_RDONLY)
    os.dup2(opened, descriptor)
    os.close(opened)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
