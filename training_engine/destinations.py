"""Where bundles go: the object store, the dashboard, or a folder; each knows the bundles that it has already."""

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from atlas.bundle import SUFFIX, read_manifest
from atlas.client import AtlasClient
from atlas.connection import Progress
from atlas.errors import BundleError, ObjectNotFoundError
from atlas.manifest import Manifest, manifest_of
from storage.objects import ObjectStore
from training_engine.trainer import TrainedModel

MODELS = "models/"


class Destination(Protocol):
    """Takes bundles. Methods raise AtlasError where it cannot be reached or refuses."""

    def take(self, model: TrainedModel, progress: Progress) -> None:
        """Keep a bundle."""

    def bundles(self, family: str) -> Iterator[Manifest]:
        """The manifests of the bundles whose names begin with that, the newest first."""


class StoreDestination:
    """The object store, where the benchmark engine finds models."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def take(self, model: TrainedModel, progress: Progress) -> None:
        size = model.path.stat().st_size
        progress(0, size)
        self._store.put(f"{MODELS}{model.path.name}", model.path)
        progress(size, size)

    def bundles(self, family: str) -> Iterator[Manifest]:
        keys = [found.key for found in self._store.list(f"{MODELS}{family}") if found.key.endswith(SUFFIX)]
        with tempfile.TemporaryDirectory(prefix="atlas-known-") as folder:
            for key in sorted(keys, reverse=True):
                with suppress(ObjectNotFoundError, BundleError):  # deleted meanwhile, or none of ours
                    self._store.get(key, Path(folder) / "known.atlas")
                    yield read_manifest(Path(folder) / "known.atlas")


class DashboardDestination:
    """The dashboard's API, where one signs in with a token."""

    def __init__(self, client: AtlasClient) -> None:
        self._client = client

    def take(self, model: TrainedModel, progress: Progress) -> None:
        self._client.push(model.path, progress=progress)

    def bundles(self, family: str) -> Iterator[Manifest]:
        names = (each.name for each in self._client.models(q=family, state="ready"))
        for name in sorted((name for name in names if name.startswith(family)), reverse=True):
            if manifest := self._client.model(name).manifest:
                yield manifest_of(manifest)


class FolderDestination:
    """A folder of this machine; nothing is sent anywhere."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, model: TrainedModel, progress: Progress) -> None:  # noqa: ARG002 - the protocol's
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._folder / f".{model.path.name}.part"
        partial.write_bytes(model.path.read_bytes())
        partial.replace(self._folder / model.path.name)

    def bundles(self, family: str) -> Iterator[Manifest]:
        for path in sorted(self._folder.glob(f"{family}*{SUFFIX}"), reverse=True):
            with suppress(FileNotFoundError, BundleError):
                yield read_manifest(path)
