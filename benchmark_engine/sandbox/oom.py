"""How often the kernel has ended a process for want of memory."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OF_THE_MACHINE = Path("/proc/vmstat")
KILLS = "oom_kill "


def kills() -> int:
    """Processes ended so far in this process' control group, or on the whole machine where its group does not count.

    0 where nothing counts them.
    """
    for counters in (*_of_the_group(), OF_THE_MACHINE):
        with suppress(OSError, ValueError):
            return _counted(counters.read_text())
    return 0


def _of_the_group() -> Iterator[Path]:
    """The files that versions 2 and 1 of control groups keep for this process' group."""
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            if not controllers:
                yield CGROUPS / group.lstrip("/") / "memory.events"
            if controllers == "memory":
                yield CGROUPS / "memory" / group.lstrip("/") / "memory.oom_control"


def _counted(counters: str) -> int:
    """The number behind `oom_kill`.

    Raises:
        ValueError: the file has no such line.
    """
    for line in counters.splitlines():
        if line.startswith(KILLS):
            return int(line.removeprefix(KILLS))
    raise ValueError("it counts no kills")
