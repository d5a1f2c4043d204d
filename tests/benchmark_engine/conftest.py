"""An engine over a folder of objects, with an ingestion engine that is a dictionary."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from sklearn.linear_model import LogisticRegression

import atlas
from atlas.datasets import (
    DatasetDescription,
    DatasetVersion,
    Split,
    TagDescription,
    columns_of,
    content_digest,
    write_arrow,
)
from atlas.errors import IngestionError, IngestionUnavailableError
from atlas.ingestion import IngestionClient, RecordingDescription, RecordingSettings, RecordingState
from benchmark_engine.cache import Cache
from benchmark_engine.connector import Connector
from storage.objects import DirectoryStore
from tests.samples import NO_DIGEST, NOON, description

CLASSES = np.array(["intact", "damaged"])


def impacts(rows: int = 60, seed: int = 0) -> pa.Table:
    """Labelled events whose label follows from two columns, nearly."""
    random = np.random.default_rng(seed)
    columns = random.normal(size=(rows, 2))
    label = CLASSES[(columns.sum(axis=1) + random.normal(scale=0.5, size=rows) > 0).astype(int)]
    return pa.table(
        {
            "id": [f"r/{number:04}" for number in range(rows)],
            "label": label.tolist(),
            "peak": columns[:, 0],
            "rms": columns[:, 1],
        }
    )


def features(table: pa.Table) -> pd.DataFrame:
    """What the models of these tests predict from."""
    return cast(pd.DataFrame, table.select(["peak", "rms"]).to_pandas())


def as_parquet(table: pa.Table, **options: Any) -> bytes:
    """A table as the content of a Parquet file."""
    file = io.BytesIO()
    parquet.write_table(table, file, **options)
    return file.getvalue()


def packed(folder: Path, model: Any = None, **changes: Any) -> Path:
    """A bundle of a fitted model, a logistic regression if none is given."""
    data = impacts(seed=7)
    if model is None:
        model = LogisticRegression().fit(features(data), data["label"].to_pylist())
    arguments: dict[str, Any] = {
        "name": "DamageDetector",
        "version": "1.0.0",
        "use_case": "damage detector",
        "task": "binary",
        "author": ("Ines Prado", "ines@example.org"),
        "tags": ["impacts"],
        "metrics": ["f1", "accuracy", "roc_auc", "log_loss"],
        "example": features(data).head(),
        "created": NOON,
    }
    return atlas.pack(model, folder, **(arguments | changes))


@dataclass
class DictionaryIngestion:
    """The ingestion client's reads, over data frames that tests put in."""

    tables: dict[str, list[pa.Table]] = field(default_factory=dict)
    downloads: list[str] = field(default_factory=list)
    recordings: dict[str, RecordingState] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    reachable: bool = True

    def add(self, tag: str, table: pa.Table) -> None:
        """A new version of a tag."""
        self.tables.setdefault(tag, []).append(table)

    def tag(self, name: str) -> TagDescription:
        """The tag and its versions."""
        if not self.reachable:
            raise IngestionUnavailableError("The ingestion engine cannot be reached: refused")
        if name not in self.tables:
            raise IngestionError(f"There is no tag {name}")
        versions = tuple(self._version(name, number) for number in range(1, len(self.tables[name]) + 1))
        return TagDescription(name=name, query="", versions=versions)

    def recording(self, name: str) -> RecordingDescription:
        """How far a recording is."""
        if not self.reachable:
            raise IngestionUnavailableError("The ingestion engine cannot be reached: refused")
        if name not in self.recordings:
            raise IngestionError(f"There is no recording {name}")
        return RecordingDescription(
            name=name,
            filename=f"{name}.bag",
            size_bytes=1,
            sha256=NO_DIGEST,
            received=NOON,
            settings=RecordingSettings(),
            state=self.recordings[name],
        )

    def create_tag(self, name: str, query: str) -> TagDescription:
        """The tag, whose versions were put in before."""
        self.asked[name] = query
        return self.tag(name)

    def dataset(self, query_id: str) -> DatasetDescription:
        """A version's description."""
        tag, _, number = query_id.rpartition("-v")
        table = self.tables[tag][int(number) - 1]
        return description(
            int(number),
            tag=tag,
            query_id=query_id,
            digest=content_digest(table),
            rows=table.num_rows,
            columns=columns_of(table.schema),
        )

    def download(self, dataset: DatasetDescription, split: Split, destination: Path) -> None:
        """A version's rows."""
        self.downloads.append(dataset.query_id)
        write_arrow(self.tables[dataset.tag][dataset.number - 1], destination)

    def _version(self, tag: str, number: int) -> DatasetVersion:
        described = self.dataset(f"{tag}-v{number}")
        return DatasetVersion(
            query_id=described.query_id,
            number=number,
            digest=described.digest,
            rows=described.rows,
            created=described.created,
        )


@pytest.fixture
def ingestion() -> DictionaryIngestion:
    """An ingestion engine with one version of the tag `impacts`."""
    engine = DictionaryIngestion()
    engine.add("impacts", impacts())
    return engine


@pytest.fixture
def objects(tmp_path: Path) -> DirectoryStore:
    """An empty object store."""
    return DirectoryStore(tmp_path / "objects")


@pytest.fixture
def connector(tmp_path: Path, objects: DirectoryStore, ingestion: DictionaryIngestion) -> Connector:
    """An engine's door to an empty storage, at noon."""
    return Connector(
        objects=objects,
        ingestion=cast(IngestionClient, ingestion),
        cache=Cache(tmp_path / "cache", max_bytes=1 << 30),
        clock=lambda: NOON,
    )


@pytest.fixture
def send(tmp_path: Path, objects: DirectoryStore) -> Callable[..., Path]:
    """Puts a bundle into the store's `models/`, under its own name or another one."""

    def put(path: Path | None = None, *, key: str = "", **changes: Any) -> Path:
        bundle = path or packed(tmp_path / "sent", **changes)
        objects.put(f"models/{key or bundle.name}", bundle)
        return bundle

    return put


def at(moment: datetime) -> Callable[[], datetime]:
    """A clock that stands still."""
    return lambda: moment
