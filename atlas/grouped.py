"""Metrics of groups of rows, of all groups at once: each as scikit-learn computes it on the rows of that group alone.

A value is NaN where scikit-learn would warn, refuse, or do something of its own: then it has to be asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from atlas.weighted import BUILDERS, FRACTIONS, OF_TALLY, OfTally, Rows, Tally


@dataclass(frozen=True)
class Groups(Rows):
    """Rows in groups, which are their units. `classes` is how many the model has."""

    classes: int

    @cached_property
    def counts(self) -> Tally:
        """The tally of rows, with a column for each label, or for each class up to the largest that there is."""
        if self.truth.ndim == 2:
            true, answer = self.truth.astype(float), self.answer.astype(float)
            return Tally(self.sums(true * answer), self.sums(answer), self.sums(true), self.sizes)
        classes = int(max(self.truth.max(), self.answer.max())) + 1
        all_rows = np.ones(len(self.truth), bool)
        return Tally(
            hits=self.numbers(self.truth, classes, self.truth == self.answer),
            predicted=self.numbers(self.answer, classes, all_rows),
            true=self.numbers(self.truth, classes, all_rows),
            total=self.sizes,
        )

    @cached_property
    def are_plain(self) -> bool:
        """Whether each true class is one of the model's, and confidences are numbers, which make probabilities if there
        is one for each of several classes."""
        one_class = self.truth.ndim == 1
        known = not one_class or self.truth.max() < self.classes
        shares = self.answer if one_class and self.answer.ndim == 2 else np.ones((1, 1))
        return bool(known and np.isfinite(self.answer).all() and np.allclose(shares.sum(axis=1), 1))

    @cached_property
    def curves(self) -> "list[Curves]":
        """The ranking of each class against all others; of two classes, that of the positive one."""
        if self.answer.ndim == 1:
            return [Curves.of(self, self.answer, self.truth == 1)]
        true = self.truth if self.truth.ndim == 2 else self.truth[:, None] == np.arange(self.answer.shape[1])
        return [Curves.of(self, score, of > 0) for score, of in zip(self.answer.T, true.T, strict=True)]


OfGroups = Callable[[Groups], np.ndarray]
"""Groups to a value of each, (units,)."""


def _undefined(groups: Groups) -> np.ndarray:
    return np.full(groups.units, np.nan)


# Predicted classes --------------------------------------------------------------------------------------------------


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Elementwise; 0 where the whole is 0, as in scikit-learn."""
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))


def _counted(of_classes: OfTally, of_labels: OfTally | None = None) -> OfGroups:
    """A metric that follows from counts: of rows with one class each, and of rows with a set of labels."""

    def value(groups: Groups) -> np.ndarray:
        chosen = of_classes if groups.truth.ndim == 1 else of_labels
        return chosen(groups.counts) if chosen else _undefined(groups)

    return value


def _accuracy(tally: Tally) -> np.ndarray:
    return np.asarray(tally.hits.sum(axis=1) / tally.total)


def _macro(name: str) -> OfTally:
    """The mean over the classes that are true or predicted in the group."""

    def value(tally: Tally) -> np.ndarray:
        there = (tally.true + tally.predicted > 0).sum(axis=1)
        return np.asarray(_ratio(*FRACTIONS[name](tally)).sum(axis=1) / there)

    return value


def _positive(name: str) -> OfGroups:
    """The metric of the second of two classes."""

    def value(groups: Groups) -> np.ndarray:
        if groups.truth.ndim == 2 or groups.counts.true.shape[1] != 2:
            return _undefined(groups)
        part, whole = FRACTIONS[name](groups.counts)
        return _ratio(part[:, 1], whole[:, 1])

    return value


# Confidence ---------------------------------------------------------------------------------------------------------


def _mean(name: str) -> OfGroups:
    """A mean over the rows of each group."""
    build = BUILDERS[name]
    return lambda groups: build(groups)(np.eye(groups.units)) if groups.are_plain else _undefined(groups)


@dataclass(frozen=True, slots=True)
class Curves:
    """The positive and negative rows of each group, by score.

    Each array has an element for each different score in each group, the groups one after the other, scores downwards.

    Attributes:
        group: whose they are.
        positive: how many positive rows have the score.
        negative: how many negative ones.
        hits: how many positive rows of the group have this score or a higher one.
        misses: how many negative ones.
        units: how many groups there are.
    """

    group: np.ndarray
    positive: np.ndarray
    negative: np.ndarray
    hits: np.ndarray
    misses: np.ndarray
    units: int

    @classmethod
    def of(cls, groups: Groups, scores: np.ndarray, positive: np.ndarray) -> "Curves":
        """The curves of rows by their scores, (rows,), and whether they should score high."""
        order = np.argsort(-scores, kind="stable")
        order = order[np.argsort(groups.unit[order].astype(np.int16), kind="stable")]
        unit, score, right = groups.unit[order], scores[order], positive[order].astype(float)
        starts = np.flatnonzero(np.r_[True, (unit[1:] != unit[:-1]) | (score[1:] != score[:-1])])
        group, gained, lost = unit[starts], np.add.reduceat(right, starts), np.add.reduceat(1 - right, starts)
        return cls(group, gained, lost, _sums_within(gained, group), _sums_within(lost, group), groups.units)

    def area(self) -> np.ndarray:
        """The area under each ROC curve by trapezoids: ties count half."""
        below = (self.hits - self.positive / 2) * self.negative
        return np.asarray(self._of_group(below) / (self._of_group(self.positive) * self._of_group(self.negative)))

    def precision(self) -> np.ndarray:
        """Average precision: precision at each score, weighted by the recall that is gained there."""
        gained = self.positive * self.hits / (self.hits + self.misses)
        return np.asarray(self._of_group(gained) / self._of_group(self.positive))

    def _of_group(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self.group, values, self.units)


def _sums_within(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """The sum of each group's values up to each of them; groups stand one after the other."""
    sums = np.cumsum(values)
    first = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    before = np.r_[0.0, sums[first[1:] - 1]]
    return np.asarray(sums - np.repeat(before, np.diff(np.r_[first, len(group)])))


def _mean_of_curves(of_curve: Callable[[Curves], np.ndarray]) -> OfGroups:
    """A curve's value, averaged over classes."""

    def value(groups: Groups) -> np.ndarray:
        if not groups.are_plain:
            return _undefined(groups)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.mean([of_curve(curve) for curve in groups.curves], axis=0))

    return value


AT_ONCE: Mapping[str, OfGroups] = MappingProxyType(
    {
        "accuracy": _counted(_accuracy),
        "balanced_accuracy": _counted(OF_TALLY["balanced_accuracy"]),
        "matthews_corrcoef": _counted(OF_TALLY["matthews_corrcoef"]),
        **{name: _positive(name) for name in FRACTIONS},
        **{f"{name}_macro": _counted(_macro(name), OF_TALLY[f"{name}_macro"]) for name in FRACTIONS},
        **{
            name: _counted(OF_TALLY[name], OF_TALLY[name])
            for name in OF_TALLY
            if name.endswith(("_micro", "_weighted"))
        },
        "log_loss": _mean("log_loss"),
        "brier_score": _mean("brier_score"),
        "roc_auc": _mean_of_curves(Curves.area),
        "roc_auc_ovr": _mean_of_curves(Curves.area),
        "average_precision": _mean_of_curves(Curves.precision),
    }
)
"""The metrics that can be computed of all groups at once, by name."""
