"""How much memory this process may use: the machine's, or what its control group leaves it."""

from collections.abc import Iterator
from pathlib import Path

import psutil

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")
_V1 = "memory/memory.limit_in_bytes"


def usable_memory(cgroups: Path = CGROUPS, own: Path = OWN_CGROUP) -> int:
    """Bytes of memory that this process may use."""
    return min([psutil.virtual_memory().total, *_limits(cgroups, own)])


def _limits(cgroups: Path, own: Path) -> Iterator[int]:
    """The limits of this process' control group and of all above it, as far as they can be read."""
    for folder in _folders(cgroups, own):
        yield from _limit(folder / "memory.max")
    yield from _limit(cgroups / _V1)


def _folders(cgroups: Path, own: Path) -> list[Path]:
    lines = own.read_text().splitlines() if own.exists() else []
    names = [line.removeprefix("0::").strip("/") for line in lines if line.startswith("0::")]
    folder = cgroups / (names[0] if names else "")
    return [each for each in (folder, *folder.parents) if each.is_relative_to(cgroups)]


def _limit(file: Path) -> Iterator[int]:
    """The number in a file; none if it says `max`, or there is no such file."""
    try:
        text = file.read_text().strip()
    except OSError:
        return
    if text.isdecimal():
        yield int(text)
