"""Whether a model does worse on a new version of its data than before, and than at its best, beyond chance.

Each version gets at most two findings: against the version before, and against the best so far. All of them together
are wrong in at most `FALSE_ALERTS` of the streams of `VERSIONS` versions on which a model does equally well throughout.
"""

from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass
from math import sqrt
from typing import Any, Protocol

import numpy as np

from atlas.intervals import Z
from atlas.paired import Difference, Finding, finding, unpaired
from atlas.results import MetricValue
from monitoring.steps import Array, Step, find_step

FALSE_ALERTS = 0.05
"""Of streams of `VERSIONS` versions without any change, at most so many have a finding."""
VERSIONS = 20
LEVEL = FALSE_ALERTS / VERSIONS
"""What each version may spend of that: a linear spending function (Lan & DeMets, 1983), however long a stream gets."""
FEWEST_UNSHARED = 100
"""Of fewer events that only one of two versions has, their part of the difference is not close to normal."""


class EventSet(Protocol):
    """A set of what names events: a frozenset, or `monitoring.events.NumberedEvents`."""

    def __len__(self) -> int:
        """How many events it holds."""

    def __and__(self, other: Any, /) -> Sized:
        """Those that are in the other one too, which is of the same kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A metric of one model on one version of its data.

    Attributes:
        version: of the dataset.
        metric: its value, with its 95 % interval where there is one.
        events: what names each event in its state; empty if unknown, which counts as none shared. An event whose label
            was changed is another one: give its id together with the revision of its state.
    """

    version: int
    metric: MetricValue
    events: EventSet = frozenset()

    @property
    def is_sure(self) -> bool:
        """Whether there is a value with an interval."""
        return None not in (self.metric.value, self.metric.low, self.metric.high)

    @property
    def standard_error(self) -> float | None:
        """The half width of the interval, in standard deviations of a normal distribution; None without interval."""
        low, high = self.metric.low, self.metric.high
        return None if low is None or high is None else (high - low) / (2 * Z)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A version beside an earlier one.

    Attributes:
        reference: the earlier version.
        shared: how many events both have.
        difference: of the metric, newer less earlier; `Finding.WORSE` is a regression, `BETTER` an improvement.
            `adjusted_p` is at most `LEVEL` where it is either.
    """

    reference: int
    shared: int
    difference: Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a new version says of a model.

    Attributes:
        version: the new one.
        before: beside the version before; None of the first version.
        best: beside the best so far, which may be the same.
    """

    version: int
    before: Comparison | None
    best: Comparison | None

    @property
    def finding(self) -> Finding:
        """Of both comparisons the worst that is more than noise; better only if it is so and neither is worse."""
        found = {each.difference.finding for each in (self.before, self.best) if each}
        order = (Finding.WORSE, Finding.BETTER, Finding.WITHIN_NOISE)
        return next((each for each in order if each in found), Finding.CANNOT_TELL)


Differ = Callable[[Measurement, Measurement], Difference]
"""How the earlier and the newer of two measurements differ."""


def correlation(one: Measurement, other: Measurement) -> float:
    """How the values of one model on two versions go together because of the events that both have: s/√(n m).

    That is exact for averages over n and m events of which s are shared, and for large samples of any other metric that
    an average of influences approaches. Where fewer than `FEWEST_UNSHARED` events tell two versions apart it is 0,
    with which intervals are wider than they need be.
    """
    held, others = len(one.events), len(other.events)
    shared = _shared(one, other)
    if not shared or held + others - 2 * shared < FEWEST_UNSHARED:
        return 0.0
    return shared / sqrt(held * others)


def _shared(one: Measurement, other: Measurement) -> int:
    """How many events both have; none if nobody knows those of either."""
    return len(one.events & other.events) if one.events and other.events else 0


def by_intervals(earlier: Measurement, newer: Measurement) -> Difference:
    """How a metric changed, from both of its intervals and the events that are shared."""
    return unpaired(earlier.metric, newer.metric, correlation(earlier, newer))


def changes(stream: Sequence[Measurement], differ: Differ = by_intervals) -> list[Change]:
    """What each version of a stream says of the model. Versions without a value are left out of later comparisons.

    The p of the comparison with the version before counts twice, because there are two comparisons; that with the best
    counts twice for each version that could have been the best, because the luckiest of many is good by chance too
    (Bonferroni).

    Args:
        stream: measurements of one metric, from the first version on.
        differ: tells the difference of two measurements.
    """
    return [latest(stream[: place + 1], differ) for place in range(len(stream))]


def latest(stream: Sequence[Measurement], differ: Differ = by_intervals) -> Change:
    """What the last version of a stream says of the model: the last of `changes`.

    Raises:
        ValueError: the stream is empty, or its measurements are of several metrics.
    """
    if len({each.metric.name for each in stream}) != 1:
        raise ValueError("a stream holds at least one measurement, and those of one metric alone")
    *earlier, newest = stream
    known = _references(earlier)
    if not known:
        return Change(version=newest.version, before=None, best=None)
    before = _beside(known[-1], newest, differ, looks=min(len(known), 2))
    top = _best(known)
    best = before if top is known[-1] else _beside(top, newest, differ, looks=2 * (len(known) - 1))
    return Change(version=newest.version, before=before, best=best)


def _references(earlier: Sequence[Measurement]) -> list[Measurement]:
    """Those that something can be compared with: if any has an interval, those that have one."""
    with_value = [each for each in earlier if each.metric.value is not None]
    return [each for each in with_value if each.is_sure] or with_value


def _best(known: Sequence[Measurement]) -> Measurement:
    """The best of them; of equals the newest."""
    side = 1 if known[0].metric.greater_is_better else -1
    return max(reversed(known), key=lambda each: side * (each.metric.value or 0.0))


def _beside(earlier: Measurement, newer: Measurement, differ: Differ, looks: int) -> Comparison:
    """Both beside each other; `looks` is how many comparisons share the version's level."""
    found = differ(earlier, newer)
    p = None if found.p is None else min(1.0, found.p * looks)
    says = finding(found, p, greater_is_better=newer.metric.greater_is_better, level=LEVEL)
    return Comparison(
        reference=earlier.version,
        shared=_shared(earlier, newer),
        difference=found.model_copy(update={"adjusted_p": p, "finding": says}),
    )


# Steps --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A lasting change of a metric within a stream.

    Attributes:
        version: the first one that it shows in.
        step: its size and how sure it is.
        finding: `Finding.WORSE` of a lasting regression, `BETTER` of a lasting improvement, else within noise.
    """

    version: int
    step: Step
    finding: Finding


def shift(stream: Sequence[Measurement]) -> Shift | None:
    """The likeliest place of a lasting change in a stream; None of too few versions that have an interval, and while
    the likeliest place has one version alone on a side.

    At most `FALSE_ALERTS` of the streams of `VERSIONS` versions without a change show one at any time, if it is looked
    for after each version.
    """
    sure = [each for each in stream if each.is_sure]
    step = find_step([each.metric.value or 0.0 for each in sure], covariance(sure))
    if step is None:
        return None
    difference = Difference(value=step.size, low=step.low, high=step.high, p=step.p)
    greater_is_better = sure[0].metric.greater_is_better
    says = finding(difference, step.p, greater_is_better=greater_is_better, level=LEVEL)
    return Shift(version=sure[step.place].version, step=step, finding=says)


def covariance(stream: Sequence[Measurement]) -> Array:
    """(k, k) how values of measurements that have intervals vary, and go together because of shared events.

    All correlations are s/√(n m): so they fit together, and no series of values has a negative variance. A version that
    fewer than `FEWEST_UNSHARED` events tell from another one has an error of its own besides, by which they differ as
    if so many did.
    """
    errors = np.array([each.standard_error or 0.0 for each in stream])
    held = np.array([len(each.events) for each in stream], dtype=float)
    shared = np.array([[_shared(one, other) for other in stream] for one in stream], dtype=float)
    shared = shared.reshape(len(stream), len(stream))
    together = shared / np.sqrt(np.maximum(np.outer(held, held), 1.0))
    np.fill_diagonal(together, 1.0)
    return np.asarray((together + np.diag(_own(held, shared))) * np.outer(errors, errors))


def _own(held: Array, shared: Array) -> Array:
    """(k,) the variance that versions have of their own, in units of that of their values."""
    both = held[:, None] + held
    missing = np.where(shared > 0, FEWEST_UNSHARED - (both - 2 * shared), 0.0)
    np.fill_diagonal(missing, 0.0)
    return np.asarray((np.maximum(missing, 0.0) / np.maximum(both, 1.0)).max(axis=1, initial=0.0))
