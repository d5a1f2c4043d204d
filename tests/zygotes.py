"""The processes of a sandbox as they are seen from outside of it, with bubblewrap round them or not."""

import subprocess
import time
from contextlib import suppress

import psutil

from benchmark_engine.sandbox.spare import MODEL

ZYGOTE = "benchmark_engine.sandbox.zygote"
SECONDS = 120.0
Started = psutil.Process | subprocess.Popen[bytes]


def family(engine: Started) -> list[psutil.Process]:
    """All that a process has started: bubblewrap, zygotes, and models that run."""
    return psutil.Process(engine.pid).children(recursive=True)


def zygotes(engine: Started) -> list[psutil.Process]:
    """The zygotes of an engine, the newest last."""
    found = [process for process in family(engine) if _is_python_s(process) and not _is_python_s(process.parent())]
    return sorted(found, key=lambda process: process.create_time())


def running(engine: Started) -> list[psutil.Process]:
    """The children of zygotes, each of which runs a model."""
    with suppress(psutil.NoSuchProcess):
        return [child for zygote in zygotes(engine) for child in zygote.children() if child.name() == MODEL]
    return []


def wait_for_one(engine: Started) -> psutil.Process:
    """The first model that runs."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if found := running(engine):
            return found[0]
        time.sleep(0.02)
    raise TimeoutError("no model runs")


def _is_python_s(process: psutil.Process | None) -> bool:
    """Whether it is a zygote, or a child of one, which has its command line."""
    with suppress(psutil.NoSuchProcess):
        return process is not None and process.name() != "bwrap" and ZYGOTE in process.cmdline()
    return False
