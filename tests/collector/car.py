"""A car for one test: the installed collector with a master and the launch file of its own, and what it recorded."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import yaml

from tests.servers import MissingComponentError, free_port

ROOT = Path(__file__).parents[2]
WIRE = Path(__file__).parent / "wire"
PATIENCE_SECONDS = 30.0
SYSTEM_PYTHON = "/usr/bin/python3"

Set = Mapping[str, Mapping[str, Any]]
"""The messages of a set by topic, each with some of its fields."""


@contextmanager
def installed() -> Iterator[Path]:
    """Installs the collector into a folder by `make collector-install`; yields what starts it.

    Raises:
        MissingComponentError: Debian's ROS packages are not installed.
    """
    if not Path("/usr/share/catkin/cmake/catkinConfig.cmake").exists() or not shutil.which("roslaunch"):
        raise MissingComponentError("ROS 1 is not installed: scripts/ros-programs installs it on Debian 12")
    with tempfile.TemporaryDirectory(prefix="atlas-collector-") as folder:
        done = subprocess.run(
            ["make", "collector-install", f"DESTDIR={folder}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        yield Path(folder, "opt", "atlas-collector", "bin", "atlas-collector")


class Car:
    """A collector that runs until it is stopped.

    Attributes:
        recordings: the folder of its recordings.
        environment: of its processes; may be added to before it is started.
    """

    def __init__(self, program: Path, folder: Path, *, sim: bool = True, **settings: Any) -> None:
        self.recordings, self._folder, self._sim = folder / "recordings", folder, sim
        self._program, self._port = program, free_port()
        self._log, self._config = folder / "collector.log", folder / "collector.yaml"
        self.recordings.mkdir(parents=True, exist_ok=True)
        self._config.write_text(yaml.safe_dump({"folder": str(self.recordings), **settings}))
        self.environment = {**os.environ} | {
            "ROS_MASTER_URI": f"http://127.0.0.1:{self._port}",
            "ROS_HOSTNAME": "127.0.0.1",
            "ROS_LOG_DIR": str(folder / "ros"),
            "ROS_HOME": str(folder / "ros"),
            "PYTHONUNBUFFERED": "1",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the car; what its processes print goes to one file."""
        options = ["-p", str(self._port), f"config:={self._config}", f"sim:={str(self._sim).lower()}"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "INT", self._program, *options],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> None:
        """Ends all of it in good order."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

    def log(self) -> str:
        """What all processes printed."""
        return self._log.read_text(errors="replace")

    def node(self, name: str) -> psutil.Process:
        """The process of a node that runs."""
        assert self._process is not None
        for process in psutil.Process(self._process.pid).children(recursive=True):
            try:
                if f"__name:={name}" in process.cmdline():
                    return process
            except psutil.Error:  # it has just ended
                continue
        raise LookupError(f"there is no node {name}:\n{self.log()}")

    def kill(self, name: str) -> None:
        """Ends a node as a crash does."""
        self.node(name).kill()

    def usage(self, seconds: float = 1.0) -> str:
        """How much of a processor and of memory each node uses."""
        nodes = [self.node(name) for name in ("listener", "uploader", *(f"sensor_{name}" for name in SENSORS))]
        for process in nodes:
            process.cpu_percent()
        time.sleep(seconds)
        names = [next(word for word in each.cmdline() if word.startswith("__name:="))[8:] for each in nodes]
        return "\n".join(
            f"{name:22}{process.cpu_percent():6.1f} % of a processor{process.memory_info().rss / 1e6:8.1f} MB"
            for name, process in zip(names, nodes, strict=True)
        )

    def finished(self) -> list[Path]:
        """The parts that are closed, oldest first."""
        return sorted(self.recordings.glob("*.bag"), key=lambda path: int(path.stem.rpartition("-")[2]))

    def manifests(self) -> list[dict[str, Any]]:
        """Those of the finished parts."""
        return [json.loads(part.with_name(part.name + ".json").read_text()) for part in self.finished()]

    def active_bytes(self) -> int:
        """How long the part is that is being written."""
        return sum(path.stat().st_size for path in self.recordings.glob("*.active"))

    def sets(self) -> list[list[Set]]:
        """The sets of each finished part, as Debian's rosbag reads them."""
        packages = self._program.parents[1] / "lib" / "python3" / "dist-packages"
        done = subprocess.run(
            [SYSTEM_PYTHON, WIRE / "read_bags.py", *self.finished()],
            env={"PYTHONPATH": str(packages), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: list[list[Set]] = json.loads(done.stdout)
        return found

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Waits until a condition holds; fails with the log if it never does."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain for {what}:\n{self.log()[-8_000:]}"
            time.sleep(0.05)

    def wait_for_log(self, text: str, times: int = 1) -> None:
        """Waits until the log has a text so many times."""
        self.wait_for(lambda: self.log().count(text) >= times, f"{text!r} in the log")

    def wait_for_recording(self, more_bytes: int) -> None:
        """Waits until so much more has been recorded into the open part, or into one that follows it."""
        before, parts = self.active_bytes(), len(self.finished())
        self.wait_for(
            lambda: self.active_bytes() >= before + more_bytes or len(self.finished()) > parts, "something recorded"
        )


SENSORS = ("air", "gas", "microphones", "acceleration")


class Clock:
    """The wall clock of a car's processes, which can be set; the machine's cannot. The monotonic clock is real."""

    def __init__(self, folder: Path) -> None:
        """Builds what lets a process see it.

        Raises:
            MissingComponentError: there is no C compiler.
        """
        if not shutil.which("cc"):
            raise MissingComponentError("there is no C compiler: apt-get install gcc libc6-dev")
        self._file, self._library = folder / "clock", folder / "clock.so"
        self._file.write_bytes(bytes(8))
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self._library, WIRE / "clock.c"], check=True)

    def show(self, car: Car) -> None:
        """Lets the car's processes see it, once they are started."""
        car.environment |= {"LD_PRELOAD": str(self._library), "ATLAS_TEST_CLOCK": str(self._file)}

    def set(self, seconds: int) -> None:
        """Sets it, so many seconds from the machine's."""
        with self._file.open("r+b") as file:
            file.write(seconds.to_bytes(8, sys.byteorder, signed=True))
