"""Models of the families of scikit-learn: their values against shap's own explainers, names, outputs and reasons."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shap
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
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
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, OneHotEncoder, RobustScaler, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier

from atlas.vocabulary import Task
from explainability import explaining, permutation, registry
from explainability.attribution import Attribution, Explainer, ImpossibleError, Subject
from explainability.explained import Findings
from tests.explanations import ROWS, data, explained, frame, strengths


@pytest.fixture(autouse=True)
def quick_values_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found beside values has tests of its own. There are no more walks than any machine has time for, so that
    values are the same each time."""
    monkeypatch.setattr(explaining, "with_approximations", lambda findings, **_: findings)
    monkeypatch.setattr(permutation, "PAIRS_IN_ALL", 0)


def assert_values(findings: Findings, values: Any) -> None:
    """That values are these, (rows, features) or (rows, features, outputs), which may be in a data frame."""
    expected = np.asarray(values)
    expected = expected.reshape(*expected.shape[:2], -1)
    np.testing.assert_allclose(findings.values, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


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
    values = np.asarray(shap.TreeExplainer(model).shap_values(features.head(ROWS)))
    if values.ndim == 3 and values.shape[2] == 2:
        values = values[:, :, 1]
    assert_values(explained(model, task), values)


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
    values = shap.LinearExplainer(model, background).shap_values(features.head(ROWS))
    assert_values(explained(model, task, background=background), values)


@pytest.mark.parametrize("model", [SVC(kernel="linear"), SVR(kernel="linear")], ids=str)
def test_a_support_vector_machine_with_a_linear_kernel_is_a_linear_model(model: Any) -> None:
    task = Task.BINARY if isinstance(model, SVC) else Task.REGRESSION
    features, truth = data(task)
    model.fit(features, truth)
    values = (features.head(ROWS) - features.mean(axis=0)) * model.coef_
    assert_values(explained(model, task), values)


@pytest.mark.parametrize("model", [PoissonRegressor(), GammaRegressor(), TweedieRegressor(power=1.5)], ids=str)
def test_a_generalized_linear_model_is_explained_on_the_scale_where_it_is_linear(model: Any) -> None:
    features, truth = data(Task.REGRESSION)
    findings = explained(model.fit(features, truth), Task.REGRESSION)
    assert_values(findings, (features.head(ROWS) - features.mean(axis=0)) * model.coef_)
    assert findings.output == "margin"
    assert findings.base_values == pytest.approx([np.log(model.predict(features.mean().to_frame().T))[0]])


def test_each_class_of_multiclass_gradient_boosting_is_a_sum_of_its_own_trees() -> None:
    features, truth = data(Task.MULTICLASS)
    model = GradientBoostingClassifier(n_estimators=10, random_state=0).fit(features, truth)
    values = np.stack(
        [
            sum(
                model.learning_rate * shap.TreeExplainer(tree).shap_values(features.head(ROWS))
                for tree in model.estimators_[:, number]
            )
            for number in range(3)
        ],
        axis=2,
    )
    findings = explained(model, Task.MULTICLASS)
    assert_values(findings, values)
    assert findings.outputs == ("0", "1", "2")


@pytest.mark.parametrize("model", [RandomForestRegressor(5, random_state=0), MultiTaskLasso(0.01)], ids=str)
def test_a_regressor_of_several_values_is_explained_value_by_value(model: Any) -> None:
    features, truth = data(Task.REGRESSION)
    findings = explained(model.fit(features, np.column_stack([truth, -truth])), Task.REGRESSION)
    assert findings.outputs == ("output 1", "output 2")
    np.testing.assert_allclose(strengths(findings)[:, 0], strengths(findings)[:, 1], rtol=1e-6)


@pytest.mark.parametrize("model", [RandomForestClassifier(5, random_state=0), RidgeClassifier()], ids=str)
def test_a_multilabel_model_is_explained_label_by_label(model: Any) -> None:
    features, truth = data(Task.MULTILABEL)
    findings = explained(model.fit(features, truth), Task.MULTILABEL)
    assert findings.outputs == ("a", "b", "c")
    assert strengths(findings).shape == (8, 3)


@pytest.mark.parametrize(
    ("model", "task", "output"),
    [
        (RandomForestClassifier(3, random_state=0), Task.BINARY, "probability"),
        (HistGradientBoostingClassifier(max_iter=3), Task.BINARY, "margin"),
        (LogisticRegression(), Task.BINARY, "margin"),
        (GaussianNB(), Task.BINARY, "probability"),
        (SVC(), Task.BINARY, "margin"),
        (RandomForestRegressor(3, random_state=0), Task.REGRESSION, "value"),
        (Ridge(), Task.REGRESSION, "value"),
        (SVR(), Task.REGRESSION, "value"),
    ],
    ids=str,
)
def test_findings_say_what_their_values_add_up_to(model: Any, task: Task, output: str) -> None:
    findings = explained(model.fit(*data(task)), task)
    assert findings.output == output
    assert findings.outputs == (("1",) if task is Task.BINARY else ("loudness",))


def test_the_base_value_is_what_the_model_gives_on_average() -> None:
    features, truth = data(Task.REGRESSION)
    findings = explained(LinearRegression().fit(features, truth), Task.REGRESSION)
    assert findings.base_values == pytest.approx([truth.mean()])


def test_outputs_are_in_the_manifests_order_when_the_model_has_another() -> None:
    features, truth = data(Task.MULTICLASS)
    model = LogisticRegression().fit(features, np.array(["a", "b", "c"])[truth])
    own, turned = (explained(model, Task.MULTICLASS, classes=classes) for classes in (("a", "b", "c"), ("c", "a", "b")))
    assert turned.outputs == ("c", "a", "b")
    np.testing.assert_array_equal(turned.values, own.values[:, :, [2, 0, 1]])
    np.testing.assert_array_equal(turned.base_values, own.base_values[[2, 0, 1]])


@pytest.mark.parametrize("model", [LogisticRegression(), DecisionTreeClassifier(max_depth=3), GaussianNB()], ids=str)
def test_of_two_classes_the_last_of_the_manifest_is_explained(model: Any) -> None:
    features, truth = data(Task.BINARY)
    model.fit(features, np.array(["dent", "none"])[truth])
    none, dent = (explained(model, Task.BINARY, classes=classes) for classes in (("dent", "none"), ("none", "dent")))
    assert (none.outputs, dent.outputs) == (("none",), ("dent",))
    np.testing.assert_array_equal(dent.values, -none.values)
    total = 0 if none.output == "margin" else 1
    np.testing.assert_allclose(dent.base_values + none.base_values, total, atol=1e-12)


def test_classes_that_the_model_knows_as_numbers_have_the_names_of_the_manifest() -> None:
    model = LogisticRegression().fit(*data(Task.MULTICLASS))
    assert explained(model, Task.MULTICLASS, classes=("dent", "none", "scratch")).outputs == ("dent", "none", "scratch")


@pytest.mark.parametrize(
    ("model", "output"),
    [(DecisionTreeClassifier(), "probability"), (GaussianNB(), "probability"), (LogisticRegression(), "margin")],
    ids=str,
)
def test_a_class_that_was_in_no_training_is_not_taken_for_another(model: Any, output: str) -> None:
    features, truth = data(Task.BINARY)
    model.fit(features, np.array(["dent", "none"])[truth])
    findings = explained(model, Task.MULTICLASS, features, classes=("dent", "none", "scratch"))
    assert (findings.outputs, findings.output) == (("none",), output)


def test_what_stands_for_unknown_features_is_said() -> None:
    tree = explained(DecisionTreeClassifier().fit(*data(Task.BINARY)), Task.BINARY)
    linear = explained(LogisticRegression().fit(*data(Task.BINARY)), Task.BINARY, background_kind="reference")
    other = explained(GaussianNB().fit(*data(Task.BINARY)), Task.BINARY)
    assert [(each.background, each.background_rows) for each in (tree, linear, other)] == [
        ("model", 0),
        ("reference", len(data(Task.BINARY)[0])),
        ("data", permutation.BACKGROUND_ROWS),
    ]


def test_rows_are_what_the_model_got() -> None:
    features, truth = data(Task.REGRESSION)
    scaled = explained(make_pipeline(RobustScaler(), Ridge()).fit(features, truth), Task.REGRESSION)
    np.testing.assert_allclose(scaled.rows, RobustScaler().fit(features).transform(features.head(ROWS)), rtol=1e-5)
    assert scaled.rows.dtype == scaled.values.dtype == np.float32


def test_fewer_rows_are_explained_where_memory_for_their_values_would_be_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explaining, "MAX_VALUES", 13 * 3 * 12)
    model = LogisticRegression().fit(*data(Task.MULTICLASS))
    assert len(explained(model, Task.MULTICLASS).values) == 12


def test_raw_columns_are_explained_where_there_is_no_memory_for_features(monkeypatch: pytest.MonkeyPatch) -> None:
    table, truth = mixed()
    numbers = ["speed", "load"]
    columns = ColumnTransformer([("bins", KBinsDiscretizer(20, quantile_method="linear"), numbers)])
    model = make_pipeline(columns, LogisticRegression()).fit(table[numbers], truth)
    monkeypatch.setattr(explaining, "MAX_VALUES", 100)
    findings = explained(model, Task.BINARY, table[numbers])
    assert findings.features == findings.sources == ("speed", "load")
    assert findings.method == "permutation sampling"


# Features and where they come from


def mixed() -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {"speed": random.normal(size=80), "load": random.normal(size=80), "road": random.choice(["wet", "dry"], 80)}
    )
    return table, (table["speed"] + (table["road"] == "wet") > 0.5).to_numpy().astype(int)


@pytest.mark.parametrize(
    "final", [RandomForestClassifier(5, random_state=0), LogisticRegression(), GaussianNB()], ids=str
)
def test_names_are_those_of_the_features_after_the_pipeline(final: Any) -> None:
    table, truth = mixed()
    prepare = ColumnTransformer([("scaled", StandardScaler(), ["speed", "load"]), ("kind", OneHotEncoder(), ["road"])])
    findings = explained(make_pipeline(prepare, final).fit(table, truth), Task.BINARY, table)
    assert findings.features == ("scaled__speed", "scaled__load", "kind__road_dry", "kind__road_wet")
    assert findings.sources == ("speed", "load", "road", "road")
    assert strengths(findings).argmax() == 0


def test_a_bundles_pipeline_runs_first() -> None:
    table, truth = mixed()
    pipeline = make_pipeline(ColumnTransformer([("kind", OneHotEncoder(), ["road"])], remainder="drop")).fit(table)
    model = make_pipeline(StandardScaler(with_mean=False), LogisticRegression())
    findings = explained(model.fit(pipeline.transform(table), truth), Task.BINARY, table, pipeline=pipeline)
    assert findings.features == ("kind__road_dry", "kind__road_wet")
    assert findings.sources == ("road", "road")


def test_names_follow_columns_that_a_pipeline_selects() -> None:
    features, truth = data(Task.MULTICLASS)
    chain = Pipeline([("keep", "passthrough"), ("best", SelectKBest(k=2)), ("model", LogisticRegression())])
    findings = explained(chain.fit(features, truth), Task.MULTICLASS)
    kept = np.flatnonzero(chain["best"].get_support())
    assert findings.features == findings.sources == tuple(f"x{number:02}" for number in kept)


def test_columns_of_a_step_that_cannot_name_them_are_numbered() -> None:
    features, truth = data(Task.MULTICLASS)
    chain = make_pipeline(FunctionTransformer(lambda rows: np.asarray(rows)[:, 2:4] ** 2), LogisticRegression())
    findings = explained(chain.fit(features, truth), Task.MULTICLASS)
    assert findings.features == ("functiontransformer 1", "functiontransformer 2")
    assert findings.sources == ("x02", "x03")


@pytest.mark.parametrize("final", [GradientBoostingClassifier(n_estimators=3), GaussianNB()], ids=str)
def test_a_final_estimator_that_takes_tables_gets_tables(final: Any) -> None:
    table, truth = mixed()
    chain = make_pipeline(StandardScaler(), final).set_output(transform="pandas")
    numbers = table[["speed", "load"]]
    assert explained(chain.fit(numbers, truth), Task.BINARY, numbers).features == ("speed", "load")


def test_the_words_of_a_text_pipeline_are_explained() -> None:
    table = pd.DataFrame({"note": ["brake hard", "brake soft", "turn soft", "turn hard"] * 5})
    words = ColumnTransformer([("words", TfidfVectorizer(), "note")], verbose_feature_names_out=False)
    chain = make_pipeline(words, SGDClassifier(random_state=0)).fit(table, [1, 1, 0, 0] * 5)
    findings = explained(chain, Task.BINARY, table)
    assert findings.features == ("brake", "hard", "soft", "turn")
    assert findings.sources == ("note",) * 4
    assert strengths(findings)[[0, 3]].min() > strengths(findings)[[1, 2]].max()


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
    np.testing.assert_allclose(wrapped.values, plain.values, rtol=1e-5)


@pytest.mark.parametrize(
    "model", [RandomForestClassifier(5, random_state=0), HistGradientBoostingClassifier(max_iter=5)], ids=str
)
def test_missing_values_go_the_way_that_the_trees_learned(model: Any) -> None:
    features, truth = data(Task.BINARY)
    holes = features.mask(np.random.default_rng(0).random(features.shape) < 0.2)
    findings = explained(model.fit(holes, truth), Task.BINARY, holes)
    np.testing.assert_array_equal(np.isnan(findings.rows), holes.head(ROWS).isna())


# Models that no exact explainer takes


@pytest.mark.parametrize(
    "model",
    [
        KNeighborsClassifier(),
        SVC(),
        AdaBoostClassifier(n_estimators=2),
        BaggingClassifier(DecisionTreeClassifier(), n_estimators=2),
        VotingClassifier([("tree", DecisionTreeClassifier()), ("line", LogisticRegression())]),
        StackingClassifier([("tree", DecisionTreeClassifier())], cv=2),
        CalibratedClassifierCV(DecisionTreeClassifier(), cv=2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_another_kind_of_model_is_explained_by_asking_it(model: Any) -> None:
    features, truth = data(Task.BINARY)
    findings = explained(model.fit(features.iloc[:, :6], truth), Task.BINARY, features.iloc[:, :6])
    assert findings.method == "permutation sampling"
    assert findings.background == "data"


def by_categories() -> tuple[Any, pd.DataFrame]:
    features = frame(np.random.default_rng(0).integers(0, 5, size=(60, 2)).astype(float))
    model = HistGradientBoostingRegressor(max_iter=3, categorical_features=[0], min_samples_leaf=2)
    return model.fit(features, features["x00"] % 2), features


def only_votes() -> tuple[Any, pd.DataFrame]:
    features, truth = data(Task.MULTICLASS)
    return SVC(kernel="linear").fit(features, truth), features


def on_top_of_another() -> tuple[Any, pd.DataFrame]:
    features, truth = data(Task.REGRESSION)
    return GradientBoostingRegressor(n_estimators=2, init=LinearRegression()).fit(features, truth), features


class Rounded(RandomForestRegressor):  # type: ignore[misc]
    """A forest whose answers are not what its trees add up to."""

    def predict(self, X: Any) -> Any:
        return super().predict(X).round(-1)


def rounded() -> tuple[Any, pd.DataFrame]:
    features, truth = data(Task.REGRESSION)
    return Rounded(3, random_state=0).fit(features, truth), features


@pytest.mark.parametrize("made", [by_categories, only_votes, on_top_of_another, rounded])
def test_a_model_that_its_exact_explainer_declines_is_explained_by_asking_it(
    made: Callable[[], tuple[Any, pd.DataFrame]],
) -> None:
    model, features = made()
    task = Task.MULTICLASS if made is only_votes else Task.REGRESSION
    findings = explained(model, task, features)
    assert findings.method == "permutation sampling"
    method = "decision_function" if task is Task.MULTICLASS else "predict"
    answers = getattr(model, method)(features.head(len(findings.values)))
    np.testing.assert_allclose(findings.answers, answers.reshape(findings.answers.shape), rtol=1e-4, atol=1e-4)


def test_the_first_reason_is_kept_where_asking_fails_too() -> None:
    class Refusing(HistGradientBoostingRegressor):  # type: ignore[misc]
        def predict(self, X: Any) -> Any:
            raise ValueError("no more questions")

    features = frame(np.random.default_rng(0).integers(0, 5, size=(60, 2)).astype(float))
    model = Refusing(max_iter=3, categorical_features=[0], min_samples_leaf=2, early_stopping=False)
    with pytest.raises(ImpossibleError, match="sets of categories"):
        explained(model.fit(features, features["x00"] % 2), Task.REGRESSION, features)


def test_an_explainer_of_another_package_is_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def attribute(subject: Subject) -> Attribution:
        values = np.zeros((*subject.features.shape, 1))
        ones = np.ones((len(values), 1))
        return Attribution(method="own", output="value", values=values, base_values=np.ones(1), answers=ones)

    own = Explainer(accepts=lambda estimator: isinstance(estimator, Ridge), attribute=attribute)
    monkeypatch.setattr("explainability.registry._of_plugins", lambda: iter([own]))
    assert explained(Ridge().fit(*data(Task.REGRESSION)), Task.REGRESSION).method == "own"
    assert explained(Lasso().fit(*data(Task.REGRESSION)), Task.REGRESSION).method != "own"


def test_what_has_nothing_to_ask_is_a_reason() -> None:
    with pytest.raises(ImpossibleError, match="no `predict`"):
        explained(StandardScaler(), Task.REGRESSION)


def test_values_that_do_not_add_up_to_the_models_answer_are_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "OWN", registry.OWN[:1])
    with pytest.raises(ImpossibleError, match="cannot be trusted"):
        explained(rounded()[0], Task.REGRESSION)


def test_shap_is_not_imported_for_a_linear_model() -> None:
    check = (
        "import sys; from sklearn.linear_model import Ridge; from atlas.vocabulary import Task\n"
        "from tests.explanations import data, explained\n"
        "explained(Ridge().fit(*data(Task.REGRESSION)), Task.REGRESSION)\n"
        "sys.exit('shap' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
