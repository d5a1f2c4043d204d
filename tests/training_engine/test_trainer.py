"""Training on a real ingestion engine's data: what the bundle holds, and that it is the same every time."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import atlas
from atlas.bundle import load_model, load_part, unpack
from atlas.datasets import Split, split_of
from atlas.errors import IngestionError
from atlas.ingestion import IngestionClient
from tests.libraries import needed
from tests.samples import description
from tests.training_engine.conftest import ROWS, impacts
from training_engine.config import TrainingConfiguration
from training_engine.errors import TrainingError
from training_engine.trainer import (
    FEWEST_REFERENCE_ROWS,
    REFERENCE_BYTES,
    REFERENCE_ROWS,
    TrainingData,
    feature_names,
    fetch,
    fit,
    newest_version,
    reference_of,
    train,
)

NOON = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
FAMILIES: Mapping[str, Mapping[str, Any]] = {
    "linear": {"class": "sklearn.linear_model.LogisticRegression"},
    "tree": {"class": "sklearn.tree.DecisionTreeClassifier", "parameters": {"max_depth": 3}},
    "forest": {"class": "sklearn.ensemble.RandomForestClassifier", "parameters": {"n_estimators": 10}},
    "boosting": {"class": "sklearn.ensemble.HistGradientBoostingClassifier", "parameters": {"max_iter": 10}},
    "neighbours": {"class": "sklearn.neighbors.KNeighborsClassifier"},
    "network": {
        "class": "sklearn.neural_network.MLPClassifier",
        "parameters": {"hidden_layer_sizes": [4], "max_iter": 2000},
    },
    "bayes": {"class": "sklearn.naive_bayes.GaussianNB"},
}

Configured = Callable[..., TrainingConfiguration]


def training_rows() -> pd.DataFrame:
    rows = impacts()
    return rows[[split_of(f"impacts/{event}") is Split.TRAINING for event in rows["id"]]]


def predictions(bundle: Path, folder: Path) -> np.ndarray:
    """What a bundle's model says of all events, from raw rows."""
    manifest = unpack(bundle, folder)
    raw = impacts()[[column.name for column in manifest.input_schema]]
    features = load_part(folder, manifest.pipeline).transform(raw) if manifest.pipeline else raw
    return np.asarray(load_part(folder, manifest.model).predict(features))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("file_format", ["skops", "joblib"])
def test_a_model_of_any_family_is_trained_into_a_bundle_that_predicts(
    configured: Configured, ingestion: IngestionClient, tmp_path: Path, family: str, file_format: str
) -> None:
    configuration = configured(model=FAMILIES[family], format=file_format)
    trained = train(configuration, ingestion, tmp_path)
    found = predictions(trained.path, tmp_path / "unpacked")
    assert np.mean(found == impacts()["label"]) > 0.85


def test_the_bundle_says_what_it_was_trained_on(
    configured: Configured, ingestion: IngestionClient, tmp_path: Path
) -> None:
    configuration = configured(tags=["impacts", "winter"])
    trained = train(configuration, ingestion, tmp_path, clock=lambda: NOON)
    manifest = atlas.inspect(trained.path)
    version = ingestion.tag("impacts").versions[-1]
    rows = training_rows()
    assert manifest.name == f"DamageDetector-1.0.0-{int(NOON.timestamp())}"
    assert manifest.tags == ("impacts", "winter")
    assert [column.name for column in manifest.input_schema] == ["peak", "rms"]
    assert manifest.classes == ("damaged", "intact")
    assert manifest.primary_metric == "f1"
    assert manifest.hyperparameters["C"] == 1.0
    assert manifest.training is not None
    assert manifest.training.model_dump(exclude={"duration_seconds"}) == {
        "query_id": version.query_id,
        "digest": version.digest,
        "rows": len(rows),
        "date": NOON,
        "configuration": configuration.digest,
        "search": None,
    }
    assert manifest.data_window is not None
    assert (manifest.data_window.start, manifest.data_window.end) == (rows["time"].min(), rows["time"].max())


def test_the_bundle_carries_a_sample_of_the_training_rows_with_their_target(
    configured: Configured, ingestion: IngestionClient, tmp_path: Path
) -> None:
    unpack(train(configured(), ingestion, tmp_path).path, tmp_path / "unpacked")
    reference = pd.read_parquet(tmp_path / "unpacked" / "reference.parquet")
    assert list(reference.columns) == ["peak", "rms", "label"]
    in_order = reference.sort_values("peak", ignore_index=True)
    pd.testing.assert_frame_equal(
        in_order, training_rows().sort_values("peak", ignore_index=True)[["peak", "rms", "label"]], check_dtype=False
    )


def test_of_many_or_large_rows_the_sample_has_fewer(configured: Configured) -> None:
    def sampled(rows: pd.DataFrame) -> int:
        target = np.array(["intact"] * len(rows))
        data = TrainingData(dataset=description(), rows=rows, target=target, classes=(), window=None)
        return len(reference_of(data, configured()))

    assert sampled(pd.DataFrame({"peak": np.zeros(5_000)})) == REFERENCE_ROWS
    heard = pd.DataFrame({"sound": list(np.zeros((500, 4_000)))})
    assert FEWEST_REFERENCE_ROWS < sampled(heard) < REFERENCE_BYTES / (4_000 * 8)
    assert sampled(pd.DataFrame({"sound": list(np.zeros((210, 10_000)))})) == FEWEST_REFERENCE_ROWS


def test_a_model_never_sees_the_evaluation_split(configured: Configured, ingestion: IngestionClient) -> None:
    configuration = configured()
    data = fetch(configuration, ingestion, newest_version(ingestion, "impacts"))
    rows = training_rows()
    assert 0 < len(data.rows) < ROWS
    assert sorted(data.rows["peak"]) == sorted(rows["peak"])
    assert dict(zip(data.rows["peak"], data.target, strict=True)) == dict(zip(rows["peak"], rows["label"], strict=True))


@pytest.mark.parametrize("family", ["forest", "network", "boosting"])
def test_the_same_configuration_data_and_seed_give_the_same_model(
    configured: Configured, ingestion: IngestionClient, tmp_path: Path, family: str
) -> None:
    configuration = configured(model=FAMILIES[family], format="joblib", seed=3)
    first, second = (train(configuration, ingestion, tmp_path / name).path for name in ("first", "second"))
    members = [atlas.inspect(path).members for path in (first, second)]
    assert members[0] == members[1]
    assert (predictions(first, tmp_path / "a") == predictions(second, tmp_path / "b")).all()


def test_another_seed_gives_another_model(configured: Configured, ingestion: IngestionClient, tmp_path: Path) -> None:
    bundles = [
        train(configured(model=FAMILIES["forest"], format="joblib", seed=seed), ingestion, tmp_path / str(seed)).path
        for seed in (1, 2)
    ]
    digests = {atlas.inspect(path).members["model.joblib"].sha256 for path in bundles}
    assert len(digests) == 2


def test_a_random_state_in_the_configuration_is_kept(configured: Configured, ingestion: IngestionClient) -> None:
    chosen = {**FAMILIES["forest"], "parameters": {"n_estimators": 2, "random_state": 11}}
    configuration = configured(model=chosen, seed=3)
    data = fetch(configuration, ingestion, newest_version(ingestion, "impacts"))
    _, model = fit(configuration, data.rows, data.target)
    assert model.random_state == 11


def test_a_step_for_some_columns_leaves_the_others_as_they_are(
    configured: Configured, ingestion: IngestionClient
) -> None:
    steps = [
        {"class": "sklearn.preprocessing.StandardScaler", "columns": ["bumps"]},
        {"class": "sklearn.preprocessing.MinMaxScaler", "columns": ["rms"]},
    ]
    configuration = configured(features=["peak", "bumps", "rms"], pipeline=steps)
    data = fetch(configuration, ingestion, newest_version(ingestion, "impacts"))
    pipeline, _ = fit(configuration, data.rows, data.target)
    assert pipeline is not None
    prepared = pipeline.transform(data.rows)
    assert (prepared["peak"] == data.rows["peak"]).all()
    assert prepared["bumps"].mean() == pytest.approx(0, abs=1e-9)
    assert (prepared["rms"].min(), prepared["rms"].max()) == pytest.approx((0, 1))


def test_texts_are_features_where_a_step_encodes_them(
    configured: Configured, ingestion: IngestionClient, tmp_path: Path
) -> None:
    encoder = {
        "class": "sklearn.preprocessing.OneHotEncoder",
        "parameters": {"sparse_output": False, "handle_unknown": "ignore"},
        "columns": ["surface"],
    }
    trained = train(configured(features=["surface", "peak"], pipeline=[encoder]), ingestion, tmp_path)
    assert [column.name for column in atlas.inspect(trained.path).input_schema] == ["surface", "peak"]
    assert len(predictions(trained.path, tmp_path / "unpacked")) == ROWS


def test_a_model_needs_no_preprocessing(configured: Configured, ingestion: IngestionClient, tmp_path: Path) -> None:
    manifest = atlas.inspect(train(configured(pipeline=None), ingestion, tmp_path).path)
    assert manifest.pipeline is None


def test_a_regression_learns_numbers_from_rows_that_have_them(
    configured: Configured, ingestion: IngestionClient, tmp_path: Path
) -> None:
    configuration = configured(
        task="regression", target="speed", model={"class": "sklearn.linear_model.Ridge"}, metrics=["r2"]
    )
    trained = train(configuration, ingestion, tmp_path)
    assert trained.rows == training_rows()["speed"].notna().sum()
    assert atlas.inspect(trained.path).classes == ()


def test_a_multilabel_model_learns_sets_of_labels(
    configured: Configured, ingestion: IngestionClient, tmp_path: Path
) -> None:
    configuration = configured(
        task="multilabel", target="parts", model=FAMILIES["tree"], metrics=["f1_macro"], pipeline=None
    )
    trained = train(configuration, ingestion, tmp_path)
    assert atlas.inspect(trained.path).classes == ("door", "roof")
    assert predictions(trained.path, tmp_path / "unpacked").shape == (ROWS, 2)
    reference = pd.read_parquet(tmp_path / "unpacked" / "reference.parquet")
    assert {tuple(labels) for labels in reference["parts"]} == {("door",), ("door", "roof")}


def test_without_a_choice_the_features_are_all_columns_of_numbers(
    configured: Configured, ingestion: IngestionClient
) -> None:
    dataset = ingestion.dataset(newest_version(ingestion, "impacts"))
    assert sorted(feature_names(configured(features=None), dataset)) == ["bumps", "peak", "rms", "speed"]
    assert sorted(feature_names(configured(features=None, exclude=["speed"]), dataset)) == ["bumps", "peak", "rms"]
    assert "speed" not in feature_names(configured(features=None, target="speed"), dataset)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"features": ["peek"]}, "impacts version 1 has no column peek; it has .*peak"),
        ({"exclude": ["peek"], "features": None}, "has no column peek"),
        ({"target": "damage"}, "has no column damage"),
        ({"exclude": ["peak", "rms", "bumps", "speed"], "features": None}, "no column of numbers to learn from"),
        ({"dataset": "nothing"}, "The dataset nothing has no version yet"),
        ({"features": ["surface"]}, "DamageDetector could not be trained: ValueError: could not convert"),
        ({"model": {"class": "sklearn.svm.SVC", "parameters": {"C": -1.0}}}, "The 'C' parameter"),
        ({"task": "multilabel", "metrics": ["f1_macro"]}, "label must be a list of labels"),
        (
            {"task": "regression", "metrics": ["r2"], "model": {"class": "sklearn.linear_model.Ridge"}},
            "label must be a number for a regression",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_told(
    configured: Configured,
    ingestion: IngestionClient,
    tmp_path: Path,
    changes: Mapping[str, Any],
    complaint: str,
) -> None:
    with pytest.raises(TrainingError, match=complaint):
        train(configured(**changes), ingestion, tmp_path)
    assert not list(tmp_path.glob("*.atlas"))


def test_a_dataset_that_nobody_knows_is_told(
    configured: Configured, ingestion: IngestionClient, tmp_path: Path
) -> None:
    with pytest.raises(IngestionError, match="there is no tag 'unknown'"):
        train(configured(dataset="unknown"), ingestion, tmp_path)


@pytest.mark.system
@pytest.mark.parametrize(
    ("package", "name"),
    [("xgboost", "XGBClassifier"), ("lightgbm", "LGBMClassifier"), ("catboost", "CatBoostClassifier")],
)
def test_models_of_other_libraries_are_written_in_their_own_format(
    configured: Configured, ingestion: IngestionClient, tmp_path: Path, package: str, name: str
) -> None:
    needed(package)
    quiet = {"allow_writing_files": False, "verbose": False} if package == "catboost" else {"n_jobs": 1}
    model = {"class": f"{package}.{name}", "parameters": {"n_estimators": 20, **quiet}}
    first, second = (train(configured(model=model), ingestion, tmp_path / folder).path for folder in ("a", "b"))
    manifest = unpack(first, tmp_path / "unpacked")
    assert (manifest.model.format, manifest.classes) == (package, ("damaged", "intact"))
    raw = impacts()[["peak", "rms"]]
    found = [answers(each, tmp_path / f"{place}", raw) for place, each in enumerate((first, second))]
    assert (found[0] == found[1]).all()
    assert np.mean(found[0] == impacts()["label"]) > 0.85


def answers(bundle: Path, folder: Path, raw: pd.DataFrame) -> np.ndarray:
    """What a model of any format predicts."""
    manifest = unpack(bundle, folder)
    features = load_part(folder, manifest.pipeline).transform(raw) if manifest.pipeline else raw
    return np.asarray(load_model(folder, manifest).predict(features, manifest.needs).labels)


def test_parameters_may_be_components(configured: Configured, ingestion: IngestionClient, tmp_path: Path) -> None:
    model = {
        "class": "sklearn.ensemble.AdaBoostClassifier",
        "parameters": {"estimator": {**FAMILIES["tree"], "parameters": {"max_depth": 2}}, "n_estimators": 5},
    }
    manifest = atlas.inspect(train(configured(model=model), ingestion, tmp_path).path)
    assert manifest.hyperparameters["estimator__max_depth"] == 2
    assert manifest.hyperparameters["estimator__random_state"] == 0


@pytest.mark.system
def test_a_model_learns_from_features_of_signals(
    configured: Configured, ingestion: IngestionClient, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    loud = random.random(200) > 0.5
    signals = [random.normal(scale=2.0 if each else 0.5, size=600).tolist() for each in loud]
    heard = pd.DataFrame({"label": np.where(loud, "damaged", "intact"), "sound": signals})
    heard.to_parquet(tmp_path / "heard.parquet")
    ingestion.upload_recording(tmp_path / "heard.parquet")
    ingestion.create_tag("heard", 'recording = "heard"')
    parameters = {"rate_hz": 8000, "frame_length": 256, "hop_length": 128, "n_mfcc": 4}
    step = {"class": "atlas.signals.SignalFeatures", "parameters": parameters}
    search = {"method": "grid", "space": {"C": [0.1, 1.0]}, "folds": 2}
    configuration = configured(dataset="heard", features=["sound"], pipeline=[step], search=search)
    trained = train(configuration, ingestion, tmp_path)
    found = answers(trained.path, tmp_path / "unpacked", heard[["sound"]])
    assert np.mean(found == heard["label"]) > 0.95
