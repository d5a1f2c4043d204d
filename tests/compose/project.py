"""Atlas on Docker Compose, brought up from the clone's own files as a company brings it up on its server."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.compose import images
from tests.compose.engine import BUILD_SECONDS, Docker, DockerError, say
from tests.e2e.installation import ROOT
from tests.servers import free_port

HOST = "localhost"
HERE = Path(__file__).parent
UP_SECONDS = 300.0
PATIENCE_SECONDS = 180.0
IMAGES = ("atlas", "atlas-engine", "atlas-proxy")


@dataclass(kw_only=True)
class Project:
    """One project of Compose: its secrets, settings and ports are its own.

    Attributes:
        docker: where it runs.
        name: of the project; containers, networks and volumes have it in front.
        folder: where its secrets and settings are, and whatever else a test keeps on this machine.
        objects: the folder in which the object store keeps its files, if that is no volume of the engine's.
    """

    docker: Docker
    name: str
    folder: Path
    objects: Path | None = None
    http_port: int = field(default_factory=free_port)
    https_port: int = field(default_factory=free_port)
    ingestion_port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.backups.mkdir(exist_ok=True)
        self.backups.chmod(0o777)  # containers write there as a user of their own
        self.docker.call([str(ROOT / "scripts/make-secrets"), "--folder", str(self.secrets), HOST], seconds=60)
        settings = {
            "ATLAS_HOST": HOST,
            "ATLAS_PROXY_NAME": "proxy",
            "ATLAS_SECRETS": str(self.secrets),
            "ATLAS_ADDRESS": "127.0.0.1",
            "ATLAS_HTTP_PORT": str(self.http_port),
            "ATLAS_HTTPS_PORT": str(self.https_port),
            "ATLAS_INGESTION_PORT": str(self.ingestion_port),
            "ATLAS_VERSION": "compose-tests",
            "ATLAS_LOG_FORMAT": "plain",
            "ATLAS_BACKUPS": str(self.backups),
            "ATLAS_TESTS_OBJECTS": str(self.objects),
        }
        self._settings_file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    @property
    def backups(self) -> Path:
        """The folder that backups are written to."""
        return self.folder / "backups"

    @property
    def secrets(self) -> Path:
        """The folder that scripts/make-secrets has filled."""
        return self.folder / "secrets"

    @property
    def _settings_file(self) -> Path:
        return self.folder / "settings.env"

    @property
    def plain(self) -> str:
        """The address without encryption, which leads to the dashboard's."""
        return f"http://{HOST}:{self.http_port}"

    @property
    def dashboard(self) -> str:
        """The dashboard's address, as people have it."""
        return f"https://{HOST}:{self.https_port}"

    @property
    def ingestion(self) -> str:
        """The ingestion engine's address, as people have it."""
        return f"https://{HOST}:{self.ingestion_port}"

    @property
    def authority(self) -> Path:
        """The certificate by which its others are known."""
        return self.secrets / "ca.crt"

    def secret(self, name: str) -> str:
        """What a file of the secrets holds."""
        return (self.secrets / name).read_text().strip()

    def compose(self, *arguments: str, seconds: float = 60.0) -> str:
        """Run `docker compose ARGUMENTS` for this project; what it printed."""
        paths = [ROOT / "docker-compose.yml", HERE / "quick.yml", *([HERE / "small-disk.yml"] if self.objects else [])]
        files = [word for path in paths for word in ("--file", str(path))]
        which = ["--project-name", self.name, "--env-file", str(self._settings_file)]
        return self.docker.call([*self.docker.compose, *files, *which, *arguments], seconds=seconds)

    def build(self) -> None:
        """Make sure of the base images and build Atlas' own; their sizes and the time that it took are printed."""
        began = time.monotonic()
        images.provide(self.docker, self._base_images())
        based = time.monotonic()
        self.compose("build", "--quiet", seconds=BUILD_SECONDS)
        say(f"base images: {based - began:.0f} s, images of Atlas: {time.monotonic() - based:.0f} s")
        for image in IMAGES:
            say(self.docker.run("images", "--format", "{{.Repository}}: {{.Size}}", f"{image}:compose-tests").strip())

    def up(self, *services: str) -> None:
        """Start it, or some of its services, and wait until all are well.

        Raises:
            DockerError: they do not get well; with what they printed.
        """
        try:
            self.compose("up", "--detach", "--wait", *services, seconds=UP_SECONDS)
        except (DockerError, subprocess.TimeoutExpired) as error:
            raise DockerError(f"{error}\n{self.report()}") from error

    def down(self) -> None:
        """Stop it and remove all that it keeps."""
        # With all profiles: the tools, such as `backup`, have volumes too.
        which = ["--profile", "*", "down", "--volumes", "--remove-orphans"]
        self.compose(*which, "--timeout", "10", seconds=120)
        for path in self.objects.iterdir() if self.objects else ():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def back_up(self) -> None:
        """Run the command that administrators run every night."""
        self.compose("run", "--rm", "backup", seconds=UP_SECONDS)

    def restore(self) -> None:
        """Put the newest backup in the place of what there is, which is nothing, while only the stores run."""
        self.compose("run", "--rm", "restore", seconds=UP_SECONDS)

    def examine(self) -> str:
        """What the doctor finds.

        Raises:
            DockerError: something is broken.
        """
        return self.compose("run", "--rm", "doctor", seconds=UP_SECONDS)

    def services(self) -> list[str]:
        """Those that run all the time."""
        services: dict[str, Any] = self._configuration()["services"]
        return sorted(name for name, service in services.items() if service.get("restart") == "unless-stopped")

    def state(self, service: str) -> dict[str, Any]:
        """How the container of a service is, as `docker inspect` says it."""
        name = f"{self.name}-{service}-1"
        found: dict[str, Any] = json.loads(self.docker.run("inspect", "--format", "{{json .State}}", name))
        return found

    def crash(self, service: str) -> None:
        """Kill the first process of a service's container, and so all of them, and wait until it was started again.

        The engine takes that for a crash, where `docker kill` would be an administrator's wish.
        """
        self.wait_for(lambda: self.state(service)["Running"], f"{service} to run")
        first = self.state(service)["Pid"]
        if first:  # else it has just ended by itself
            with suppress(ProcessLookupError):
                os.kill(first, signal.SIGKILL)
        self.wait_for(lambda: self._runs_anew(service, first), f"{service} to be started again")

    def _runs_anew(self, service: str, before: int) -> bool:
        state = self.state(service)
        return bool(state["Running"]) and state["Pid"] not in (0, before)

    def wait_for(self, condition: Callable[[], object], what: str, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until a condition holds; fail with what the containers printed if it never does."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain for {what}\n{self.report()}"
            time.sleep(0.1)

    def rows(self, query: str) -> list[list[str]]:
        """What a query finds in the database, as texts."""
        psql = ["psql", "--no-psqlrc", "--csv", "--tuples-only", "--username", "atlas", "--dbname", "atlas"]
        command = ["exec", "--no-TTY", "--env", f"PGPASSWORD={self.secret('postgres-password')}", "postgres", *psql]
        printed = self.compose(*command, "--command", query)
        return [line.split(",") for line in printed.splitlines()]

    def report(self) -> str:
        """Which containers there are, and the last of what each printed."""
        return self.compose("ps", "--all") + self.compose("logs", "--no-color", "--tail", "60")

    def _base_images(self) -> set[str]:
        """The images that are not built of the clone, and those that its own are built from."""
        services = self._configuration()["services"].values()
        built = {service["image"] for service in services if "build" in service}
        arguments = [service["build"].get("args", {}) for service in services if "build" in service]
        bases = {value for each in arguments for name, value in each.items() if name.endswith("_IMAGE")}
        return bases | {service["image"] for service in services} - built

    def _configuration(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.compose("config", "--format", "json"))
        return found
