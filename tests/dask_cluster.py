"""A Dask cluster of real processes: a scheduler and workers that are told of the object store, and of no database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers import free_port


@dataclass
class DaskCluster:
    """Its processes; each worker is one process without a nanny, so that a kill ends just it."""

    folder: Path
    environment: dict[str, str]
    port: int = field(default_factory=free_port)
    scheduler: "subprocess.Popen[bytes] | None" = None
    workers: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    @property
    def url(self) -> str:
        """What ATLAS_EXECUTOR is set to."""
        return f"dask://127.0.0.1:{self.port}"

    def start_scheduler(self) -> "subprocess.Popen[bytes]":
        """Start the scheduler."""
        options = ["--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard", "--no-show"]
        self.scheduler = self._start("scheduler", *options)
        return self.scheduler

    def start_worker(self, name: str, *, threads: int = 1) -> "subprocess.Popen[bytes]":
        """Start a worker with a cache of its own, as if it were another machine."""
        options = [f"tcp://127.0.0.1:{self.port}", "--name", name, "--nthreads", str(threads), "--host", "127.0.0.1"]
        options += ["--no-nanny", "--no-dashboard", "--memory-limit", "8 GiB", "--local-directory", str(self.folder)]
        self.workers[name] = self._start("worker", *options, ATLAS_CACHE_DIR=str(self.folder / f"cache-{name}"))
        return self.workers[name]

    def close(self) -> None:
        """End all processes."""
        for process in (*self.workers.values(), self.scheduler):
            if process is not None:
                process.kill()
                process.wait()

    def _start(self, role: str, *options: str, **settings: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"dask-{role}.log").open("ab") as log:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "distributed.cli.dask_" + role, *options],
                env=self.environment | settings,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


@contextmanager
def dask_cluster(folder: Path, *, object_store: str, workers: int) -> Iterator[DaskCluster]:
    """A scheduler and so many workers of one thread each."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith("ATLAS_") and name != "DATABASE_URL"
    }
    root = str(Path(__file__).parents[1])
    made = DaskCluster(folder, clean | {"ATLAS_OBJECT_STORE": object_store, "PYTHONPATH": root})
    try:
        made.start_scheduler()
        for number in range(workers):
            made.start_worker(f"worker-{number}")
        yield made
    finally:
        made.close()
