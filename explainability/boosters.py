"""SHAP values that a boosting library computes itself: exact, and many times faster than taking its trees apart."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from atlas.formats import Attribution as Shares
from atlas.formats import Meaning, Model, format_named
from explainability.attribution import FEWEST_ROWS, Attribution, Explainer, ImpossibleError, Subject

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
    """Whether it is an estimator of a boosting library, or a model of a format that has SHAP values of its own."""
    if isinstance(estimator, Model):
        return type(estimator).attribution is not Model.attribution
    return _library(estimator) in INSIDE


def attribute(subject: Subject) -> Attribution:
    """SHAP values of the margin of a classifier, of a regressor's value, or of what it makes the value of.

    Raises:
        ImpossibleError: the model's library computes none.
    """
    model = _model(subject)
    parts = list(_parts(model, subject))
    answers = np.concatenate([part.answers for part in parts])
    return Attribution(
        method=parts[0].method,
        output="value" if _gives(model, subject, answers) else "margin",
        outputs=_names(subject, answers.shape[1]),
        values=np.concatenate([part.values for part in parts]),
        base_values=parts[0].base_values,
        answers=answers,
        tolerance=LEAST_DIGITS,
        answer=lambda numbers: np.asarray(model.margins(subject.rows.given(numbers)), dtype=float),
    )


def _parts(model: Model, subject: Subject) -> Iterator[Shares]:
    """Few rows, and ever more, until all are explained or the next part would take too long."""
    start, size, seconds = 0, FEWEST_ROWS, 0.0
    while not start or (start < len(subject.rows) and time.monotonic() + 2 * seconds < subject.deadline):
        started = time.monotonic()
        found = model.attribution(subject.rows.take(slice(start, start + size)).rows)
        if found is None:
            name = type(subject.estimator).__name__
            raise ImpossibleError(f"{name} says nothing of its inside.")
        yield found
        seconds = time.monotonic() - started
        start, size = start + size, 2 * size


def _gives(model: Model, subject: Subject, answers: np.ndarray) -> bool:
    """Whether the answers are the values that the model predicts, and not, say, their logarithms."""
    if subject.task.is_classification:
        return False
    rows = subject.rows.take(slice(len(answers))).rows
    values = np.asarray(model.predict(rows, ()).labels, dtype=float)
    return bool(np.allclose(values.ravel(), answers.ravel(), rtol=LEAST_DIGITS, atol=0))


def _names(subject: Subject, count: int) -> tuple[str, ...]:
    """Names of the outputs: a `Model`, and CatBoost always, has them in the manifest's order."""
    if isinstance(subject.estimator, Model) or _library(subject.estimator) == "catboost":
        if count == len(subject.classes):
            return tuple(map(str, subject.classes))
        if count == 1 and subject.classes:
            return (str(subject.classes[-1]),)
    return subject.output_names(count)


def _model(subject: Subject) -> Model:
    if isinstance(subject.estimator, Model):
        return subject.estimator
    library = _library(subject.estimator)
    meaning = Meaning(task=subject.task, classes=subject.classes)
    return format_named(library).adapt(INSIDE[library](subject.estimator), meaning)


def _library(estimator: Any) -> str:
    return type(estimator).__module__.partition(".")[0]


BOOSTER = Explainer(accepts=accepts, attribute=attribute, needs_numbers=False)
