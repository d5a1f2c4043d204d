"""A fitted model that came as a plain file, in the real sandbox."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pytest
from sklearn.linear_model import LogisticRegression

from atlas.bundle import describe_member
from atlas.datasets import write_arrow
from atlas.manifest import Author
from atlas.results import BenchmarkResult
from atlas.states import FailureClass
from atlas.vocabulary import ColumnSchema, Task
from atlas.wrapping import FittedFile, describe_file, pack_file
from benchmark_engine.failures import BenchmarkError
from benchmark_engine.sandbox.launcher import Sandbox
from benchmark_engine.sandbox.limits import Limits
from tests import jobs
from tests.benchmark_engine.conftest import features, impacts
from tests.samples import NOON

Run = Callable[[Path], BenchmarkResult]


@pytest.fixture
def benchmark(tmp_path: Path) -> Run:
    """Benchmarks a plain file, by what its form would say of it."""

    def run(file: Path) -> BenchmarkResult:
        content = describe_member(file)
        manifest = describe_file(
            FittedFile.of(file.name, content.sha256, content.size_bytes),
            name="DamageDetector",
            version="1.0.0",
            use_case="damage detector",
            task=Task.BINARY,
            author=Author(name="Ines Prado", email="ines@example.org"),
            tags=["impacts"],
            target="label",
            input_schema=[ColumnSchema(name=name, dtype="double") for name in ("peak", "rms")],
            classes=["damaged", "intact"],
            metrics=["f1", "accuracy"],
            primary_metric="f1",
            created=NOON,
        )
        data = tmp_path / "data.arrow"
        write_arrow(impacts(200), data)
        limits = Limits(wall_seconds=60, memory_bytes=8 << 30)
        with Sandbox() as sandbox:
            return jobs.run(pack_file(file, manifest, tmp_path), data, sandbox, limits=limits)

    return run


def written(path: Path, model: Any) -> Path:
    joblib.dump(model, path)
    return path


def test_it_is_benchmarked_like_a_packed_one(benchmark: Run, tmp_path: Path) -> None:
    train = impacts(seed=7)
    model = LogisticRegression().fit(features(train), train["label"].to_pylist())
    result = benchmark(written(tmp_path / "model.joblib", model))
    values = {metric.name: metric.value for metric in result.metrics}
    accuracy = model.score(features(impacts(200)), impacts(200)["label"].to_pylist())
    assert values["accuracy"] == pytest.approx(accuracy)
    assert not [line for line in result.warnings if "unknown" in line]


def test_one_that_does_not_load_fails_with_a_class_and_a_reason(benchmark: Run, tmp_path: Path) -> None:
    broken = tmp_path / "model.joblib"
    broken.write_bytes(b"no pickle")
    with pytest.raises(BenchmarkError) as caught:
        benchmark(broken)
    assert caught.value.failure.failure_class is FailureClass.LOAD_ERROR
    assert "model.joblib could not be loaded" in caught.value.failure.reason
