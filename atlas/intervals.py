"""How sure a number is: 95 % intervals of metrics over the rows that they were measured on.

Shares have Wilson's interval; all else is bootstrapped. An interval says what another sample of as many rows, drawn as
these were, might have given. It says nothing of rows of another kind, nor of training the model again.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from atlas.metrics import REGISTRY, Events, Metric, Needs, Predictions
from atlas.results import ClassMetrics, Estimate, MetricValue
from atlas.vocabulary import Label
from atlas.weighted import BUILDERS, Rows, Statistic

DRAWS = 1_000
ENOUGH_FOR_PERCENTILES = 200
FEWEST_DRAWS = 25
MOST_UNDEFINED = 0.1
"""If more than this share of the samples has no value, there is no interval."""
MOST_ROWS = 2_000
"""Of more rows, groups are drawn."""
GROUPS = 1_000
"""With so many, the width of an interval is off by about 2 %: 1/√(2 GROUPS)."""
CHUNK = 1 << 16
"""Weights that are drawn at a time: they fit into a core's cache."""
MOST_INDICATORS = 20_000_000
"""Rows by classes, beyond which only formulas tell an interval: the rest would not fit into memory."""
MOST_SHIFT = 0.01
"""What the levels of scores may take from a metric. More says that the statistic is not what was measured."""
ROUNDING = 1e-12
Z = 1.959963984540054
"""The standard normal distribution's 97.5 % quantile."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The ends of a 95 % interval."""

    low: float
    high: float

    def around(self, value: float) -> "Interval":
        """The interval, widened where it must be to hold a value."""
        return Interval(min(self.low, value), max(self.high, value))


# Shares -------------------------------------------------------------------------------------------------------------


def wilson(successes: float, trials: float) -> Interval | None:
    """The 95 % interval of a share by Wilson's score: the shares p with |successes/trials - p| <= z √(p(1-p)/trials).

    Unlike the bootstrap's it is no single point where all trials ended alike. Wilson (1927), Probable inference, the
    law of succession, and statistical inference; Brown, Cai & DasGupta (2001), Interval estimation for a binomial
    proportion, recommend it for any number of trials. None without a trial.
    """
    if trials <= 0:
        return None
    share = successes / trials
    middle = (share + Z**2 / (2 * trials)) / (1 + Z**2 / trials)
    half = Z / (1 + Z**2 / trials) * np.sqrt(share * (1 - share) / trials + Z**2 / (4 * trials**2))
    return Interval(max(0.0, float(middle - half)), min(1.0, float(middle + half))).around(share)


def _f1_of_jaccard(jaccard: float) -> float:
    return 2 * jaccard / (1 + jaccard)


def _precision_interval(hits: float, predicted: float, _true: float) -> Interval | None:
    return wilson(hits, predicted)


def _recall_interval(hits: float, _predicted: float, true: float) -> Interval | None:
    return wilson(hits, true)


def _jaccard_interval(hits: float, predicted: float, true: float) -> Interval | None:
    return wilson(hits, predicted + true - hits)


def _f1_interval(hits: float, predicted: float, true: float) -> Interval | None:
    """Wilson's interval of the Jaccard index J = hits/(predicted + true - hits), a share of the events in either set,
    carried over by F1 = 2J/(1 + J), which grows with J."""
    jaccard = _jaccard_interval(hits, predicted, true)
    return jaccard and Interval(_f1_of_jaccard(jaccard.low), _f1_of_jaccard(jaccard.high))


OfCounts = Callable[[float, float, float], Interval | None]

OF_ONE_CLASS: Mapping[str, OfCounts] = MappingProxyType(
    {
        "precision": _precision_interval,
        "recall": _recall_interval,
        "f1": _f1_interval,
        "jaccard": _jaccard_interval,
    }
)
"""The interval of each metric of one class from its numbers of hits, of predictions and of true events."""

SHARES = frozenset({"accuracy", "top_k_accuracy"})
SHARES_OF_ONE_LABEL = SHARES | {"precision_micro", "recall_micro", "f1_micro"}
"""The metrics that are the share of events that are right: of one label an event, the micro averages are too."""
BY_FORMULA = SHARES_OF_ONE_LABEL | OF_ONE_CLASS.keys() | {"median_absolute_error"}


def _by_formula(name: str, value: float, rows: Rows) -> Interval | None:
    """The interval of a metric that is a share, follows from one, or is a median; None of any other."""
    truth, answer = rows.truth, rows.answer
    if name == "median_absolute_error":
        return _of_median(np.abs(truth - answer).ravel())
    if name in OF_ONE_CLASS:
        return OF_ONE_CLASS[name](*(float(part.sum()) for part in (truth * answer, answer, truth)))
    shares = SHARES if truth.ndim == 2 else SHARES_OF_ONE_LABEL
    return wilson(value * len(truth), len(truth)) if name in shares else None


def _of_median(values: np.ndarray) -> Interval:
    """The 95 % interval of a median, between the values whose ranks are (n ± z √n)/2, whatever their distribution: how
    many of n values lie below the true median is binomial. David & Nagaraja (2003), Order Statistics, section 7.1."""
    ordered, rows = np.sort(values), len(values)
    low, high = (rows + side * Z * np.sqrt(rows) for side in (-1, 1))
    return Interval(float(ordered[max(int(low / 2) - 1, 0)]), float(ordered[min(int(np.ceil(high / 2)), rows - 1)]))


# The bootstrap ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Sample:
    """The events that metrics were measured on. Of more than `most_rows`, `groups` groups are drawn."""

    events: Events
    seed: int
    most_rows: int = MOST_ROWS
    groups: int = GROUPS

    @cached_property
    def _prepared(self) -> dict[Needs, Rows]:
        return {}

    def rows(self, entry: Metric) -> Rows:
        """What the metric's function receives, prepared once for all metrics with the same needs."""
        if entry.needs not in self._prepared:
            self._prepared[entry.needs] = Rows(*self.events.arguments(entry), self.unit, self.units)
        return self._prepared[entry.needs]

    @cached_property
    def unit(self) -> np.ndarray:
        """The unit of each row that is drawn as a whole: the row itself, or one of the groups by chance."""
        rows = len(self.events)
        if rows <= self.most_rows:
            return np.arange(rows)
        return np.random.default_rng([self.seed, self.groups]).permutation(rows) % self.groups

    @property
    def units(self) -> int:
        """How many units there are."""
        return len(self.events) if len(self.events) <= self.most_rows else self.groups


@dataclass(frozen=True, slots=True)
class Resampled:
    """A metric that can be computed of any weighting of the units. `shift` is what levels of scores take from it."""

    name: str
    value: float
    statistic: Statistic
    shift: float


def with_intervals(
    measured: Sequence[MetricValue],
    truth: np.ndarray,
    predictions: Predictions,
    *,
    seconds: float = 0.25,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[MetricValue, ...]:
    """Metrics of the registry with their 95 % intervals, where such can be had.

    Shares and medians have their formulas. Of the others, `draws` bootstrap samples are drawn with replacement, all
    metrics on the same ones, and the interval reaches from the 2.5 % to the 97.5 % percentile of the metric's values on
    them: Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 13. Up to `MOST_ROWS` rows, rows are
    drawn; of more, `GROUPS` groups into which chance put them, which tell the same spread (Wolter, 2007, Introduction
    to Variance Estimation, chapter 2) at a cost that does not grow with the rows.

    Once `seconds` are over no more samples are drawn; if fewer than 200 are there by then, the interval is value ± 1.96
    standard deviations of them, and with fewer than 25 there is none. There is none either where the samples do not
    differ, as of a ranking without an error: that says nothing of other rows.

    Args:
        measured: values of `atlas.metrics.measure`.
        truth: as there.
        predictions: as there.
        seconds: how long to draw samples, in seconds of a core; what has begun by then is brought to its end.
        draws: how many samples at most.
        seed: of the random numbers: with the same one, the same samples are drawn in the same order.
    """
    deadline = time.thread_time() + seconds
    return told(measured, Sample(Events(truth, predictions), seed), draws=draws, deadline=deadline)


def told(
    measured: Sequence[MetricValue], sample: Sample, *, draws: int = DRAWS, deadline: float
) -> tuple[MetricValue, ...]:
    """The same, of a sample, until the time of this thread is `deadline`."""
    with np.errstate(all="ignore"):
        found = _formulas(sample, measured)
        left = [value for value in measured if value.name not in found]
        found |= _bootstrap(sample, list(_statistics(sample, left, deadline)), draws, deadline)
    return tuple(_told(value, found.get(value.name)) for value in measured)


def _told(value: MetricValue, interval: Interval | None) -> MetricValue:
    if interval is None or value.value is None:
        return value
    around = interval.around(value.value)
    return value.model_copy(update={"low": around.low, "high": around.high})


def _formulas(sample: Sample, measured: Sequence[MetricValue]) -> dict[str, Interval]:
    known = {value.name: value.value for value in measured if value.name in BY_FORMULA and value.value is not None}
    found = {name: _by_formula(name, value, sample.rows(REGISTRY[name])) for name, value in known.items()}
    return {name: interval for name, interval in found.items() if interval}


def _statistics(sample: Sample, measured: Sequence[MetricValue], deadline: float) -> Iterator[Resampled]:
    """The statistics of metrics, as many as can be made until the deadline."""
    for value in measured:
        if value.value is None or value.name not in BUILDERS or time.thread_time() > deadline:
            continue
        if len(sample.events) * max(sample.events.classes, 1) <= MOST_INDICATORS:
            statistic = BUILDERS[value.name](sample.rows(REGISTRY[value.name]))
            shift = value.value - float(statistic(np.ones((1, sample.units)))[0])
            if abs(shift) <= MOST_SHIFT * max(abs(value.value), 1):
                yield Resampled(value.name, value.value, statistic, shift)


def _bootstrap(sample: Sample, resampled: Sequence[Resampled], draws: int, deadline: float) -> dict[str, Interval]:
    values: list[list[np.ndarray]] = [[] for _ in resampled]
    for weights in draw_weights(np.random.default_rng(sample.seed), sample.units, draws) if resampled else ():
        for each, known in zip(resampled, values, strict=True):
            known.append(each.statistic(weights) + each.shift)
        if time.thread_time() > deadline:
            break
    found = {
        each.name: _between(np.concatenate(known), each.value) for each, known in zip(resampled, values, strict=True)
    }
    return {name: interval for name, interval in found.items() if interval}


def draw_weights(random: np.random.Generator, units: int, draws: int) -> Iterator[np.ndarray]:
    """How often each unit stands in a sample with replacement of as many units, for `draws` samples.

    Yields:
        Multinomial weights of shape (samples, units), as many samples at a time as a core's cache holds.
    """
    at_once = max(1, CHUNK // units)
    for start in range(0, draws, at_once):
        samples = min(at_once, draws - start)
        drawn = random.integers(0, units, (samples, units)) + units * np.arange(samples)[:, None]
        yield np.bincount(drawn.ravel(), minlength=samples * units).reshape(samples, units).astype(float)


def _between(values: np.ndarray, measured: float) -> Interval | None:
    """The interval that a metric's values on the samples tell, if they tell one."""
    known = values[np.isfinite(values)]
    if len(known) < max(FEWEST_DRAWS, (1 - MOST_UNDEFINED) * len(values)) or np.ptp(known) <= ROUNDING * abs(measured):
        return None
    if len(known) >= ENOUGH_FOR_PERCENTILES:
        low, high = np.percentile(known, (2.5, 97.5))
        return Interval(float(low), float(high))
    half = Z * float(known.std(ddof=1))
    return Interval(measured - half, measured + half)


# Classes ------------------------------------------------------------------------------------------------------------


def class_metrics(truth: np.ndarray, predictions: Predictions) -> tuple[ClassMetrics, ...]:
    """How well each class of the model is recognised, with its intervals by formula; empty for a regression.

    Raises:
        MetricError: as in `Metric.compute`.
    """
    if not predictions.classes:
        return ()
    true, predicted = REGISTRY["accuracy"].arguments_for(truth, predictions)
    found = (true * predicted, predicted, true) if truth.ndim == 2 else (true[true == predicted], predicted, true)
    counts = [_of_classes(labels, len(predictions.classes)) for labels in found]
    return tuple(_class(label, *each) for label, *each in zip(predictions.classes, *counts, strict=True))


def _of_classes(labels: np.ndarray, classes: int) -> list[int]:
    """How many events have each class of the model."""
    counts = labels.sum(axis=0) if labels.ndim == 2 else np.bincount(labels, minlength=classes)[:classes]
    return [int(count) for count in counts]


def _class(label: Label, hits: int, predicted: int, true: int) -> ClassMetrics:
    parts = {"precision": (hits, predicted), "recall": (hits, true), "f1": (2 * hits, predicted + true)}
    estimates = {
        name: _estimate(part / whole if whole else None, OF_ONE_CLASS[name](hits, predicted, true))
        for name, (part, whole) in parts.items()
    }
    return ClassMetrics(label=label, rows=true, **estimates)


def _estimate(value: float | None, interval: Interval | None) -> Estimate:
    if value is None or interval is None:
        return Estimate(value=value)
    around = interval.around(value)
    return Estimate(value=value, low=around.low, high=around.high)
