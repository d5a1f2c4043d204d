"""Hyperparameter search: the combination of a space that does best in cross-validation on the training split."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from pydantic import JsonValue
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, KFold, ParameterGrid, ParameterSampler, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from atlas.errors import MissingPackageError
from atlas.formats.contract import Meaning
from atlas.formats.estimator import EstimatorModel
from atlas.manifest import SearchRecord, Trial
from atlas.metrics import metric
from atlas.vocabulary import Task
from training_engine.building import address, build, with_parameters
from training_engine.config import TrainingConfiguration
from training_engine.errors import TrainingError
from training_engine.space import Choices, Method, Range, SearchConfiguration
from training_engine.stages import Progress, Stage, silent

Parameters = Mapping[str, JsonValue]
KEPT_SHARE = 3
"""Halving keeps the best of so many, and gives each so many times the rows."""
FEWEST_ROWS = 60
"""Halving tries nothing on fewer rows, where a score is mostly chance."""


class OutOfTimeError(TrainingError):
    """The search has used up its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a search learns from: rows, a target for each, and the value that groups them, if any does."""

    rows: pd.DataFrame
    target: np.ndarray
    groups: np.ndarray | None = None

    def part(self, chosen: np.ndarray) -> "Sample":
        """These rows of it, by their numbers."""
        groups = None if self.groups is None else self.groups[chosen]
        return Sample(rows=self.rows.iloc[chosen], target=self.target[chosen], groups=groups)


def search(
    configuration: TrainingConfiguration, settings: SearchConfiguration, sample: Sample, progress: Progress = silent
) -> SearchRecord:
    """Search as the settings, which are the configuration's, say; without a timeout, the same sample gives the same.

    Raises:
        TrainingError: no combination gave a score; the message says why the last one did not.
    """
    found = _Search(configuration, settings, sample, progress)
    found.run()
    return found.record()


class _Search:
    """A search under way, and what it has tried so far."""

    def __init__(
        self, configuration: TrainingConfiguration, settings: SearchConfiguration, sample: Sample, progress: Progress
    ) -> None:
        self.configuration, self.settings, self.progress = configuration, settings, progress
        self.seed = configuration.seed
        self.metric = metric(configuration.search_metric)
        self.deadline = time.monotonic() + (settings.timeout_seconds or float("inf"))
        self.trials: list[Trial] = []
        self.timed_out = False
        whole = build(configuration.pipeline, configuration.model, configuration.seed)
        searched = {address(configuration.pipeline, key) for key in settings.space}
        rows, self.whole = _prepared(whole, sample.rows, searched)
        self.sample = replace(sample, rows=rows)

    def run(self) -> None:
        """Try what the method chooses, until it is done or the time is over."""
        try:
            METHODS[self.settings.method](self)
        except OutOfTimeError:
            self.timed_out = True

    def tried(self, parameters: Parameters, total: int, sample: Sample | None = None) -> float | None:
        """The score of a combination, with its sign such that more is better; None if it gave none."""
        if time.monotonic() >= self.deadline:
            raise OutOfTimeError
        trial = self._trial(parameters, sample or self.sample)
        self.trials.append(trial)
        self.progress(Stage.SEARCH, len(self.trials), total)
        return None if trial.score is None else self.signed(trial.score)

    def signed(self, score: float) -> float:
        """The score such that more is better."""
        return score if self.metric.greater_is_better else -score

    def record(self) -> SearchRecord:
        """The outcome: the best of the trials on the most rows, the first of several."""
        most = max((trial.rows for trial in self.trials if trial.score is not None), default=0)
        scored = {n: t.score for n, t in enumerate(self.trials) if t.rows == most and t.score is not None}
        if not scored:
            raise TrainingError(self._in_vain())
        best = max(scored, key=lambda number: self.signed(scored[number]))
        return SearchRecord(
            method=self.settings.method,
            metric=self.metric.name,
            greater_is_better=self.metric.greater_is_better,
            folds=self.settings.folds,
            groups=self.settings.groups,
            seed=self.seed,
            parameters=self.trials[best].parameters,
            score=scored[best],
            trials=tuple(self.trials),
            timed_out=self.timed_out,
        )

    def _in_vain(self) -> str:
        name = self.configuration.name
        if not self.trials:
            return f"The search for {name} found no time for one trial: set search.timeout_seconds higher."
        return f"No combination of the search for {name} gave a score. The last one: {self.trials[-1].problem}"

    def _trial(self, parameters: Parameters, sample: Sample) -> Trial:
        said = {"parameters": dict(parameters), "rows": len(sample.rows)}
        try:
            scores = list(self._scores(parameters, sample))
        except OutOfTimeError:
            raise
        except Exception as error:  # noqa: BLE001 - foreign classes: one combination that fails stops no other
            return Trial(**said, problem=f"{type(error).__name__}: {error}"[:500])
        return Trial(**said, score=float(np.mean(scores)), standard_deviation=float(np.std(scores)))

    def _scores(self, parameters: Parameters, sample: Sample) -> Iterator[float]:
        """The score of each fold."""
        whole = with_parameters(clone(self.whole), self.configuration.pipeline, parameters, self.seed)
        for learnt, held in folds(self.settings.folds, self.configuration.task, sample, self.seed):
            fitted = clone(whole).fit(sample.rows.iloc[learnt], sample.target[learnt])
            if time.monotonic() >= self.deadline:
                raise OutOfTimeError
            yield self._score(fitted, sample.part(held))

    def _score(self, fitted: Pipeline, held: Sample) -> float:
        """The metric of a fitted pipeline on rows that it has not seen."""
        meaning = Meaning(task=self.configuration.task, classes=_classes(self.configuration.task, self.sample.target))
        predictions = EstimatorModel(fitted, meaning).predict(held.rows, {self.metric.needs})
        score = self.metric.compute(held.target, predictions)
        if not np.isfinite(score):
            raise TrainingError(f"{self.metric.name} is undefined on a fold: take fewer folds, or another metric")
        return score


def _prepared(whole: Pipeline, rows: pd.DataFrame, searched: Iterable[str]) -> tuple[pd.DataFrame, Pipeline]:
    """What steps that learn nothing make of the rows, once for all trials, and the steps that are left."""
    for place, (name, step) in enumerate(whole.steps):
        if get_tags(step).requires_fit or any(key.startswith(f"{name}__") for key in searched):
            return rows, whole[place:]
        rows = step.fit_transform(rows)
    return rows, whole[-1:]


def _classes(task: Task, target: np.ndarray) -> tuple[Any, ...]:
    if not task.is_classification:
        return ()
    return tuple(range(target.shape[1]) if task is Task.MULTILABEL else np.unique(target).tolist())


def folds(number: int, task: Task, sample: Sample, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The rows to learn from and those to measure on, by their numbers, of each fold.

    Events of one group stay together; without groups, each fold has its share of every class.
    """
    if sample.groups is not None:
        splitter: Any = GroupKFold(number, shuffle=True, random_state=seed)
    elif task in {Task.BINARY, Task.MULTICLASS}:
        splitter = StratifiedKFold(number, shuffle=True, random_state=seed)
    else:
        splitter = KFold(number, shuffle=True, random_state=seed)
    yield from splitter.split(np.zeros(len(sample.rows)), sample.target, sample.groups)


# Methods ------------------------------------------------------------------------------------------------------------


def _listed(choices: Choices) -> list[JsonValue]:
    return list(choices.values()) if isinstance(choices, Range) else choices


def _grid(search: _Search) -> None:
    """All combinations, in the order in which they are written."""
    combinations = ParameterGrid({key: _listed(each) for key, each in search.settings.choices.items()})
    for parameters in combinations:
        search.tried(parameters, len(combinations))


def _sampled(search: _Search) -> list[Parameters]:
    """Combinations by chance; no more than there are, where all choices are lists."""
    choices = search.settings.choices
    listed = all(isinstance(each, list) for each in choices.values())
    most = (
        len(ParameterGrid({key: _listed(each) for key, each in choices.items()})) if listed else search.settings.trials
    )
    return list(ParameterSampler(choices, min(search.settings.trials, most), random_state=search.seed))


def _random(search: _Search) -> None:
    sampled = _sampled(search)
    for parameters in sampled:
        search.tried(parameters, len(sampled))


def _halving(search: _Search) -> None:
    """Successive halving: https://proceedings.mlr.press/v51/jamieson16.html, with a share of a third."""
    candidates = _sampled(search)
    sizes = _rungs(len(candidates), len(search.sample.rows))
    order = np.random.default_rng(search.seed).permutation(len(search.sample.rows))
    total = sum(count for count, _ in sizes)
    for count, size in sizes:
        part = search.sample.part(np.sort(order[:size]))
        scores = [(search.tried(each, total, part), each) for each in candidates[:count]]
        known = [pair for pair in scores if pair[0] is not None]
        candidates = [each for _, each in sorted(known, key=lambda pair: -float(pair[0] or 0.0))]


def _rungs(candidates: int, rows: int) -> list[tuple[int, int]]:
    """How many candidates are tried on how many rows; the last are tried on all."""
    sizes = [rows]
    while sizes[0] // KEPT_SHARE >= FEWEST_ROWS and candidates // KEPT_SHARE ** len(sizes) >= 1:
        sizes.insert(0, sizes[0] // KEPT_SHARE)
    return [(max(1, candidates // KEPT_SHARE**place), size) for place, size in enumerate(sizes)]


def _optuna(search: _Search) -> None:
    """Optuna's tree-structured Parzen estimator."""
    optuna = _library()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=search.seed)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    choices = search.settings.choices
    distributions = {key: _distribution(each, optuna.distributions) for key, each in choices.items()}
    for _ in range(search.settings.trials):
        trial = study.ask(distributions)
        score = search.tried(_chosen(choices, trial.params), search.settings.trials)
        state = optuna.trial.TrialState.FAIL if score is None else optuna.trial.TrialState.COMPLETE
        study.tell(trial, score, state=state)


def _library() -> Any:
    try:
        import optuna  # slow to import, and needed by this method alone
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"search.method optuna needs {error.name}, which is not installed: pip install 'atlas-benchmark[training]'"
        ) from error
    return optuna


def _distribution(choices: Choices, distributions: Any) -> Any:
    """Of a list, the places in it: what stands there may be anything."""
    if isinstance(choices, list):
        return distributions.CategoricalDistribution(range(len(choices)))
    if choices.is_whole:
        step = int(choices.step or 1)
        return distributions.IntDistribution(int(choices.low), int(choices.high), log=choices.log, step=step)
    return distributions.FloatDistribution(choices.low, choices.high, log=choices.log, step=choices.step)


def _chosen(choices: Mapping[str, Choices], drawn: Mapping[str, Any]) -> Parameters:
    return {key: each[drawn[key]] if isinstance(each, list) else drawn[key] for key, each in choices.items()}


METHODS: Mapping[Method, Callable[[_Search], None]] = {
    Method.GRID: _grid,
    Method.RANDOM: _random,
    Method.HALVING: _halving,
    Method.OPTUNA: _optuna,
}
