"""What two models' results say of which is better: paired where both answered the same events, else not. Pure.

Nothing here speaks of other data than that which the events are a sample of, nor of training the models again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial
from math import erfc, log, sqrt

import numpy as np

from atlas.intervals import MOST_INDICATORS, MOST_SHIFT, MOST_UNDEFINED, Sample, Z, draw_weights
from atlas.metrics import REGISTRY, Events, Metric, Predictions, value_or_reason
from atlas.resampled import STATISTICS
from atlas.results import MetricValue
from atlas.vocabulary import Document

LEVEL = 0.05
"""A difference that chance alone would give less often than this is more than noise."""
DRAWS = 1_000


class Finding(StrEnum):
    """What the evidence says of a model beside the reference."""

    BETTER = "better"
    WORSE = "worse"
    WITHIN_NOISE = "within noise"
    CANNOT_TELL = "cannot tell"


class Method(StrEnum):
    """How the interval of a difference was found."""

    PAIRED = "paired bootstrap"
    UNPAIRED = "unpaired intervals"


class Difference(Document):
    """A metric of a model, less that of the reference.

    `low` and `high` are the ends of its 95 % interval, `p` is how often chance alone would give a difference as large,
    `adjusted_p` the same after Holm's correction for all models that are compared at once. All are None where nothing
    tells. `rows` is the number of events that both answered; 0 if unpaired.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    adjusted_p: float | None = None
    rows: int = 0
    method: Method = Method.UNPAIRED
    finding: Finding = Finding.CANNOT_TELL

    @property
    def is_known(self) -> bool:
        """Whether there is an interval."""
        return self.low is not None and self.high is not None


class Discordance(Document):
    """The events on which just one of two models is right, and McNemar's test of whether that is chance."""

    only_reference: int
    only_other: int
    p: float
    adjusted_p: float | None = None


# Paired -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Answers:
    """One model's answers to some events, and its metrics on bootstrap samples of them.

    Answers to the same events in the same order, with the same seed, have the same samples: so their differences are
    paired. Of more than 2,000 events, groups of them are drawn: see `atlas.intervals.with_intervals`.
    """

    truth: np.ndarray
    predictions: Predictions
    seed: int = 0
    draws: int = DRAWS

    def __len__(self) -> int:
        return len(self.truth)

    @cached_property
    def _sample(self) -> Sample:
        return Sample(Events(self.truth, self.predictions), self.seed)

    @cached_property
    def _drawn(self) -> dict[str, np.ndarray | None]:
        return {}

    def value(self, entry: Metric) -> float | None:
        """A metric on all events; None where it has no value."""
        return value_or_reason(entry, partial(self._sample.events.value, entry)).value

    def drawn(self, entry: Metric) -> np.ndarray | None:
        """A metric on each of the samples, (draws,), NaN where it is undefined; None if it cannot be resampled."""
        if entry.name not in self._drawn:
            self._drawn[entry.name] = self._resampled(entry)
        return self._drawn[entry.name]

    def _resampled(self, entry: Metric) -> np.ndarray | None:
        value, sample = self.value(entry), self._sample
        is_too_large = len(self) * max(len(self.predictions.classes), 1) > MOST_INDICATORS
        if value is None or entry.name not in STATISTICS or is_too_large:
            return None
        with np.errstate(all="ignore"):
            statistic = STATISTICS[entry.name](sample.rows(entry))
            shift = value - float(statistic(np.ones((1, sample.units)))[0])
            if not abs(shift) <= MOST_SHIFT * max(abs(value), 1):
                return None
            weights = draw_weights(np.random.default_rng(self.seed), sample.units, self.draws)
            return np.concatenate([statistic(each) for each in weights]) + shift

    @property
    def is_right(self) -> np.ndarray | None:
        """(n,) whether each event's class, or set of labels, is predicted right; None of a regression."""
        if not self.predictions.classes:
            return None
        right = np.asarray(self.predictions.labels == self.truth)
        return np.asarray(right.all(axis=1)) if right.ndim == 2 else right


def paired(reference: Answers, other: Answers, name: str) -> Difference:
    """The difference of a metric of the registry between two models that answered the same events, by the paired
    bootstrap: both are measured on each of the samples.

    The interval reaches from the 2.5 % to the 97.5 % percentile of the differences, and p is twice the share of samples
    whose difference has the other sign, at least 2/(draws + 1): Efron & Tibshirani (1993), An Introduction to the
    Bootstrap, chapters 13 and 15. It assumes that events are drawn independently of each other.

    Args:
        reference: whose metric is subtracted.
        other: answers to the same events, in the same order.
        name: of the metric.

    Raises:
        ValueError: they are not answers to as many events, or their samples are not the same.
    """
    if (len(reference), reference.seed, reference.draws) != (len(other), other.seed, other.draws):
        raise ValueError("only answers to the same events, on the same samples, can be paired")
    entry = REGISTRY[name]
    value = _less(other.value(entry), reference.value(entry))
    one, two = other.drawn(entry), reference.drawn(entry)
    told = {} if value is None or one is None or two is None else _told(value, one, two)
    return Difference(value=value, rows=len(other), method=Method.PAIRED, **told)


def _less(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


def _told(value: float, other: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """Interval and p of a difference by a metric of both on the samples; empty if they tell none."""
    differences = other - reference
    known = differences[np.isfinite(differences)]
    if len(known) < (1 - MOST_UNDEFINED) * len(differences):
        return {}
    if np.ptp(known) == 0:
        is_alike = value == 0 and np.nanmax(other) > np.nanmin(other)
        return {"low": 0.0, "high": 0.0, "p": 1.0} if is_alike else {}
    low, high = np.percentile(known, (2.5, 97.5))
    beyond = min(int((known <= 0).sum()), int((known >= 0).sum()))
    p = min(1.0, 2 * (1 + beyond) / (1 + len(known)))
    return {"low": min(float(low), value), "high": max(float(high), value), "p": p}


def discordance(reference: Answers, other: Answers) -> Discordance | None:
    """The events on which just one of two models is right, with McNemar's exact p; None of regressions."""
    one, two = reference.is_right, other.is_right
    if one is None or two is None:
        return None
    only_reference, only_other = int((one & ~two).sum()), int((two & ~one).sum())
    return Discordance(only_reference=only_reference, only_other=only_other, p=mcnemar(only_reference, only_other))


def mcnemar(only_one: int, only_other: int) -> float:
    """The exact, two-sided p that two models are right equally often, from the numbers of events on which only the one
    and only the other is right.

    Under that assumption each such event is a toss of a fair coin: p = min(1, 2 P(X <= min)) with X binomial of their
    sum and 1/2. McNemar (1947), Note on the sampling error of the difference between correlated proportions or
    percentages; the exact form is in Dietterich (1998), Approximate statistical tests for comparing supervised
    classification learning algorithms. 1 if there is no such event.
    """
    tosses, fewer = only_one + only_other, min(only_one, only_other)
    steps = np.arange(fewer, dtype=float)
    logarithms = np.concatenate([[0.0], np.cumsum(np.log((tosses - steps) / (steps + 1)))]) - tosses * log(2)
    return min(1.0, 2 * float(np.exp(logarithms).sum()))


# Unpaired -----------------------------------------------------------------------------------------------------------


def unpaired(reference: MetricValue, other: MetricValue, correlation: float = 0.0) -> Difference:
    """The difference of a metric that was measured on different events, from both 95 % intervals.

    The interval's ends lie √(a² + b² - 2 r a b) from the difference, where a and b are the distances from both values
    to the ends of their intervals on the sides that widen it, and r is how both values are correlated: Zou & Donner
    (2008), Construction of confidence limits about effect measures: a general approach; with r, Zou (2007), Toward
    using confidence intervals to compare correlations; of two independent shares that is Newcombe's (1998) hybrid score
    interval. p takes the distance on the side of 0 for 1.96 standard deviations of a normal distribution. Results are
    independent unless `correlation` says otherwise: where the events are the same after all, the interval is wider than
    it need be for models that err alike.

    Args:
        reference: what is subtracted.
        other: the same metric.
        correlation: from 0 to 1, of both values if events were drawn again.
    """
    value = _less(other.value, reference.value)
    ends = (other.value, other.low, other.high, reference.value, reference.low, reference.high)
    if value is None or None in ends:
        return Difference(value=value)
    own, own_low, own_high, base, base_low, base_high = (float(end or 0.0) for end in ends)
    down = _combined(own - own_low, base_high - base, correlation)
    up = _combined(own_high - own, base - base_low, correlation)
    return Difference(value=value, low=value - down, high=value + up, p=normal_p(value, down if value > 0 else up))


def _combined(one: float, other: float, correlation: float) -> float:
    return sqrt(max(0.0, one**2 + other**2 - 2 * correlation * one * other))


def normal_p(value: float, half_width: float) -> float:
    """How often a normal distribution about 0 gives a value as large, if so wide is half of its 95 % interval."""
    if half_width == 0:
        return 1.0 if value == 0 else 0.0
    return erfc(abs(value) * Z / half_width / sqrt(2))


# What it says -------------------------------------------------------------------------------------------------------


def holm(values: Sequence[float | None]) -> list[float | None]:
    """The p values of several tests, corrected so that the chance of one false finding among all stays what it was.

    The smallest is multiplied by their number m, the next by m - 1, and so on, and none becomes smaller than the one
    before: Holm (1979), A simple sequentially rejective multiple test procedure. None stays None, and is no test.
    """
    order = sorted((p, place) for place, p in enumerate(values) if p is not None)
    adjusted: list[float | None] = [None] * len(values)
    largest = 0.0
    for rank, (p, place) in enumerate(order):
        largest = max(largest, min(1.0, p * (len(order) - rank)))
        adjusted[place] = largest
    return adjusted


def judged(differences: Sequence[Difference], *, greater_is_better: bool) -> list[Difference]:
    """Differences of several models from one reference, with p values corrected by Holm's method and what they say."""
    adjusted = holm([difference.p for difference in differences])
    return [
        difference.model_copy(
            update={"adjusted_p": p, "finding": finding(difference, p, greater_is_better=greater_is_better)}
        )
        for difference, p in zip(differences, adjusted, strict=True)
    ]


def finding(difference: Difference, p: float | None, *, greater_is_better: bool, level: float = LEVEL) -> Finding:
    """What a difference says, if chance alone would give one as large with probability p after all corrections."""
    value, low, high = difference.value, difference.low, difference.high
    if value is None or low is None or high is None or p is None:
        return Finding.CANNOT_TELL
    if low <= 0 <= high or p > level:
        return Finding.WITHIN_NOISE
    return Finding.BETTER if (value > 0) == greater_is_better else Finding.WORSE


def pareto_front(points: Sequence[Sequence[float]], greater_is_better: Sequence[bool]) -> list[bool]:
    """Which points no other one beats: none is at least as good in every direction and better in one.

    Args:
        points: finite numbers, as many each as there are directions.
        greater_is_better: of each direction.
    """
    if not points:
        return []
    sides = np.asarray(points, dtype=float) * np.where(greater_is_better, 1.0, -1.0)
    return [not bool(((sides >= side).all(axis=1) & (sides > side).any(axis=1)).any()) for side in sides]
