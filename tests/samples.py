"""Small documents that tests start from: a manifest, a dataset description, a result."""

from datetime import UTC, datetime
from typing import Any

from atlas.datasets import DatasetDescription, Split, SplitFile, Statistics
from atlas.manifest import Manifest
from atlas.results import BenchmarkResult, ConfusionMatrix, Costs, Explanation, MetricValue, Provenance
from atlas.vocabulary import ColumnSchema

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NO_DIGEST = "0" * 64


def manifest(**changes: Any) -> Manifest:
    """The manifest of a binary model of two numeric columns, with some fields changed."""
    fields: dict[str, Any] = {
        "name": "DamageDetector-1.0.0-1625660010",
        "version": "1.0.0",
        "use_case": "damage detector",
        "task": "binary",
        "author": {"name": "Ines Prado", "email": "ines@example.org"},
        "tags": ("impacts",),
        "target": "label",
        "input_schema": ({"name": "peak", "dtype": "double"}, {"name": "rms", "dtype": "double"}),
        "classes": ("intact", "damaged"),
        "metrics": ("accuracy", "f1"),
        "primary_metric": "f1",
        "created": NOON,
        "framework": {"name": "scikit-learn", "version": "1.9.1"},
        "python": "3.11.7",
        "model": {"member": "model.skops", "format": "skops"},
        "members": {"model.skops": {"sha256": NO_DIGEST, "size_bytes": 1}},
    }
    return Manifest.model_validate(fields | changes)


def description(number: int = 1, **changes: Any) -> DatasetDescription:
    """The description of a version of the tag `impacts`, with some fields changed."""
    split = SplitFile(rows=30, size_bytes=1_000, sha256=NO_DIGEST)
    fields: dict[str, Any] = {
        "query_id": f"impacts-v{number}",
        "tag": "impacts",
        "number": number,
        "digest": f"{number:064x}",
        "rows": 100,
        "created": NOON,
        "target": "label",
        "columns": tuple(
            ColumnSchema(name=name, dtype=dtype)
            for name, dtype in (("id", "string"), ("label", "string"), ("peak", "double"), ("rms", "double"))
        ),
        "statistics": Statistics(rows=100, labels={"intact": 60, "damaged": 40}, cars={}, environments={}, columns=()),
        "splits": {Split.EVALUATION: split, Split.TRAINING: split},
    }
    return DatasetDescription.model_validate(fields | changes)


def result(f1: float | None = 0.8, **changes: Any) -> BenchmarkResult:
    """The result of a binary benchmark, with some fields changed."""
    fields: dict[str, Any] = {
        "metrics": (
            MetricValue(name="accuracy", value=0.9, greater_is_better=True),
            MetricValue(name="f1", value=f1, greater_is_better=True, reason="" if f1 is not None else "no damage seen"),
        ),
        "confusion_matrix": ConfusionMatrix(classes=("intact", "damaged"), counts=((17, 1), (2, 10))),
        "costs": Costs(
            wall_seconds=2.0,
            cpu_seconds=1.5,
            load_seconds=0.1,
            predict_seconds=0.01,
            peak_memory_bytes=100 << 20,
            model_size_bytes=10_000,
            predictions=30,
        ),
        "explanation": Explanation(impossible="no explainer for this model"),
        "provenance": Provenance(machine="bench", python="3.11.7", atlas="0.1.0", libraries={"numpy": "2.4.6"}),
        "output": "hello",
    }
    return BenchmarkResult.model_validate(fields | changes)
