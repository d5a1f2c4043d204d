"""bubblewrap: namespaces round the zygote, with no other process, no network, and no names of files but the needed.

It is not told to end the zygote with the engine, as the zygote removes what a killed engine leaves behind: it ends by
itself once the engine is gone. See bwrap(1).
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from atlas.errors import AtlasError
from benchmark_engine.sandbox.confinement import SINK, readable_paths
from benchmark_engine.sandbox.layers import Bubblewrap
from benchmark_engine.sandbox.privileges import is_root

PROGRAM = "bwrap"
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - the zygote's own; without one, joblib warns that it cannot start processes
PROBE_SECONDS = 60.0
PROBED = ("numpy", "sklearn", "numba", "benchmark_engine.sandbox.zygote")
"""What has to be found inside."""
CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETPCAP", "SETUID", "SYS_PTRACE")
"""What root's zygote needs to give each child a user of its own and to look after it. The children have none."""


class BubblewrapError(AtlasError):
    """bubblewrap is required, and does not run on this machine."""


@dataclass(frozen=True, slots=True)
class Wrapper:
    """How a zygote's command line begins; empty without bubblewrap, and then `missing` says why."""

    command: tuple[str, ...] = ()
    missing: str = ""


def wrapper(
    wanted: Bubblewrap, writable: Sequence[Path], environment: Mapping[str, str], readable: Iterable[Path] = ()
) -> Wrapper:
    """bubblewrap with what a zygote needs: to write to some folders, and to read the libraries and `readable`.

    Raises:
        BubblewrapError: it is required, and does not run here.
    """
    if wanted is Bubblewrap.OFF:
        return Wrapper(missing="ATLAS_BUBBLEWRAP is off")
    program = shutil.which(PROGRAM)
    command = (program or PROGRAM, *_options(writable, readable))
    reason = _tried(command, environment) if program else f"the program {PROGRAM} is not installed"
    if reason and wanted is Bubblewrap.REQUIRED:
        raise BubblewrapError(f"ATLAS_BUBBLEWRAP is `required`, and bubblewrap does not run here: {reason}.")
    return Wrapper(missing=reason) if reason else Wrapper(command)


class Wrapped:
    """A process in a wrapper, with all that it starts. Its standard input is empty, and its session its own."""

    def __init__(
        self, wrapper: Wrapper, command: Sequence[str], *, environment: Mapping[str, str], pass_fds: Sequence[int]
    ) -> None:
        """Start a command in the folder which the environment calls HOME, with these open files and no others."""
        reader, writer = os.pipe()
        told = ["--info-fd", str(writer)] if wrapper.command else []
        with open(reader, "rb") as info:  # noqa: PTH123 - a descriptor
            try:
                self._process = subprocess.Popen(
                    [*wrapper.command, *told, *command],
                    cwd=environment["HOME"],
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    pass_fds=[*pass_fds, *([writer] if told else [])],
                    start_new_session=True,
                )
            finally:
                os.close(writer)
            self._first = _first_process(info.read())

    @property
    def has_ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def end(self) -> None:
        """End it and all in its namespaces, and wait until they are gone."""
        if self._first is None:
            self._process.kill()
        else:
            _end_namespaces(self._first)
        self._process.wait()


def _first_process(info: bytes) -> int | None:
    """Of the namespaces that bubblewrap tells of, opened; None if there are none, or no more."""
    try:
        return os.pidfd_open(json.loads(info)["child-pid"])
    except (ValueError, ProcessLookupError):
        return None


def _end_namespaces(first: int) -> None:
    """They end with their first process; the process that was started here only waits for that one."""
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(first, signal.SIGKILL)
    select.select([first], [], [])
    os.close(first)


def _tried(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Why Python does not find all that it needs inside; empty if it does."""
    find = f"import importlib.util as u; [u.find_spec(name).origin for name in {PROBED}]"
    try:
        ran = subprocess.run(
            [*command, sys.executable, "-c", find],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return str(error)
    said = ran.stderr.strip().splitlines() or [f"it ended with exit code {ran.returncode}"]
    return said[-1] if ran.returncode else ""


def _options(writable: Sequence[Path], readable: Iterable[Path]) -> Iterator[str]:
    for namespace in ("pid", "ipc", "uts", "net"):
        yield f"--unshare-{namespace}"
    yield from ("--unshare-cgroup-try", "--new-session", "--proc", "/proc", "--tmpfs", "/tmp")  # noqa: S108 - a new one
    devices, files = _apart(readable)
    for folder in _on_the_way_to((*files, *devices, SHARED_MEMORY, *map(str, writable))):
        yield from ("--perms", "0755", "--dir", folder)
    for path in devices:
        yield from ("--dev-bind-try", path, path)
    for path in files:
        yield from ("--ro-bind-try", path, path)
    yield from ("--tmpfs", SHARED_MEMORY)
    for folder in map(str, writable):
        yield from ("--bind", folder, folder)
    yield from ("--remount-ro", "/")
    if is_root():
        yield from ("--cap-drop", "ALL")
        for capability in CAPABILITIES:
            yield from ("--cap-add", f"CAP_{capability}")


def _apart(readable: Iterable[Path]) -> tuple[list[str], list[str]]:
    """Devices; and files and folders, with Python as a whole. /proc is another one inside."""
    python = (sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve()))
    paths = [*readable_paths(), *python, *map(str, readable)]
    devices = [path for path in paths if path.startswith("/dev/")]
    return [*devices, SINK], _outermost(path for path in paths if not path.startswith(("/dev/", "/proc/")))


def _on_the_way_to(paths: Iterable[str]) -> list[str]:
    """The folders that these are in, each after the one that it is in itself."""
    folders = {str(folder) for path in paths for folder in Path(path).parents}
    return sorted(folders - {"/"})


def _outermost(paths: Iterable[str]) -> list[str]:
    """The paths that no other one of them contains."""
    kept: list[str] = []
    for path in sorted(map(Path, set(paths))):
        if not any(path.is_relative_to(outer) for outer in kept):
            kept.append(str(path))
    return kept
