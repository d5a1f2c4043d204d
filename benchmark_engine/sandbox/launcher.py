"""Has the zygote start a child for each stage of a benchmark, watches it, and says how it ended."""

import math
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import TypeAdapter

import benchmark_engine
from atlas.results import Failure, Progress
from atlas.states import FailureClass
from benchmark_engine import metrics
from benchmark_engine.sandbox import oom
from benchmark_engine.sandbox.base import Base
from benchmark_engine.sandbox.bubblewrap import BubblewrapError, Wrapped, Wrapper, wrapper
from benchmark_engine.sandbox.compat import THREAD_VARIABLES
from benchmark_engine.sandbox.layers import Bubblewrap, Layer
from benchmark_engine.sandbox.limits import Limits, cpu_bound_seconds
from benchmark_engine.sandbox.monitor import Excess
from benchmark_engine.sandbox.output import Output
from benchmark_engine.sandbox.protocol import PROGRESS, AnswerError, Ended, Order, Stage, Started, read_document
from benchmark_engine.sandbox.removal import opened
from benchmark_engine.sandbox.workspace import Workspace, workspace

MESSAGE: TypeAdapter[Started | Ended] = TypeAdapter(Started | Ended)
"""The second may come without the first: from a child that was killed before its walls stood."""

POLL_SECONDS = 0.05
REPORT_SECONDS = 0.5
"""A phase is reported when it begins, and how far it is every so often."""
MOST_PROGRESS_BYTES = 1_000
START_SECONDS = 120.0
"""How long the first child may wait for the zygote's imports."""
END_SECONDS = 30.0
"""How long a child that is killed may take to go."""


class Ending(StrEnum):
    """How a child ended."""

    BY_ITSELF = "by itself"
    REFUSED = "refused"
    EXCESS = "excess"
    STARVED = "starved"
    TIMEOUT = "timeout"
    STOPPED = "stopped"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a child ended.

    Attributes:
        scratch: where it wrote its answers.
        ending: who or what ended it.
        exit_code: negative where a signal ended it.
        excess: what it had too much of.
        refused: why it was not started in earnest: the layers that are missing.
        layers: those that held.
        missing: those that did not hold, with the reason.
        output: what it printed, in part.
        wall_seconds: from when its layers held.
    """

    scratch: Path
    ending: Ending
    exit_code: int
    excess: Excess | None
    refused: str
    layers: tuple[Layer, ...]
    missing: dict[Layer, str]
    output: str
    wall_seconds: float


Heard = Callable[[Path, Progress], float | None]
"""Is told where a child writes and how far it is, as it says itself; may say how many seconds it has from now on."""


def unheard(_scratch: Path, _progress: Progress) -> None:
    """What a child says of itself when nobody wants to know."""


class Sandbox:
    """Starts children with an environment of their own, in a session of their own that ends as a whole.

    Threads share it. The zygote behind it starts with the `with` block, and anew if it ever ends.
    """

    def __init__(
        self,
        *,
        threads: int = 1,
        trusted: bool = False,
        bubblewrap: Bubblewrap = Bubblewrap.AUTO,
        readable: Sequence[Path] = (),
    ) -> None:
        """The numeric libraries of each child use `threads` threads; `trusted` ones run without required layers too.

        `readable` are folders that hold what children are given, besides their workspaces.

        Raises:
            BubblewrapError: bubblewrap is required, and does not run here.
        """
        self._trusted = trusted
        self._lock = threading.Lock()
        self._zygote: _Zygote | None = None
        self._base = Base()
        self.base = self._base.path
        home = self.base / "zygote-home"
        home.mkdir(mode=0o700)
        compiled = compiled_code()
        self._environment = environment(home, threads) | {"NUMBA_CACHE_DIR": str(compiled or home)}
        try:
            writable = [self.base, *([compiled] if compiled else [])]
            self._wrapper = wrapper(bubblewrap, writable, self._environment, readable)
        except BubblewrapError:
            self._base.close()
            raise

    def __enter__(self) -> Self:
        with self._lock:
            self._started()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the zygote, and with it all children."""
        with self._lock:
            if self._zygote is not None:
                self._zygote.close()
            self._zygote = None
        self._base.close()

    def workspace(self) -> AbstractContextManager[Workspace]:
        """The folders of one benchmark."""
        return workspace(self.base)

    def run(
        self,
        stage: Stage,
        folders: Workspace,
        *,
        limits: Limits,
        stop: threading.Event,
        heard: Heard = unheard,
    ) -> Outcome:
        """Run one stage in a new scratch folder until it ends, its time is over, it uses too much, or `stop` is set."""
        scratch = folders.new_scratch()
        order = Order(stage=stage, scratch=scratch, given=tuple(folders.given), limits=limits, trusted=self._trusted)
        with closing(Output()) as output, self._ordered(order, output) as connection:
            outcome = _Watch(connection, output, limits, stop, _Listener(scratch, heard)).outcome(scratch)
        _count(outcome)
        return outcome

    def _ordered(self, order: Order, output: Output) -> socket.socket:
        with self._lock:
            zygote = self._started()
        try:
            return zygote.order(order, output.writer)
        finally:
            output.close_writer()

    def _started(self) -> "_Zygote":
        if self._zygote is not None and self._zygote.has_ended:
            self._zygote.close()
            self._zygote = None
            metrics.ZYGOTES.inc()
        if self._zygote is None:
            self._zygote = _Zygote(self._environment, self._base, self._wrapper)
        return self._zygote


class _Zygote:
    """The process of `zygote.py`, seen from the engine."""

    def __init__(self, environment: dict[str, str], base: Base, wrapper: Wrapper) -> None:
        self._orders, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with theirs, opened(str(base.path.parent)) as parent:
            arguments = (str(theirs.fileno()), str(base.path), str(parent), wrapper.missing)
            self._process = Wrapped(
                wrapper,
                [sys.executable, "-m", "benchmark_engine.sandbox.zygote", *arguments],
                environment=environment,
                pass_fds=[theirs.fileno(), parent, base.lock],
            )

    @property
    def has_ended(self) -> bool:
        return self._process.has_ended

    def order(self, order: Order, output: int) -> socket.socket:
        """Where the child will be heard of, and what ends it when it is shut down; at its end if the zygote is gone."""
        ours, theirs = socket.socketpair()
        with theirs, suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(self._orders, [order.model_dump_json().encode()], [theirs.fileno(), output])
        return ours

    def close(self) -> None:
        self._process.end()
        self._orders.close()


def _count(outcome: Outcome) -> None:
    """Count how a child ended, and why if it was made to."""
    metrics.CHILDREN.labels(outcome.ending).inc()
    if outcome.excess is not None:
        metrics.KILLS.labels(outcome.excess).inc()
    elif outcome.exit_code == -signal.SIGSYS:
        metrics.KILLS.labels("system call").inc()
    elif outcome.ending not in (Ending.BY_ITSELF, Ending.REFUSED):
        metrics.KILLS.labels(outcome.ending).inc()


def compiled_code() -> Path | None:
    """A folder of this user alone, where a zygote finds what numba has compiled for one before; children can't write
    there. None if there can be none: then each zygote compiles it for itself, which takes seconds."""
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "atlas" / "compiled"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = folder.stat()
    except (OSError, RuntimeError):  # no home
        return None
    is_own = owner.st_uid == os.geteuid() and not owner.st_mode & 0o077
    return folder if is_own and os.access(folder, os.W_OK) else None


def environment(home: Path, threads: int) -> dict[str, str]:
    """All that a child's environment holds: nothing of the engine's but where its code is, and no credentials."""
    fixed = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "TMPDIR": str(home),
        "PYTHONPATH": str(Path(str(benchmark_engine.__file__)).parent.parent),
        "PYTHONUNBUFFERED": "1",
        "GOMP_SPINCOUNT": "20000",  # threads that wait longer by turning take the time of others where cores are busy
        "MALLOC_ARENA_MAX": "2",  # each further one takes 64 MiB of the address space that a child may have
    }
    return fixed | dict.fromkeys(THREAD_VARIABLES, str(threads))


class _EndedEarlyError(Exception):
    """Whoever watches a child stops waiting for it."""

    def __init__(self, ending: Ending, excess: Excess | None = None) -> None:
        super().__init__(ending)
        self.ending = ending
        self.excess = excess


class _Listener:
    """Passes on what a child says of its progress, as often as it is worth a look."""

    def __init__(self, scratch: Path, heard: Heard) -> None:
        self._scratch = scratch
        self._heard = heard
        self._look_at = self._tell_at = 0.0
        self._last: Progress | None = None
        self._deadline = math.inf

    def look(self) -> float:
        """Pass on what is news; what is no sound report is none. Until when the child has time."""
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + POLL_SECONDS
            with suppress(AnswerError):
                self._tell(read_document(Progress, self._scratch / PROGRESS, max_bytes=MOST_PROGRESS_BYTES))
        return self._deadline

    def _tell(self, now: Progress) -> None:
        is_new_phase = self._last is None or now.phase is not self._last.phase
        if now == self._last or (time.monotonic() < self._tell_at and not is_new_phase):
            return
        self._last, self._tell_at = now, time.monotonic() + REPORT_SECONDS
        seconds = self._heard(self._scratch, now)
        if seconds is not None:
            self._deadline = time.monotonic() + seconds


class _Watch:
    """Waits for a child's messages, and takes what it prints meanwhile."""

    def __init__(
        self,
        connection: socket.socket,
        output: Output,
        limits: Limits,
        stop: threading.Event,
        listener: _Listener,
    ) -> None:
        self._connection = connection
        self._output = output
        self._limits = limits
        self._stop = stop
        self._listener = listener
        self._heard = b""
        self._waited_for: list[socket.socket | int] = [connection, output.reader]

    def outcome(self, scratch: Path) -> Outcome:
        """Wait until the child has ended, and end it if need be."""
        began, kills_before = time.monotonic(), oom.kills()
        started, ended, early = Started(), Ended(exit_code=-signal.SIGKILL), None
        try:
            first = self._message(seconds=START_SECONDS)
            began = time.monotonic()
            if isinstance(first, Started):
                started, first = first, self._message(seconds=self._limits.wall_seconds)
            ended = Ended.model_validate(first)
        except _EndedEarlyError as caught:
            early = caught
            self._wait_for_the_end()
        self._output.drain()
        starved = oom.kills() > kills_before
        return Outcome(
            scratch=scratch,
            ending=early.ending if early else _ending(started, ended, starved=starved),
            exit_code=ended.exit_code,
            excess=early.excess if early else ended.excess,
            refused=started.refused,
            layers=started.layers,
            missing=started.missing,
            output=self._output.text(),
            wall_seconds=time.monotonic() - began,
        )

    def _message(self, *, seconds: float) -> Started | Ended:
        """The next line that the zygote or the child writes."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._heard:
            left = deadline - time.monotonic()
            if left <= 0:
                raise _EndedEarlyError(Ending.TIMEOUT)
            if self._stop.is_set():
                raise _EndedEarlyError(Ending.STOPPED)
            if self._output.size_bytes > self._limits.output_bytes:
                raise _EndedEarlyError(Ending.EXCESS, Excess.OUTPUT)
            deadline = min(deadline, self._listener.look())
            self._take(select.select(self._waited_for, [], [], min(left, POLL_SECONDS))[0])
        line, _, self._heard = self._heard.partition(b"\n")
        return MESSAGE.validate_json(line)

    def _take(self, readable: list[socket.socket | int]) -> None:
        if self._output.reader in readable and not self._output.read():
            self._waited_for.remove(self._output.reader)
        if self._connection in readable:
            part = _received(self._connection)
            if not part:
                raise _EndedEarlyError(Ending.LOST)
            self._heard += part

    def _wait_for_the_end(self) -> None:
        """Have the child killed; until it is gone, it could still write."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
            self._connection.settimeout(END_SECONDS)
            while self._connection.recv(4096):
                continue


def _received(connection: socket.socket) -> bytes:
    """What has come; nothing if the zygote is gone."""
    try:
        return connection.recv(4096)
    except ConnectionResetError:
        return b""


def _ending(started: Started, ended: Ended, *, starved: bool) -> Ending:
    """Who ended by SIGKILL, which no child can send to itself, was ended for want of memory or from outside."""
    if started.refused:
        return Ending.REFUSED
    if ended.excess:
        return Ending.EXCESS
    if ended.exit_code == -signal.SIGKILL:
        return Ending.STARVED if starved else Ending.LOST
    return Ending.BY_ITSELF


def failure(outcome: Outcome, limits: Limits) -> Failure:
    """Why a child that gave no answer gave none, for a person."""
    kind, reason = _explained(outcome, limits)
    return Failure(failure_class=kind, reason=reason, output=outcome.output)


def _explained(outcome: Outcome, limits: Limits) -> tuple[FailureClass, str]:
    if outcome.ending is Ending.REFUSED:
        return FailureClass.SANDBOX_UNAVAILABLE, (
            f"This machine cannot contain the model; missing: {outcome.refused}. "
            "`atlas sandbox-check` shows all layers, and ATLAS_TRUST_BUNDLES=true runs bundles without them."
        )
    if outcome.excess is not None:
        return _of_excess(outcome.excess, limits)
    if outcome.ending is Ending.TIMEOUT:
        return FailureClass.TIMEOUT, f"It was not done after {limits.wall_seconds:,g} s.{own(limits, 'wall_seconds')}"
    if outcome.ending is Ending.STOPPED:
        return FailureClass.LOST_WORKER, "The engine was stopped while it ran."
    if outcome.ending is Ending.STARVED:
        return FailureClass.OUT_OF_MEMORY, "The operating system ended it, as the machine ran out of memory."
    if outcome.ending is Ending.LOST:
        return FailureClass.LOST_WORKER, "The process that it ran in was ended from outside."
    return _of_exit_code(outcome.exit_code)


def _of_excess(excess: Excess, limits: Limits) -> tuple[FailureClass, str]:
    if excess is Excess.MEMORY:
        needed = f"It needed more than {limits.memory_bytes >> 20:,} MiB of memory."
        return FailureClass.OUT_OF_MEMORY, needed + own(limits, "memory_bytes")
    if excess is Excess.CPU_TIME:
        used = f"It used more than {cpu_bound_seconds(limits):,} s of CPU time."
        return FailureClass.TIMEOUT, used + own(limits, "cpu_seconds")
    return FailureClass.SANDBOX_VIOLATION, _violation(excess, limits)


def _violation(excess: Excess, limits: Limits) -> str:
    if excess is Excess.HIDDEN_FILES:
        return "It made folders that cannot be looked into."
    what, limit = {
        Excess.THREADS: (f"had more than {limits.threads:,} threads", "threads"),
        Excess.SCRATCH_BYTES: (f"wrote more than {limits.scratch_bytes >> 20:,} MiB to the disk", "scratch_bytes"),
        Excess.SCRATCH_FILES: (f"wrote more than {limits.scratch_files:,} files and folders", "scratch_files"),
        Excess.OUTPUT: (f"printed more than {limits.output_bytes >> 20:,} MiB", "output_bytes"),
    }[excess]
    return f"It {what}.{own(limits, limit)}"


def own(limits: Limits, limit: str) -> str:
    """A sentence more for who has reached a limit of the bundle's own; else nothing."""
    return " Its bundle asks for no more than that." if limit in limits.asked_for else ""


def _of_exit_code(exit_code: int) -> tuple[FailureClass, str]:
    if exit_code == -signal.SIGSYS:
        return FailureClass.SANDBOX_VIOLATION, "It made a system call that the sandbox ends a process for."
    if exit_code < 0:
        name = signal.Signals(-exit_code).name
        return FailureClass.CRASH, f"The model crashed the process ({name}): a library or the file is damaged."
    return FailureClass.CRASH, f"The model ended the process itself, with exit code {exit_code}."
