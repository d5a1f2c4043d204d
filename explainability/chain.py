"""The way of raw rows into a model: a bundle's pipeline, the steps of scikit-learn's, and the estimator at its end."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline

from atlas.formats import Model
from explainability.tables import Table

Step = tuple[str, Any]
"""What columns are called that a transformer cannot name, and the transformer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Transformers, and the final estimator that gets what they give.

    Attributes:
        steps: the transformers, in the order in which rows go through them.
        estimator: an estimator that is no pipeline, or a `Model` of a format that does not show what it holds.
    """

    steps: tuple[Step, ...]
    estimator: Any

    def transform(self, rows: Any) -> Any:
        """Raw rows in the form that the estimator gets them.

        Raises:
            Exception: whatever a transformer raises.
        """
        for _, transformer in self.steps:
            rows = transformer.transform(rows)
        return rows

    def features(self, table: Table) -> Table:
        """Likewise, with the names of the columns."""
        for step, transformer in self.steps:
            rows = transformer.transform(table.rows)
            table = Table(rows, tuple(map(str, _names(table.names, step, transformer, rows))))
        return table


def chain_of(model: Model, pipeline: Any) -> Chain:
    """Of a loaded model and the bundle's pipeline, if it has one."""
    steps, estimator = _unwrapped(model.estimator)
    first: tuple[Step, ...] = () if pipeline is None else (("feature", pipeline),)
    return Chain(steps=(*first, *steps), estimator=estimator)


def _unwrapped(estimator: Any) -> tuple[tuple[Step, ...], Any]:
    """The named transformers that rows go through, and the final estimator."""
    if isinstance(estimator, Pipeline):
        transformers = [step for step in estimator.steps[:-1] if hasattr(step[1], "transform")]
        steps, final = _unwrapped(estimator.steps[-1][1])
        return (*transformers, *steps), final
    inner = _wrapped(estimator)
    return ((), estimator) if inner is None else _unwrapped(inner)


def _wrapped(estimator: Any) -> Any:
    """The estimator whose answers a search, a threshold or a freeze passes on; None for anything else."""
    if isinstance(estimator, FixedThresholdClassifier | TunedThresholdClassifierCV):
        return estimator.estimator_
    if isinstance(estimator, FrozenEstimator):
        return estimator.estimator
    return getattr(estimator, "best_estimator_", None)


def _names(before: tuple[str, ...], step: str, transformer: Any, rows: Any) -> Any:
    if isinstance(rows, pd.DataFrame):
        return rows.columns
    count = (*getattr(rows, "shape", ()), 0, 0)[1]
    for found in _tried_names(before, transformer):
        if len(found) == count:
            return found
    return tuple(f"{step} {number}" for number in range(1, count + 1))


def _tried_names(before: tuple[str, ...], transformer: Any) -> Iterator[Any]:
    """What a transformer calls its columns, told what it got, and by itself."""
    for given in ((np.asarray(before, dtype=object),), ()):
        try:
            yield transformer.get_feature_names_out(*given)
        except (AttributeError, TypeError, ValueError):  # it cannot name them
            continue
