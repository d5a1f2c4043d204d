"""What an explainer is given, and what it gives back."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from atlas.errors import AtlasError
from atlas.vocabulary import Label, Task
from explainability.explained import Output

FEWEST_ROWS = 10
"""Of fewer rows, importances say too little: so many are explained even where the time is short."""


class ImpossibleError(AtlasError):
    """The model cannot be explained. The message is one sentence for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A final estimator, and the rows to explain it on, as it gets them.

    Attributes:
        estimator: a fitted scikit-learn estimator, no pipeline.
        features: (rows, features) numbers, in random order, so that the first rows are a fair sample of all.
        background_mean: gives the mean of each feature over the background, (features,).
        names: of the features.
        task: what the estimator predicts.
        classes: what it can predict, in the manifest's order; empty for a regression.
        deadline: the `time.monotonic` until which values may be computed. An explainer explains as many of the first
            rows as that allows, and at least `FEWEST_ROWS` of them.
    """

    estimator: Any
    features: np.ndarray
    background_mean: Callable[[], np.ndarray]
    names: tuple[str, ...]
    task: Task
    classes: tuple[Label, ...]
    deadline: float = math.inf

    def ask(self, method: str, rows: np.ndarray) -> np.ndarray:
        """What a method of the estimator answers for rows of features, as (rows, outputs).

        Of several labels, each with its own probabilities, it is the probability that the label is there.
        """
        known = getattr(self.estimator, "feature_names_in_", None)
        given = rows if known is None else pd.DataFrame(rows, columns=known)
        answer = getattr(self.estimator, method)(given)
        if isinstance(answer, list):
            answer = np.column_stack([label[:, -1] for label in answer])
        return np.asarray(answer, dtype=float).reshape(len(rows), -1)

    def output_names(self, count: int) -> tuple[str, ...]:
        """Names of `count` outputs: the classes, the positive class of two, or the values of a regression."""
        classes = self._classes_of_the_estimator()
        if count == len(classes):
            return tuple(map(str, classes))
        if count == 1:
            return (str(classes[-1]),) if classes else ("prediction",)
        return tuple(f"output {number}" for number in range(1, count + 1))

    def _classes_of_the_estimator(self) -> Sequence[Label]:
        """The classes in the order of the estimator's outputs, by their own names."""
        own = getattr(self.estimator, "classes_", None)
        listed = own.tolist() if isinstance(own, np.ndarray) else []
        return listed if set(listed) == set(self.classes) else self.classes


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
    """

    method: str
    output: Output
    values: np.ndarray
    base_values: np.ndarray
    answers: np.ndarray
    tolerance: float = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Explainer:
    """A way to explain some kinds of models.

    Attributes:
        accepts: whether it can explain such an estimator.
        attribute: SHAP values of a subject's first rows, as many as it can afford.
    """

    accepts: Callable[[Any], bool]
    attribute: Callable[[Subject], Attribution]


def as_numbers(table: Any) -> np.ndarray:
    """A table as (rows, columns) numbers.

    Raises:
        ImpossibleError: it holds something else than numbers.
    """
    dense = table.toarray() if sparse.issparse(table) else table
    try:
        numbers = np.asarray(dense, dtype=float)
    except (TypeError, ValueError) as error:
        raise ImpossibleError("The model takes features that are not numbers, which cannot be explained.") from error
    if numbers.ndim != 2:
        raise ImpossibleError(f"The model takes an array of {numbers.ndim} dimensions, not a table of features.")
    return numbers
