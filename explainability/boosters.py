"""SHAP values that a boosting library computes itself: exact, and many times faster than taking its trees apart."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from atlas.formats import Meaning, Model, format_named
from explainability.attribution import Attribution, Explainer, ImpossibleError, Subject

LEAST_DIGITS = 1e-4
"""Boosters add up in single precision: so far may the values of a row miss the margin, relative to their size."""


def _xgboost(estimator: Any) -> Any:
    """The booster, with as many trees as the estimator uses after early stopping."""
    best = getattr(estimator, "best_iteration", None)
    return estimator.get_booster() if best is None else estimator.get_booster()[: best + 1]


INSIDE: Mapping[str, Callable[[Any], Any]] = {
    "xgboost": _xgboost,
    "lightgbm": lambda estimator: estimator.booster_,
    "catboost": lambda estimator: estimator,
}
"""What estimators of these libraries hold, in the form that the format of the same name loads."""


def accepts(estimator: Any) -> bool:
    """Whether it is a model of a format, or an estimator of a boosting library."""
    return isinstance(estimator, Model) or type(estimator).__module__.partition(".")[0] in INSIDE


def attribute(subject: Subject) -> Attribution:
    """SHAP values of the margin of a classifier, of a regressor's value, or of what it makes the value of.

    Raises:
        ImpossibleError: the model's library computes none.
    """
    model = _model(subject)
    found = model.attribution(subject.features)
    if found is None:
        name = type(subject.estimator).__name__
        raise ImpossibleError(f"Atlas explains trees, boosting and linear models; {name} says nothing of its inside.")
    return Attribution(
        method=found.method,
        output="value" if _gives(model, subject, found.answers) else "margin",
        values=found.values,
        base_values=found.base_values,
        answers=found.answers,
        tolerance=LEAST_DIGITS,
    )


def _gives(model: Model, subject: Subject, answers: np.ndarray) -> bool:
    """Whether the answers are the values that the model predicts, and not, say, their logarithms."""
    if subject.task.is_classification:
        return False
    values = np.asarray(model.predict(subject.features, ()).labels, dtype=float)
    return bool(np.allclose(values.ravel(), answers.ravel(), rtol=LEAST_DIGITS, atol=0))


def _model(subject: Subject) -> Model:
    if isinstance(subject.estimator, Model):
        return subject.estimator
    library = type(subject.estimator).__module__.partition(".")[0]
    meaning = Meaning(task=subject.task, classes=subject.classes)
    return format_named(library).adapt(INSIDE[library](subject.estimator), meaning)


BOOSTER = Explainer(accepts=accepts, attribute=attribute)
