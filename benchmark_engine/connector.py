"""The engine's only door to storage: tables, objects, and the files that it keeps of both on this machine."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from atlas.bundle import read_manifest, unpack
from atlas.ingestion import IngestionClient
from atlas.manifest import Manifest
from benchmark_engine.cache import Cache
from benchmark_engine.journal import Journal
from benchmark_engine.worker import model_entry, sha256_of
from storage.objects import ObjectStore, StoredObject

MODELS = "models/"


@dataclass(kw_only=True)
class Connector(Journal):
    """What an engine needs of the world: where models, data and results are, and what time it is.

    Attributes:
        objects: where models arrive.
        ingestion: where dataset versions come from.
        cache: keeps downloaded files.
        scratch: a folder that goes with the engine even if it is killed; None is the system's temporary one.
        intake: held by who takes in a model's file, so that one that is told and listed at once is read once.
    """

    objects: ObjectStore
    ingestion: IngestionClient
    cache: Cache
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
