"""Benchmarks with stored predictions, to be compared with each other."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from django.conf import settings
from pyarrow import parquet

from atlas.intervals import with_intervals
from atlas.metrics import Predictions, measure, metric
from atlas.results import Costs, HyperparameterGroup
from storage.objects import open_store
from tests import stage
from tests.samples import result

CLASSES = ("intact", "damaged")
EVENTS = 400
METRICS = ("accuracy", "f1", "log_loss")


def answers(right: float, *, seed: int = 1, events: int = EVENTS) -> tuple[np.ndarray, np.ndarray]:
    """Truth, and the probability of damage by a model that is right so often; the truth does not depend on the seed."""
    truth = np.random.default_rng(0).random(events) < 0.4
    random = np.random.default_rng(seed)
    is_right = random.random(events) < right
    sure = 0.55 + 0.4 * random.random(events)
    return truth, np.where(truth == is_right, sure, 1 - sure)


def stored(truth: np.ndarray, chances: np.ndarray, ids: Sequence[str] | None = None) -> bytes:
    """The file of predictions that a benchmark keeps."""
    names = np.array(CLASSES)
    table = {
        "id": list(ids) if ids is not None else [f"event-{number:04}" for number in range(len(truth))],
        "truth": names[truth.astype(int)],
        "prediction": names[(chances > 0.5).astype(int)],
        "probability intact": 1 - chances,
        "probability damaged": chances,
    }
    stream = io.BytesIO()
    parquet.write_table(pa.table(table), stream)
    return stream.getvalue()


def put(key: str, content: bytes) -> None:
    """Store an object."""
    open_store(str(settings.ATLAS_OBJECT_STORE)).put(key, content)


def delete(key: str) -> None:
    """Delete an object."""
    open_store(str(settings.ATLAS_OBJECT_STORE)).delete(key)


def compared(
    name: str,
    right: float,
    *,
    version: int | None = None,
    seed: int = 1,
    keep: bool = True,
    latency: float = 0.002,
    depth: str = "3",
    **changes: Any,
) -> int:
    """A benchmark of a model that is right so often, whose predictions are kept if nothing else is said."""
    truth, chances = answers(right, seed=seed)
    names = np.array(CLASSES)
    given = Predictions(
        labels=names[(chances > 0.5).astype(int)],
        probabilities=np.column_stack([1 - chances, chances]),
        classes=CLASSES,
    )
    true = names[truth.astype(int)]
    measured = with_intervals(measure([metric(name) for name in METRICS], true, given), true, given, seconds=30)
    key = f"predictions/{name}-{version}.parquet"
    if keep:
        put(key, stored(truth, chances))
    model = stage.add_model(name, metrics=METRICS, primary_metric="accuracy", **changes)
    costs = result().costs.model_dump() | {"latency_p50_seconds": latency / 2, "latency_p95_seconds": latency}
    step = HyperparameterGroup(
        step="", estimator="Forest", values={"depth": depth, "trees": "100", "warm": "no"}, chosen=("depth", "trees")
    )
    return stage.finish(
        model,
        version if version is not None else stage.add_version(),
        result(
            metrics=measured,
            predictions_key=key if keep else "",
            costs=Costs.model_validate(costs),
            hyperparameters=(step,),
        ),
    )
