"""What stands beside the SHAP values of real models is of the function that these are of."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from atlas.vocabulary import Task
from explainability.explained import Findings
from tests.explanations import ROWS, data, explained, strengths

LONG = 600.0
"""So many seconds are enough for all of it, however busy the machine is."""


@pytest.mark.parametrize(
    ("task", "model"),
    [
        (Task.BINARY, RandomForestClassifier(5, max_depth=4, random_state=0)),
        (Task.MULTICLASS, LogisticRegression()),
        (Task.MULTILABEL, RandomForestClassifier(5, max_depth=4, random_state=0)),
        (Task.REGRESSION, HistGradientBoostingRegressor(max_iter=10, loss="poisson")),
        (Task.REGRESSION, PoissonRegressor()),
        (Task.BINARY, GaussianNB()),
        (Task.BINARY, make_pipeline(SelectKBest(k=3), SVC())),
    ],
    ids=lambda value: str(value),
)
def test_effects_and_second_opinions_are_of_what_the_values_are_of(task: Task, model: Any) -> None:
    features, truth = data(task)
    findings = explained(model.fit(features, truth), task, seconds=LONG)
    assert findings.effects[0].feature == findings.features[strengths(findings).sum(axis=1).argmax()]
    for effect in findings.effects:
        own = findings.rows[:, findings.features.index(effect.feature)]
        within = (effect.grid[0] <= own) & (own <= effect.grid[-1])
        assert effect.lines.shape == (ROWS, len(effect.grid), len(findings.outputs))
        low, high = effect.lines.min(axis=1)[within], effect.lines.max(axis=1)[within]
        wiggle = 0.5 * (high - low) + 1e-3
        assert ((low - wiggle <= findings.answers[within]) & (findings.answers[within] <= high + wiggle)).all()
    assert findings.local is not None
    assert findings.local.shape == findings.values.shape


def test_second_opinions_on_a_linear_model_agree_in_the_manifests_order() -> None:
    features, truth = data(Task.BINARY)
    model = LogisticRegression().fit(features.iloc[:, :6], np.array(["dent", "none"])[truth])
    findings = explained(model, Task.BINARY, features.iloc[:, :6], classes=("none", "dent"), seconds=LONG)
    assert findings.outputs == ("dent",)
    assert findings.local is not None
    np.testing.assert_allclose(findings.local, findings.values, atol=0.05 * np.abs(findings.values).max())


def test_many_events_have_a_tree_that_does_roughly_what_the_model_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.explanations.ROWS", 300)
    features, truth = data(Task.BINARY)
    model = RandomForestClassifier(20, random_state=0).fit(features, truth)
    findings = explained(model, Task.BINARY, seconds=LONG)
    assert findings.tree is not None
    assert findings.tree.fidelity > 0.7
    assert {node.feature for node in findings.tree.nodes} <= {"", *findings.features}


class RefusingMore(RandomForestClassifier):  # type: ignore[misc]
    """A forest that answers no more than about the rows to explain."""

    def predict_proba(self, X: Any) -> Any:
        if len(X) not in (5, ROWS):
            raise ValueError("too many questions")
        return super().predict_proba(X)


def test_a_model_that_refuses_more_questions_keeps_its_values() -> None:
    features, truth = data(Task.BINARY)
    findings = explained(RefusingMore(5, random_state=0).fit(features, truth), Task.BINARY, seconds=LONG)
    assert findings.values.shape == (ROWS, 30, 1)
    assert (findings.effects, findings.local) == ((), None)


def test_a_model_that_takes_words_too_has_effects_of_its_numbers() -> None:
    class Worded(BaseEstimator):  # type: ignore[misc]  # an untyped package
        """A regressor that takes a table as it is, and asks for the kinds of its columns."""

        def predict(self, X: pd.DataFrame) -> np.ndarray:
            assert set(X["car"]) <= {"A1", "B2"}
            assert X["count"].dtype == "int64"
            return np.asarray(X["speed"] * np.where(X["car"] == "A1", 1.0, -1.0) + X["count"])

    random = np.random.default_rng(0)
    rows = pd.DataFrame({"car": random.choice(["A1", "B2"], 90), "speed": random.normal(size=90)})
    rows["count"] = random.integers(0, 9, 90)
    findings = explained(Worded(), Task.REGRESSION, rows, seconds=LONG)
    assert findings.features == ("car", "speed", "count")
    by_feature = {effect.feature: effect for effect in findings.effects}
    assert by_feature.keys() == {"speed", "count"}
    speed = by_feature["speed"]
    signs = np.where(rows["car"].head(ROWS) == "A1", 1.0, -1.0)
    expected = speed.grid * signs[:, None] + rows["count"].head(ROWS).to_numpy()[:, None]
    np.testing.assert_allclose(speed.lines[:, :, 0], expected, rtol=1e-5, atol=1e-5)
    assert findings.local is not None
    assert (findings.local[:, 0] == 0).all()


def test_values_are_given_away_before_the_model_is_asked_for_more() -> None:
    features, truth = data(Task.BINARY)
    kept: list[Findings] = []
    findings = explained(GaussianNB().fit(features, truth), Task.BINARY, seconds=LONG, keep=kept.append)
    (first,) = kept
    np.testing.assert_array_equal(first.values, findings.values)
    assert (first.effects, first.local) == ((), None)
    assert findings.effects
