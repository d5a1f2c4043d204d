"""What a child uses, as its zygote sees it."""

import os
import signal
import stat
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum

from benchmark_engine.sandbox.limits import Limits, cpu_bound_seconds

BLOCK_BYTES = 512
"""The unit of `st_blocks`."""
CLOCKS_AGREE = 0.8
"""The kernel compares its limit with a coarser clock than the one that it tells afterwards."""


class Excess(StrEnum):
    """What a child had too much of."""

    MEMORY = "memory"
    CPU_TIME = "CPU time"
    THREADS = "threads"
    SCRATCH_BYTES = "scratch bytes"
    SCRATCH_FILES = "scratch files"
    HIDDEN_FILES = "hidden files"
    OUTPUT = "output"


def excess(pid: int, scratch: str, limits: Limits, *, inherited_bytes: int) -> Excess | None:
    """What a running child has too much of; None where it keeps to its limits or has just ended.

    `inherited_bytes` of its memory are the libraries that the zygote had loaded.
    """
    try:
        resident, threads = resident_bytes_and_threads(pid)
        if resident > inherited_bytes + limits.memory_bytes:
            return Excess.MEMORY
        if threads > limits.threads:
            return Excess.THREADS
        return _on_the_disk(pid, scratch, limits)
    except (FileNotFoundError, ProcessLookupError):
        return None


def explaining(limits: Limits, pid: int, inherited_bytes: int) -> Limits:
    """The limits of a child that begins to explain: of memory, so much more than it uses now, if that is less."""
    with suppress(FileNotFoundError, ProcessLookupError):
        used = resident_bytes_and_threads(pid)[0] - inherited_bytes
        most = max(used, 0) + limits.explanation_bytes
        return limits.model_copy(update={"memory_bytes": min(limits.memory_bytes, most)})
    return limits


def ran_out_of_cpu_time(exit_code: int, cpu_seconds: float, limits: Limits) -> bool:
    """Whether it was its limit of CPU time that ended a child; one that sends itself the same signal has time left."""
    by_the_limit = exit_code in {-signal.SIGXCPU, -signal.SIGKILL}
    return by_the_limit and cpu_seconds >= CLOCKS_AGREE * cpu_bound_seconds(limits)


def resident_bytes_and_threads(pid: int) -> tuple[int, int]:
    """The memory that a process uses, shared memory included, and how many threads it has.

    Raises:
        FileNotFoundError: it has ended.
    """
    with open(f"/proc/{pid}/status", "rb") as file:  # noqa: PTH123 - every few milliseconds
        fields = dict(line.split(b":", 1) for line in file)
    return int(fields.get(b"VmRSS", b"0 kB").split()[0]) * 1024, int(fields[b"Threads"])


def _on_the_disk(pid: int, scratch: str, limits: Limits) -> Excess | None:
    used = files = 0
    try:
        for status in _all_in(scratch):
            files += 1
            used += status.st_blocks * BLOCK_BYTES
            if files > limits.scratch_files:
                return Excess.SCRATCH_FILES
    except OSError:  # a folder that it made unreadable, or so deep that it has no path
        return Excess.HIDDEN_FILES
    used += sum(status.st_blocks * BLOCK_BYTES for status in _deleted_but_open(pid))
    return Excess.SCRATCH_BYTES if used > limits.scratch_bytes else None


def _all_in(folder: str) -> Iterator[os.stat_result]:
    pending = [folder]
    while pending:
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(status.st_mode):
                        pending.append(entry.path)
                    yield status


def _deleted_but_open(pid: int) -> Iterator[os.stat_result]:
    """Files that need space on the disk, and that no folder shows any more."""
    opened = f"/proc/{pid}/fd"
    with suppress(PermissionError):  # it is ending
        for number in os.listdir(opened):  # noqa: PTH208 - every few milliseconds
            with suppress(FileNotFoundError):
                status = os.stat(f"{opened}/{number}")  # noqa: PTH116 - likewise
                if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                    yield status
