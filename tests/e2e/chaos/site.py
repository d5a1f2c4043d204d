"""An installation under a supervisor, as systemd or Kubernetes is one, and the parts of it that can be killed."""

import random
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import psutil
import psycopg2

from benchmark_engine.sandbox.kernel import prctl
from benchmark_engine.sandbox.spare import MODEL
from tests.e2e.installation import Installation
from tests.servers import gone

SET_CHILD_SUBREAPER = 36
ZYGOTE = "benchmark_engine.sandbox.zygote"
LOOK_SECONDS = 0.1
STOP_SECONDS = 60.0
PATIENCE_SECONDS = 120.0
DOWN_SECONDS = 2.0


class Victim(StrEnum):
    """What can be killed."""

    CHILD = "child"
    ZYGOTE = "zygote"
    ENGINE = "engine"
    DATABASE = "database"
    OBJECT_STORE = "object store"
    SCHEDULER = "scheduler"
    WORKER = "worker"


class Service(Protocol):
    """What a supervisor starts again. It ends with the thread that has started it."""

    @property
    def is_running(self) -> bool:
        """Whether it lives."""

    @property
    def pid(self) -> int:
        """Its first process, once it was started."""

    def start(self) -> None:
        """Start it; it answers some time later."""

    def kill(self) -> None:
        """End it at once."""


@dataclass(kw_only=True)
class Program:
    """A service of one process, which `run` starts. Those that it has started itself are not ended with it."""

    run: Callable[[], "subprocess.Popen[bytes]"]
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def is_running(self) -> bool:
        """Whether it lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process, once it was started."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it."""
        self._process = self.run()

    def kill(self) -> None:
        """End it at once."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Tell it to end, and wait; its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(STOP_SECONDS)


class Site:
    """Keeps an installation's services running while a condition is waited for, and can kill a part of it."""

    def __init__(self, installation: Installation, services: Mapping[Victim, Sequence[Service]], seed: str) -> None:
        """`seed` decides whatever is left to chance, as far as the machine lets it."""
        self.installation = installation
        self.chance = random.Random(seed)
        self._story = [f"CHAOS_SEED={seed} repeats this"]
        self._services = services
        self._up_again: dict[int, float] = {}
        self._began = time.monotonic()
        self._done = 0

    def supervise(self) -> None:
        """Start again what has died, once it was down for as long as it was to be."""
        for name, service in self._all():
            if not service.is_running and time.monotonic() >= self._up_again.get(id(service), 0):
                service.start()
                self._tell(f"{name} started as {service.pid}")

    @property
    def is_whole(self) -> bool:
        """Whether every service runs, and whoever runs models has got as far as to have a zygote."""
        running = all(service.is_running for _, service in self._all())
        zygotes = [process for process in self._zygotes_and_children() if _kind(process) is Victim.ZYGOTE]
        return running and len(zygotes) == len(self._hosts())

    def strike(self, victim: Victim) -> bool:
        """Kill a victim of this kind; False if there is none just now."""
        try:
            return self._strike_service(victim) if victim in self._services else self._strike_process(victim)
        except psutil.NoSuchProcess:  # it ended by itself meanwhile
            return False

    def done(self) -> int:
        """How many benchmarks are done, as far as the database has told lately."""
        query = "SELECT count(*) FROM storage_benchmark WHERE state = 'done'"
        try:
            self._done = self.installation.rows(query)[0][0]
        except psycopg2.OperationalError:
            self._tell("the database does not answer")
        return self._done

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Supervise until a condition holds; fail if nothing that was waited for comes, and no benchmark is done."""
        deadline, before = time.monotonic() + PATIENCE_SECONDS, self._done
        while not condition():
            self.supervise()
            if self._done != before:
                deadline, before = time.monotonic() + PATIENCE_SECONDS, self._done
            assert time.monotonic() < deadline, f"waited in vain for {what}\n{self.report()}"
            time.sleep(LOOK_SECONDS)

    def pause(self, seconds: float) -> None:
        """Supervise for so long."""
        until = time.monotonic() + seconds
        self.wait_for(lambda: time.monotonic() >= until, "time to pass")

    def report(self) -> str:
        """What happened, what is not done, and what was printed."""
        return "\n".join([*self._story, *self._unfinished(), self.installation.logs()])

    def _unfinished(self) -> list[str]:
        query = """
            SELECT id, state, attempts, failure_class, reason, engine, lease_until FROM storage_benchmark
            WHERE state <> 'done' ORDER BY state, id LIMIT 20
        """
        try:
            return [" | ".join(map(str, row)) for row in self.installation.rows(query)]
        except psycopg2.OperationalError as error:
            return [f"the database does not answer: {error}"]

    def _strike_process(self, victim: Victim) -> bool:
        found = [process for process in self._zygotes_and_children() if _kind(process) is victim]
        if not found:
            return False
        struck = self.chance.choice(found)
        struck.kill()
        self._tell(f"{victim} {struck.pid} killed")
        return True

    def _strike_service(self, victim: Victim) -> bool:
        running = [service for service in self._services[victim] if service.is_running]
        if not running:
            return False
        service = self.chance.choice(running)
        pid = service.pid
        service.kill()
        self._up_again[id(service)] = time.monotonic() + self.chance.uniform(0, DOWN_SECONDS)
        self._tell(f"{victim} {pid} killed")
        return True

    def _all(self) -> Iterator[tuple[Victim, Service]]:
        for name, services in self._services.items():
            for service in services:
                yield name, service

    def _zygotes_and_children(self) -> Iterator[psutil.Process]:
        for host in self._hosts():
            if host.is_running:
                yield from _descendants(psutil.Process(host.pid))

    def _hosts(self) -> Sequence[Service]:
        """The processes that run models."""
        return self._services.get(Victim.WORKER) or self._services[Victim.ENGINE]

    def _tell(self, event: str) -> None:
        if not self._story[-1].endswith(event):
            self._story.append(f"{time.monotonic() - self._began:7.2f} s, {self._done:3} done: {event}")


def _kind(process: psutil.Process) -> Victim | None:
    """A child is what a zygote has forked and runs a model; None for anything else, and for what has ended."""
    try:
        if process.name() == MODEL:
            return Victim.CHILD
        parent = process.parent()
        return Victim.ZYGOTE if _is_python_s(process) and not (parent and _is_python_s(parent)) else None
    except psutil.NoSuchProcess:
        return None


def _is_python_s(process: psutil.Process) -> bool:
    """Whether it is a zygote or a child of one, which has its command line; bubblewrap round it has that too."""
    return process.name() != "bwrap" and ZYGOTE in process.cmdline()


@contextmanager
def adopted_orphans() -> Iterator[Callable[[Iterable[int]], list[psutil.Process]]]:
    """Makes this process the parent of whatever loses its own.

    Yields a function that lists the processes that descend from this one and do not end, apart from those of before
    and those that are named.
    """
    me = psutil.Process()
    before = {child.pid for child in me.children()}

    def strangers(known: Iterable[int]) -> list[psutil.Process]:
        families = [child for child in me.children() if child.pid not in before.union(known)]
        found = [process for child in families for process in [child, *_descendants(child)]]
        return [process for process in found if not gone(process)]

    prctl(SET_CHILD_SUBREAPER, 1)
    try:
        yield strangers
    finally:
        prctl(SET_CHILD_SUBREAPER, 0)


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
