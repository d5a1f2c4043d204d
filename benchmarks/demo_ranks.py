"""Whether the demo's models are explained on rows enough: importances beside those from ten times the rows."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from atlas.formats import Meaning, format_named
from atlas.vocabulary import Task
from demo.datasets import FIRST_HALF, SECOND_HALF, SOURCES, half
from demo.training import plans
from explainability.explained import Findings
from explainability.explaining import explain
from training_engine.config import TrainingConfiguration
from training_engine.trainer import NOT_FEATURES, fit

TIMES = 10
SPREAD = 0.1
"""How far a made-up row lies from a real one: the standard deviation of each number's shift, in such of its column."""


def ranks(*, rows: int, seconds: float, tags: frozenset[str]) -> Iterator[tuple[str, float, int]]:
    """The name of each model, the rank correlation of its importances from as many rows as the budget allows with those
    from ten times as many, and how many rows the budget allowed.

    Args:
        rows: that are explained at most.
        seconds: that it may take; ten times as long for ten times the rows.
        tags: of the datasets whose models are tried.
    """
    for plan in plans():
        if plan.configuration.dataset in tags:
            model = _Explained(plan.configuration)
            few = model.findings(rows, seconds)
            many = model.findings(TIMES * len(few.values), TIMES * seconds)
            yield plan.configuration.name, _agreement(few, many), len(few.values)


def _agreement(one: Findings, other: Findings) -> float:
    return float(spearmanr(_importances(one), _importances(other)).statistic)


def _importances(findings: Findings) -> np.ndarray:
    return np.asarray(np.abs(findings.values).mean(axis=0, dtype=float).sum(axis=1))


class _Explained:
    """A model of the demo, trained on the first half of its dataset, and rows in likeness of the second."""

    def __init__(self, configuration: TrainingConfiguration) -> None:
        source = next(source for source in SOURCES if source.tag == configuration.dataset)
        training, self._later = half(source, FIRST_HALF), _features(half(source, SECOND_HALF))
        self._task = configuration.task
        labels = training["label"].to_numpy()
        self._classes = () if self._task is Task.REGRESSION else tuple(np.unique(labels).tolist())
        self._background = _features(training)
        self._pipeline, model = fit(configuration, self._background, labels)
        self._model: Any = format_named("joblib").adapt(model, Meaning(task=self._task, classes=self._classes))

    def findings(self, rows: int, seconds: float) -> Findings:
        """As the engine finds them. More rows are those of fewer rows and others."""
        return explain(
            self._model,
            self._pipeline,
            _in_likeness(self._later, rows),
            background=self._background,
            background_kind="reference",
            task=self._task,
            classes=self._classes,
            target="label",
            seconds=seconds,
        )


def _features(events: pd.DataFrame) -> pd.DataFrame:
    return events[[name for name in events if name not in NOT_FEATURES]].astype(float)


def _in_likeness(real: pd.DataFrame, rows: int) -> pd.DataFrame:
    """So many rows, each a real one that is drawn with replacement and moved a little."""
    random = np.random.default_rng(0)
    scale = SPREAD * real.std().to_numpy()
    made = [
        real.to_numpy()[random.integers(len(real))] + random.normal(size=real.shape[1]) * scale for _ in range(rows)
    ]
    return pd.DataFrame(made, columns=real.columns)
