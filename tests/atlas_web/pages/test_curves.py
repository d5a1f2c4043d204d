"""Curves, calibration and residuals of a benchmark, from predictions in the real object store."""

import io
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pytest
from django.test import Client
from pyarrow import parquet
from pytest_django import Settings
from sklearn.metrics import average_precision_score, roc_auc_score

from tests import stage
from tests.atlas_web.conftest import Count, Read
from tests.atlas_web.explaining import put
from tests.samples import result

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
EVENTS = 200


@pytest.fixture(autouse=True)
def store(settings: Settings, tmp_path: Path) -> None:
    """An empty object store."""
    settings.ATLAS_OBJECT_STORE = str(tmp_path)


def benchmark(columns: dict[str, Any], **changes: Any) -> int:
    """A benchmark that kept these columns of predictions; `changes` are made to the model's manifest."""
    stream = io.BytesIO()
    parquet.write_table(pa.table({"id": list(map(str, range(EVENTS))), **columns}), stream)
    key = f"predictions/{uuid4()}.parquet"
    put(key, stream.getvalue())
    return stage.finish(stage.add_model(**changes), stage.add_version(), result(predictions_key=key))


def two_classes() -> dict[str, Any]:
    random = np.random.default_rng(5)
    damaged = random.random(EVENTS) < 0.4
    sure = 1 / (1 + np.exp(-random.normal(2.0 * damaged - 1.0)))
    return {
        "truth": np.where(damaged, "damaged", "intact"),
        "prediction": np.where(sure > 0.5, "damaged", "intact"),
        "probability intact": 1 - sure,
        "probability damaged": sure,
    }


def three_classes() -> dict[str, Any]:
    random = np.random.default_rng(6)
    truth = random.integers(0, 3, EVENTS)
    said = random.dirichlet(np.ones(3), EVENTS) + np.eye(3)[truth]
    said /= said.sum(axis=1, keepdims=True)
    names = np.array(["a", "b", "c"])
    columns = {f"probability {name}": said[:, place] for place, name in enumerate(names)}
    return {"truth": names[truth], "prediction": names[said.argmax(axis=1)], **columns}


OF_CLASSES: dict[str, Any] = {"metrics": ("accuracy",), "primary_metric": "accuracy"}
OF_NUMBERS: dict[str, Any] = {"task": "regression", "classes": (), "metrics": ("r2",), "primary_metric": "r2"}


def test_two_classes_have_curves_of_the_positive_one_and_calibration(read: Read) -> None:
    columns = two_classes()
    shown = read(f"/benchmarks/{benchmark(columns)}/curves/")
    truth, sure = columns["truth"] == "damaged", columns["probability damaged"]
    assert f"AUC of damaged is {roc_auc_score(truth, sure):.3f}" in shown.text
    assert f"Average precision of damaged is {average_precision_score(truth, sure):.3f}" in shown.text
    assert "Expected calibration error" in shown.text
    assert shown.html.count("data-chart=") == 3


def test_each_of_several_classes_is_set_against_the_rest(read: Read) -> None:
    pk = benchmark(three_classes(), task="multiclass", classes=("a", "b", "c"), **OF_CLASSES)
    shown = read(f"/benchmarks/{pk}/curves/")
    assert "AUC of each class against the rest" in shown.text
    assert '"x_axis": "Confidence"' in shown.html


def test_labels_have_a_curve_each_and_are_calibrated_together(read: Read) -> None:
    random = np.random.default_rng(8)
    has = random.random((EVENTS, 2)) < 0.5
    columns = {
        "truth": [[name for name, own in zip("ab", row, strict=True) if own] for row in has],
        **{f"prediction {name}": has[:, place].astype(int) for place, name in enumerate("ab")},
        **{f"probability {name}": random.random(EVENTS) for name in "ab"},
    }
    pk = benchmark(columns, task="multilabel", classes=("a", "b"), **OF_CLASSES)
    shown = read(f"/benchmarks/{pk}/curves/")
    assert "AUC of each label" in shown.text
    assert '"x_axis": "Probability of a label"' in shown.html


def test_a_regression_has_a_histogram_and_quantiles_of_its_residuals(read: Read) -> None:
    truth = np.random.default_rng(9).normal(size=EVENTS)
    pk = benchmark({"truth": truth, "prediction": truth + 2.0}, target="speed", **OF_NUMBERS)
    shown = read(f"/benchmarks/{pk}/curves/")
    assert "Their mean is 2" in shown.text
    assert 'data-chart="histogram"' in shown.html
    assert 'data-chart="quantiles"' in shown.html


def test_a_table_behind_each_chart_says_the_same(read: Read) -> None:
    columns = two_classes()
    rows = read(f"/benchmarks/{benchmark(columns)}/curves/").rows()
    auc = roc_auc_score(columns["truth"] == "damaged", columns["probability damaged"])
    assert f"AUC {auc:.3f}" in rows
    assert sum(row.startswith("1.00 ") for row in rows) == 2


def test_a_model_that_gave_classes_alone_is_told_what_to_do(read: Read) -> None:
    columns = {name: values for name, values in two_classes().items() if not name.startswith("probability")}
    assert (
        "asked for more only where one of its metrics needs that"
        in read(f"/benchmarks/{benchmark(columns)}/curves/").text
    )


def test_predictions_that_are_gone_are_said_to_be(read: Read) -> None:
    pk = stage.finish(stage.add_model(), stage.add_version(), result(predictions_key="predictions/gone.parquet"))
    shown = read(f"/benchmarks/{pk}/curves/")
    assert shown.status == 200
    assert "no longer in the object store" in shown.text


def test_the_page_loads_the_curves_when_they_come_in_view(read: Read) -> None:
    pk = benchmark(two_classes())
    shown = read(f"/benchmarks/{pk}/").html
    assert f'hx-get="/benchmarks/{pk}/curves/" hx-trigger="revealed"' in shown
    assert 'data-chart="curves"' not in shown


def test_without_predictions_the_page_asks_for_no_curves(read: Read) -> None:
    pk = stage.finish(stage.add_model(), stage.add_version())
    assert "/curves/" not in read(f"/benchmarks/{pk}/").html
    assert "kept no predictions" in read(f"/benchmarks/{pk}/curves/").text


def test_what_is_not_done_has_no_curves(read: Read) -> None:
    assert read(f"/benchmarks/{stage.queue(stage.add_model(), stage.add_version())}/curves/").status == 404
    assert read("/benchmarks/4711/curves/").status == 404


def test_the_curves_cost_two_queries_but_for_the_session(queries_of: Count) -> None:
    assert queries_of(f"/benchmarks/{benchmark(two_classes())}/curves/") <= 4


def test_curves_are_for_those_who_are_signed_in(client: Client) -> None:
    answer = client.get(f"/benchmarks/{benchmark(two_classes())}/curves/")
    assert answer["Location"].startswith("/login/")
