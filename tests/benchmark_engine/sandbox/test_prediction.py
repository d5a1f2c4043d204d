"""Predicting part by part: the same numbers as at once, and one sees how far it is."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from atlas.datasets import write_arrow
from atlas.manifest import Manifest
from atlas.metrics import Predictions
from atlas.states import FailureClass
from benchmark_engine.sandbox import prediction
from benchmark_engine.sandbox.failing import StageError
from benchmark_engine.sandbox.prediction import Predict, latency, predict_all
from benchmark_engine.sandbox.protocol import LABELS, PROBABILITIES, read_array
from benchmark_engine.sandbox.rows import Rows
from tests.benchmark_engine.conftest import features, impacts
from tests.samples import manifest

ROWS = 10_000
CLASSES = ("damaged", "intact")
MANIFEST: Manifest = manifest(classes=CLASSES)


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    write_arrow(impacts(ROWS).select(["peak", "rms"]), tmp_path / "rows.arrow")
    return Rows(tmp_path / "rows.arrow")


def predicting(model: Any) -> Predict:
    def predict(part: pd.DataFrame) -> Predictions:
        return Predictions(labels=model.predict(part), probabilities=model.predict_proba(part), classes=CLASSES)

    return predict


def fitted(model: Any) -> Any:
    return model.fit(features(impacts(500)), impacts(500)["label"].to_pylist())


@pytest.mark.parametrize(
    "model", [LogisticRegression(), KNeighborsClassifier()], ids=lambda model: type(model).__name__
)
def test_parts_give_what_all_rows_give_at_once(model: Any, rows: Rows, tmp_path: Path) -> None:
    done: list[int] = []
    fitted(model)
    written = predict_all(predicting(model), rows, MANIFEST, tmp_path, done.append)
    whole = rows.part(0, ROWS)
    labels = read_array(tmp_path / LABELS, (ROWS,))
    assert np.array(CLASSES)[labels.astype(int)].tolist() == model.predict(whole).tolist()
    np.testing.assert_allclose(read_array(tmp_path / PROBABILITIES, (ROWS, 2)), model.predict_proba(whole), rtol=1e-12)
    assert written.has_probabilities
    assert done == [4_096, ROWS]


def test_a_model_whose_answers_depend_on_the_other_rows_gets_all_at_once(rows: Rows, tmp_path: Path) -> None:
    sizes: list[int] = []

    def predict(part: pd.DataFrame) -> Predictions:
        sizes.append(len(part))
        return Predictions(labels=np.where(part["peak"] > part["peak"].mean(), *CLASSES), classes=CLASSES)

    predict_all(predict, rows, MANIFEST, tmp_path, lambda _: None)
    assert sizes == [4_096, 2, 64, ROWS]


def test_rows_that_are_large_are_predicted_few_at_a_time(
    rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction, "PART_BYTES", 1_000 * rows.row_bytes)
    done: list[int] = []
    predict_all(predicting(fitted(LogisticRegression())), rows, MANIFEST, tmp_path, done.append)
    assert done == list(range(1_000, ROWS + 1, 1_000))


def test_parts_grow_while_that_makes_rows_cheaper(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write_arrow(impacts(60_000).select(["peak", "rms"]), tmp_path / "rows.arrow")
    clock, done = [0.0], [0]
    monkeypatch.setattr(prediction, "time", SimpleNamespace(perf_counter=lambda: clock[0]))

    def predict(part: pd.DataFrame) -> Predictions:
        clock[0] += 0.01 + len(part) * (1e-5 if len(part) < 10_000 else 2e-5)  # as where caches hold 10,000 rows
        return Predictions(labels=np.array(["intact"] * len(part)), classes=CLASSES)

    predict_all(predict, Rows(tmp_path / "rows.arrow"), MANIFEST, tmp_path, done.append)
    assert np.diff(done).tolist() == [4_096, 8_192, 16_384, 8_192, 8_192, 8_192, 6_752]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda part: ["intact"] * (len(part) - 1), "shape"),
        (lambda part: ["broken"] * len(part), "'broken', which is not one of the manifest's classes"),
    ],
)
def test_an_answer_that_is_none_is_a_prediction_error(
    answer: Callable[[Any], list[str]], message: str, rows: Rows, tmp_path: Path
) -> None:
    def predict(part: pd.DataFrame) -> Predictions:
        return Predictions(labels=np.array(answer(part)), classes=CLASSES)

    with pytest.raises(StageError, match=message) as caught:
        predict_all(predict, rows, MANIFEST, tmp_path, lambda _: None)
    assert caught.value.failure_class is FailureClass.PREDICTION_ERROR


def test_latency_is_of_single_rows_and_keeps_to_its_time(rows: Rows) -> None:
    sizes: list[int] = []

    def predict(part: pd.DataFrame) -> Predictions:
        sizes.append(len(part))
        return Predictions(labels=np.array(["intact"]), classes=CLASSES)

    found = latency(predict, rows, seconds=60)
    assert set(sizes) == {1}
    assert found.rows == prediction.LATENCY_ROWS
    assert found.p50_seconds is not None
    assert found.p95_seconds is not None
    assert 0 < found.p50_seconds <= found.p95_seconds
    assert latency(predict, rows, seconds=0).rows == 1


def test_a_model_that_cannot_predict_one_row_has_no_latency(rows: Rows) -> None:
    def predict(part: pd.DataFrame) -> Predictions:
        raise ValueError("at least 2 rows are wanted")

    assert latency(predict, rows, seconds=60).p50_seconds is None


def test_a_row_that_the_model_changes_is_not_changed_for_others(rows: Rows) -> None:
    part = rows.part(0, 10)
    part.loc[:, "peak"] = 0.0
    assert (rows.part(0, 10)["peak"] != 0).all()
