"""Puts up the layers round this process, which is a child that has just been forked, in the order that they need."""

import errno
import os
import resource
import sys
import sysconfig
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import atlas
import benchmark_engine
import explainability
import monitoring
from benchmark_engine.sandbox import landlock, privileges, seccomp
from benchmark_engine.sandbox.layers import REQUIRED, Layer
from benchmark_engine.sandbox.limits import Limits, cpu_bound_seconds
from benchmark_engine.sandbox.workspace import hand_over

OPEN_FILES = 512
LAST_SECONDS = 2
"""CPU time between SIGXCPU, which a child can catch, and SIGKILL."""
FIRST_TO_GO = 800
"""How much sooner than other processes, of 1000, the kernel ends a child if the whole machine lacks memory."""
SPARE_BYTES = 1 << 20
"""In a file, beyond the limit of the scratch folder, so that the monitor sees and tells that it was too much."""
SYSTEM_FOLDERS = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo")
SYSTEM_FILES = (
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    "/sys/fs/cgroup/cpu.max",
    "/sys/fs/cgroup/cpu",
)
ITSELF = "/proc/self"
SINK = "/dev/null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """What a child is confined to.

    Attributes:
        scratch: the folder that it may write to, in its workspace.
        inputs: the folder that it may read.
        given: what else it may read, by open descriptors.
        limits: what it may use.
        parent: the process id of its zygote, with which it ends.
        own_user: empty, or why it cannot become a user of its own.
        namespaces: empty, or why it is not in namespaces of its zygote's.
        user_shift: what sets the user ids of its zygote's children apart from those of others.
    """

    scratch: Path
    inputs: Path
    given: tuple[str, ...] = ()
    limits: Limits
    parent: int
    own_user: str
    namespaces: str = ""
    user_shift: int = 0


@dataclass(slots=True)
class Walls:
    """Which layers hold, and why the others do not."""

    held: list[Layer] = field(default_factory=list)
    missing: dict[Layer, str] = field(default_factory=dict)

    def put_up(self, layer: Layer, build: Callable[[], None]) -> None:
        """Build a layer, and note whether it holds."""
        try:
            build()
        except OSError as error:
            self.missing[layer] = error.strerror or str(error)
        else:
            self.held.append(layer)

    @property
    def gaps(self) -> str:
        """The required layers that are missing, with reasons, as one sentence; empty if there are none."""
        return "; ".join(f"{layer} ({why})" for layer, why in self.missing.items() if layer in REQUIRED)


def confine(confinement: Confinement) -> Walls:
    """Put up every layer that this machine offers. What holds, holds for ever."""
    user = privileges.user_of_its_own(confinement.user_shift)
    limits = confinement.limits
    walls = Walls()
    walls.put_up(Layer.NAMESPACES, lambda: _unless(confinement.namespaces))
    walls.put_up(Layer.RESOURCE_LIMITS, lambda: set_limits(limits))
    walls.put_up(Layer.OWN_USER, lambda: _become(user, confinement))
    walls.put_up(Layer.NO_CAPABILITIES, privileges.drop_capabilities)
    walls.put_up(Layer.TETHER, lambda: privileges.end_with(confinement.parent))
    walls.put_up(Layer.NO_NEW_PRIVILEGES, privileges.gain_nothing)
    _put_up_landlock(walls, confinement)
    truncation_is_watched = landlock.version() >= landlock.TRUNCATE_SINCE
    walls.put_up(Layer.SECCOMP, lambda: seccomp.install(truncation_is_watched=truncation_is_watched))
    return walls


def set_limits(limits: Limits) -> None:
    """Limit what this process can ask the kernel for.

    Raises:
        OSError: the kernel refuses.
    """
    for kind, value in (
        (resource.RLIMIT_AS, address_space_bytes() + limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.scratch_bytes + SPARE_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        _set_limit(kind, value)
    _set_limit(resource.RLIMIT_CPU, cpu_bound_seconds(limits), then=LAST_SECONDS)
    with suppress(OSError):  # of a system without it, all processes go alike
        Path("/proc/self/oom_score_adj").write_text(str(FIRST_TO_GO))


def _set_limit(kind: int, value: int, *, then: int = 0) -> None:
    """The limit of this process, or the one that it has, whichever is less; `then` so much later for good."""
    highest = resource.getrlimit(kind)[1]
    soft, hard = (one if highest == resource.RLIM_INFINITY else min(one, highest) for one in (value, value + then))
    resource.setrlimit(kind, (soft, hard))


def address_space_bytes() -> int:
    """What this process has mapped already: the libraries of the zygote."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _become(user: int, confinement: Confinement) -> None:
    """A user of its own, whose threads are counted apart from all others."""
    _unless(confinement.own_user)
    hand_over(confinement.scratch, user)
    _set_limit(resource.RLIMIT_NPROC, confinement.limits.threads + 1)  # the monitor tells who goes beyond
    privileges.become(user)


def _unless(reason: str) -> None:
    if reason:
        raise OSError(errno.EACCES, reason)


def _put_up_landlock(walls: Walls, confinement: Confinement) -> None:
    readable = (*readable_paths(), ITSELF, str(confinement.inputs), *confinement.given)
    writable = (str(confinement.scratch), SINK)
    walls.put_up(Layer.LANDLOCK_FILES, lambda: landlock.restrict(readable, writable))
    known = landlock.version() if Layer.LANDLOCK_FILES in walls.held else 0
    for layer, since in (
        (Layer.LANDLOCK_TCP, landlock.TCP_SINCE),
        (Layer.LANDLOCK_SCOPES, landlock.SCOPES_SINCE),
    ):
        walls.put_up(layer, lambda since=since: _known_to(known, since))  # type: ignore[misc]


def _known_to(known: int, since: int) -> None:
    if known < since:
        raise OSError(errno.ENOSYS, f"it came with version {since} of Landlock, and the kernel has version {known}")


def readable_paths() -> tuple[str, ...]:
    """The libraries and Atlas' own code; not the folder that the code is in, which may hold other things."""
    stdlib = (sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    prefixes = {Path(prefix) for prefix in (sys.prefix, sys.base_prefix)}
    libraries = (str(prefix / folder) for prefix in prefixes for folder in ("lib", "lib64"))
    own = (str(Path(str(package.__file__)).parent) for package in (atlas, benchmark_engine, explainability, monitoring))
    return tuple(dict.fromkeys((*stdlib, *libraries, *own, *SYSTEM_FOLDERS, *SYSTEM_FILES)))


def unreachable_for_others(base: Path) -> str:
    """Why a user of its own could not work here: a folder that only the engine's user can read; empty if there is none.

    A child tries it, as this process must stay who it is.
    """
    if not privileges.is_root():
        return "the engine does not run as root"
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        _try_as_another(base, writer)
    os.close(writer)
    with open(reader, "rb") as answer:  # noqa: PTH123 - a descriptor
        reason = answer.read().decode()
    _, status = os.waitpid(pid, 0)
    return reason if os.waitstatus_to_exitcode(status) == 0 else "it could not be tried"


def _try_as_another(base: Path, writer: int) -> None:
    ours = (sys.prefix, sys.base_prefix)
    libraries = [path for path in readable_paths() if path.startswith(ours) and Path(path).exists()]
    try:
        privileges.become(privileges.user_of_its_own())
        closed = [path for path in (str(base), *libraries) if not os.access(path, os.X_OK)]
        os.write(writer, f"other users cannot read {closed[0]}".encode() if closed else b"")
    except OSError as error:
        os.write(writer, str(error).encode())
    finally:
        os._exit(0)
