"""Where models predict apart from benchmarks, if the benchmarks run on a cluster."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from pyarrow import csv

from atlas.bundle import read_manifest
from atlas.states import FailureClass
from benchmark_engine.connector import Connector
from benchmark_engine.failures import BenchmarkError
from benchmark_engine.inference import InferenceResult, InferenceTask
from benchmark_engine.inference_rows import SentRows
from benchmark_engine.places import Place, opened_inferrer
from benchmark_engine.sandbox.bubblewrap import BubblewrapError
from benchmark_engine.sandbox.limits import ExplanationBudget, Limits
from benchmark_engine.settings import EngineSettings
from benchmark_engine.worker import sha256_of
from tests.benchmark_engine.conftest import impacts

ELSEWHERE = cast(Place, object())


@pytest.fixture
def predict(connector: Connector, send: Callable[..., Path], tmp_path: Path) -> Callable[[], InferenceResult]:
    """Predicts three rows that somebody sent."""
    bundle, rows = send(), tmp_path / "rows.csv"
    csv.write_csv(impacts(3).select(["peak", "rms"]), rows)
    connector.objects.put("inferences/rows/1.csv", rows)
    task = InferenceTask(
        claim="c",
        bundle_key=f"models/{bundle.name}",
        bundle_digest=sha256_of(bundle),
        bundle_bytes=bundle.stat().st_size,
        manifest=read_manifest(bundle),
        rows=SentRows(key="inferences/rows/1.csv"),
        known=None,
        limits=Limits(wall_seconds=60, memory_bytes=8 << 30),
        explained=ExplanationBudget(rows=0),
    )

    def run() -> InferenceResult:
        with opened_inferrer(EngineSettings.model_validate({}), connector, ELSEWHERE) as infer:
            return infer(task, threading.Event())

    return run


def test_predictions_are_made_on_the_engine_s_own_machine(predict: Callable[[], InferenceResult]) -> None:
    assert predict().inferred.rows == 3


def test_an_engine_that_cannot_contain_a_model_predicts_nothing_and_says_why(
    predict: Callable[[], InferenceResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise BubblewrapError("bubblewrap is not installed.")

    monkeypatch.setattr("benchmark_engine.places._sandbox", missing)
    with pytest.raises(BenchmarkError, match=r"engine itself, .* bubblewrap is not installed\.") as caught:
        predict()
    assert caught.value.failure.failure_class is FailureClass.SANDBOX_UNAVAILABLE
