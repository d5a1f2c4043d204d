"""Explanations against shap's own explainers, over the families of scikit-learn."""

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shap
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine, make_multilabel_classification
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    MultiTaskLasso,
    Perceptron,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
    TweedieRegressor,
)
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier

from atlas.results import Explanation
from atlas.vocabulary import Task
from explainability import shap_values
from explainability.shap_values import explain

ROWS = 40


def data(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Scaled features and truth of real data; made-up data for multilabel, since scikit-learn carries none."""
    if task is Task.MULTILABEL:
        made: tuple[np.ndarray, np.ndarray] = make_multilabel_classification(150, 8, n_classes=3, random_state=0)
        return made
    load = {Task.BINARY: load_breast_cancer, Task.MULTICLASS: load_wine, Task.REGRESSION: load_diabetes}[task]
    features, truth = load(return_X_y=True)
    return StandardScaler().fit_transform(features), truth


def explained(model: Any, task: Task, features: Any = None, **options: Any) -> Explanation:
    if features is None:
        features = data(task)[0]
    names = list(features.columns) if isinstance(features, pd.DataFrame) else names_of(features.shape[1])
    classes = {Task.BINARY: (0, 1), Task.MULTICLASS: (0, 1, 2), Task.MULTILABEL: ("a", "b", "c"), Task.REGRESSION: ()}
    defaults = {"background": features, "feature_names": names, "max_rows": ROWS, "classes": classes[task]}
    return explain(model, features, task=task, **defaults | options)


def names_of(count: int) -> list[str]:
    return [f"x{number:02}" for number in range(count)]


def rows_of(features: np.ndarray) -> np.ndarray:
    """The rows that an explanation with the default seed is made of."""
    return features[np.random.default_rng(0).permutation(len(features))[:ROWS]]


def by_name(explanation: Explanation) -> np.ndarray:
    """(features, outputs) importances in the order of the features' names."""
    found = sorted(explanation.importances, key=lambda importance: importance.feature)
    return np.array([importance.mean_absolute for importance in found])


def assert_importances(explanation: Explanation, values: np.ndarray) -> None:
    """That importances are the mean of |values|, (rows, features) or (rows, features, outputs)."""
    expected = np.abs(values.reshape(*values.shape[:2], -1)).mean(axis=0)
    assert explanation.impossible == ""
    np.testing.assert_allclose(by_name(explanation), expected, rtol=1e-6, atol=1e-6 * expected.max())


TREES: list[tuple[Task, Any]] = [
    (Task.BINARY, DecisionTreeClassifier(max_depth=5, random_state=0)),
    (Task.BINARY, ExtraTreeClassifier(random_state=0)),
    (Task.BINARY, RandomForestClassifier(10, class_weight="balanced", random_state=0)),
    (Task.BINARY, ExtraTreesClassifier(10, max_leaf_nodes=12, random_state=0)),
    (Task.MULTICLASS, DecisionTreeClassifier(random_state=0)),
    (Task.MULTICLASS, RandomForestClassifier(10, random_state=0)),
    (Task.REGRESSION, DecisionTreeRegressor(random_state=0)),
    (Task.REGRESSION, RandomForestRegressor(10, random_state=0)),
    (Task.REGRESSION, ExtraTreesRegressor(10, criterion="absolute_error", max_depth=5, random_state=0)),
    (Task.BINARY, GradientBoostingClassifier(n_estimators=10, random_state=0)),
    (Task.REGRESSION, GradientBoostingRegressor(n_estimators=10, random_state=0)),
    (Task.BINARY, HistGradientBoostingClassifier(max_iter=10)),
    (Task.MULTICLASS, HistGradientBoostingClassifier(max_iter=10)),
    (Task.REGRESSION, HistGradientBoostingRegressor(max_iter=10)),
    (Task.REGRESSION, HistGradientBoostingRegressor(max_iter=10, loss="poisson")),
]


@pytest.mark.parametrize(("task", "model"), TREES, ids=lambda value: str(value))
def test_tree_importances_are_those_of_shaps_tree_explainer(task: Task, model: Any) -> None:
    features, truth = data(task)
    model.fit(features, truth)
    values = np.asarray(shap.TreeExplainer(model).shap_values(rows_of(features)))
    if values.ndim == 3 and values.shape[2] == 2:
        values = values[:, :, 1]
    assert_importances(explained(model, task), values)


LINEAR: list[tuple[Task, Any]] = [
    (Task.BINARY, LogisticRegression()),
    (Task.BINARY, SGDClassifier(random_state=0)),
    (Task.BINARY, LinearSVC(random_state=0)),
    (Task.BINARY, RidgeClassifier()),
    (Task.BINARY, Perceptron(random_state=0)),
    (Task.BINARY, LinearDiscriminantAnalysis()),
    (Task.MULTICLASS, LogisticRegression()),
    (Task.MULTICLASS, SGDClassifier(loss="log_loss", random_state=0)),
    (Task.MULTICLASS, RidgeClassifier()),
    (Task.REGRESSION, LinearRegression()),
    (Task.REGRESSION, Ridge()),
    (Task.REGRESSION, Lasso()),
    (Task.REGRESSION, ElasticNet()),
    (Task.REGRESSION, SGDRegressor(random_state=0)),
    (Task.REGRESSION, HuberRegressor(max_iter=1_000)),
    (Task.REGRESSION, LinearSVR(random_state=0)),
]


@pytest.mark.parametrize(("task", "model"), LINEAR, ids=lambda value: str(value))
def test_linear_importances_are_those_of_shaps_linear_explainer(task: Task, model: Any) -> None:
    features, truth = data(task)
    background = features[:90]
    model.fit(features, truth)
    values = shap.LinearExplainer(model, background).shap_values(rows_of(features))
    assert_importances(explained(model, task, background=background), values)


@pytest.mark.parametrize("model", [SVC(kernel="linear"), SVR(kernel="linear")], ids=str)
def test_a_support_vector_machine_with_a_linear_kernel_is_a_linear_model(model: Any) -> None:
    task = Task.BINARY if isinstance(model, SVC) else Task.REGRESSION
    features, truth = data(task)
    model.fit(features, truth)
    values = (rows_of(features) - features.mean(axis=0)) * model.coef_
    assert_importances(explained(model, task), values)


@pytest.mark.parametrize("model", [PoissonRegressor(), GammaRegressor(), TweedieRegressor(power=1.5)], ids=str)
def test_a_generalized_linear_model_is_explained_on_the_scale_where_it_is_linear(model: Any) -> None:
    features, truth = data(Task.REGRESSION)
    explanation = explained(model.fit(features, truth), Task.REGRESSION)
    assert_importances(explanation, (rows_of(features) - features.mean(axis=0)) * model.coef_)
    assert explanation.output == "margin"
    assert explanation.base_values == pytest.approx([np.log(model.predict(features.mean(axis=0)[None]))[0]])


def test_each_class_of_multiclass_gradient_boosting_is_a_sum_of_its_own_trees() -> None:
    features, truth = data(Task.MULTICLASS)
    model = GradientBoostingClassifier(n_estimators=10, random_state=0).fit(features, truth)
    values = np.stack(
        [
            sum(
                model.learning_rate * shap.TreeExplainer(tree).shap_values(rows_of(features))
                for tree in model.estimators_[:, number]
            )
            for number in range(3)
        ],
        axis=2,
    )
    explanation = explained(model, Task.MULTICLASS)
    assert_importances(explanation, values)
    assert explanation.outputs == ("0", "1", "2")


@pytest.mark.parametrize("model", [RandomForestRegressor(5, random_state=0), MultiTaskLasso(0.01)], ids=str)
def test_a_regressor_of_several_values_is_explained_value_by_value(model: Any) -> None:
    features, truth = data(Task.REGRESSION)
    explanation = explained(model.fit(features, np.column_stack([truth, -truth])), Task.REGRESSION)
    assert explanation.outputs == ("output 1", "output 2")
    np.testing.assert_allclose(by_name(explanation)[:, 0], by_name(explanation)[:, 1], rtol=1e-6)


@pytest.mark.parametrize("model", [RandomForestClassifier(5, random_state=0), RidgeClassifier()], ids=str)
def test_a_multilabel_model_is_explained_label_by_label(model: Any) -> None:
    features, truth = data(Task.MULTILABEL)
    explanation = explained(model.fit(features, truth), Task.MULTILABEL)
    assert explanation.outputs == ("a", "b", "c")
    assert by_name(explanation).shape == (8, 3)


def test_a_label_that_is_in_all_events_is_a_reason() -> None:
    features, truth = data(Task.MULTILABEL)
    model = RandomForestClassifier(5, random_state=0).fit(features, truth * [1, 1, 0])
    assert "One of the labels" in explained(model, Task.MULTILABEL).impossible


@pytest.mark.parametrize(
    ("model", "task", "output"),
    [
        (RandomForestClassifier(3, random_state=0), Task.BINARY, "probability"),
        (HistGradientBoostingClassifier(max_iter=3), Task.BINARY, "margin"),
        (LogisticRegression(), Task.BINARY, "margin"),
        (RandomForestRegressor(3, random_state=0), Task.REGRESSION, "value"),
        (Ridge(), Task.REGRESSION, "value"),
    ],
    ids=str,
)
def test_an_explanation_says_what_its_values_add_up_to(model: Any, task: Task, output: str) -> None:
    explanation = explained(model.fit(*data(task)), task)
    assert explanation.output == output
    assert explanation.outputs == (("1",) if task is Task.BINARY else ("prediction",))


def test_the_base_value_is_what_the_model_gives_on_average() -> None:
    features, truth = data(Task.REGRESSION)
    explanation = explained(LinearRegression().fit(features, truth), Task.REGRESSION)
    assert explanation.base_values == pytest.approx([truth.mean()])


def test_outputs_are_in_the_models_order_when_the_manifest_has_another() -> None:
    features, truth = data(Task.MULTICLASS)
    model = LogisticRegression().fit(features, np.array(["a", "b", "c"])[truth])
    assert explained(model, Task.MULTICLASS, classes=("c", "a", "b")).outputs == ("a", "b", "c")


def test_classes_that_the_model_knows_as_numbers_have_the_names_of_the_manifest() -> None:
    model = LogisticRegression().fit(*data(Task.MULTICLASS))
    assert explained(model, Task.MULTICLASS, classes=("dent", "none", "scratch")).outputs == ("dent", "none", "scratch")


def test_importances_are_sorted_by_strength_and_then_by_name() -> None:
    features = np.random.default_rng(0).normal(size=(30, 4))
    model = LinearRegression().fit(features, features @ [0.0, 3.0, 0.0, 1.0])
    model.coef_ = np.array([0.0, 3.0, 0.0, 1.0])
    names = ["zero b", "three", "zero a", "one"]
    explanation = explained(model, Task.REGRESSION, features, feature_names=names)
    assert [importance.feature for importance in explanation.importances] == ["three", "one", "zero a", "zero b"]


def test_at_most_the_wanted_rows_are_explained_and_the_same_ones_each_time() -> None:
    model = RandomForestClassifier(3, random_state=0).fit(*data(Task.BINARY))
    first, again, other = (explained(model, Task.BINARY, max_rows=15, seed=seed) for seed in (3, 3, 4))
    assert first.rows == 15
    assert first == again
    assert first.importances != other.importances


def test_fewer_rows_of_a_forest_with_very_many_leaves_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explainability.trees.LEAF_VISITS", 1_000)
    model = RandomForestClassifier(3, max_depth=4, random_state=0).fit(*data(Task.BINARY))
    leaves = sum(tree.tree_.n_leaves for tree in model.estimators_)
    assert explained(model, Task.BINARY).rows == 1_000 // leaves


def test_fewer_rows_are_explained_where_memory_for_their_values_would_be_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shap_values, "MAX_VALUES", 13 * 3 * 7)
    model = LogisticRegression().fit(*data(Task.MULTICLASS))
    assert explained(model, Task.MULTICLASS).rows == 7


def test_more_features_than_there_is_memory_for_are_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shap_values, "MAX_VALUES", 10)
    explanation = explained(LogisticRegression().fit(*data(Task.MULTICLASS)), Task.MULTICLASS)
    assert explanation.impossible == "The model has 13 features and 3 outputs, too many to explain."


def mixed() -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {"speed": random.normal(size=80), "load": random.normal(size=80), "road": random.choice(["wet", "dry"], 80)}
    )
    return table, (table["speed"] + (table["road"] == "wet") > 0.5).to_numpy().astype(int)


@pytest.mark.parametrize("final", [RandomForestClassifier(5, random_state=0), LogisticRegression()], ids=str)
def test_names_are_those_of_the_features_after_the_pipeline(final: Any) -> None:
    table, truth = mixed()
    prepare = ColumnTransformer([("scaled", StandardScaler(), ["speed", "load"]), ("kind", OneHotEncoder(), ["road"])])
    explanation = explained(make_pipeline(prepare, final).fit(table, truth), Task.BINARY, table)
    names = {importance.feature for importance in explanation.importances}
    assert names == {"scaled__speed", "scaled__load", "kind__road_dry", "kind__road_wet"}
    assert "speed" in explanation.importances[0].feature


def test_names_follow_columns_that_a_pipeline_selects() -> None:
    features, truth = data(Task.MULTICLASS)
    chain = Pipeline([("keep", "passthrough"), ("best", SelectKBest(k=2)), ("model", LogisticRegression())])
    explanation = explained(chain.fit(features, truth), Task.MULTICLASS)
    kept = np.flatnonzero(chain["best"].get_support())
    assert sorted(importance.feature for importance in explanation.importances) == [f"x{number:02}" for number in kept]


def test_columns_of_a_step_that_cannot_name_them_are_numbered() -> None:
    features, truth = data(Task.MULTICLASS)
    chain = make_pipeline(FunctionTransformer(lambda rows: rows[:, :2] ** 2), LogisticRegression())
    explanation = explained(chain.fit(features, truth), Task.MULTICLASS)
    names = sorted(importance.feature for importance in explanation.importances)
    assert names == ["functiontransformer 1", "functiontransformer 2"]


def test_a_final_estimator_that_takes_tables_gets_tables() -> None:
    table, truth = mixed()
    chain = make_pipeline(StandardScaler(), GradientBoostingClassifier(n_estimators=3)).set_output(transform="pandas")
    numbers = table[["speed", "load"]]
    explanation = explained(chain.fit(numbers, truth), Task.BINARY, numbers)
    assert [importance.feature for importance in explanation.importances] == ["speed", "load"]


def test_sparse_features_are_explained() -> None:
    features, truth = data(Task.BINARY)
    model = LogisticRegression().fit(sparse.coo_array(features), truth)
    dense = explained(model, Task.BINARY)
    found = explained(model, Task.BINARY, sparse.coo_array(features), background=sparse.csr_array(features))
    np.testing.assert_allclose(by_name(found), by_name(dense))


def test_the_words_of_a_text_pipeline_are_explained() -> None:
    table = pd.DataFrame({"note": ["brake hard", "brake soft", "turn soft", "turn hard"] * 5})
    words = ColumnTransformer([("words", TfidfVectorizer(), "note")], verbose_feature_names_out=False)
    chain = make_pipeline(words, SGDClassifier(random_state=0)).fit(table, [1, 1, 0, 0] * 5)
    explanation = explained(chain, Task.BINARY, table)
    assert {importance.feature for importance in explanation.importances[:2]} == {"brake", "turn"}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: GridSearchCV(model, {"C": [1.0]}, cv=2),
        lambda model: GridSearchCV(make_pipeline(model), {"logisticregression__C": [1.0]}, cv=2),
        lambda model: make_pipeline(make_pipeline(model)),
        lambda model: TunedThresholdClassifierCV(model, cv=2),
        lambda model: FrozenEstimator(model.fit(*data(Task.BINARY))),
    ],
    ids=["search", "search over a pipeline", "pipeline in a pipeline", "threshold", "frozen"],
)
def test_a_wrapped_model_is_explained_as_the_model_inside(wrap: Any) -> None:
    plain = explained(LogisticRegression().fit(*data(Task.BINARY)), Task.BINARY)
    wrapped = explained(wrap(LogisticRegression()).fit(*data(Task.BINARY)), Task.BINARY)
    np.testing.assert_allclose(by_name(wrapped), by_name(plain), rtol=1e-6)


@pytest.mark.parametrize(
    "model",
    [
        KNeighborsClassifier(),
        GaussianNB(),
        SVC(),
        MLPClassifier(max_iter=5, early_stopping=True),
        AdaBoostClassifier(n_estimators=2),
        BaggingClassifier(DecisionTreeClassifier(), n_estimators=2),
        VotingClassifier([("tree", DecisionTreeClassifier()), ("line", LogisticRegression())]),
        StackingClassifier([("tree", DecisionTreeClassifier())], cv=2),
        CalibratedClassifierCV(DecisionTreeClassifier(), cv=2),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_another_kind_of_model_is_not_explained_and_says_so(model: Any) -> None:
    explanation = explained(model.fit(*data(Task.BINARY)), Task.BINARY)
    assert not explanation.available
    assert explanation.importances == ()
    assert explanation.impossible == (
        "Atlas explains trees, forests, gradient boosting and linear models of scikit-learn, XGBoost, LightGBM and "
        f"CatBoost; {type(model).__name__} is none of these."
    )


def test_a_regressor_of_a_transformed_target_is_not_taken_for_what_it_wraps() -> None:
    model = TransformedTargetRegressor(LinearRegression(), func=np.log, inverse_func=np.exp)
    assert "TransformedTargetRegressor" in explained(model.fit(*data(Task.REGRESSION)), Task.REGRESSION).impossible


def test_votes_of_pairs_of_classes_are_not_taken_for_a_linear_model() -> None:
    model = SVC(kernel="linear").fit(*data(Task.MULTICLASS))
    assert "pairs of classes vote" in explained(model, Task.MULTICLASS).impossible


def test_boosting_on_top_of_another_model_is_a_reason() -> None:
    model = GradientBoostingRegressor(n_estimators=2, init=LinearRegression()).fit(*data(Task.REGRESSION))
    assert "boosts another model" in explained(model, Task.REGRESSION).impossible


@pytest.mark.parametrize("task", [Task.BINARY, Task.REGRESSION])
def test_boosting_that_starts_from_zero_is_explained(task: Task) -> None:
    kind = GradientBoostingClassifier if task is Task.BINARY else GradientBoostingRegressor
    model = kind(n_estimators=5, init="zero", random_state=0).fit(*data(task))
    assert explained(model, task).available


def test_splits_by_categories_are_a_reason() -> None:
    features = np.random.default_rng(0).integers(0, 5, size=(60, 2)).astype(float)
    model = HistGradientBoostingRegressor(max_iter=3, categorical_features=[0], min_samples_leaf=2)
    explanation = explained(model.fit(features, features[:, 0] % 2), Task.REGRESSION, features)
    assert "sets of categories" in explanation.impossible


@pytest.mark.parametrize(
    "model", [RandomForestClassifier(5, random_state=0), HistGradientBoostingClassifier(max_iter=5)], ids=str
)
def test_missing_values_go_the_way_that_the_trees_learned(model: Any) -> None:
    features, truth = data(Task.BINARY)
    features[np.random.default_rng(0).random(features.shape) < 0.2] = np.nan
    assert explained(model.fit(features, truth), Task.BINARY, features).available


def test_features_that_are_no_numbers_are_a_reason() -> None:
    table = pd.DataFrame({"road": ["wet", "dry"] * 10})
    model = LinearRegression().fit(np.arange(20)[:, None], np.arange(20))
    assert "not numbers" in explained(model, Task.REGRESSION, table).impossible


class Rounded(RandomForestRegressor):  # type: ignore[misc]
    """A forest whose answers are not what its trees add up to."""

    def predict(self, X: Any) -> Any:
        return super().predict(X).round(-1)


def test_values_that_do_not_add_up_to_the_models_answer_are_a_reason() -> None:
    explanation = explained(Rounded(3, random_state=0).fit(*data(Task.REGRESSION)), Task.REGRESSION)
    assert not explanation.available
    assert "cannot be trusted" in explanation.impossible


def test_shap_is_not_imported_for_a_linear_model() -> None:
    check = (
        "import sys, numpy as np; from sklearn.linear_model import Ridge; from atlas.vocabulary import Task\n"
        "from explainability.shap_values import explain; rows = np.eye(4)\n"
        "found = explain(Ridge().fit(rows, rows[0]), rows, background=rows, task=Task.REGRESSION, classes=(),"
        " feature_names='abcd')\n"
        "sys.exit(not found.available or 'shap' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
