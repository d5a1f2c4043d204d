"""Whether the demo's models are explained on events enough: importances beside those from ten times as much."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from atlas.datasets import NOT_FEATURES
from atlas.formats import Meaning, Model, format_named
from atlas.metrics import Needs, Predictions
from atlas.vocabulary import Label, Task
from benchmark_engine.chosen import choose
from demo.datasets import FIRST_HALF, SECOND_HALF, SOURCES, half
from demo.training import plans
from explainability.explained import Findings
from explainability.explaining import explain
from training_engine.config import TrainingConfiguration
from training_engine.trainer import fit

TIMES = 10
SPREAD = 0.1
"""How far a made-up event lies from a real one: the standard deviation of each shift, in such of its column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """How much the default budget tells of a model.

    Attributes:
        model: its name.
        own: Spearman's correlation of the importances that the default budget gives on the demo's own events with those
            that ten times the budget gives, which is enough for all of them.
        events: how many of them the default budget allowed.
        tenfold: the same of as many events as the budget allows with ten times as many, made up in likeness.
    """

    model: str
    own: float
    events: int
    tenfold: float


def ranks(*, events: int, seconds: float, tags: frozenset[str]) -> Iterator[Rank]:
    """One for each model of the demo that is of these datasets.

    Args:
        events: that are explained at most.
        seconds: that it may take; ten times as long for ten times the events.
        tags: of the datasets.
    """
    for plan in plans():
        if plan.configuration.dataset in tags:
            yield _rank(_Trained.by(plan.configuration), events, seconds)


def _rank(trained: "_Trained", events: int, seconds: float) -> Rank:
    own, explained = _correlation(trained, *trained.own(), events, seconds)
    tenfold, _ = _correlation(trained, *trained.in_likeness(TIMES * events), events, seconds)
    return Rank(model=trained.name, own=own, events=explained, tenfold=tenfold)


def _correlation(
    trained: "_Trained", rows: pd.DataFrame, truth: np.ndarray, events: int, seconds: float
) -> tuple[float, int]:
    """Of importances from those events that the engine chooses, as many as the budget allows, with those from ten times
    as many, or all; and how many the budget allowed."""
    chosen = choose(truth, trained.predict(rows), trained.task, most=events)
    few = trained.findings(rows.iloc[chosen.rows], seconds)
    is_sampled = chosen.is_sampled[: len(few.values)]
    many = trained.findings(rows.head(TIMES * len(few.values)), TIMES * seconds)
    return float(spearmanr(_importances(few.values[is_sampled]), _importances(many.values)).statistic), len(few.values)


def _importances(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(values).mean(axis=0, dtype=float).sum(axis=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trained:
    """A model of the demo that was trained on the first half of its dataset; `later` is the second half."""

    name: str
    task: Task
    classes: tuple[Label, ...]
    pipeline: Any
    model: Model
    background: pd.DataFrame
    later: pd.DataFrame

    @classmethod
    def by(cls, configuration: TrainingConfiguration) -> "_Trained":
        source = next(source for source in SOURCES if source.tag == configuration.dataset)
        first, task = half(source, FIRST_HALF), configuration.task
        classes = () if task is Task.REGRESSION else tuple(np.unique(first["label"]).tolist())
        pipeline, estimator = fit(configuration, _features(first), first["label"].to_numpy())
        return cls(
            name=configuration.name,
            task=task,
            classes=classes,
            pipeline=pipeline,
            model=format_named("joblib").adapt(estimator, Meaning(task=task, classes=classes)),
            background=_features(first),
            later=half(source, SECOND_HALF),
        )

    def own(self) -> tuple[pd.DataFrame, np.ndarray]:
        """The rows and the truth of the demo's events that it was not trained on."""
        return _features(self.later), self.later["label"].to_numpy()

    def in_likeness(self, events: int) -> tuple[pd.DataFrame, np.ndarray]:
        """So many rows and their truth, each of an event that is drawn with replacement and moved a little."""
        random = np.random.default_rng(0)
        drawn = self.later.iloc[random.integers(len(self.later), size=events)]
        rows = _features(drawn)
        shifts = random.normal(size=rows.shape) * SPREAD * _features(self.later).std().to_numpy()
        return rows + shifts, drawn["label"].to_numpy()

    def predict(self, rows: pd.DataFrame) -> Predictions:
        """What the model predicts, with probabilities where it has some."""
        given = rows if self.pipeline is None else self.pipeline.transform(rows)
        is_sure = hasattr(self.model.estimator, "predict_proba")
        return self.model.predict(given, (Needs.LABELS, Needs.PROBABILITIES) if is_sure else (Needs.LABELS,))

    def findings(self, rows: pd.DataFrame, seconds: float) -> Findings:
        """As the engine finds them."""
        return explain(
            self.model,
            self.pipeline,
            rows,
            background=self.background,
            background_kind="reference",
            task=self.task,
            classes=self.classes,
            target="label",
            seconds=seconds,
        )


def _features(events: pd.DataFrame) -> pd.DataFrame:
    return events[[name for name in events if name not in NOT_FEATURES]].astype(float).reset_index(drop=True)
