"""How often an estimator is asked, and that its numbers stay those that scikit-learn gives."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.special import expit
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.utils import all_estimators

from atlas.formats import Meaning
from atlas.formats.estimator import METHODS, EstimatorModel
from atlas.formats.once import FEWEST_ROWS
from atlas.metrics import Needs, Predictions
from atlas.vocabulary import Label, Task
from tests.atlas.formats.conftest import assert_close
from tests.coverage import GIVEN, INNER, TASKS

ROWS = 1_500
ALL = frozenset(Needs)
NAMES = np.array(["dent", "none", "scratch"])
TOO_FAR = {"CategoricalNB", "RadiusNeighborsClassifier"}
"""They refuse rows that lie further out than those they were fitted on."""
SLOW = {"GaussianProcessClassifier"}


class Spy:
    """An estimator that counts the rows that each of its methods is asked about."""

    def __init__(self, inner: Any, *, without: tuple[str, ...] = ()) -> None:
        self._inner = inner
        self._without = without
        self.rows: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        if name in self._without:
            raise AttributeError(name)
        found = getattr(self._inner, name)
        return self._counted(name, found) if name in {"predict", *METHODS.values()} else found

    def _counted(self, name: str, method: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def call(features: Any) -> Any:
            self.rows[name] += features.shape[0]
            return method(features)

        return call

    def whole(self) -> set[str]:
        """The methods that were asked about all events, and not only about those that tell what follows, and ties."""
        return {name for name, rows in self.rows.items() if rows >= ROWS}


@cache
def events(classes: int = 2) -> tuple[pd.DataFrame, np.ndarray]:
    """Events with positive features and noisy labels, a third of which models are fitted on."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.gamma(2.0, size=(ROWS, 4)), columns=["peak", "rms", "speed", "duration"])
    loud = frame["peak"] + frame["rms"] + random.normal(0, 0.7, ROWS)
    return frame, NAMES[np.digitize(loud, [3.5] if classes == 2 else [3, 5])]


def fitted(model: Any, classes: int = 2) -> Any:
    frame, labels = events(classes)
    return model.fit(frame[: ROWS // 3], labels[: ROWS // 3])


def asked(
    spy: Any,
    *,
    classes: tuple[Label, ...] = (),
    task: Task = Task.BINARY,
    needs: frozenset[Needs] = ALL,
    features: Any = None,
) -> Predictions:
    """The model's answer to all events."""
    meaning = Meaning(task=task, classes=classes or tuple(spy.classes_.tolist()))
    return EstimatorModel(spy, meaning).predict(events()[0] if features is None else features, needs)


def assert_own(found: Predictions, model: Any, features: Any) -> None:
    """The numbers are those that the estimator's own methods give."""
    np.testing.assert_array_equal(found.labels, np.asarray(model.predict(features)))
    for answer, method in ((found.scores, "decision_function"), (found.probabilities, "predict_proba")):
        assert (answer is not None) == hasattr(model, method)
        if answer is not None:
            np.testing.assert_allclose(answer, getattr(model, method)(features), rtol=1e-9, atol=0)


def scikit_learns() -> Iterator[Any]:
    for name, kind in all_estimators(type_filter="classifier"):
        if name in TOO_FAR | SLOW or TASKS.get(name) is Task.MULTILABEL:
            continue
        for classes in (2, 3):
            if classes == 2 or TASKS.get(name) is not Task.BINARY:
                yield pytest.param(name, INNER.get(name, kind), classes, id=f"{name}, {classes} classes")


@pytest.mark.system
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "build", "classes"), list(scikit_learns()))
def test_each_classifier_of_scikit_learn_keeps_its_numbers(name: str, build: Callable[[], Any], classes: int) -> None:
    frame, labels = events(classes)
    model = build().fit(frame[: ROWS // 3], GIVEN.get(name, np.asarray)(labels[: ROWS // 3]))
    adapted = EstimatorModel(model, Meaning(task=Task.MULTICLASS, classes=tuple(model.classes_.tolist())))
    parts = [
        adapted.predict(frame[start:stop], ALL) for start, stop in ((0, 1), (1, 1_000), (1_000, 1_001), (1_001, ROWS))
    ]
    found = Predictions(
        labels=np.concatenate([part.labels for part in parts]),
        scores=_joined([part.scores for part in parts]),
        probabilities=_joined([part.probabilities for part in parts]),
    )
    assert_own(found, model, frame)


def _joined(parts: list[np.ndarray | None]) -> np.ndarray | None:
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if known else None


@pytest.mark.parametrize(
    ("model", "methods"),
    [
        (LogisticRegression(), {"decision_function"}),
        (HistGradientBoostingClassifier(max_iter=20), {"decision_function"}),
        (GradientBoostingClassifier(n_estimators=20), {"decision_function"}),
        (AdaBoostClassifier(n_estimators=5), {"decision_function"}),
        (make_pipeline(StandardScaler(), LogisticRegression()), {"decision_function"}),
        (LinearSVC(), {"decision_function"}),
        (RandomForestClassifier(20, random_state=0), {"predict_proba"}),
        (GaussianNB(), {"predict_proba"}),
        (FixedThresholdClassifier(LogisticRegression(), threshold=0.3), {"decision_function", "predict"}),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "fit") else "",
)
def test_what_follows_is_not_asked_for(model: Any, methods: set[str]) -> None:
    spy = Spy(fitted(model))
    asked(spy)
    assert spy.whole() == methods


@pytest.mark.parametrize("model", [LogisticRegression(), HistGradientBoostingClassifier(max_iter=20)])
def test_of_three_classes_too_the_scores_tell_it_all(model: Any) -> None:
    spy = Spy(fitted(model, classes=3))
    asked(spy, task=Task.MULTICLASS, features=events(3)[0])
    assert spy.whole() == {"decision_function"}


@pytest.mark.parametrize(
    ("needs", "methods"),
    [
        (set(), {"predict"}),
        ({Needs.LABELS}, {"predict"}),
        ({Needs.SCORES}, {"decision_function"}),
        ({Needs.LABELS, Needs.PROBABILITIES}, {"predict_proba"}),
    ],
    ids=lambda words: " and ".join(sorted(words)) or "nothing",
)
def test_only_what_is_needed_is_asked_for(needs: set[Needs], methods: set[str]) -> None:
    spy = Spy(fitted(LogisticRegression()))
    found = asked(spy, needs=frozenset(needs))
    assert spy.whole() == methods
    assert (found.probabilities is not None) == (Needs.PROBABILITIES in needs)
    assert found.labels.tolist() == fitted(LogisticRegression()).predict(events()[0]).tolist()


def test_where_there_are_no_scores_probabilities_stand_in() -> None:
    found = asked(Spy(fitted(GaussianNB())), needs=frozenset({Needs.SCORES}))
    assert found.scores is None
    assert found.probabilities is not None


def test_what_follows_is_found_out_once_and_on_rows_enough() -> None:
    spy = Spy(fitted(LogisticRegression()))
    model = EstimatorModel(spy, Meaning(task=Task.BINARY, classes=("dent", "none")))
    frame = events()[0]
    for row in range(3):
        model.predict(frame[row : row + 1], ALL)
    assert spy.rows == {"predict": 3, "decision_function": 3, "predict_proba": 3}
    model.predict(frame[:FEWEST_ROWS], ALL)
    assert spy.rows["predict"] == 3 + FEWEST_ROWS
    for row in range(100):
        model.predict(frame[row : row + 1], ALL)
    assert spy.rows == {"predict": 35, "decision_function": 135, "predict_proba": 35}


class Scripted:
    """A model of one feature, which is its score, and whatever rule one wants."""

    def __init__(self, predict: Callable[[np.ndarray], np.ndarray], probability: Callable[[Any], Any] = expit) -> None:
        self._predict, self._probability = predict, probability

    def decision_function(self, features: np.ndarray) -> np.ndarray:
        return features[:, 0]

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        chances = self._probability(features[:, 0])
        return np.column_stack([1 - chances, chances])

    def predict(self, features: np.ndarray) -> np.ndarray:
        return self._predict(features[:, 0])


def scripted(scores: np.ndarray, model: Scripted, **without: tuple[str, ...]) -> tuple[Spy, Predictions]:
    spy = Spy(model, **without)
    return spy, asked(spy, classes=(0, 1), features=scores[:, None])


SCORES = np.random.default_rng(1).normal(0, 3, 5_000)


def test_an_estimator_without_classes_has_the_manifest_s_if_they_are_right() -> None:
    spy, found = scripted(SCORES, Scripted(lambda score: (score > 0).astype(int)))
    assert spy.whole() == {"decision_function"}
    assert found.labels.tolist() == (SCORES > 0).astype(int).tolist()
    spy, found = scripted(SCORES, Scripted(lambda score: (score < 0).astype(int)))
    assert spy.whole() == {"decision_function", "predict"}
    assert found.labels.tolist() == (SCORES < 0).astype(int).tolist()


@pytest.mark.parametrize("threshold", [-2.0, -0.02, 0.005, 2.5])
def test_a_threshold_of_its_own_is_seen_even_if_next_to_no_row_lies_between(threshold: float) -> None:
    _, found = scripted(SCORES, Scripted(lambda score: (score > threshold).astype(int)))
    assert found.labels.tolist() == np.greater(SCORES, threshold).astype(int).tolist()


@pytest.mark.parametrize("threshold", [-0.02, 0.02])
def test_what_few_rows_did_not_tell_more_rows_do(threshold: float) -> None:
    """Of these few rows, none lies between the threshold and zero."""
    spy = Spy(Scripted(lambda score: (score > threshold).astype(int)))
    model = EstimatorModel(spy, Meaning(task=Task.BINARY, classes=(0, 1)))
    few = SCORES[np.abs(SCORES) > 0.1][:100]
    assert model.predict(few[:, None], ALL).labels.tolist() == np.greater(few, threshold).astype(int).tolist()
    found = model.predict(SCORES[:, None], ALL).labels
    assert found.tolist() == np.greater(SCORES, threshold).astype(int).tolist()
    spy.rows.clear()
    model.predict(SCORES[:, None], ALL)
    assert spy.rows == {"decision_function": len(SCORES), "predict": len(SCORES)}


def test_rare_events_below_one_half_are_not_lost() -> None:
    """All of the first rows are of one class: that tells nothing of the threshold."""
    model = EstimatorModel(Scripted(lambda score: (score > -1).astype(int)), Meaning(task=Task.BINARY, classes=(0, 1)))
    assert not model.predict(np.full((500, 1), -3.0), ALL).labels.any()
    assert model.predict(np.full((500, 1), -0.5), ALL).labels.all()


@pytest.mark.parametrize("of_tie", [0, 1])
@pytest.mark.parametrize("ties", [1, 400])
def test_ties_are_resolved_as_the_model_does(of_tie: int, ties: int) -> None:
    scores = SCORES.copy()
    scores[1_000 : 1_000 + ties] = 0.0
    spy, found = scripted(scores, Scripted(lambda score: np.where(score == 0, of_tie, score > 0).astype(int)))
    assert set(found.labels[scores == 0]) == {of_tie}
    assert "predict_proba" not in spy.whole()


class Saturated:
    """Sigmoids of each class, which are all 1 of high scores: then only the scores, its features, know better."""

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        chances = expit(features)
        return np.asarray(chances / chances.sum(axis=1, keepdims=True))

    def predict(self, features: np.ndarray) -> np.ndarray:
        return np.asarray(features.argmax(axis=1))


def test_saturated_probabilities_do_not_decide_ties() -> None:
    scores = np.random.default_rng(2).normal(50, 20, (2_000, 2))
    found = asked(Saturated(), classes=(0, 1), features=scores)
    assert found.labels.tolist() == scores.argmax(axis=1).tolist()


def test_probabilities_that_are_no_function_of_the_scores_are_asked_for() -> None:
    spy, found = scripted(SCORES, Scripted(lambda score: (score > 0).astype(int), lambda score: expit(0.9 * score)))
    assert spy.whole() == {"decision_function", "predict_proba"}
    assert found.probabilities is not None
    np.testing.assert_array_equal(found.probabilities[:, 1], expit(0.9 * SCORES))


def test_an_unlikely_class_keeps_its_small_probability() -> None:
    far = np.concatenate([SCORES, [-45.0, 45.0]])
    _, found = scripted(far, Scripted(lambda score: (score > 0).astype(int)))
    assert found.probabilities is not None
    assert found.probabilities[-1].tolist() == [0.0, 1.0]
    linear = LogisticRegression().fit(np.array([[-1.0], [1.0]]), [0, 1])
    found = asked(linear, classes=(0, 1), features=100 * far[:, None])
    assert_close(found.probabilities, linear.predict_proba(100 * far[:, None]), rtol=1e-9)


def test_platt_s_probabilities_are_the_machine_s_own() -> None:
    with pytest.warns(FutureWarning):
        model = fitted(SVC(probability=True))
    spy = Spy(model)
    assert_own(asked(spy), model, events()[0])
    assert spy.whole() == {"decision_function", "predict_proba"}


@pytest.mark.parametrize("model", [LogisticRegression(), RandomForestClassifier(5, random_state=0)])
def test_columns_are_in_the_order_of_the_manifest_s_classes(model: Any) -> None:
    model = fitted(model)
    one, other = (asked(Spy(model), classes=classes) for classes in (("dent", "none"), ("none", "dent")))
    assert one.labels.tolist() == other.labels.tolist()
    assert one.probabilities is not None
    assert other.probabilities is not None
    np.testing.assert_array_equal(one.probabilities, other.probabilities[:, ::-1])
    if one.scores is not None and other.scores is not None:
        np.testing.assert_array_equal(one.scores, -other.scores)


@pytest.mark.parametrize(
    ("model", "method"),
    [
        (MultiOutputClassifier(RandomForestClassifier(9)), "predict_proba"),
        (OneVsRestClassifier(LogisticRegression()), "decision_function"),
        (RandomForestClassifier(9), "predict_proba"),
        (KNeighborsClassifier(5), "predict_proba"),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "fit") else "",
)
def test_sets_of_labels_follow_too(model: Any, method: str) -> None:
    frame, _ = events()
    truth = np.column_stack([frame["peak"] > 2, frame["rms"] > 2]).astype(int)
    model.fit(frame[:500], truth[:500])
    spy = Spy(model)
    found = asked(spy, classes=("loud", "long"), task=Task.MULTILABEL)
    assert spy.whole() == {method}
    np.testing.assert_array_equal(found.labels, model.predict(frame))
    own = model.predict_proba(frame)
    expected = np.column_stack([column[:, 1] for column in own]) if isinstance(own, list) else own
    assert_close(found.probabilities, expected, rtol=1e-9)


def test_a_label_that_training_had_always_or_never_has_that_probability() -> None:
    frame, _ = events()
    truth = np.column_stack([frame["peak"] > 2, frame["peak"] > 1e9, frame["peak"] > -1]).astype(int)
    model = RandomForestClassifier(5).fit(frame[:500], truth[:500])
    found = asked(Spy(model), classes=("loud", "never", "always"), task=Task.MULTILABEL)
    assert found.probabilities is not None
    assert set(found.probabilities[:, 1]) == {0.0}
    assert set(found.probabilities[:, 2]) == {1.0}
    np.testing.assert_array_equal(found.labels, model.predict(frame))


def test_a_regression_is_asked_for_its_values() -> None:
    frame, _ = events()
    spy = Spy(LinearRegression().fit(frame, frame["peak"]))
    meaning = Meaning(task=Task.REGRESSION)
    np.testing.assert_allclose(EstimatorModel(spy, meaning).predict(frame, {Needs.LABELS}).labels, frame["peak"])
    assert spy.rows == {"predict": ROWS}


@pytest.mark.parametrize(
    "given", [np.asarray, sparse.csr_matrix, sparse.coo_array, lambda frame: frame.to_numpy().tolist()]
)
def test_features_may_have_any_form(given: Callable[[pd.DataFrame], Any]) -> None:
    frame, labels = events()
    model = LogisticRegression().fit(frame.to_numpy(), labels)
    features = given(frame)
    found = EstimatorModel(model, Meaning(task=Task.BINARY, classes=("dent", "none"))).predict(features, ALL)
    assert found.labels.tolist() == model.predict(features).tolist()


def test_probabilities_of_a_linear_model_by_gradient_descent_are_its_own() -> None:
    model = fitted(SGDClassifier(loss="log_loss", random_state=0), classes=3)
    frame = events(3)[0]
    assert_own(asked(Spy(model), task=Task.MULTICLASS, features=frame), model, frame)
