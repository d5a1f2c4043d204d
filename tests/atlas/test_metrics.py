"""The registry against scikit-learn's own scorers, on real models and real data."""

import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine, make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics import cluster, get_scorer, get_scorer_names, make_scorer
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from atlas.errors import MetricError
from atlas.metrics import (
    DEFAULT_METRICS,
    REGISTRY,
    Events,
    Metric,
    Needs,
    Predictions,
    confusion,
    default_metrics,
    default_primary_metric,
    measure,
    metric,
    metrics_for,
    residuals,
)
from atlas.results import MetricValue
from atlas.vocabulary import Task

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
SCORERS = [name for name in get_scorer_names() if not hasattr(cluster, name)]


@dataclass(frozen=True)
class Case:
    """A fitted model and rows that it has not seen."""

    task: Task
    model: Any
    features: np.ndarray
    truth: np.ndarray

    @property
    def predictions(self) -> Predictions:
        return Predictions(
            labels=self.model.predict(self.features),
            scores=self.model.decision_function(self.features) if hasattr(self.model, "decision_function") else None,
            probabilities=self._probabilities(),
            classes=self._classes(),
        )

    def _probabilities(self) -> np.ndarray | None:
        if not hasattr(self.model, "predict_proba"):
            return None
        answer = self.model.predict_proba(self.features)
        return np.column_stack([column[:, 1] for column in answer]) if isinstance(answer, list) else answer

    def _classes(self) -> tuple[Any, ...]:
        if self.task is Task.REGRESSION:
            return ()
        if self.task is Task.MULTILABEL:
            return tuple(f"label {number}" for number in range(self.truth.shape[1]))
        return tuple(self.model.classes_.tolist())


def case(task: Task, model: Any, features: np.ndarray, truth: np.ndarray) -> Case:
    train, test, known, unseen = train_test_split(features, truth, test_size=0.4, random_state=1)
    with warnings.catch_warnings(action="ignore"):  # some models are stopped early, to be bad enough to measure
        return Case(task, model.fit(train, known), test, unseen)


def cases() -> dict[str, Case]:
    binary, numbers = load_breast_cancer(return_X_y=True)
    texts = np.where(numbers == 1, "a harmless one", "malignant")
    wine, kinds = load_wine(return_X_y=True)
    sugar, progress = load_diabetes(return_X_y=True)
    many, sets = make_multilabel_classification(200, n_classes=4, random_state=0)
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.001))
    return {
        "binary, numbers": case(Task.BINARY, GaussianNB(), binary, numbers),
        "binary, texts, both kinds of confidence": case(Task.BINARY, linear, binary, texts),
        "binary, scores only": case(Task.BINARY, SVC(), binary, texts),
        "binary, no confidence": case(Task.BINARY, Unsure(), binary, numbers),
        "multiclass": case(Task.MULTICLASS, RandomForestClassifier(3, max_depth=1, random_state=0), wine, kinds),
        "multiclass, scores only": case(Task.MULTICLASS, SVC(C=0.1), wine, np.array(["x", "y", "z"])[kinds]),
        "multilabel, forest": case(Task.MULTILABEL, RandomForestClassifier(5, random_state=0), many, sets),
        "multilabel, network": case(Task.MULTILABEL, MLPClassifier(max_iter=20, random_state=0), many, sets),
        "multilabel, scores only": case(Task.MULTILABEL, RidgeClassifier(), many, sets),
        "regression": case(Task.REGRESSION, Ridge(), sugar, progress),
        "regression, single precision": case(Task.REGRESSION, KNeighborsRegressor(), sugar, progress.astype("f4")),
    }


class Unsure(GaussianNB):  # type: ignore[misc]
    """A classifier that gives labels and nothing else."""

    def __getattribute__(self, name: str) -> Any:
        if name == "predict_proba":
            raise AttributeError(name)
        return super().__getattribute__(name)


CASES = cases()


RESPONSES = {
    Needs.LABELS: "predict",
    Needs.SCORES: ("decision_function", "predict_proba"),
    Needs.PROBABILITIES: "predict_proba",
}
ABOUT_THE_POSITIVE_CLASS = {
    "f1",
    "precision",
    "recall",
    "jaccard",
    "average_precision",
    "brier_score",
    "d2_brier_score",
}


def scorer_of(entry: Metric, subject: Case) -> Any:
    """scikit-learn's own scorer, told which class is positive where it has to be."""
    if subject.task is not Task.BINARY or entry.name not in ABOUT_THE_POSITIVE_CLASS:
        return get_scorer(entry.name if entry.name in SCORERS else f"neg_{entry.name}")
    return make_scorer(
        getattr(sklearn.metrics, entry.function),
        greater_is_better=entry.greater_is_better,
        response_method=RESPONSES[entry.needs],
        pos_label=subject.predictions.classes[-1],
    )


def value_of(name: str, truth: Any, **answer: Any) -> MetricValue:
    return measure([metric(name)], np.asarray(truth), Predictions(**answer))[0]


def test_every_classification_and_regression_scorer_of_scikit_learn_is_registered() -> None:
    assert set(REGISTRY) == {name.removeprefix("neg_") for name in SCORERS}


def test_the_direction_of_every_metric_is_its_scorers() -> None:
    for entry in REGISTRY.values():
        assert entry.greater_is_better is (entry.name in SCORERS), entry.name


@pytest.mark.parametrize("label", CASES)
def test_every_metric_equals_scikit_learns_scorer(label: str) -> None:
    subject = CASES[label]
    for entry, measured in zip(
        metrics_for(subject.task), measure(metrics_for(subject.task), subject.truth, subject.predictions), strict=True
    ):
        try:
            with warnings.catch_warnings(action="ignore"):
                expected = scorer_of(entry, subject)(subject.model, subject.features, subject.truth)
        except AttributeError:  # the scorer needs a method that the model has not
            assert measured.value is None
            assert "the model has no" in measured.reason
            continue
        sign = 1 if entry.greater_is_better else -1
        assert measured.value == pytest.approx(sign * expected, rel=1e-12), entry.name


@pytest.mark.parametrize("task", Task)
def test_every_metric_has_a_value_in_some_case_of_each_of_its_tasks(task: Task) -> None:
    measured = {
        value.name
        for subject in CASES.values()
        if subject.task is task
        for value in measure(metrics_for(task), subject.truth, subject.predictions)
        if value.value is not None
    }
    assert measured == {entry.name for entry in metrics_for(task)}


def test_ranking_takes_scores_where_a_model_gives_both() -> None:
    value = value_of(
        "roc_auc",
        ["n", "y", "y"],
        labels=np.array(["n", "y", "y"]),
        scores=np.array([1.0, 2.0, 3.0]),
        probabilities=np.array([[0.1, 0.9], [0.5, 0.5], [0.9, 0.1]]),
        classes=("n", "y"),
    )
    assert value.value == 1.0


def test_the_last_of_two_classes_is_the_positive_one_whatever_the_alphabet_says() -> None:
    truth, predicted = ["impact", "impact", "none", "none"], np.array(["impact", "none", "none", "none"])
    assert value_of("recall", truth, labels=predicted, classes=("none", "impact")).value == 0.5
    assert value_of("recall", truth, labels=predicted, classes=("impact", "none")).value == 1.0


def test_probabilities_are_in_the_order_of_the_classes_whatever_the_alphabet_says() -> None:
    probabilities = np.array([[0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.3, 0.1, 0.6]])
    value = value_of(
        "log_loss",
        ["z", "m", "a"],
        labels=np.array(["z", "m", "a"]),
        probabilities=probabilities,
        classes=("z", "m", "a"),
    )
    assert value.value == pytest.approx(-np.log([0.8, 0.7, 0.6]).mean())


def test_a_class_that_is_absent_from_the_truth_does_not_hide_the_log_loss() -> None:
    value = value_of(
        "log_loss",
        [0, 1],
        labels=np.array([0, 1]),
        probabilities=np.array([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3]]),
        classes=(0, 1, 2),
    )
    assert value.value == pytest.approx(-np.log([0.8, 0.5]).mean())


def test_a_label_that_the_model_does_not_know_counts_as_an_error() -> None:
    value = value_of("accuracy", ["a", "b", "new"], labels=np.array(["a", "b", "b"]), classes=("a", "b"))
    assert value.value == pytest.approx(2 / 3)


def test_metrics_of_classes_are_computed_of_the_confusion_matrix_and_are_the_same() -> None:
    random = np.random.default_rng(0)
    truth, labels = random.integers(0, 5, (2, 3_000))
    events = Events(truth, Predictions(labels=labels, classes=(0, 1, 2, 3)))  # 4 is a class that the model never saw
    for entry in metrics_for(Task.MULTICLASS):
        if entry.needs is Needs.LABELS:
            assert events.value(entry) == pytest.approx(entry.of(truth, labels, 4), rel=1e-12), entry.name


def test_a_ranking_of_events_of_one_class_has_no_value_but_a_reason() -> None:
    value = value_of("roc_auc", [1, 1], labels=np.array([1, 1]), scores=np.array([0.1, 0.2]), classes=(0, 1))
    assert value.value is None
    assert "one class" in value.reason


def test_precision_of_a_class_that_is_never_predicted_is_zero_as_in_scikit_learn() -> None:
    value = value_of("precision", [0, 1], labels=np.array([0, 0]), classes=(0, 1))
    assert (value.value, value.reason) == (0.0, "")


def test_a_metric_that_needs_probabilities_says_that_there_are_none() -> None:
    value = value_of("log_loss", [0, 1], labels=np.array([0, 1]), classes=(0, 1))
    assert value.value is None
    assert value.reason == "It needs probabilities, and the model has no predict_proba."


def test_labels_that_have_nothing_to_do_with_the_classes_are_a_reason() -> None:
    value = value_of("accuracy", ["0", "1"], labels=np.array([0, 1]), classes=(0, 1))
    assert value.value is None
    assert value.reason == "The label '0', like all others here, is none of the model's [0, 1]."


def test_missing_labels_are_a_reason() -> None:
    truth = np.array(["a", None, "b"], dtype=object)
    value = value_of("f1", truth, labels=np.array(["a", "a", "b"]), classes=("a", "b"))
    assert value.reason == "1 of 3 true labels are missing."


def test_values_that_a_metric_refuses_are_a_reason_in_one_line() -> None:
    value = value_of("mean_gamma_deviance", [1.0, -2.0], labels=np.array([1.0, 2.0]))
    assert value.value is None
    assert "strictly positive" in value.reason
    assert "\n" not in value.reason


def test_predictions_that_are_not_finite_are_a_reason() -> None:
    value = value_of("mean_squared_error", [1.0, 2.0], labels=np.array([1.0, np.nan]))
    assert value.value is None
    assert "NaN" in value.reason


def test_a_metric_that_fails_does_not_stop_the_others() -> None:
    names = ["log_loss", "accuracy"]
    values = measure(
        [metric(name) for name in names], np.array([0, 1]), Predictions(labels=np.array([0, 1]), classes=(0, 1))
    )
    assert [value.name for value in values] == names
    assert [value.value for value in values] == [None, 1.0]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("f1_marco", "f1_macro"),
        ("neg_log_loss", "log_loss"),
        ("neg_brier_score", "brier_score"),
        ("f1_score", "f1"),
        ("brier_score_loss", "brier_score"),
        ("Accuracy", "accuracy"),
    ],
)
def test_an_unknown_metric_is_refused_with_the_nearest_name(wrong: str, right: str) -> None:
    with pytest.raises(MetricError, match=rf"^unknown metric '{wrong}'; did you mean '{right}'\?$"):
        metric(wrong)


def test_an_unknown_metric_that_is_like_none_is_refused_with_where_to_look() -> None:
    with pytest.raises(MetricError, match="unknown metric 'xyzzy'; `atlas metrics` lists"):
        metric("xyzzy")


@pytest.mark.parametrize("task", Task)
def test_the_default_metrics_of_a_task_can_measure_it_and_start_with_the_primary_one(task: Task) -> None:
    assert all(task in metric(name).tasks for name in default_metrics(task))
    assert default_primary_metric(task) == DEFAULT_METRICS[task][0]


def test_checking_a_name_does_not_import_scikit_learn() -> None:
    check = "import sys, atlas.metrics; atlas.metrics.metric('f1'); sys.exit('sklearn' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True)


def test_a_confusion_matrix_has_a_row_for_each_true_class_and_labels_unknown_to_the_model_last() -> None:
    matrix = confusion(
        np.array(["a", "a", "b", "new"]), Predictions(labels=np.array(["a", "b", "b", "a"]), classes=("b", "a"))
    )
    assert matrix.classes == ("b", "a", "new")
    assert matrix.counts == ((1, 0, 0), (1, 1, 0), (0, 1, 0))


def test_there_is_no_confusion_matrix_of_sets_of_labels() -> None:
    with pytest.raises(MetricError, match="one predicted class"):
        confusion(np.eye(2), Predictions(labels=np.eye(2), classes=("a", "b")))


def test_there_is_no_confusion_matrix_of_thousands_of_classes() -> None:
    numbers = np.arange(1_500)
    with pytest.raises(MetricError, match="1500 different labels"):
        confusion(numbers, Predictions(labels=numbers, classes=(0, 1)))


def test_residuals_are_spread_evenly_over_the_truth() -> None:
    truth = np.random.default_rng(0).permutation(1_000).astype(float)
    sample = residuals(truth, truth + 0.5, limit=11)
    assert sample.truth == tuple(np.linspace(0, 999, 11).round().tolist())
    assert np.subtract(sample.predicted, sample.truth).tolist() == [0.5] * 11


def test_residuals_leave_out_what_is_not_finite() -> None:
    sample = residuals(np.array([2.0, 1.0, np.nan]), np.array([[2.5], [np.inf], [1.0]]))
    assert (sample.truth, sample.predicted) == ((2.0,), (2.5,))


def test_residuals_of_several_values_an_event_are_refused() -> None:
    with pytest.raises(MetricError, match="one value an event"):
        residuals(np.eye(2), np.eye(2))


def row(entry: Metric) -> str:
    better = "higher" if entry.greater_is_better else "lower"
    tasks = ", ".join(task.value for task in Task if task in entry.tasks)
    return f"| `{entry.name}` | {entry.title} | {better} | {tasks} | {entry.needs.value} | {entry.description} |"


@pytest.mark.parametrize("name", REGISTRY)
def test_every_metric_is_in_the_reference_as_it_is(name: str) -> None:
    assert row(REGISTRY[name]) in REFERENCE.read_text(encoding="utf-8").splitlines()


def test_the_reference_lists_nothing_else() -> None:
    listed = [line for line in REFERENCE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert len(listed) == len(REGISTRY)


@pytest.mark.parametrize("task", Task)
def test_the_default_metrics_are_in_the_reference(task: Task) -> None:
    names = ", ".join(f"`{name}`" for name in default_metrics(task))
    assert f"- {task.value}: {names}" in REFERENCE.read_text(encoding="utf-8")


def test_no_description_breaks_the_table() -> None:
    assert not [entry.name for entry in REGISTRY.values() if "|" in row(entry).replace(" | ", "").strip("| ")]
