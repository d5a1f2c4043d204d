"""What is said of a model on live data, while labels are missing and once they have come."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from atlas.drift import TableDrift
from atlas.inference import Live
from atlas.manifest import Manifest
from atlas.metrics import Predictions
from atlas.results import MetricValue
from atlas.vocabulary import Task
from benchmark_engine.answers import prediction_columns
from benchmark_engine.live import FEWEST_MEASURED, LiveRows, LiveTask
from storage.objects import DirectoryStore
from tests.samples import manifest

ROWS = 600
CLASSES = ("dent", "none")
METRICS = ("accuracy", "f1_macro", "roc_auc")


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path)


def classifier(**fields: Any) -> Manifest:
    told = {"task": Task.BINARY, "classes": CLASSES, "metrics": METRICS, "primary_metric": "accuracy"}
    return manifest(**told | fields)


def answers(seed: int, *, rows: int = ROWS, overconfident: bool = False) -> tuple[np.ndarray, Predictions]:
    """Labels that are drawn by a model's probabilities, which it may exaggerate."""
    random = np.random.default_rng(seed)
    dent = random.beta(0.5, 0.5, rows)
    truth = np.where(random.random(rows) < dent, *CLASSES)
    said = np.clip(0.5 + 3 * (dent - 0.5), 0.001, 0.999) if overconfident else dent
    return truth, Predictions(
        labels=np.where(said > 0.5, *CLASSES), probabilities=np.column_stack([said, 1 - said]), classes=CLASSES
    )


def keep(store: DirectoryStore, key: str, predictions: Predictions, truth: np.ndarray | None) -> str:
    ids = [str(number) for number in range(len(predictions.labels))]
    columns: dict[str, Any] = {"id": ids} | ({} if truth is None else {"truth": truth})
    content = pa.BufferOutputStream()
    parquet.write_table(pa.table(columns | prediction_columns(predictions, CLASSES)), content)
    store.put(key, content.getvalue().to_pybytes())
    return key


def live_rows(
    predictions: Predictions, truth: np.ndarray | None = None, drift: TableDrift | None = None, **fields: Any
) -> LiveRows:
    return LiveRows(
        manifest=classifier(**fields),
        ids=[str(number) for number in range(len(predictions.labels))],
        truth=None if truth is None else pa.chunked_array([pa.array(truth.tolist(), pa.string())]),
        predictions=predictions,
        drift=drift,
    )


def looked_at(store: DirectoryStore, rows: LiveRows, *labelled: str) -> Live:
    return rows.looked_at(LiveTask(labelled=labelled), store)


def only(truth: np.ndarray, are_known: np.ndarray) -> np.ndarray:
    """The labels, and None where they are not known."""
    return np.array([label if known else None for label, known in zip(truth, are_known, strict=True)], dtype=object)


def value(metrics: tuple[MetricValue, ...], name: str = "accuracy") -> MetricValue:
    return next(metric for metric in metrics if metric.name == name)


@pytest.mark.parametrize("overconfident", [False, True])
def test_without_labels_the_metrics_are_estimated_that_they_would_show(
    store: DirectoryStore, overconfident: bool
) -> None:
    truth, known = answers(1, rows=3_000, overconfident=overconfident)
    labelled = keep(store, "predictions/1.parquet", known, truth)
    later, predictions = answers(2, overconfident=overconfident)
    live = looked_at(store, live_rows(predictions), labelled)
    accuracy = value(live.estimated)
    assert (accuracy.low or 0) <= (later == predictions.labels).mean() <= (accuracy.high or 0)
    assert [metric.name for metric in live.estimated] == ["accuracy", "f1_macro"]  # no ranking follows from a matrix
    assert (live.labelled, live.metrics, live.not_estimated) == (0, (), "")


def test_what_is_labelled_is_measured_and_nothing_is_estimated(store: DirectoryStore) -> None:
    truth, predictions = answers(1)
    partly = only(truth, np.arange(ROWS) < 200)
    live = looked_at(store, live_rows(predictions, partly), keep(store, "predictions/1.parquet", predictions, truth))
    assert (live.labelled, live.estimated, live.not_estimated) == (200, (), "")
    assert value(live.metrics).value == pytest.approx((truth == predictions.labels)[:200].mean())


def test_a_few_labels_are_counted_and_measured_no_more_than_an_estimate(store: DirectoryStore) -> None:
    truth, predictions = answers(1)
    few = only(truth, np.arange(ROWS) < FEWEST_MEASURED - 1)
    live = looked_at(store, live_rows(predictions, few), keep(store, "predictions/1.parquet", predictions, truth))
    assert (live.labelled, live.metrics) == (FEWEST_MEASURED - 1, ())
    assert live.estimated


def test_labels_that_come_later_measure_what_was_predicted_before(store: DirectoryStore) -> None:
    truth, predictions = answers(1)
    earlier = keep(store, "inferences/1/predictions.parquet", predictions, None)
    half = only(truth, np.arange(ROWS) % 2 == 0)
    found = live_rows(predictions, half).labels_for(LiveTask(earlier=(earlier, "inferences/gone.parquet")), store)
    assert list(found) == [earlier]
    assert found[earlier].labelled == ROWS // 2
    assert value(found[earlier].metrics).value == pytest.approx((truth == predictions.labels)[::2].mean())


def test_without_a_label_there_is_nothing_to_tell_earlier_runs(store: DirectoryStore) -> None:
    _, predictions = answers(1)
    earlier = LiveTask(earlier=(keep(store, "inferences/1/predictions.parquet", predictions, None),))
    assert live_rows(predictions).labels_for(earlier, store) == {}
    assert live_rows(predictions, np.full(ROWS, None)).labels_for(earlier, store) == {}


def test_a_class_that_the_model_does_not_know_is_measured_as_a_mistake(store: DirectoryStore) -> None:
    truth, predictions = answers(1)
    truth = np.where(np.arange(ROWS) < 60, "hail", truth)
    live = looked_at(store, live_rows(predictions, truth))
    assert value(live.metrics).value == pytest.approx((truth == predictions.labels).mean())
    assert value(live.metrics, "roc_auc").value is None


def test_why_nothing_is_estimated_is_said(store: DirectoryStore) -> None:
    truth, predictions = answers(1)
    key = keep(store, "predictions/1.parquet", predictions, truth)
    assert "no benchmark yet" in looked_at(store, live_rows(predictions)).not_estimated
    assert "no benchmark yet" in looked_at(store, live_rows(predictions), "predictions/gone.parquet").not_estimated
    bare = Predictions(labels=predictions.labels, classes=CLASSES)
    assert "gives no probabilities" in looked_at(store, live_rows(bare), key).not_estimated
    by_rank = live_rows(predictions, metrics=("roc_auc",), primary_metric="roc_auc")
    assert "None of the model's metrics" in looked_at(store, by_rank, key).not_estimated
    few = keep(store, "predictions/2.parquet", *reversed(answers(3, rows=50)))
    assert "Only 50 events" in looked_at(store, live_rows(predictions), few).not_estimated


def test_predictions_and_confidence_are_counted(store: DirectoryStore) -> None:
    _, predictions = answers(1)
    live = looked_at(store, live_rows(predictions))
    assert live.predictions.bins == CLASSES
    assert live.predictions.counts == tuple(int((predictions.labels == each).sum()) for each in CLASSES)
    assert live.confidence is not None
    assert sum(live.confidence.counts) == ROWS
    assert sum(live.confidence.counts[:5]) == 0  # of two classes one has at least a half
    assert live.mean_confidence == pytest.approx(np.asarray(predictions.probabilities).max(axis=1).mean())


def test_of_a_regression_numbers_are_counted_and_measured_but_never_estimated(store: DirectoryStore) -> None:
    truth = np.linspace(0, 1, ROWS)
    rows = LiveRows(
        manifest=manifest(task=Task.REGRESSION, classes=(), metrics=("r2",), primary_metric="r2"),
        ids=[str(number) for number in range(ROWS)],
        truth=pa.chunked_array([pa.array(truth)]),
        predictions=Predictions(labels=truth + 0.1),
        drift=None,
    )
    measured = rows.looked_at(LiveTask(), store)
    assert value(measured.metrics, "r2").value == pytest.approx(1 - 0.01 / np.var(truth))
    assert sum(measured.predictions.counts) == ROWS
    assert measured.predictions.edges[::20] == pytest.approx((0.1, 1.1))
    assert (measured.confidence, measured.mean_confidence) == (None, None)
