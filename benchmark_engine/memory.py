"""How much memory this process may use: the machine's, or what its control group leaves it."""

from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmark_engine.control_groups import CGROUPS, OWN_CGROUP, folders, words

_V1 = "memory/memory.limit_in_bytes"


def usable_memory(cgroups: Path = CGROUPS, own: Path = OWN_CGROUP) -> int:
    """Bytes of memory that this process may use."""
    return min([psutil.virtual_memory().total, *_limits(cgroups, own)])


def _limits(cgroups: Path, own: Path) -> Iterator[int]:
    """The limits of this process' control group and of all above it, as far as they can be read."""
    for folder in folders(cgroups, own):
        yield from _limit(folder / "memory.max")
    yield from _limit(cgroups / _V1)


def _limit(file: Path) -> Iterator[int]:
    """The number in a file; none if it says `max`, or there is no such file."""
    yield from (int(word) for word in words(file) if word.isdecimal())
