"""The control groups that limit this process: its own, and all above it, as far as they can be seen from here."""

from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")


def folders(cgroups: Path, own: Path) -> list[Path]:
    """Their folders in the newer form of control groups, the innermost first; in a container, its outermost alone."""
    lines = own.read_text().splitlines() if own.exists() else []
    names = [line.removeprefix("0::").strip("/") for line in lines if line.startswith("0::")]
    folder = cgroups / (names[0] if names else "")
    return [each for each in (folder, *folder.parents) if each.is_relative_to(cgroups)]


def words(file: Path) -> list[str]:
    """What a file of a control group says; nothing if there is no such file."""
    try:
        return file.read_text().split()
    except OSError:
        return []
