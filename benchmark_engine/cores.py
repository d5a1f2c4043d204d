"""How many cores this process may use: the machine's, those it is bound to, or what its control group leaves it."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

from benchmark_engine.control_groups import CGROUPS, OWN_CGROUP, folders, words

_V1 = ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")


def usable_cores(cgroups: Path = CGROUPS, own: Path = OWN_CGROUP) -> int:
    """The cores that this process may use, one at least; of a share of cores, such as 1.5, each that is begun."""
    return min([_cores_of_the_machine(), *(math.ceil(share) for share in _shares(cgroups, own))])


def _cores_of_the_machine() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shares(cgroups: Path, own: Path) -> Iterator[float]:
    """The limits of this process' control group and of all above it, in cores."""
    for folder in folders(cgroups, own):
        yield from _share(words(folder / "cpu.max"))
    yield from _share([word for name in _V1 for word in words(cgroups / name)])


def _share(quota_and_period: list[str]) -> Iterator[float]:
    """CPU time in each period, over that period; none if the quota is `max` or -1."""
    if len(quota_and_period) == 2 and quota_and_period[0].isdecimal():
        yield int(quota_and_period[0]) / int(quota_and_period[1])
