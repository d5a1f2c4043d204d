"""A model's results on a tag that grows, with a known change: what watching it has to find, and where.

docs/explanation/regressions.md tells of the same stream.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from django.conf import settings
from pyarrow import parquet

from atlas.assessment import assess
from atlas.ingestion import IngestionClient
from atlas.metrics import Predictions
from atlas.results import BenchmarkResult
from benchmark_engine.cache import Cache
from benchmark_engine.checking import check_results
from benchmark_engine.connector import Connector
from storage.objects import ObjectStore, open_store
from tests.samples import NOON, result
from tests.stage import add_model, add_version, finish

CLASSES = ("intact", "damaged")
METRICS = ("accuracy", "recall")
CHANGE = 7
"""The version with which events of a car come that the model was not made for."""
FIRST, EACH, OF_NEW_CAR = 1_000, 150, 600
RIGHT, RIGHT_ON_NEW_CAR, RIGHT_SINCE = 0.9, 0.6, 0.8
"""How often the model is right: before, on the new car's first events, and on what each version brings since then."""


@dataclass(frozen=True)
class Answered:
    """Events with the model's answers: ids, truth and predictions by class."""

    ids: np.ndarray
    truth: np.ndarray
    labels: np.ndarray

    def __add__(self, other: "Answered") -> "Answered":
        return Answered(*(np.concatenate(pair) for pair in zip(self.columns, other.columns, strict=True)))

    @property
    def columns(self) -> tuple[np.ndarray, ...]:
        """As they stand in the file, without its titles."""
        return self.ids, self.truth, self.labels


def answered(rows: int, right: float, *, name: str, seed: int) -> Answered:
    """Events, on about so many of which a model is right, as chance has it."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, rows)
    given = np.where(random.random(rows) < right, truth, 1 - truth)
    names = np.array(CLASSES, dtype=object)
    return Answered(np.array([f"{name}/{row:04}" for row in range(rows)], dtype=object), names[truth], names[given])


def growing(versions: int, change: int = CHANGE) -> Iterator[Answered]:
    """The events of each version: those of the one before, and new ones."""
    held = answered(FIRST, RIGHT, name="1", seed=1)
    yield held
    for number in range(2, versions + 1):
        rows, right = (EACH, RIGHT) if number < change else (EACH, RIGHT_SINCE)
        if number == change:
            rows, right = OF_NEW_CAR, RIGHT_ON_NEW_CAR
        held = held + answered(rows, right, name=str(number), seed=number)
        yield held


def measured(events: Answered, **changes: Any) -> BenchmarkResult:
    """What the engine measures of them."""
    predictions = Predictions(labels=events.labels, classes=CLASSES)
    found = assess(METRICS, events.truth, predictions, {}, predict_seconds=1.0)
    return result(metrics=found.metrics, **changes)


def file_of(events: Answered) -> bytes:
    """The predictions as the runner keeps them."""
    stream = io.BytesIO()
    columns = zip(("id", "truth", "prediction"), events.columns, strict=True)
    parquet.write_table(pa.table({name: values.tolist() for name, values in columns}), stream)
    return stream.getvalue()


class Watched:
    """A model whose results come one by one, with what the object store keeps of them."""

    def __init__(self, objects: ObjectStore, versions: Sequence[Answered], *, name: str = "Forest-1.0.0-1") -> None:
        self.objects = objects
        self.events = versions
        self.model = add_model(name, metrics=METRICS, primary_metric="accuracy", classes=CLASSES)
        self.versions = [add_version(number) for number in range(1, len(versions) + 1)]

    def arrives(self, number: int, *, events: Answered | None = None, now: datetime | None = None) -> int:
        """The result on a version; the key of its benchmark."""
        found = self.events[number - 1] if events is None else events
        at = now or NOON + timedelta(hours=number)
        key = f"predictions/{self.model}-{number}-{at:%d%H%M}.parquet"
        self.objects.put(key, file_of(found))
        outcome = measured(found, predictions_key=key)
        return finish(self.model, self.versions[number - 1], outcome, now=at)


def compare() -> int:
    """Compare results with earlier versions, as the engine does; how many were."""
    folder = Path(settings.ATLAS_OBJECT_STORE)
    connector = Connector(
        objects=open_store(settings.ATLAS_OBJECT_STORE),
        ingestion=IngestionClient("http://127.0.0.1:9"),
        cache=Cache(folder.parent / "cache", max_bytes=0),
        clock=lambda: NOON,
    )
    return check_results(connector)
