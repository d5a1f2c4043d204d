"""Hyperparameter search on a real ingestion engine's data: what is found, what is written down, and that it repeats."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import atlas
from atlas.ingestion import IngestionClient
from atlas.manifest import SearchRecord
from tests.libraries import needed
from training_engine.config import TrainingConfiguration
from training_engine.errors import ConfigurationError, TrainingError
from training_engine.search import Sample, folds, search
from training_engine.trainer import train

Configured = Callable[..., TrainingConfiguration]
TREE = {"class": "sklearn.tree.DecisionTreeClassifier"}
DEPTHS = {"max_depth": [1, 3, 6]}
BY_CHANCE = {"max_depth": {"low": 1, "high": 8}, "min_samples_leaf": {"low": 1, "high": 30, "log": True}}


def sample(rows: int = 400, seed: int = 0) -> Sample:
    random = np.random.default_rng(seed)
    features = pd.DataFrame(random.normal(size=(rows, 2)), columns=["peak", "rms"])
    return Sample(rows=features, target=np.where(features["peak"] * features["rms"] > 0, "damaged", "intact"))


def searched(configured: Configured, of: Sample | None = None, **changes: Any) -> SearchRecord:
    wanted = {"model": TREE, "search": {"method": "grid", "space": DEPTHS, "folds": 3}} | changes
    configuration = configured(**wanted)
    assert configuration.search is not None
    return search(configuration, configuration.search, of or sample())


def test_a_grid_tries_every_combination_and_takes_the_best(configured: Configured) -> None:
    space = {"max_depth": [1, 5], "pipeline[0].with_mean": [True, False]}
    found = searched(configured, search={"method": "grid", "space": space, "folds": 3})
    assert len(found.trials) == 4
    assert found.parameters["max_depth"] == 5
    assert found.score == max(trial.score or 0 for trial in found.trials) > 0.8
    assert (found.metric, found.greater_is_better, found.folds) == ("f1", True, 3)


@pytest.mark.parametrize("method", ["random", "halving", "optuna"])
def test_chances_repeat_with_the_seed(configured: Configured, method: str) -> None:
    settings = {"method": method, "space": BY_CHANCE, "trials": 6, "folds": 2}
    first, second, other = (searched(configured, search=settings, seed=seed) for seed in (1, 1, 2))
    assert first == second
    assert first.trials != other.trials
    assert all(1 <= int(str(trial.parameters["max_depth"])) <= 8 for trial in first.trials)


def test_halving_gives_more_rows_to_fewer(configured: Configured) -> None:
    found = searched(configured, search={"method": "halving", "space": BY_CHANCE, "trials": 9, "folds": 2})
    assert [trial.rows for trial in found.trials] == [133] * 9 + [400] * 3
    assert found.score in {trial.score for trial in found.trials[9:]}


def test_less_is_better_where_the_metric_says_so(configured: Configured) -> None:
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"peak": random.normal(size=100)})
    of = Sample(rows=rows, target=np.asarray(3 * rows["peak"]))
    found = searched(
        configured, of, task="regression", target="speed", metrics=["r2"], pipeline=None,
        model={"class": "sklearn.linear_model.Ridge"},
        search={"method": "grid", "space": {"alpha": [0.001, 1000.0]}, "metric": "mean_absolute_error"},
    )  # fmt: skip
    assert (found.parameters, found.greater_is_better) == ({"alpha": 0.001}, False)
    assert found.score == min(trial.score for trial in found.trials if trial.score is not None)


def test_a_combination_that_fails_stops_no_other(configured: Configured) -> None:
    found = searched(configured, search={"method": "grid", "space": {"max_depth": [-1, 3]}, "folds": 2})
    assert found.parameters == {"max_depth": 3}
    assert (found.trials[0].score, "max_depth" in found.trials[0].problem) == (None, True)


def test_where_all_combinations_fail_the_reason_is_told(configured: Configured) -> None:
    with pytest.raises(TrainingError, match=r"No combination of the search for DamageDetector gave a score.*max_depth"):
        searched(configured, search={"method": "random", "space": {"max_depth": [-1]}})


def test_a_search_ends_in_time_with_the_best_so_far(configured: Configured) -> None:
    slow = {"class": "sklearn.ensemble.RandomForestClassifier", "parameters": {"n_estimators": 30}}
    settings = {"method": "random", "space": BY_CHANCE, "trials": 1000, "folds": 2, "timeout_seconds": 0.5}
    found = searched(configured, model=slow, search=settings)
    assert found.timed_out
    assert 1 <= len(found.trials) < 1000
    with pytest.raises(TrainingError, match=r"set search\.timeout_seconds higher"):
        searched(configured, model=slow, search={**settings, "timeout_seconds": 1e-6})


def test_what_is_grouped_is_never_on_both_sides(configured: Configured) -> None:
    groups = np.repeat(np.arange(20), 5)
    grouped = Sample(rows=pd.DataFrame({"peak": np.zeros(100)}), target=np.tile([0, 1], 50), groups=groups)
    for learnt, held in folds(4, configured().task, grouped, seed=0):
        assert not set(groups[learnt]) & set(groups[held])
        assert len(held) == 25


def test_components_can_be_chosen_among(configured: Configured) -> None:
    bases = [{**TREE, "parameters": {"max_depth": depth}} for depth in (1, 5)]
    model = {"class": "sklearn.ensemble.BaggingClassifier", "parameters": {"estimator": TREE, "n_estimators": 5}}
    found = searched(configured, model=model, search={"method": "optuna", "space": {"estimator": bases}, "trials": 4})
    assert found.parameters == {"estimator": bases[1]}
    deeper = searched(configured, model=model, search={"method": "grid", "space": {"estimator.max_depth": [1, 5]}})
    assert deeper.parameters == {"estimator.max_depth": 5}


@pytest.mark.system
@pytest.mark.parametrize("package", ["xgboost", "lightgbm"])
def test_other_libraries_are_searched_too(configured: Configured, package: str) -> None:
    needed(package)
    name = {"xgboost": "xgboost.XGBClassifier", "lightgbm": "lightgbm.LGBMClassifier"}[package]
    model = {"class": name, "parameters": {"n_estimators": 5}}
    labels = np.array(["intact", "damaged"])
    of = sample(200)
    encoded = Sample(rows=of.rows, target=np.searchsorted(np.sort(labels), of.target))
    found = searched(configured, encoded if package == "xgboost" else of, model=model, pipeline=None)
    assert len(found.trials) == 3
    assert all(trial.problem == "" for trial in found.trials)


@pytest.mark.parametrize("method", ["grid", "optuna"])
def test_the_bundle_holds_the_best_model_and_says_how_it_was_found(
    configured: Configured, ingestion: IngestionClient, tmp_path: Path, method: str
) -> None:
    settings = {"method": method, "space": DEPTHS, "folds": 2, "trials": 3, "groups": "surface"}
    configuration = configured(model=TREE, search=settings)
    first, second = (atlas.inspect(train(configuration, ingestion, tmp_path / name).path) for name in ("a", "b"))
    assert first.members == second.members
    assert first.training is not None
    record = first.training.search
    assert record is not None
    assert (record.groups, len(record.trials)) == ("surface", 3)
    assert first.hyperparameters["max_depth"] == record.parameters["max_depth"]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"method": "guess"}, "search.method: "),
        ({"space": {}}, "search.space: at least 1 wanted"),
        ({"space": {"depth": [1]}}, r"search.space.depth: no parameter 'depth': there are ccp_alpha, .*max_depth"),
        ({"space": {"max_depth.x": [1]}}, r"no parameter 'max_depth.x': it has no parameters"),
        ({"space": {"pipeline[3].copy": [True]}}, r"there is no pipeline\[3\]; the pipeline has 1 steps"),
        ({"space": {"pipeline[0].copied": [True]}}, r"no parameter 'pipeline\[0\].copied': there are copy"),
        ({"space": {"max_depth": 3}}, "search.space.max_depth: a list of values or a range"),
        ({"space": {"max_depth": []}}, "search.space.max_depth: a list of values or a range"),
        ({"space": {"max_depth": {"low": 1, "high": 5}}}, "a grid needs a list, or a range with a step"),
        ({"space": {"max_depth": {"low": 5, "high": 1}}}, "low, 5, has to be less than high, 1"),
        ({"space": {"max_depth": {"low": 0, "high": 1, "log": True}}}, "log needs a low above 0"),
        ({"space": {"max_depth": {"low": 1, "high": 4, "log": True, "step": 1}}}, "give either log or step"),
        ({"space": {"max_depth": {"low": 1, "high": 90000, "step": 1}}}, "a grid of 90,000 combinations"),
        ({"space": {"max_depth": {"low": 1, "hi": 4}}}, "search.space.max_depth.hi: no such field"),
        ({"space": {"splitter": [{"class": "no.Such"}]}}, r"search.space.splitter\[0\].class: no cannot be imported"),
        ({"metric": "r2"}, "search.metric: 'r2' is not for binary models"),
        ({"folds": 1}, "search.folds: "),
    ],
)  # fmt: skip
def test_a_wrong_search_is_named(configured: Configured, changes: Mapping[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        configured(model=TREE, search={"method": "grid", "space": DEPTHS, **changes})
