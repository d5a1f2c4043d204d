"""Every metric, from a bundle through the sandbox and the database to the page, is what scikit-learn's scorer gives."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from django.contrib.auth.models import User
from django.test import Client
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine, make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import atlas
from atlas.datasets import columns_of, content_digest, write_arrow
from atlas.metrics import REGISTRY, metrics_for
from atlas.vocabulary import Task
from benchmark_engine.sandbox.launcher import Sandbox
from benchmark_engine.sandbox.limits import Limits
from storage import catalog, records
from storage.models import Benchmark
from storage.records import FileRecord
from tests import jobs
from tests.samples import NOON, description

Data = tuple[pd.DataFrame, np.ndarray]
LEASE = timedelta(minutes=5)


def _binary() -> Data:
    frame, label = load_breast_cancer(return_X_y=True, as_frame=True)
    return frame, label.to_numpy()


def _multiclass() -> Data:
    frame, label = load_wine(return_X_y=True, as_frame=True)
    return frame, label.to_numpy()


def _multilabel() -> Data:
    values, labels = make_multilabel_classification(n_samples=200, n_classes=3, allow_unlabeled=False, random_state=0)
    return pd.DataFrame(values).add_prefix("column"), labels


def _regression() -> Data:
    frame, target = load_diabetes(return_X_y=True, as_frame=True)
    return frame, target.to_numpy()


LINEAR = make_pipeline(StandardScaler(), LogisticRegression(C=0.01))
MODELS = [
    pytest.param(Task.BINARY, _binary, LINEAR, id="binary, decision function"),
    pytest.param(Task.BINARY, _binary, RandomForestClassifier(5, max_depth=2, random_state=0), id="binary, forest"),
    pytest.param(Task.MULTICLASS, _multiclass, LINEAR, id="multiclass, decision function"),
    pytest.param(Task.MULTICLASS, _multiclass, RandomForestClassifier(5, max_depth=2, random_state=0), id="multiclass"),
    pytest.param(Task.MULTILABEL, _multilabel, RandomForestClassifier(5, max_depth=3, random_state=0), id="multilabel"),
    pytest.param(Task.REGRESSION, _regression, RandomForestRegressor(5, random_state=0), id="regression, forest"),
    pytest.param(Task.REGRESSION, _regression, PoissonRegressor(), id="regression, linear"),
]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as started:
        yield started


def scored(name: str, model: Any, features: pd.DataFrame, truth: np.ndarray) -> float:
    """What scikit-learn's own scorer gives, in the metric's direction."""
    if name in get_scorer_names():
        return float(get_scorer(name)(model, features, truth))
    return -float(get_scorer(f"neg_{name}")(model, features, truth))


@pytest.mark.django_db
@pytest.mark.parametrize(("task", "load", "model"), MODELS)
def test_every_metric_on_the_page_is_what_scikit_learn_computes(
    task: Task, load: Any, model: Any, sandbox: Sandbox, tmp_path: Path, client: Client
) -> None:
    frame, truth = load()
    order = np.random.default_rng(0).permutation(len(frame))
    frame, truth = frame.iloc[order], truth[order]
    half = len(frame) // 2
    model.fit(frame[:half], truth[:half])
    names = [metric.name for metric in metrics_for(task)]
    bundle = atlas.pack(
        model,
        tmp_path,
        name="Every",
        version="1.0.0",
        use_case="every metric",
        task=task,
        author=("Ines Prado", "ines@example.org"),
        tags=["impacts"],
        metrics=names,
        example=frame.head(),
        classes=["0", "1", "2"] if task is Task.MULTILABEL else None,
        created=NOON,
    )
    table = _table(frame[half:], truth[half:])
    write_arrow(table, tmp_path / "data.arrow")
    page = _page(jobs.run(bundle, tmp_path / "data.arrow", sandbox, limits=Limits()), bundle, table, client)

    stored = dict(Benchmark.objects.get().metrics.values_list("name", "value"))
    expected = {name: scored(name, model, frame[half:], truth[half:]) for name in names}
    assert stored == pytest.approx(expected, rel=1e-9)
    for name, value in expected.items():
        assert REGISTRY[name].title in page
        assert f"{value:,.3f}".replace("-", "\N{MINUS SIGN}") in page, name


def _table(frame: pd.DataFrame, truth: np.ndarray) -> pa.Table:
    if truth.ndim == 2:
        label = [[str(number) for number, there in enumerate(row) if there] for row in truth]
        return pa.Table.from_pandas(frame, preserve_index=False).append_column("label", pa.array(label))
    return pa.Table.from_pandas(frame.assign(label=truth), preserve_index=False)


def _page(result: Any, bundle: Path, table: pa.Table, client: Client) -> str:
    """The benchmark's page, after the result was stored as the engine does it."""
    file = FileRecord(key=f"models/{bundle.name}", etag="1", size_bytes=1, digest="a" * 64, arrived=NOON)
    records.record_model(file, atlas.inspect(bundle))
    records.record_version(description(columns=columns_of(table.schema), digest=content_digest(table)))
    ((model, version),) = catalog.unplanned()
    records.queue_benchmark(model, version, now=NOON)
    held = records.claim(Benchmark.objects.get().pk, engine="one", lease=LEASE, now=NOON)
    assert held is not None
    records.finish(held, result, primary_metric=model.manifest.primary_metric, now=NOON)
    client.force_login(User.objects.create_user("ines"))
    return client.get(f"/benchmarks/{held.benchmark}/").content.decode()
