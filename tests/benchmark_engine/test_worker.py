"""What a worker fetches, shares and keeps, with real sandboxes."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import atlas
from atlas.datasets import DatasetDescription, Split, SplitFile
from atlas.errors import ObjectNotFoundError, ObjectStoreError
from atlas.results import BenchmarkResult, Progress
from atlas.states import FailureClass, Phase
from benchmark_engine.cache import Cache
from benchmark_engine.failures import BenchmarkError
from benchmark_engine.sandbox.launcher import Sandbox
from benchmark_engine.sandbox.limits import ExplanationBudget, Limits
from benchmark_engine.worker import Task, Worker, sha256_of
from explainability import explained
from storage.objects import DirectoryStore
from tests.benchmark_engine.conftest import DictionaryIngestion, features, impacts, packed

LIMITS = Limits(wall_seconds=60, memory_bytes=4 << 30)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(readable=[tmp_path_factory.getbasetemp()]) as started:
        yield started


@pytest.fixture
def worker(tmp_path: Path, objects: DirectoryStore, ingestion: DictionaryIngestion, sandbox: Sandbox) -> Worker:
    return Worker(
        objects=objects,
        fetch_data=lambda dataset, path: ingestion.download(dataset, Split.EVALUATION, path),
        cache=Cache(tmp_path / "cache", max_bytes=1 << 30),
        sandbox=sandbox,
    )


@pytest.fixture
def task(objects: DirectoryStore, ingestion: DictionaryIngestion) -> Callable[..., Task]:
    """A task to benchmark a bundle on a version of the tag `impacts`."""

    def make(bundle: Path, *, number: int = 1, **changes: Any) -> Task:
        objects.put(f"models/{bundle.name}", bundle)
        fields: dict[str, Any] = {
            "claim": f"claim-{number}",
            "bundle_key": f"models/{bundle.name}",
            "bundle_digest": sha256_of(bundle),
            "bundle_bytes": bundle.stat().st_size,
            "manifest": atlas.inspect(bundle),
            "dataset": version(ingestion, number),
            "limits": LIMITS,
            "explained": ExplanationBudget(rows=0),
        }
        return Task(**(fields | changes))

    return make


def version(ingestion: DictionaryIngestion, number: int) -> DatasetDescription:
    """A version whose evaluation file has a digest of its own."""
    described = ingestion.dataset(f"impacts-v{number}")
    split = SplitFile(rows=described.rows, size_bytes=1_000, sha256=described.digest)
    return described.model_copy(update={"splits": {Split.EVALUATION: split, Split.TRAINING: split}})


def run(worker: Worker, task: Task, reports: list[Progress] | None = None) -> BenchmarkResult:
    return worker.run(task, threading.Event(), ([] if reports is None else reports).append)


def test_a_version_is_fetched_once_for_all_its_models(
    worker: Worker, task: Callable[..., Task], tmp_path: Path, ingestion: DictionaryIngestion
) -> None:
    ingestion.add("impacts", impacts(80))
    for release in ("1.0.0", "1.1.0", "1.2.0"):
        bundle = packed(tmp_path, version=release)
        for number in (1, 2):
            run(worker, task(bundle, number=number))
    assert sorted(ingestion.downloads) == ["impacts-v1", "impacts-v2"]


def test_the_prediction_of_each_event_is_kept(
    worker: Worker, task: Callable[..., Task], tmp_path: Path, objects: DirectoryStore, ingestion: DictionaryIngestion
) -> None:
    train = impacts(seed=7)
    model = LogisticRegression().fit(features(train), train["label"].to_pylist())
    asked = task(packed(tmp_path, model))
    found = run(worker, asked)
    assert found.predictions_key == asked.predictions_key == "predictions/claim-1.parquet"
    objects.get(found.predictions_key, tmp_path / "predictions.parquet")
    kept = parquet.read_table(tmp_path / "predictions.parquet").to_pandas()
    table = ingestion.tables["impacts"][0]
    assert kept["id"].tolist() == table["id"].to_pylist()
    assert kept["truth"].tolist() == table["label"].to_pylist()
    assert kept["prediction"].tolist() == model.predict(features(table)).tolist()
    for place, label in enumerate(model.classes_):
        np.testing.assert_allclose(kept[f"probability {label}"], model.predict_proba(features(table))[:, place])


def test_the_explanation_of_events_is_kept_with_their_rows(
    worker: Worker, task: Callable[..., Task], objects: DirectoryStore, tmp_path: Path
) -> None:
    asked = task(packed(tmp_path), explained=ExplanationBudget(rows=40))
    found = run(worker, asked).explanation
    assert (found.values_key, found.events_key) == ("explanations/claim-1.arrow", "explanations/claim-1.parquet")
    for key in (found.values_key, found.events_key):
        objects.get(key, tmp_path / PurePosixPath(key).name)
    kept = explained.read(tmp_path / "claim-1.arrow")
    assert len(kept) == len(parquet.read_table(tmp_path / "claim-1.parquet")) == min(40, found.of_rows)
    assert kept.findings.values.shape[1:] == (len(kept.findings.features), len(kept.findings.outputs))


def test_an_object_store_that_is_away_for_a_moment_costs_no_second_run(
    worker: Worker, task: Callable[..., Task], tmp_path: Path, objects: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, tries = objects.put, []

    def put_at_last(key: str, source: Path) -> None:
        tries.append(key)
        if len(tries) < 3:
            raise ObjectStoreError("no answer")
        put(key, source)

    asked = task(packed(tmp_path))
    monkeypatch.setattr(objects, "put", put_at_last)
    run(worker, asked)
    assert tries == [asked.predictions_key] * 3
    assert [found.key for found in objects.list("predictions/")] == [asked.predictions_key]


def test_nothing_is_kept_of_a_benchmark_that_fails(
    worker: Worker, task: Callable[..., Task], tmp_path: Path, objects: DirectoryStore
) -> None:
    with pytest.raises(BenchmarkError):
        run(worker, task(packed_with_a_pipeline_that_fails(tmp_path)))
    assert list(objects.list("predictions/")) == []


def packed_with_a_pipeline_that_fails(folder: Path) -> Path:
    train = impacts(seed=7)
    pipeline = StandardScaler().fit(pd.DataFrame({"other": [0.0, 1.0]}))
    model = LogisticRegression().fit(features(train).to_numpy(), train["label"].to_pylist())
    return packed(folder, model, pipeline=pipeline)


def test_one_sees_how_far_it_is(worker: Worker, task: Callable[..., Task], tmp_path: Path) -> None:
    reports: list[Progress] = []
    run(worker, task(packed(tmp_path), explained=ExplanationBudget(rows=10)), reports)
    assert reports[0].phase is Phase.WAITING_FOR_DATA
    assert reports[-1].phase is Phase.MEASURING


def test_a_pipeline_that_models_have_in_common_runs_once_for_a_version(
    worker: Worker, task: Callable[..., Task], tmp_path: Path, ingestion: DictionaryIngestion
) -> None:
    train = impacts(seed=7)
    pipeline = make_pipeline(StandardScaler()).set_output(transform="pandas").fit(features(train))
    made = []
    for model in (LogisticRegression(), DecisionTreeClassifier(max_depth=3, random_state=0)):
        model.fit(pipeline.transform(features(train)), train["label"].to_pylist())
        bundle = packed(tmp_path, model, name=type(model).__name__, pipeline=pipeline, reference=features(train))
        alone = run(worker, task(bundle))
        shared = run(worker, task(bundle, shares_pipeline=True, explained=ExplanationBudget(rows=20)))
        assert shared.metrics == alone.metrics
        assert shared.drift == alone.drift
        assert shared.drift
        assert shared.drift.predictions
        assert shared.explanation.available
        made.append({path.name for path in (tmp_path / "cache").glob("shared-*")})
    assert len(made[0]) == 1
    assert made[0] == made[1]


@pytest.mark.parametrize(
    "transform",
    ["np.asarray", "lambda X: X.to_numpy() / 2", "lambda X: __import__('scipy').sparse.csr_matrix(X)"],
)
def test_features_of_any_form_are_the_same_shared_as_alone(
    transform: str, worker: Worker, task: Callable[..., Task], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "shaping.py"
    module.write_text(f"import numpy as np\nshape = {transform}\ndef shaped(X):\n    return shape(X)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "shaping", raising=False)
    from shaping import shaped  # type: ignore[import-not-found]

    train = impacts(seed=7)
    pipeline = FunctionTransformer(shaped)
    model = LogisticRegression().fit(pipeline.transform(features(train)), train["label"].to_pylist())
    bundle = packed(tmp_path, model, pipeline=pipeline, code=[module], format="joblib")
    assert run(worker, task(bundle, shares_pipeline=True)).metrics == run(worker, task(bundle)).metrics


def test_a_pipeline_that_fails_says_so_shared_or_not(
    worker: Worker, task: Callable[..., Task], tmp_path: Path, ingestion: DictionaryIngestion
) -> None:
    with pytest.raises(BenchmarkError) as caught:
        run(worker, task(packed_with_a_pipeline_that_fails(tmp_path), shares_pipeline=True))
    assert caught.value.failure.failure_class is FailureClass.PREDICTION_ERROR
    assert "The pipeline failed" in caught.value.failure.reason


def test_a_bundle_that_was_replaced_is_not_run(
    worker: Worker, task: Callable[..., Task], tmp_path: Path, objects: DirectoryStore
) -> None:
    asked = task(packed(tmp_path))
    objects.put(asked.bundle_key, b"something else")
    with pytest.raises(BenchmarkError, match="was replaced") as caught:
        run(worker, asked)
    assert caught.value.failure.failure_class is FailureClass.LOAD_ERROR


def test_a_bundle_that_is_gone_is_an_error_that_may_pass(
    worker: Worker, task: Callable[..., Task], tmp_path: Path, objects: DirectoryStore
) -> None:
    asked = task(packed(tmp_path))
    objects.delete(asked.bundle_key)
    with pytest.raises(ObjectNotFoundError):
        run(worker, asked)


def test_a_dataset_without_the_target_is_a_schema_mismatch(
    worker: Worker, task: Callable[..., Task], tmp_path: Path, ingestion: DictionaryIngestion
) -> None:
    ingestion.add("impacts", impacts(80).drop(["label"]))
    with pytest.raises(BenchmarkError, match="no column label") as caught:
        run(worker, task(packed(tmp_path), number=2))
    assert caught.value.failure.failure_class is FailureClass.SCHEMA_MISMATCH
