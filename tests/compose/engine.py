"""A Docker engine for the tests: the one that answers, or else one of their own, gone with what it keeps at the end."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.installation import ROOT
from tests.servers import MissingComponentError, Server

BUILD_SECONDS = 900.0
UNPACKED_COMPOSE = ROOT / "build" / "docker-compose"
"""Where scripts/docker-programs leaves Compose if the system has none."""


@dataclass(frozen=True, kw_only=True)
class Docker:
    """The `docker` and Compose commands, speaking to one engine.

    Attributes:
        environment: what they are run with, beside whatever the tests run with.
        compose: the words that begin a Compose command.
    """

    environment: Mapping[str, str]
    compose: Sequence[str]

    def run(self, *arguments: str, seconds: float = 60.0) -> str:
        """Run `docker ARGUMENTS`; what it printed.

        Raises:
            DockerError: it failed, or took longer; with all that it said.
        """
        return self.call(["docker", *arguments], seconds=seconds)

    def call(self, command: Sequence[str], *, seconds: float, environment: Mapping[str, str] | None = None) -> str:
        """Run a command that speaks to the engine, in the clone's folder, with some variables more; what it printed."""
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **self.environment, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode:
            raise DockerError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def has_image(self, image: str) -> bool:
        """Whether the engine has an image of this name."""
        return bool(self.run("images", "--quiet", image).strip())

    def build(self, folder: Path, *arguments: str, seconds: float = BUILD_SECONDS) -> None:
        """Build an image of a folder's Dockerfile, with the builder that every engine has."""
        self.run("build", "--quiet", *arguments, str(folder), seconds=seconds)


class DockerError(Exception):
    """A command of Docker failed; the message has what it printed."""


@contextmanager
def docker_engine() -> Iterator[Docker]:
    """The engine that answers on this machine, or else, as root, one that runs until the end.

    Raises:
        MissingComponentError: there is none, nor what could start one.
    """
    if shutil.which("docker") is None:
        raise MissingComponentError("Docker is not installed: apt-get install docker.io")
    if _answers({}):
        yield Docker(environment=_CLASSIC, compose=_compose())
        return
    with _own_engine() as address:
        yield Docker(environment={**_CLASSIC, "DOCKER_HOST": address}, compose=_compose())


_CLASSIC = {"DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0"}
"""Debian's Docker comes without buildx, so that images are built by what the engine itself has."""


def _compose() -> list[str]:
    """The plugin of Docker's command, or the same program where it was unpacked."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ["docker", "compose"]
    if UNPACKED_COMPOSE.exists():
        return [str(UNPACKED_COMPOSE)]
    raise MissingComponentError("Compose 2 is not installed: scripts/docker-programs")


@contextmanager
def _own_engine() -> Iterator[str]:
    """An engine with data of its own; its address. Like every server of the tests, it ends with whoever started it."""
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        raise MissingComponentError("no Docker engine answers, and none can be started (as root, with dockerd)")
    folder = Path(tempfile.mkdtemp(prefix="atlas-docker-", dir="/var/tmp"))
    address = f"unix://{folder}/socket"
    places = [f"--data-root={folder}/data", f"--exec-root={folder}/run", f"--pidfile={folder}/pid"]
    server = Server(
        url=address,
        command=["dockerd", *places, f"--host={address}", "--log-level=warn"],
        log=folder / "log",
        ready=lambda: _answers({"DOCKER_HOST": address}),
    )
    try:
        with _started(server):
            yield address
    finally:
        subprocess.run(["rm", "-rf", folder], check=False)  # many thousand files: Python would take a minute


@contextmanager
def _started(server: Server) -> Iterator[None]:
    """Runs an engine while the block runs.

    Raises:
        MissingComponentError: it does not start, as within many a container; with what it printed.
    """
    try:
        server.start()
        server.wait_until_ready()
    except RuntimeError as error:
        raise MissingComponentError(f"no Docker engine can run here: {error}") from error
    try:
        yield
    finally:
        server.stop()


def _answers(environment: Mapping[str, str]) -> bool:
    command = ["docker", "info", "--format", "{{.ServerVersion}}"]
    found = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, check=False)
    return found.returncode == 0


def say(line: str) -> None:
    """Print a line for whoever reads the log; `make test-system` shows it at once."""
    print(line, flush=True)  # noqa: T201
