"""Continuous training: a model is trained again when its dataset has a new version, or its file says something new.

Each training is a process of its own, so that one can be ended at any moment, whatever it computes.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import FrameType

from atlas.datasets import DatasetVersion
from atlas.errors import AtlasError
from atlas.ingestion import IngestionClient
from training_engine.command import DONE, TRY_LATER, Options, destination, files_of
from training_engine.config import TrainingConfiguration, load
from training_engine.destinations import Destination
from training_engine.errors import ConfigurationError
from training_engine.screen import Screen
from training_engine.settings import ROOT

LOOK_SECONDS = 0.1
"""How often a training is looked at."""
GRACE_SECONDS = 0.5
"""How long one that is ended may take for it."""


def watch(options: Options, *, ingestion_url: str, ingestion_token: str, object_store: str, screen: Screen) -> int:
    """Train whatever is new, until the process is asked to end (SIGTERM, SIGINT).

    Returns:
        The exit status: 0.

    Raises:
        AtlasError: an option is wrong.
    """
    options.check()
    with (
        _until_asked_to_end() as stop,
        destination(options, object_store) as where,
        closing(IngestionClient(ingestion_url, token=ingestion_token, attempts=1, timeout_seconds=10)) as ingestion,
    ):
        settings = {
            "ATLAS_INGESTION_URL": ingestion_url,
            "ATLAS_INGESTION_TOKEN": ingestion_token,
            "ATLAS_OBJECT_STORE": object_store,
        }
        watcher = Watcher(options, ingestion, where, _environment(settings), screen, stop)
        while not stop.is_set():
            watcher.look()
            stop.wait(options.every)
    return DONE


def _environment(settings: dict[str, str]) -> dict[str, str]:
    """That of this process with some settings as they are here, also where it has them from files."""
    places = filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))
    files = {f"{name}_FILE" for name in settings}
    inherited = {name: value for name, value in os.environ.items() if name not in files}
    return {**inherited, **settings, "PYTHONPATH": os.pathsep.join(places)}


@contextmanager
def _until_asked_to_end() -> Iterator[threading.Event]:
    """Set when the process is asked to end; what signals did before, they do again after the block."""
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Watcher:
    """Looks for what is to be trained, and remembers what is not worth another try.

    What was trained already is known from the bundles, so that one that is started again trains nothing twice.
    """

    def __init__(
        self,
        options: Options,
        ingestion: IngestionClient,
        where: Destination,
        environment: dict[str, str],
        screen: Screen,
        stop: threading.Event,
    ) -> None:
        self._options, self._ingestion, self._where = options, ingestion, where
        self._environment, self._screen, self._stop = environment, screen, stop
        self._settled: set[tuple[str, str]] = set()
        self._said: dict[str, str] = {}

    def look(self) -> None:
        """Train each model whose dataset has a version, or whose file has a content, that it was not trained with."""
        for path in self._files():
            if self._stop.is_set():
                return
            configuration = self._read(path)
            if configuration is not None:
                self._look_at(path, configuration)

    def _files(self) -> list[Path]:
        found: list[Path] = []
        for given in self._options.configurations:
            try:
                found += files_of((given,))
                self._heard(str(given), "")
            except ConfigurationError as error:
                self._heard(str(given), str(error))
        return list(dict.fromkeys(found))

    def _read(self, path: Path) -> TrainingConfiguration | None:
        try:
            configuration = load(path)
        except ConfigurationError as error:
            self._heard(f"file {path}", str(error))
            return None
        self._heard(f"file {path}", "")
        return configuration

    def _look_at(self, path: Path, configuration: TrainingConfiguration) -> None:
        try:
            versions = self._ingestion.tag(configuration.dataset).versions
            self._heard(f"data {configuration.dataset}", "")
            if versions and not self._is_settled(configuration, versions[-1]):
                self._train(path, configuration, versions[-1])
        except AtlasError as error:
            self._heard(f"data {configuration.dataset}", str(error))

    def _is_settled(self, configuration: TrainingConfiguration, version: DatasetVersion) -> bool:
        """Whether there is such a model, or there will be none."""
        key = (configuration.digest, version.digest)
        if key not in self._settled and self._is_trained(configuration, version):
            self._settled.add(key)
        return key in self._settled

    def _is_trained(self, configuration: TrainingConfiguration, version: DatasetVersion) -> bool:
        """Whether a bundle says that it was trained so; one that does not tell its configuration counts."""
        for manifest in self._where.bundles(configuration.family):
            record = manifest.training
            same_data = record is not None and version.digest == record.digest
            if record and same_data and record.configuration in {None, configuration.digest}:
                return True
        return False

    def _train(self, path: Path, configuration: TrainingConfiguration, version: DatasetVersion) -> None:
        status = self._finished(path, version)
        if status is None:
            return
        if status != TRY_LATER:
            self._settled.add((configuration.digest, version.digest))
        if status not in {DONE, TRY_LATER}:
            self._screen.say(f"{configuration.name} is tried again when there are new data, or {path} is changed.")

    def _finished(self, path: Path, version: DatasetVersion) -> int | None:
        """The exit status of a training; None if it was ended because the process ends."""
        with tempfile.TemporaryDirectory(prefix="atlas-watch-") as folder:
            environment = {**self._environment, "TMPDIR": folder}
            with subprocess.Popen(self._command(path, version), env=environment) as process:
                while process.poll() is None:
                    if self._stop.wait(LOOK_SECONDS):
                        _end(process)
                        return None
                return None if self._stop.is_set() else process.returncode

    def _command(self, path: Path, version: DatasetVersion) -> list[str]:
        where = ["--output", str(self._options.output)] if self._options.output else []
        where += ["--push"] if self._options.push else []
        return [sys.executable, "-m", "training_engine", str(path), "--query-id", version.query_id, *where]

    def _heard(self, about: str, problem: str) -> None:
        """Say what is wrong once, and once that it is well again."""
        before, self._said[about] = self._said.get(about, ""), problem
        if problem and problem != before:
            self._screen.failed(problem)
        elif before and not problem:
            self._screen.done(f"{about.partition(' ')[2] or about} is well again.")


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    process.kill()
