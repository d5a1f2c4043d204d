"""The function that values explain, as effects and second opinions ask it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from atlas.vocabulary import Task
from explainability import explaining
from explainability.explained import Findings
from tests.explanations import CLASSES, data, explained, frame


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the approximations were given."""
    given: dict[str, Any] = {}

    def keep(findings: Findings, **arguments: Any) -> Findings:
        given.update(arguments)
        return findings

    monkeypatch.setattr(explaining, "with_approximations", keep)
    return given


@pytest.mark.parametrize(
    ("model", "task"),
    [
        (RandomForestClassifier(5, random_state=0), Task.BINARY),
        (RandomForestClassifier(5, random_state=0), Task.MULTICLASS),
        (RandomForestClassifier(5, random_state=0), Task.MULTILABEL),
        (GradientBoostingClassifier(n_estimators=3), Task.BINARY),
        (LogisticRegression(), Task.MULTICLASS),
        (PoissonRegressor(), Task.REGRESSION),
        (GaussianNB(), Task.MULTICLASS),
        (SVR(), Task.REGRESSION),
        (make_pipeline(StandardScaler(), LogisticRegression()), Task.BINARY),
    ],
    ids=str,
)
@pytest.mark.parametrize("order", [tuple, lambda classes: tuple(reversed(classes))], ids=["same", "reversed"])
def test_effects_and_second_opinions_are_of_the_function_that_the_values_explain(
    model: Any, task: Task, order: Callable[[Any], tuple[Any, ...]], asked: dict[str, Any]
) -> None:
    features, truth = data(task)
    findings = explained(model.fit(features, truth), task, classes=order(CLASSES[task]))
    np.testing.assert_allclose(asked["answer"](asked["rows"]), findings.answers, rtol=1e-4, atol=1e-5)
    assert asked["background"]().shape == (100, len(findings.features))
    np.testing.assert_array_equal(asked["rows"].astype("f4"), findings.rows)


def test_findings_have_effects_a_tree_and_second_opinions() -> None:
    features, truth = data(Task.MULTICLASS)
    model = LogisticRegression().fit(features, truth)
    findings = explained(model, Task.MULTICLASS)
    assert findings.effects
    assert findings.local is not None
    assert findings.local.shape[1:] == (13, 3)


def test_features_that_are_no_numbers_have_values_but_no_second_opinion() -> None:
    table = frame(np.random.default_rng(0).normal(size=(70, 2))).assign(road=["wet", "dry"] * 35)

    class Texts:
        def predict(self, rows: Any) -> np.ndarray:
            wet = (rows["road"] == "wet").to_numpy()
            return np.asarray(wet + rows["x00"].to_numpy(), dtype=float)

    findings = explained(Texts(), Task.REGRESSION, table)
    assert np.abs(findings.values[:, 2]).min() > 0.3
    assert findings.local is not None
    np.testing.assert_array_equal(findings.local[:, 2], 0)
