"""What an explainer is given, and what it gives back."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from atlas.errors import AtlasError
from atlas.vocabulary import Label, Task
from explainability.explained import Output
from explainability.tables import Table

FEWEST_ROWS = 10
"""Of fewer rows, importances say too little: so many are explained even where the time is short."""

Answer = Callable[[np.ndarray], np.ndarray]
"""What a model answers for (rows, features) numbers, as (rows, outputs)."""


class ImpossibleError(AtlasError):
    """The model cannot be explained. The message is one sentence for people."""


def as_it_is(rows: Any) -> Any:
    """Rows that an estimator takes as they are."""
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A final estimator, and the rows to explain it on, as it gets them.

    Attributes:
        estimator: a fitted estimator of scikit-learn, no pipeline; or a `Model` of another format.
        features: (rows, features) numbers, in random order, so that the first rows are a fair sample of all; NaN where
            a feature is missing or no number.
        background_mean: gives the mean of each feature over the background, (features,).
        names: of the features.
        task: what the estimator predicts.
        classes: what it can predict, in the manifest's order; empty for a regression.
        target: the name of what a regression predicts.
        table: the same rows as features, in the form that the estimator gets; None for just the numbers.
        background: gives the rows that stand for "feature unknown"; None for just their mean.
        prepare: what becomes of a table's rows before the estimator gets them.
        deadline: the `time.monotonic` until which values may be computed. An explainer explains as many of the first
            rows as that allows, and at least `FEWEST_ROWS` of them.
        seed: of the random numbers.
    """

    estimator: Any
    features: np.ndarray
    background_mean: Callable[[], np.ndarray]
    names: tuple[str, ...]
    task: Task
    classes: tuple[Label, ...]
    target: str = "prediction"
    table: Table | None = None
    background: Callable[[], Table] | None = None
    prepare: Callable[[Any], Any] = as_it_is
    deadline: float = math.inf
    seed: int = 0

    @property
    def rows(self) -> Table:
        """The rows to explain."""
        return self.table or Table(self.features, self.names)

    @property
    def others(self) -> Table:
        """The background."""
        return self.background() if self.background else Table(self.background_mean()[None], self.names)

    def given(self, rows: np.ndarray) -> Any:
        """(rows, features) numbers in the form that the estimator gets."""
        return named(self.estimator, self.prepare(self.rows.given(rows)))

    def ask(self, method: str, rows: np.ndarray) -> np.ndarray:
        """What a method of the estimator answers for rows of features, as (rows, outputs).

        Of several labels, each with its own probabilities, it is the probability that the label is there.
        """
        return as_columns(getattr(self.estimator, method)(self.given(rows)))

    def output_names(self, count: int) -> tuple[str, ...]:
        """Names of `count` outputs: the classes, the positive class of two, or the values of a regression."""
        classes = self.classes_of_the_estimator()
        if count == len(classes):
            return tuple(map(str, classes))
        if count == 1:
            return (str(classes[-1]),) if classes else (self.target,)
        return tuple(f"output {number}" for number in range(1, count + 1))

    def classes_of_the_estimator(self) -> Sequence[Label]:
        """The classes in the order of the estimator's outputs, by their own names; one may have been in no training."""
        own = getattr(self.estimator, "classes_", None)
        listed = own.tolist() if isinstance(own, np.ndarray) else []
        return listed if listed and set(listed) <= set(self.classes) else self.classes


def named(estimator: Any, rows: Any) -> Any:
    """Rows with the names of their columns, where an estimator knows some and gets an array."""
    known = getattr(estimator, "feature_names_in_", None)
    return rows if known is None or not isinstance(rows, np.ndarray) else pd.DataFrame(rows, columns=known)


def as_columns(answer: Any) -> np.ndarray:
    """An estimator's answer as (rows, outputs); of a list with one array a label, the last column of each."""
    if isinstance(answer, list):
        answer = np.column_stack([label[:, -1] for label in answer])
    numbers = np.asarray(answer, dtype=float)
    return numbers.reshape(len(numbers), -1)


def last_of_two(columns: np.ndarray) -> np.ndarray:
    """Probabilities add up to one, so that one of two says all."""
    return columns[:, 1:] if columns.shape[1] == 2 else columns


def closed(values: np.ndarray, variance: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Sampled values that add up to what they should: what is missing is shared out, most to those least sure.

    Args:
        values: (rows, features, outputs).
        variance: of each value.
        totals: (rows, outputs) what they should add up to.
    """
    gap = totals - values.sum(axis=1)
    all_variance = variance.sum(axis=1, keepdims=True)
    evenly = np.full(variance.shape, 1 / variance.shape[1])
    share = np.divide(variance, all_variance, out=evenly, where=all_variance > 0)
    return np.asarray(values + gap[:, None] * share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """SHAP values of some rows.

    Attributes:
        method: how they were computed, in a few words for people.
        output: what they add up to.
        values: (rows, features, outputs).
        base_values: (outputs,) what the model gives before any feature is known.
        answers: (rows, outputs) what the model gives for the rows: base plus values.
        tolerance: how far the values of a row may miss the model's answer, relative to their size.
        value_error: standard error of a value, root mean square over all; 0 where values are exact.
        background_rows: how many rows "feature unknown" stands for; 0 if it is the model's own counts.
        outputs: names of the outputs; empty for those that the subject says.
        answer: the function that the values explain; None if it is just what the output's name says.
    """

    method: str
    output: Output
    values: np.ndarray
    base_values: np.ndarray
    answers: np.ndarray
    tolerance: float = 1e-6
    value_error: float = 0.0
    background_rows: int = 0
    outputs: tuple[str, ...] = ()
    answer: Answer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explainer:
    """A way to explain some kinds of models.

    Attributes:
        accepts: whether it can explain such an estimator.
        attribute: SHAP values of a subject's first rows, as many as it can afford. An `ImpossibleError` says why there
            are none: then the next explainer that accepts the estimator is asked.
        needs_numbers: whether all features have to be numbers.
    """

    accepts: Callable[[Any], bool]
    attribute: Callable[[Subject], Attribution]
    needs_numbers: bool = True
