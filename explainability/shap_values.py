"""Why a model predicts as it does: SHAP importances of its features, on the features that its last step gets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline

from atlas.results import Explanation, Importance
from atlas.vocabulary import Label, Task
from explainability.attribution import Attribution, Explainer, ImpossibleError, Subject, as_numbers
from explainability.boosters import BOOSTER
from explainability.linear import LINEAR
from explainability.trees import TREE

Step = tuple[str, Any]
"""The name of a transformer in its pipeline, and the transformer."""

EXPLAINERS: tuple[Explainer, ...] = (TREE, BOOSTER, LINEAR)
"""Asked in this order; the first that accepts a model explains it."""

MAX_VALUES = 5_000_000
"""How many SHAP values are held at once: rows are left out where features and classes are many."""


def explain(
    model: Any,
    features: pd.DataFrame | np.ndarray,
    *,
    background: pd.DataFrame | np.ndarray,
    task: Task,
    classes: Sequence[Label],
    feature_names: Sequence[str],
    max_rows: int = 200,
    seed: int = 0,
) -> Explanation:
    """The SHAP importances of a fitted model's features, the most important first; or why there are none.

    Of a pipeline, the last step is explained, on the features that it gets from the steps before.

    Args:
        model: a fitted model of scikit-learn.
        features: (rows, columns) what the model predicts for.
        background: (rows, columns) a sample of what it was trained on: what "feature unknown" means to linear models.
        task: what the model predicts.
        classes: what it can predict; empty for a regression.
        feature_names: names of the columns.
        max_rows: how many rows are explained at most.
        seed: chooses the rows.

    Raises:
        Exception: whatever the model's own code raises.
    """
    try:
        steps, estimator = _unwrapped(model)
        explainer = _explainer(estimator)
        table = _Table(_sample(features, max_rows, seed), tuple(feature_names)).through(steps)
        subject = Subject(
            estimator=estimator,
            features=_bounded(as_numbers(table.rows), outputs=len(classes)),
            background_mean=lambda: _mean(_Table(background, tuple(feature_names)).through(steps).rows),
            names=table.names,
            task=task,
            classes=tuple(classes),
        )
        return _explanation(_checked(explainer.attribute(subject)), subject)
    except ImpossibleError as error:
        return Explanation(impossible=str(error))


def _sample(table: Any, most: int, seed: int) -> Any:
    """At most so many rows, in random order."""
    rows = table.tocsr() if sparse.issparse(table) else table
    chosen = np.random.default_rng(seed).permutation(rows.shape[0])[:most]
    return rows.iloc[chosen] if isinstance(rows, pd.DataFrame) else rows[chosen]


def _unwrapped(model: Any) -> tuple[tuple[Step, ...], Any]:
    """The named transformers that rows go through, and the final estimator."""
    if isinstance(model, Pipeline):
        transformers = [step for step in model.steps[:-1] if hasattr(step[1], "transform")]
        steps, estimator = _unwrapped(model.steps[-1][1])
        return (*transformers, *steps), estimator
    inner = _wrapped(model)
    return ((), model) if inner is None else _unwrapped(inner)


def _wrapped(model: Any) -> Any:
    """The estimator whose answers a search, a threshold or a freeze passes on; None for anything else."""
    if isinstance(model, FixedThresholdClassifier | TunedThresholdClassifierCV):
        return model.estimator_
    if isinstance(model, FrozenEstimator):
        return model.estimator
    return getattr(model, "best_estimator_", None)


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows on their way through a pipeline, with the names of their columns."""

    rows: Any
    names: tuple[str, ...]

    def through(self, steps: Iterable[Step]) -> "_Table":
        table = self
        for step, transformer in steps:
            rows = transformer.transform(table.rows)
            table = _Table(rows, table._names_after(step, transformer, rows))
        return table

    def _names_after(self, step: str, transformer: Any, rows: Any) -> tuple[str, ...]:
        if isinstance(rows, pd.DataFrame):
            return tuple(map(str, rows.columns))
        try:
            return tuple(map(str, transformer.get_feature_names_out(np.asarray(self.names, dtype=object))))
        except (AttributeError, TypeError, ValueError):  # it cannot name its columns
            return tuple(f"{step} {number}" for number in range(1, rows.shape[1] + 1))


def _mean(rows: Any) -> np.ndarray:
    """The mean of each column; sparse rows stay sparse, for they may be many."""
    return np.asarray(rows.mean(axis=0)).ravel() if sparse.issparse(rows) else as_numbers(rows).mean(axis=0)


def _bounded(features: np.ndarray, *, outputs: int) -> np.ndarray:
    """As many of the rows as there is memory for their SHAP values."""
    rows = MAX_VALUES // max(1, features.shape[1] * max(1, outputs))
    if not rows:
        raise ImpossibleError(f"The model has {features.shape[1]} features and {outputs} outputs, too many to explain.")
    return features[:rows]


def _explainer(estimator: Any) -> Explainer:
    for explainer in EXPLAINERS:
        if explainer.accepts(estimator):
            return explainer
    name = type(estimator).__name__
    raise ImpossibleError(
        f"Atlas explains trees, forests, gradient boosting and linear models of scikit-learn, XGBoost, LightGBM and "
        f"CatBoost; {name} is none of these."
    )


def _checked(attribution: Attribution) -> Attribution:
    """The attribution, if it is what SHAP promises: base value and values of a row add up to the model's answer."""
    values, answers = attribution.values, attribution.answers
    if not np.isfinite(values).all():
        raise ImpossibleError("The SHAP values of the model are not finite numbers.")
    sums = attribution.base_values + values.sum(axis=1)
    if sums.shape != answers.shape:
        raise ImpossibleError(f"The model has {answers.shape[1]} outputs, but its parts explain {sums.shape[1]}.")
    size = np.abs(values).sum(axis=1).max() + np.abs(answers).max()
    gap = np.abs(sums - answers).max()
    if not gap <= attribution.tolerance * size:
        raise ImpossibleError(f"The SHAP values miss the model's answers by {gap:.3g}, so they cannot be trusted.")
    return attribution


def _explanation(attribution: Attribution, subject: Subject) -> Explanation:
    strengths = np.abs(attribution.values).mean(axis=0).tolist()
    importances = [
        Importance(feature=name, mean_absolute=tuple(strength))
        for name, strength in zip(subject.names, strengths, strict=True)
    ]
    return Explanation(
        method=attribution.method,
        output=attribution.output,
        outputs=subject.output_names(len(attribution.base_values)),
        base_values=tuple(attribution.base_values.tolist()),
        rows=len(attribution.values),
        importances=tuple(sorted(importances, key=lambda importance: (-importance.total, importance.feature))),
    )
