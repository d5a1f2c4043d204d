"""Metrics of weighted rows, vectorised over many weightings at once: what a bootstrap needs.

Each statistic is the registered metric of the same name as scikit-learn computes it with `sample_weight`, with three
differences, none of which matters to an interval: it is NaN where the weights leave no row of a class that a curve
needs; scores are put into some `LEVELS` levels; and D² absolute error measures from the median of the unweighted rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from types import MappingProxyType

import numpy as np

LEVELS = 128
"""About so many scores are told apart. Between two of these lie few rows of either class: they count as ties."""

Statistic = Callable[[np.ndarray], np.ndarray]
"""Weights of shape (draws, units), none negative, to the metric's value under each weighting, (draws,)."""


@dataclass(frozen=True)
class Rows:
    """The rows that a metric is measured on, and the units that have one weight each: rows, or groups of them.

    Attributes:
        truth: as `Metric.arguments_for` gives it.
        answer: likewise.
        unit: the number of each row's unit, (rows,).
        units: how many units there are.
    """

    truth: np.ndarray
    answer: np.ndarray
    unit: np.ndarray
    units: int

    @cached_property
    def sizes(self) -> np.ndarray:
        """How many rows each unit has, (units,)."""
        return np.bincount(self.unit, minlength=self.units).astype(float)

    @cached_property
    def tally(self) -> "Tally":
        """The rows of each unit by class, (units, classes)."""
        true, predicted = _membership(self.truth, self.answer)
        return Tally(self.sums(true * predicted), self.sums(predicted), self.sums(true), self.sizes)

    @cached_property
    def rankings(self) -> "list[Ranking]":
        """The ranking of each class against all others; of two classes, that of the positive one."""
        if self.answer.ndim == 1:
            return [Ranking.of(self, self.answer, self.truth == 1, self.truth != 1)]
        true = (self.truth if self.truth.ndim == 2 else np.eye(self.answer.shape[1])[self.truth]) > 0
        return [Ranking.of(self, score, of, ~of) for score, of in zip(self.answer.T, true.T, strict=True)]

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Values of rows, (rows,) or (rows, n), summed over each unit: (units,) or (units, n)."""
        if values.ndim == 1:
            return np.bincount(self.unit, values, self.units)
        return np.column_stack([np.bincount(self.unit, column, self.units) for column in values.T])

    def numbers(self, place: np.ndarray, places: int, chosen: np.ndarray) -> np.ndarray:
        """How many of the chosen rows of each unit are at each place: (units, places)."""
        found = self.unit[chosen] * places + place[chosen]
        return np.bincount(found, minlength=self.units * places).reshape(self.units, places).astype(float)


Builder = Callable[[Rows], Statistic]


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Elementwise; 0 where the whole is 0, as in scikit-learn."""
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))


def _quotient(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Elementwise; NaN where the whole is 0."""
    return np.asarray(np.divide(part, whole, out=np.full_like(part, np.nan), where=whole != 0))


# Predicted classes --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers of rows of n units or draws: hits, predictions and true events of each class, (n, classes); all, (n,)."""

    hits: np.ndarray
    predicted: np.ndarray
    true: np.ndarray
    total: np.ndarray

    def of(self, weights: np.ndarray) -> "Tally":
        """The weighted sums over units, of each draw."""
        return Tally(weights @ self.hits, weights @ self.predicted, weights @ self.true, weights @ self.total)


OfTally = Callable[[Tally], np.ndarray]

FRACTIONS: Mapping[str, Callable[[Tally], tuple[np.ndarray, np.ndarray]]] = MappingProxyType(
    {
        "precision": lambda tally: (tally.hits, tally.predicted),
        "recall": lambda tally: (tally.hits, tally.true),
        "f1": lambda tally: (2 * tally.hits, tally.predicted + tally.true),
        "jaccard": lambda tally: (tally.hits, tally.predicted + tally.true - tally.hits),
    }
)
"""Numerator and denominator of each metric of one class."""


def _macro(name: str) -> OfTally:
    return lambda tally: _ratio(*FRACTIONS[name](tally)).mean(axis=1)


def _micro(name: str) -> OfTally:
    def value(tally: Tally) -> np.ndarray:
        part, whole = FRACTIONS[name](tally)
        return _ratio(part.sum(axis=1), whole.sum(axis=1))

    return value


def _weighted(name: str) -> OfTally:
    def value(tally: Tally) -> np.ndarray:
        each = _ratio(*FRACTIONS[name](tally))
        return _quotient((each * tally.true).sum(axis=1), tally.true.sum(axis=1))

    return value


def _balanced_accuracy(tally: Tally) -> np.ndarray:
    there = (tally.true > 0).sum(axis=1)
    return np.asarray(_ratio(tally.hits, tally.true).sum(axis=1) / there)


def _matthews(tally: Tally) -> np.ndarray:
    """Gorodkin (2004), Comparing two K-category assignments by a K-category correlation coefficient."""
    covariance = tally.hits.sum(axis=1) * tally.total - (tally.true * tally.predicted).sum(axis=1)
    spread_predicted = tally.total**2 - (tally.predicted**2).sum(axis=1)
    spread_true = tally.total**2 - (tally.true**2).sum(axis=1)
    return _ratio(covariance, np.sqrt(np.maximum(spread_predicted * spread_true, 0)))


def _likelihood_ratio(positive: bool) -> OfTally:
    """Sensitivity by 1 - specificity, or 1 - sensitivity by specificity; the second of two classes is positive."""

    def value(tally: Tally) -> np.ndarray:
        if tally.true.shape[1] != 2:
            return np.full(len(tally.true), np.nan)
        specificity, sensitivity = _quotient(tally.hits, tally.true).T
        return _quotient(sensitivity, 1 - specificity) if positive else _quotient(1 - sensitivity, specificity)

    return value


OF_TALLY: Mapping[str, OfTally] = MappingProxyType(
    {
        "balanced_accuracy": _balanced_accuracy,
        "matthews_corrcoef": _matthews,
        "positive_likelihood_ratio": _likelihood_ratio(positive=True),
        "negative_likelihood_ratio": _likelihood_ratio(positive=False),
        **{f"{name}_macro": _macro(name) for name in FRACTIONS},
        **{f"{name}_micro": _micro(name) for name in FRACTIONS},
        **{f"{name}_weighted": _weighted(name) for name in FRACTIONS},
    }
)
"""The metrics that follow from how often each class is true, predicted, and both."""


def _membership(truth: np.ndarray, answer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which classes each row truly has and which it is predicted to have, both (rows, classes) zeros and ones.

    Of labels, (rows,), the classes are those that are true or predicted anywhere; sets of labels are what they are.
    """
    if truth.ndim == 2:
        return truth.astype(float), answer.astype(float)
    classes = np.unique(np.concatenate([truth, answer]))
    return (truth[:, None] == classes).astype(float), (answer[:, None] == classes).astype(float)


def _of_tally(value: OfTally) -> Builder:
    return lambda rows: lambda weights: value(rows.tally.of(weights))


def _per_event(name: str) -> Builder:
    """A metric of each event's own set of labels, averaged over events."""

    def build(rows: Rows) -> Statistic:
        true, predicted = rows.truth.astype(float), rows.answer.astype(float)
        hits, answers, of_event = (each.sum(axis=1, keepdims=True) for each in (true * predicted, predicted, true))
        tally = Tally(hits, answers, of_event, np.ones(len(true)))
        return _mean(rows, _ratio(*FRACTIONS[name](tally))[:, 0])

    return build


# Means over rows ----------------------------------------------------------------------------------------------------


def _mean(rows: Rows, values: np.ndarray) -> Statistic:
    sums, sizes = rows.sums(values), rows.sizes
    return lambda weights: np.asarray(weights @ sums / (weights @ sizes))


Function = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Truth and answer to a value of each row."""


def _mean_of(function: Function, *, root: bool = False) -> Builder:
    """The mean, or its root, of a function of each row's true and predicted value."""

    def build(rows: Rows) -> Statistic:
        mean = _mean(rows, function(rows.truth.ravel().astype(float), rows.answer.ravel().astype(float)))
        return (lambda weights: np.sqrt(mean(weights))) if root else mean

    return build


def _absolute_percentage(truth: np.ndarray, answer: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(answer - truth) / np.maximum(np.abs(truth), np.finfo(float).eps))


def _poisson_deviance(truth: np.ndarray, answer: np.ndarray) -> np.ndarray:
    logarithm = np.log(np.divide(truth, answer, out=np.ones_like(truth), where=truth > 0))
    return np.asarray(2 * (truth * logarithm - truth + answer))


def _gamma_deviance(truth: np.ndarray, answer: np.ndarray) -> np.ndarray:
    return np.asarray(2 * (np.log(answer / truth) + truth / answer - 1))


def _variance(rows: Rows, values: np.ndarray) -> Statistic:
    centred = values - values.mean()  # so that little is lost in the difference
    squares, mean = _mean(rows, centred**2), _mean(rows, centred)
    return lambda weights: squares(weights) - mean(weights) ** 2


def _share_removed(loss: Statistic, baseline: Statistic) -> Statistic:
    return lambda weights: 1 - _quotient(loss(weights), baseline(weights))


def _r2(rows: Rows) -> Statistic:
    error = (rows.truth - rows.answer).ravel()
    return _share_removed(_mean(rows, error**2), _variance(rows, rows.truth.ravel()))


def _explained_variance(rows: Rows) -> Statistic:
    error = (rows.truth - rows.answer).ravel()
    return _share_removed(_variance(rows, error), _variance(rows, rows.truth.ravel()))


def _d2_absolute_error(rows: Rows) -> Statistic:
    """The error of the median hardly depends on where just the median is: that is where it is smallest."""
    true, error = rows.truth.ravel(), np.abs(rows.truth - rows.answer).ravel()
    return _share_removed(_mean(rows, error), _mean(rows, np.abs(true - np.median(true))))


# Probabilities ------------------------------------------------------------------------------------------------------


def _columns(answer: np.ndarray) -> np.ndarray:
    """Probabilities with a column for each class, also of two of which only the positive one's was kept."""
    return answer if answer.ndim == 2 else np.column_stack([1 - answer, answer])


def _surprise(truth: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """-ln of each row's probability of the true class."""
    columns = _columns(answer)
    smallest = np.finfo(columns.dtype).eps
    chances = np.clip(columns, smallest, 1 - smallest)
    return np.asarray(-np.log(chances[np.arange(len(truth)), truth]))


def _distance(truth: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """The squared distance of each row's probabilities from the truth, over all classes."""
    columns = _columns(answer)
    return np.asarray(((columns - np.eye(columns.shape[1])[truth]) ** 2).sum(axis=1))


def _log_loss(rows: Rows) -> Statistic:
    return _mean(rows, _surprise(rows.truth, rows.answer))


def _brier(rows: Rows) -> Statistic:
    """Of two classes half the distance, which is that of the positive one alone."""
    return _mean(rows, _distance(rows.truth, rows.answer) / (2 if rows.answer.ndim == 1 else 1))


def _against_shares(loss: Function, of_shares: Callable[[np.ndarray], np.ndarray]) -> Builder:
    """The share that is removed of the loss of always predicting the shares of the classes, (draws, classes)."""

    def build(rows: Rows) -> Statistic:
        true, sizes = rows.sums(np.eye(_columns(rows.answer).shape[1])[rows.truth]), rows.sizes

        def baseline(weights: np.ndarray) -> np.ndarray:
            return of_shares(weights @ true / (weights @ sizes)[:, None])

        return _share_removed(_mean(rows, loss(rows.truth, rows.answer)), baseline)

    return build


def _entropy(shares: np.ndarray) -> np.ndarray:
    return np.asarray(-(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=1))


def _impurity(shares: np.ndarray) -> np.ndarray:
    return np.asarray(1 - (shares**2).sum(axis=1))


# Curves -------------------------------------------------------------------------------------------------------------


def _levels(scores: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """The lowest score of each level, downwards: every score is one if they are few, else quantiles of each class."""
    distinct = np.unique(scores)
    if len(distinct) > LEVELS:
        steps = np.linspace(0, 1, LEVELS // 2)
        sides = [scores[side] for side in (positive, ~positive) if side.any()]
        distinct = np.unique(np.concatenate([np.quantile(side, steps, method="lower") for side in sides]))
    return distinct[::-1]


@dataclass(frozen=True, slots=True)
class Ranking:
    """How many positive and negative rows of each unit are at each level of the scores, from the highest one down."""

    positive: np.ndarray
    negative: np.ndarray

    @classmethod
    def of(cls, rows: Rows, scores: np.ndarray, positive: np.ndarray, negative: np.ndarray) -> "Ranking":
        """The ranking by scores, (rows,), of the rows that should score high and those that should score low."""
        chosen = positive | negative
        levels = _levels(scores[chosen], positive[chosen])
        place = len(levels) - np.searchsorted(levels[::-1], scores, side="right")
        return cls(rows.numbers(place, len(levels), positive), rows.numbers(place, len(levels), negative))

    def area(self, weights: np.ndarray) -> np.ndarray:
        """The area under the ROC curve by trapezoids: ties count half."""
        gained, misses = weights @ self.positive, weights @ self.negative
        hits = np.cumsum(gained, axis=1)
        return _quotient(((hits - gained / 2) * misses).sum(axis=1), hits[:, -1] * misses.sum(axis=1))

    def precision(self, weights: np.ndarray) -> np.ndarray:
        """Average precision: precision at each level, weighted by the recall that is gained there."""
        gained = weights @ self.positive
        hits, misses = np.cumsum(gained, axis=1), np.cumsum(weights @ self.negative, axis=1)
        return _quotient((gained * _ratio(hits, hits + misses)).sum(axis=1), hits[:, -1])


Curve = Callable[[Ranking, np.ndarray], np.ndarray]


def _averaged(values: list[np.ndarray], sizes: list[np.ndarray]) -> np.ndarray:
    return np.asarray(sum(value * size for value, size in zip(values, sizes, strict=True)) / sum(sizes))


def _one_vs_rest(curve: Curve, *, by_size: bool = False) -> Builder:
    """A curve of each class against all others, averaged over classes; of two classes, that of the positive one."""

    def build(rows: Rows) -> Statistic:
        numbers = [ranking.positive.sum(axis=1) for ranking in rows.rankings]

        def statistic(weights: np.ndarray) -> np.ndarray:
            sizes = [weights @ number if by_size else np.ones(len(weights)) for number in numbers]
            return _averaged([curve(ranking, weights) for ranking in rows.rankings], sizes)

        return statistic

    return build


def _one_vs_one(*, by_size: bool = False) -> Builder:
    """Hand & Till (2001): the mean area of each pair of classes, seen from both, averaged over pairs."""

    def build(rows: Rows) -> Statistic:
        if rows.answer.ndim == 1:
            return _one_vs_rest(Ranking.area)(rows)
        pairs = [_pair(rows, first, second) for first, second in combinations(range(rows.answer.shape[1]), 2)]

        def statistic(weights: np.ndarray) -> np.ndarray:
            sizes = [weights @ number if by_size else np.ones(len(weights)) for number, _, _ in pairs]
            areas = [(one.area(weights) + other.area(weights)) / 2 for _, one, other in pairs]
            return _averaged(areas, sizes)

        return statistic

    return build


def _pair(rows: Rows, first: int, second: int) -> tuple[np.ndarray, Ranking, Ranking]:
    """How many rows of two classes each unit has, and their rankings by the score of the one and of the other."""
    one, other = rows.truth == first, rows.truth == second
    return (
        rows.sums((one | other).astype(float)),
        Ranking.of(rows, rows.answer[:, first], one, other),
        Ranking.of(rows, rows.answer[:, second], other, one),
    )


BUILDERS: Mapping[str, Builder] = MappingProxyType(
    {
        **{name: _of_tally(value) for name, value in OF_TALLY.items()},
        **{f"{name}_samples": _per_event(name) for name in FRACTIONS},
        "log_loss": _log_loss,
        "brier_score": _brier,
        "d2_log_loss_score": _against_shares(_surprise, _entropy),
        "d2_brier_score": _against_shares(_distance, _impurity),
        "roc_auc": _one_vs_rest(Ranking.area),
        "roc_auc_ovr": _one_vs_rest(Ranking.area),
        "roc_auc_ovr_weighted": _one_vs_rest(Ranking.area, by_size=True),
        "roc_auc_ovo": _one_vs_one(),
        "roc_auc_ovo_weighted": _one_vs_one(by_size=True),
        "average_precision": _one_vs_rest(Ranking.precision),
        "r2": _r2,
        "explained_variance": _explained_variance,
        "d2_absolute_error_score": _d2_absolute_error,
        "mean_absolute_error": _mean_of(lambda truth, answer: np.abs(truth - answer)),
        "mean_absolute_percentage_error": _mean_of(_absolute_percentage),
        "mean_squared_error": _mean_of(lambda truth, answer: (truth - answer) ** 2),
        "root_mean_squared_error": _mean_of(lambda truth, answer: (truth - answer) ** 2, root=True),
        "mean_squared_log_error": _mean_of(lambda truth, answer: (np.log1p(truth) - np.log1p(answer)) ** 2),
        "root_mean_squared_log_error": _mean_of(
            lambda truth, answer: (np.log1p(truth) - np.log1p(answer)) ** 2, root=True
        ),
        "mean_poisson_deviance": _mean_of(_poisson_deviance),
        "mean_gamma_deviance": _mean_of(_gamma_deviance),
    }
)
"""How to build the statistic of each metric that has one, by name."""
