"""The difference of a metric between two versions that share events, from the answers to each event."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from atlas.intervals import DRAWS, GROUPS, MOST_INDICATORS, MOST_ROWS, MOST_UNDEFINED, draw_weights
from atlas.metrics import REGISTRY, Events, Predictions, value_or_reason
from atlas.paired import Difference, Method, normal_p
from atlas.resampled import STATISTICS
from atlas.weighted import Rows, Statistic
from monitoring.regressions import FEWEST_UNSHARED, Measurement, by_intervals

Places = np.ndarray
"""(n,) which of the units that are drawn each event belongs to."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Answered:
    """A model's answers on one dataset version.

    Attributes:
        events: (n,) what names each event in its state, each once: see `Measurement.events`.
        truth: as in `atlas.metrics.measure`.
        predictions: likewise.
    """

    events: np.ndarray
    truth: np.ndarray
    predictions: Predictions


@dataclass(frozen=True, slots=True, eq=False)
class ByEvents:
    """Tells differences for `monitoring.regressions.changes` from the answers on each version, where both are known.

    Events of both versions are drawn with replacement, a shared one for both at once, and the metric is measured on
    what each version has of them: the bootstrap of Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter
    8, of the events as one sample. The interval reaches from the 2.5 % to the 97.5 % percentile of the differences; p
    takes its distance on the side of 0 for 1.96 standard deviations, as 1,000 samples tell nothing of rarer ones.

    Both intervals tell the difference instead where nothing is shared, where fewer than `FEWEST_UNSHARED` events are
    not, where samples tell no value, and where they tell less of a change: shares near 1 vary by chance more than
    samples of few events show, and metrics that are no averages more than the intervals and what is shared do.

    Attributes:
        answers: by version.
        draws: how many samples.
        seed: of the random numbers.
    """

    answers: Mapping[int, Answered]
    draws: int = DRAWS
    seed: int = 0

    def __call__(self, earlier: Measurement, newer: Measurement) -> Difference:
        """The newer less the earlier."""
        sides = [self.answers[each.version] for each in (earlier, newer) if each.version in self.answers]
        told = by_intervals(earlier, newer)
        drawn = self._drawn(sides[0], sides[1], newer.metric.name) if len(sides) == 2 else None
        return told if drawn is None else max(drawn, told, key=lambda each: -1.0 if each.p is None else each.p)

    def _drawn(self, earlier: Answered, newer: Answered, name: str) -> Difference | None:
        shared = len(np.intersect1d(earlier.events, newer.events))
        if not shared or len(earlier.events) + len(newer.events) - 2 * shared < FEWEST_UNSHARED:
            return None
        before, after, units = self._units(earlier, newer)
        one, other = (_Resampled.of(*each, units, name) for each in ((earlier, before), (newer, after)))
        if one is None or other is None:
            return None
        weights = list(draw_weights(np.random.default_rng(self.seed), units, self.draws))
        with np.errstate(all="ignore"):
            drawn = np.concatenate([other.values(some) - one.values(some) for some in weights])
        return _told(other.value - one.value, drawn, shared)

    def _units(self, earlier: Answered, newer: Answered) -> tuple[Places, Places, int]:
        """The unit of each event of both versions, and how many there are: events, or of many, groups of them."""
        known, unit = np.unique(np.concatenate([earlier.events, newer.events]), return_inverse=True)
        units = len(known)
        if units > MOST_ROWS:
            unit, units = (np.random.default_rng([self.seed, GROUPS]).permutation(units) % GROUPS)[unit], GROUPS
        before, after = np.split(unit, [len(earlier.events)])
        return before, after, units


@dataclass(frozen=True, slots=True, eq=False)
class _Resampled:
    """A metric on one version, and on what samples of all units leave of it."""

    value: float
    statistic: Statistic
    shift: float

    @classmethod
    def of(cls, answered: Answered, unit: Places, units: int, name: str) -> "_Resampled | None":
        """None of a metric without a value, or one that cannot be resampled."""
        entry, events = REGISTRY[name], Events(answered.truth, answered.predictions)
        value = value_or_reason(entry, partial(events.value, entry)).value
        if value is None or name not in STATISTICS or len(events) * max(events.classes, 1) > MOST_INDICATORS:
            return None
        statistic = STATISTICS[name](Rows(*events.arguments(entry), unit, units))
        return cls(value, statistic, value - float(statistic(np.ones((1, units)))[0]))

    def values(self, weights: np.ndarray) -> np.ndarray:
        """(draws,) the metric under weights of the units, (draws, units)."""
        return self.statistic(weights) + self.shift


def _told(value: float, drawn: np.ndarray, shared: int) -> Difference | None:
    known = drawn[np.isfinite(drawn)]
    if len(known) < (1 - MOST_UNDEFINED) * len(drawn) or np.ptp(known) == 0:
        return None
    low, high = (float(end) for end in np.percentile(known, (2.5, 97.5)))
    low, high = min(low, value), max(high, value)
    p = normal_p(value, value - low if value > 0 else high - value)
    return Difference(value=value, low=low, high=high, p=p, rows=shared, method=Method.PAIRED)
