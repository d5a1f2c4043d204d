"""The engine's only door to storage: tables, objects, and the files that it keeps of both on this machine."""

import hashlib
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from atlas.datasets import Split
from atlas.errors import BundleReplacedError
from atlas.ingestion import IngestionClient
from atlas.states import ComponentState, Level
from benchmark_engine.runner import Job
from benchmark_engine.sandbox.limits import Limits
from storage import records
from storage.catalog import Assignment
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
        cache: the folder of downloaded files.
        clock: gives the time.
    """

    objects: ObjectStore
    ingestion: IngestionClient
    cache: Path
    clock: Callable[[], datetime] = utc_now
    _locks: dict[Path, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock), init=False)

    def listed_models(self) -> Iterator[StoredObject]:
        """The files in the object store's `models/`."""
        return self.objects.list(MODELS)

    def fetch_model(self, key: str) -> tuple[Path, str]:
        """Download a file and say its sha256; it is kept under that name, once.

        Returns:
            The path and the digest.
        """
        folder = self.cache / "models"
        folder.mkdir(parents=True, exist_ok=True)
        arriving = folder / f".{hashlib.sha256(key.encode()).hexdigest()}.{threading.get_ident()}"
        try:
            self.objects.get(key, arriving)
            with arriving.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            return arriving.replace(folder / f"{digest}.atlas"), digest
        finally:
            arriving.unlink(missing_ok=True)

    def job(self, assignment: Assignment, *, limits: Limits, explained_rows: int) -> Job:
        """A benchmark with its files on this machine; a dataset version is downloaded once for all that need it.

        Raises:
            AtlasError: a file cannot be fetched, or is not the one that was benchmarked for.
        """
        return Job(
            bundle=self._bundle(assignment),
            data=self._evaluation_data(assignment),
            limits=limits,
            explained_rows=explained_rows,
        )

    def _bundle(self, assignment: Assignment) -> Path:
        model = assignment.model
        path = self.cache / "models" / f"{model.digest}.atlas"
        with self._locks[path]:
            if not path.exists():
                path, digest = self.fetch_model(model.key)
                if digest != model.digest:
                    raise BundleReplacedError(f"{model.key} was replaced after it arrived; send it under a new name.")
        return path

    def _evaluation_data(self, assignment: Assignment) -> Path:
        description = assignment.version.description
        path = self.cache / "datasets" / f"{description.query_id}-{description.digest}.arrow"
        with self._locks[path]:
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                self.ingestion.download(description, Split.EVALUATION, path)
                logger.info("Downloaded %s v%s: %s rows.", description.tag, description.number, description.rows)
        return path

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
        logger.log(LEVELS[level], message)
        records.log(COMPONENT, message, now=self.clock(), level=level, detail=detail, model=model, benchmark=benchmark)

    def report(self, component: str, state: ComponentState, message: str) -> None:
        """Keep a component's sign of life."""
        records.report_status(component, state, message, now=self.clock())
