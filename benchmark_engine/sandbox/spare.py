"""A child that is forked before it is ordered, so that no benchmark waits for the fork, nor for its memory to become
its own: it has already gone once through what all of them do first."""

import io
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import joblib
import numpy as np
import pyarrow as pa
from sklearn.linear_model import LogisticRegression

from atlas.formats import Meaning, format_named
from atlas.metrics import Needs
from atlas.vocabulary import Task
from benchmark_engine.sandbox.privileges import end_with
from benchmark_engine.sandbox.protocol import Order

SPARE, MODEL = "atlas-spare", "atlas-model"
"""What the kernel calls a child before and after it has its order."""
ORDER = 3
"""The descriptor by which it is given its order."""
MAX_ORDER_BYTES = 1 << 16
COLUMNS = ("one", "two")

Work = Callable[[Order, socket.socket, int], NoReturn]


@dataclass(frozen=True, slots=True)
class Spare:
    """A child without an order."""

    pid: int
    pidfd: int
    orders: socket.socket

    def take(self, order: bytes, connection: int, output: int) -> None:
        """Give it an order. If it has just ended, that will be seen of its process."""
        with suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(self.orders, [order], [connection, output])
        self.orders.close()

    def dismiss(self) -> None:
        """Have it end, and wait until it is gone."""
        self.orders.close()
        os.waitpid(self.pid, 0)
        os.close(self.pidfd)


def fork_spare(work: Work, *, rehearsed: bool) -> Spare:
    """A child that waits for an order, and then works on it. `rehearsed`: having gone through a small one before."""
    ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _wait(theirs.detach(), parent, work, rehearsed=rehearsed)
    theirs.close()
    return Spare(pid, os.pidfd_open(pid), ours)


def _wait(orders: int, parent: int, work: Work, *, rehearsed: bool) -> NoReturn:
    try:
        os.dup2(orders, ORDER)
        os.closerange(ORDER + 1, os.sysconf("SC_OPEN_MAX"))
        with suppress(OSError):  # it ends with the zygote all the same, when nothing more can be ordered
            end_with(parent)
        _call_itself(SPARE)
        if rehearsed:
            rehearse()
        message, fds, _, _ = socket.recv_fds(socket.socket(fileno=ORDER), MAX_ORDER_BYTES, 2)
        if message and tasks() == 1:
            _call_itself(MODEL)
            work(Order.model_validate_json(message), socket.socket(fileno=fds[0]), fds[1])
    finally:
        os._exit(0)


def tasks() -> int:
    """How many threads this process has; walls would hold for one only."""
    return len(os.listdir("/proc/self/task"))  # noqa: PTH208 - only their number


def _call_itself(name: str) -> None:
    with suppress(OSError):
        Path("/proc/self/comm").write_text(name)


def rehearse() -> None:
    """Load a model and predict rows as a benchmark does, without what starts threads."""
    written = io.BytesIO()
    joblib.dump(_fitted(), written)
    written.seek(0)
    meaning = Meaning(task=Task.BINARY, classes=(0, 1))
    model = format_named("joblib").adapt(joblib.load(written), meaning)
    rows = pa.table({name: np.linspace(-1, 1, 64) for name in COLUMNS}).to_pandas(use_threads=False)
    for part in (rows, rows[:1]):
        model.predict(part, {Needs.LABELS, Needs.PROBABILITIES})


def _fitted() -> LogisticRegression:
    """A model that was never fitted, as fitting starts threads."""
    model = LogisticRegression()
    model.classes_, model.n_features_in_ = np.array([0, 1]), len(COLUMNS)
    model.feature_names_in_ = np.array(COLUMNS, dtype=object)
    model.coef_, model.intercept_ = np.ones((1, len(COLUMNS))), np.zeros(1)
    return model
