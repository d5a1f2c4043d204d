"""A benchmark with an explanation, explained events and predictions, as the engine leaves them."""

import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from django.conf import settings
from pyarrow import parquet

from atlas.results import BenchmarkResult, ConfusionMatrix, Explanation
from explainability.explained import Explained
from storage.objects import open_store
from tests import figures, stage
from tests.explained import explained
from tests.samples import NOON, result

VALUES, EVENTS, PREDICTIONS = "explanations/1.arrow", "explanations/1.parquet", "predictions/1.parquet"
SAMPLES = 400


def events(count: int = 120, *, classes: int = 3, **changes: Any) -> Explained:
    """Explained events; see `tests.explained`."""
    return explained(count, classes=classes, **changes)


def explain(
    of: Explained | None = None, *, model: str = "Forest-1.0.0-1", version: int = 1, more: int = 30, **changes: Any
) -> int:
    """A benchmark that is done, whose events are the explained ones and `more`, which are right and not explained.

    `changes` are made to its `atlas.results.Explanation`.
    """
    of = of or events()
    put(VALUES, values_file(of))
    put(EVENTS, dataset_rows(of))
    put(PREDICTIONS, predictions(of, more))
    return stage.finish(add_model(of, model), stage.add_version(version), _result(of, changes), now=NOON)


def add_model(of: Explained, name: str) -> int:
    """A model with the outputs that were explained."""
    kept: dict[str, Any] = {"metrics": ("accuracy",), "primary_metric": "accuracy"}
    if of.findings.output == "value":
        kept = {"metrics": ("r2",), "primary_metric": "r2"}
        return stage.add_model(name, task="regression", classes=(), target="speed", **kept)
    classes = tuple(sorted(set(of.truth) | set(of.predicted)))
    task = "binary" if len(of.findings.outputs) == 1 else "multiclass"
    return stage.add_model(name, task=task, classes=classes, **kept)


def put(key: str, content: bytes) -> None:
    """Store an object."""
    open_store(str(settings.ATLAS_OBJECT_STORE)).put(key, content)


def document(of: Explained, **changes: Any) -> Explanation:
    """What the database has of the explanation."""
    kept = {"values_key": VALUES, "events_key": EVENTS, "tree": of.findings.tree, "picked_rows": 30, "seconds": 4.2}
    said = {"background": of.findings.background, "background_rows": 100, "value_error": of.findings.value_error}
    return figures.explanation(of).model_copy(update={**kept, **said, **changes})


def dataset_rows(of: Explained) -> bytes:
    """The dataset's rows of the explained events, with one signal each."""
    random = np.random.default_rng(0)
    table = {
        "id": of.ids.tolist(),
        "car": ["car-7"] * len(of),
        "speed": np.linspace(10, 60, len(of)),
        "shock": [random.normal(size=SAMPLES).tolist() for _ in range(len(of))],
    }
    return parquet_file(table)


def predictions(of: Explained, more: int) -> bytes:
    """The predictions of the explained events and of more."""
    ids = [*of.ids, *(f"other-{number}" for number in range(more))]
    if of.findings.output == "value":
        numbers = [[*map(float, said), *np.zeros(more)] for said in (of.truth, of.predicted)]
        return parquet_file({"id": ids, "truth": numbers[0], "prediction": numbers[1]})
    name = str(of.predicted[0])
    said = {"truth": [*of.truth, *[name] * more], "prediction": [*of.predicted, *[name] * more]}
    confidence = np.array([*of.confidence, *np.full(more, 0.99)], dtype=float)
    chances = {
        f"probability {label}": np.where(np.array(said["prediction"]) == label, confidence, 0)
        for label in sorted(set(of.truth) | set(of.predicted))
    }
    return parquet_file({"id": ids, **said, **chances})


def _result(of: Explained, changes: dict[str, Any]) -> BenchmarkResult:
    names = sorted(set(of.truth) | set(of.predicted))
    counts = [[int(((of.truth == one) & (of.predicted == other)).sum()) for other in names] for one in names]
    matrix = ConfusionMatrix(classes=tuple(names), counts=tuple(map(tuple, counts)))
    return result(
        explanation=document(of, **changes),
        predictions_key=PREDICTIONS,
        confusion_matrix=None if of.findings.output == "value" else matrix,
    )


def values_file(of: Explained) -> bytes:
    """The file that keeps explained events."""
    with tempfile.TemporaryDirectory() as folder:
        of.write(Path(folder) / "values.arrow")
        return (Path(folder) / "values.arrow").read_bytes()


def parquet_file(columns: dict[str, Any]) -> bytes:
    """A Parquet file of these columns."""
    stream = io.BytesIO()
    parquet.write_table(pa.table(columns), stream)
    return stream.getvalue()
