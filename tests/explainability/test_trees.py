"""Values of scikit-learn's trees, forests and boosting, row by row, against shap's own explainer of trees."""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shap
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from atlas.vocabulary import Task
from explainability.attribution import FEWEST_ROWS, Attribution, ImpossibleError, Subject
from explainability.trees import TREE
from tests import explanations

ROOT = Path(__file__).resolve().parents[2]
ROWS = 70


def data(task: Task, *, missing: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Features, some of them missing, and truth."""
    frame, truth = explanations.data(task)
    features = frame.to_numpy(copy=True)
    features[np.random.default_rng(0).random(features.shape) < missing] = np.nan
    return features, truth


def attributed(model: Any, task: Task, features: np.ndarray, deadline: float = math.inf) -> Attribution:
    classes = () if task is Task.REGRESSION else tuple(range(3 if task is Task.MULTILABEL else len(model.classes_)))
    return TREE.attribute(
        Subject(
            estimator=model,
            features=features,
            background_mean=lambda: np.full(features.shape[1], np.nan),
            names=tuple(f"x{number}" for number in range(features.shape[1])),
            task=task,
            classes=classes,
            deadline=deadline,
        )
    )


def assert_adds_up(attribution: Attribution) -> None:
    sums = attribution.base_values + attribution.values.sum(axis=1)
    np.testing.assert_allclose(sums, attribution.answers, rtol=1e-9, atol=1e-9)


MODELS: list[tuple[Task, Any]] = [
    *(
        (task, kind(random_state=0, **size, **options))
        for task in (Task.BINARY, Task.MULTICLASS)
        for kind, size in (
            (DecisionTreeClassifier, {}),
            (ExtraTreeClassifier, {}),
            (RandomForestClassifier, {"n_estimators": 12}),
            (ExtraTreesClassifier, {"n_estimators": 12}),
        )
        for options in ({}, {"max_leaf_nodes": 9}, {"class_weight": "balanced", "min_samples_leaf": 5})
    ),
    *(
        (Task.REGRESSION, kind(random_state=0, **size, **options))
        for kind, size in (
            (DecisionTreeRegressor, {}),
            (ExtraTreeRegressor, {}),
            (RandomForestRegressor, {"n_estimators": 8}),
            (ExtraTreesRegressor, {"n_estimators": 8}),
        )
        for options in ({}, {"max_depth": 1}, {"max_leaf_nodes": 25, "criterion": "absolute_error"})
    ),
    (Task.BINARY, GradientBoostingClassifier(n_estimators=20, random_state=0)),
    (Task.REGRESSION, GradientBoostingRegressor(n_estimators=20, subsample=0.5, random_state=0)),
    (Task.BINARY, HistGradientBoostingClassifier(max_iter=20)),
    (Task.MULTICLASS, HistGradientBoostingClassifier(max_iter=20)),
    (Task.REGRESSION, HistGradientBoostingRegressor(max_iter=20, max_leaf_nodes=None)),
    (Task.REGRESSION, HistGradientBoostingRegressor(max_iter=20, loss="gamma")),
]


def assert_as_shap(model: Any, attribution: Attribution, features: np.ndarray) -> None:
    """That values and base are those of shap, which gives both of two classes."""
    explainer = shap.TreeExplainer(model)
    values = explainer.shap_values(features, check_additivity=False).reshape(*features.shape, -1)
    outputs = attribution.values.shape[2]
    np.testing.assert_allclose(attribution.values, values[:, :, -outputs:], rtol=1e-6, atol=1e-6 * np.abs(values).max())
    np.testing.assert_allclose(attribution.base_values, np.ravel(explainer.expected_value)[-outputs:], rtol=1e-5)


@pytest.mark.parametrize(("task", "model"), MODELS, ids=lambda value: str(value))
def test_values_are_those_of_shap(task: Task, model: Any) -> None:
    features, truth = data(task)
    attribution = attributed(model.fit(features, truth), task, features[:ROWS])
    assert_as_shap(model, attribution, features[:ROWS])
    assert_adds_up(attribution)


@pytest.mark.parametrize(
    ("task", "model"),
    [
        (Task.MULTICLASS, RandomForestClassifier(12, random_state=0)),
        (Task.REGRESSION, DecisionTreeRegressor(random_state=0)),
        (Task.BINARY, HistGradientBoostingClassifier(max_iter=20)),
        (Task.REGRESSION, HistGradientBoostingRegressor(max_iter=20)),
    ],
    ids=lambda value: str(value),
)
def test_missing_values_go_where_they_went_in_the_training(task: Task, model: Any) -> None:
    features, truth = data(task, missing=0.2)
    attribution = attributed(model.fit(features, truth), task, features[:ROWS])
    assert_as_shap(model, attribution, features[:ROWS])
    assert_adds_up(attribution)


def test_weights_of_events_count_as_so_many_events() -> None:
    features, truth = data(Task.REGRESSION)
    weights = np.random.default_rng(1).random(len(truth)) + 0.1
    model = RandomForestRegressor(8, random_state=0).fit(features, truth, sample_weight=weights)
    assert_as_shap(model, attributed(model, Task.REGRESSION, features[:9]), features[:9])


def test_numbers_are_compared_in_the_precision_that_the_model_compares_in() -> None:
    """Half way between two single-precision numbers, a feature is on another side of a threshold than in double."""
    grid = np.linspace(0, 1, 400)[:, None]
    model = DecisionTreeRegressor().fit(grid, grid.ravel())
    close = np.nextafter(model.tree_.threshold[model.tree_.feature == 0], np.inf)[:, None]
    assert_adds_up(attributed(model, Task.REGRESSION, close))


@pytest.mark.parametrize("kind", [DecisionTreeClassifier, RandomForestClassifier, ExtraTreesClassifier])
def test_each_label_is_explained_as_a_forest_of_its_own(kind: Any) -> None:
    features, truth = data(Task.MULTILABEL)
    attribution = attributed(kind(random_state=0).fit(features, truth), Task.MULTILABEL, features[:ROWS])
    assert attribution.values.shape == (ROWS, 8, 3)
    assert_adds_up(attribution)


@pytest.mark.parametrize("kind", [DecisionTreeRegressor, ExtraTreesRegressor])
def test_each_of_several_values_is_explained(kind: Any) -> None:
    features, truth = data(Task.REGRESSION)
    targets = np.column_stack([truth, -truth, truth**2])
    model = kind(random_state=0).fit(features, targets)
    attribution = attributed(model, Task.REGRESSION, features[:ROWS])
    assert_as_shap(model, attribution, features[:ROWS])
    assert_adds_up(attribution)


def test_a_classifier_that_knows_one_class_is_sure_of_it() -> None:
    features, truth = data(Task.BINARY)
    model = RandomForestClassifier(3).fit(features, np.zeros(len(truth)))
    attribution = attributed(model, Task.BINARY, features[:ROWS])
    assert attribution.base_values == pytest.approx([1.0])
    assert not attribution.values.any()


@pytest.mark.parametrize("init", [None, "zero", DummyRegressor(strategy="median")], ids=str)
def test_boosting_may_start_from_any_constant(init: Any) -> None:
    features, truth = data(Task.REGRESSION)
    model = GradientBoostingRegressor(n_estimators=10, init=init, random_state=0).fit(features, truth)
    assert_adds_up(attributed(model, Task.REGRESSION, features[:ROWS]))


def test_boosting_of_several_classes_is_explained_class_by_class() -> None:
    features, truth = data(Task.MULTICLASS)
    model = GradientBoostingClassifier(n_estimators=10, random_state=0).fit(features, truth)
    attribution = attributed(model, Task.MULTICLASS, features[:ROWS])
    assert attribution.values.shape == (ROWS, 13, 3)
    assert_adds_up(attribution)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (GradientBoostingRegressor(n_estimators=2, init=LinearRegression()), "boosts another model"),
        (HistGradientBoostingRegressor(max_iter=2, categorical_features=[1]), "sets of categories"),
    ],
    ids=["boosting another model", "categories"],
)
def test_what_the_algorithm_does_not_know_is_a_reason(model: Any, reason: str) -> None:
    features, truth = data(Task.REGRESSION)
    with pytest.raises(ImpossibleError, match=reason):
        attributed(model.fit(features, truth), Task.REGRESSION, features[:ROWS])


@pytest.mark.parametrize("model", [AdaBoostClassifier(), IsolationForest(), LinearRegression()], ids=str)
def test_another_model_is_not_accepted(model: Any) -> None:
    assert not TREE.accepts(model)


@pytest.mark.parametrize(
    ("task", "model"),
    [
        (Task.MULTICLASS, RandomForestClassifier(3, random_state=0)),
        (Task.REGRESSION, RandomForestRegressor(3, random_state=0)),
        (Task.BINARY, HistGradientBoostingClassifier(max_iter=3)),
    ],
    ids=lambda value: str(value),
)
def test_the_fewest_rows_are_explained_though_the_deadline_is_over(task: Task, model: Any) -> None:
    features, truth = data(task)
    attribution = attributed(model.fit(features, truth), task, features[:ROWS], deadline=0.0)
    whole = attributed(model, task, features[:ROWS])
    assert len(attribution.values) == len(attribution.answers) == FEWEST_ROWS
    np.testing.assert_allclose(attribution.values, whole.values[:FEWEST_ROWS], atol=1e-12)


def test_neither_numba_nor_shap_is_imported_before_a_model_is_explained() -> None:
    check = "import sys, explainability.trees; sys.exit(bool({'numba', 'shap'} & sys.modules.keys()))"
    subprocess.run([sys.executable, "-c", check], check=True)


def test_shap_is_not_imported_to_explain_a_forest() -> None:
    check = (
        "import sys; from sklearn.ensemble import RandomForestRegressor; from atlas.vocabulary import Task\n"
        "from tests.explanations import data, explained\n"
        "explained(RandomForestRegressor(2).fit(*data(Task.REGRESSION)), Task.REGRESSION)\n"
        "sys.exit('shap' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=True)
