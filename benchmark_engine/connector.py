"""The engine's only door to storage: tables, objects, and the files that it keeps of both on this machine."""

import logging
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from atlas.bundle import read_manifest, unpack
from atlas.ingestion import IngestionClient
from atlas.logs import about_benchmark
from atlas.manifest import Manifest
from atlas.states import ComponentState, Level
from benchmark_engine.cache import Cache
from benchmark_engine.worker import model_entry, sha256_of
from storage import records
from storage.objects import ObjectStore, StoredObject

MODELS = "models/"
COMPONENT = "engine"
LEVELS = {Level.INFO: logging.INFO, Level.WARNING: logging.WARNING, Level.ERROR: logging.ERROR}

logger = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass(kw_only=True)
class Connector:
    """What an engine needs of the world: where models, data and results are, and what time it is.

    Attributes:
        objects: where models arrive.
        ingestion: where dataset versions come from.
        cache: keeps downloaded files.
        clock: gives the time.
        scratch: a folder that goes with the engine even if it is killed; None is the system's temporary one.
        intake: held by who takes in a model's file, so that one that is told and listed at once is read once.
    """

    objects: ObjectStore
    ingestion: IngestionClient
    cache: Cache
    clock: Callable[[], datetime] = utc_now
    scratch: Path | None = None
    intake: threading.Lock = field(default_factory=threading.Lock, init=False)

    def listed_models(self) -> Iterator[StoredObject]:
        """The files in the object store's `models/`."""
        return self.objects.list(MODELS)

    @contextmanager
    def fetched_model(self, key: str) -> Iterator[tuple[Path, str]]:
        """A file, downloaded for as long as the block runs, and its sha256."""
        with tempfile.TemporaryDirectory(prefix="atlas-model-", dir=self.scratch) as folder:
            file = Path(folder) / "bundle.atlas"
            self.objects.get(key, file)
            yield file, sha256_of(file)

    def inspected(self, file: Path, digest: str) -> Manifest:
        """The manifest of a sound bundle, whose members are kept unpacked for its benchmarks.

        Raises:
            BundleError: it is not one.
        """

        def unpacked(folder: Path) -> None:
            unpack(file, folder)

        with self.cache.entry(model_entry(digest), unpacked):
            return read_manifest(file)

    def log(
        self,
        message: str,
        *,
        level: Level = Level.INFO,
        detail: str = "",
        model: int | None = None,
        benchmark: int | None = None,
    ) -> None:
        """Keep a line on the log page, and print it."""
        with about_benchmark(benchmark):
            logger.log(LEVELS[level], message)
        records.log(COMPONENT, message, now=self.clock(), level=level, detail=detail, model=model, benchmark=benchmark)

    def report(self, component: str, state: ComponentState, message: str) -> None:
        """Keep a component's sign of life."""
        records.report_status(component, state, message, now=self.clock())
