"""ROC and precision-recall curves, calibration, residuals: how the answers of a model spread. Arrays in, values out.

What is returned is made for drawing: a curve has few points, chosen so that it looks as it would with all of them.
Areas and errors are always those of all events.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from atlas.intervals import wilson

MOST_POINTS = 200
"""So many points of a curve are kept."""
MOST_LOOKED_AT = 20_000
"""So many points of a curve are looked at, evenly along its length, to choose those that are kept."""
SEEN = 1e-4
"""What lies closer to a line than this, in the unit square, cannot be told from it."""
BINS = 10
"""Of a reliability diagram, as wide as each other."""
FEWEST_BARS, MOST_BARS = 8, 40
"""Of a histogram of residuals."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve in the unit square by its points, (k,) with k <= `MOST_POINTS`, and the area below it.

    `chance` is the height of what guessing gives: the share of positive events, of a precision-recall curve.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    area: float
    chance: float


def roc(truth: np.ndarray, scores: np.ndarray) -> Curve | None:
    """The true positive rate over the false positive rate, at every threshold, and the area below, ROC AUC.

    None where there are not events of both kinds. Fawcett (2006), An introduction to ROC analysis.

    Args:
        truth: (n,) whether an event is positive.
        scores: (n,) what grows with the belief that it is; events without a finite one are left out.
    """
    hits, false_alarms = _counts(truth, scores)
    if not len(hits) or not hits[-1] or not false_alarms[-1]:
        return None
    x, y = np.r_[0, false_alarms / false_alarms[-1]], np.r_[0, hits / hits[-1]]
    return _thinned(x, y, area=float(np.trapezoid(y, x)), chance=0.5)


def precision_recall(truth: np.ndarray, scores: np.ndarray) -> Curve | None:
    """Precision over recall, at every threshold, and the average precision: the sum of the precisions, each weighted
    with the recall that its threshold adds.

    None where no event is positive. The arguments are those of `roc`.
    """
    hits, false_alarms = _counts(truth, scores)
    if not len(hits) or not hits[-1]:
        return None
    precision, recall = hits / (hits + false_alarms), hits / hits[-1]
    area = float(np.sum(np.diff(recall, prepend=0.0) * precision))
    chance = float(hits[-1] / (hits[-1] + false_alarms[-1]))
    until = int(np.searchsorted(recall, 1.0)) + 1  # lower thresholds only add false alarms
    return _thinned(np.r_[0, recall[:until]], np.r_[1, precision[:until]], area=area, chance=chance)


def _counts(truth: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """True and false positives at each threshold, the highest first; events of one score share a threshold."""
    known = np.isfinite(scores)
    truth, scores = np.asarray(truth, dtype=bool)[known], scores[known]
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.diff(scores[order], append=-np.inf))
    hits = np.cumsum(truth[order])[ends]
    return hits, 1 + ends - hits


def _thinned(x: np.ndarray, y: np.ndarray, *, area: float, chance: float) -> Curve:
    kept = telling_points(x, y)
    return Curve(tuple(x[kept].tolist()), tuple(y[kept].tolist()), area, chance)


def telling_points(x: np.ndarray, y: np.ndarray, most: int = MOST_POINTS) -> np.ndarray:
    """The places of at most so many points that lines between them follow all points as closely as can be, ascending.

    The line is broken where a point is furthest from it, again and again. Ramer (1972), An iterative procedure for the
    polygonal approximation of plane curves; Douglas & Peucker (1973).
    """
    looked_at = _evenly(x, y)
    points = np.column_stack([x, y])[looked_at]
    kept, waiting = {0, len(points) - 1}, [_furthest(points, 0, len(points) - 1)]
    while waiting and len(kept) < most:
        off, start, place, end = heapq.heappop(waiting)
        if -off > SEEN:
            kept.add(place)
            for part in ((start, place), (place, end)):
                heapq.heappush(waiting, _furthest(points, *part))
    return looked_at[sorted(kept)]


def _evenly(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The places of all points, or of `MOST_LOOKED_AT` evenly along the curve."""
    if len(x) <= MOST_LOOKED_AT:
        return np.arange(len(x))
    along = np.r_[0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))]
    places = np.searchsorted(along, np.linspace(0, along[-1], MOST_LOOKED_AT))
    return np.unique(np.r_[0, places, len(x) - 1])


def _furthest(points: np.ndarray, start: int, end: int) -> tuple[float, int, int, int]:
    """Minus how far the furthest point between two is from the line through them, and the places of the three."""
    between = points[start + 1 : end] - points[start]
    if not len(between):
        return 0.0, start, start, end
    step = points[end] - points[start]
    length = float(np.hypot(*step))
    off = np.abs(between @ np.array([-step[1], step[0]])) / length if length else np.hypot(*between.T)
    place = int(off.argmax())
    return -float(off[place]), start, start + 1 + place, end


@dataclass(frozen=True, slots=True)
class Bin:
    """Events whose probability lies between `start` and `end`: how many, their mean, and the share that came true.

    `low` and `high` are the ends of the share's 95 % interval, by Wilson's score.
    """

    start: float
    end: float
    events: int
    mean: float
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far probabilities can be trusted: bins that hold events, and how far they are off.

    `error` is the expected calibration error, the mean of |share - mean| over events. Naeini, Cooper & Hauskrecht
    (2015), Obtaining well calibrated probabilities using Bayesian binning. `brier` is the mean square of the
    probability's distance from what came true, 0 or 1.
    """

    bins: tuple[Bin, ...]
    events: int
    error: float
    brier: float


def reliability(probabilities: np.ndarray, came_true: np.ndarray) -> Reliability | None:
    """How often what was said with a probability came true; None where no probability is known.

    Args:
        probabilities: (n,) between 0 and 1; events without one are left out.
        came_true: (n,) whether it did.
    """
    known = np.isfinite(probabilities)
    said, true = np.clip(probabilities[known], 0.0, 1.0), np.asarray(came_true, dtype=float)[known]
    if not len(said):
        return None
    bins = tuple(_bins(said, true))
    off = sum(each.events * abs(each.share - each.mean) for each in bins)
    return Reliability(bins, len(said), off / len(said), float(np.mean((said - true) ** 2)))


def _bins(said: np.ndarray, true: np.ndarray) -> Iterator[Bin]:
    place = np.minimum((said * BINS).astype(int), BINS - 1)
    for number in np.unique(place).tolist():
        here = place == number
        events, hits = int(here.sum()), float(true[here].sum())
        sure = wilson(hits, events)
        low, high = (sure.low, sure.high) if sure else (0.0, 1.0)
        yield Bin(number / BINS, (number + 1) / BINS, events, float(said[here].mean()), hits / events, low, high)


@dataclass(frozen=True, slots=True)
class Residuals:
    """By how much the predictions of a regression are too high, of all events with a finite residual.

    Attributes:
        edges: of the bars of a histogram, ascending, one more than there are `counts`.
        counts: residuals in each bar.
        expected: at most `MOST_POINTS` quantiles of the normal distribution, in standard deviations.
        observed: the same quantiles of the residuals.
        mean: of the residuals, which is 0 of a model that is right on average.
        deviation: their standard deviation.
        events: how many there are.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    expected: tuple[float, ...]
    observed: tuple[float, ...]
    mean: float
    deviation: float
    events: int


def residuals(truth: np.ndarray, predicted: np.ndarray) -> Residuals | None:
    """The residuals, predicted less true, of (n,) true and predicted values; None where none is finite."""
    off = predicted - truth
    off = np.sort(off[np.isfinite(off)])
    if not len(off):
        return None
    counts, edges = np.histogram(off, bins=_bars(off), range=_range(off))
    expected, observed = _quantiles(off)
    return Residuals(
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
        expected=expected,
        observed=observed,
        mean=float(off.mean()),
        deviation=float(off.std()),
        events=len(off),
    )


def _range(ordered: np.ndarray) -> tuple[float, float]:
    """From where to where bars go; residuals that are the same but for rounding get room on both sides."""
    low, high = float(ordered[0]), float(ordered[-1])
    if high - low > 1e-9 * max(abs(low), abs(high)):
        return low, high
    room = 0.1 * abs(low) or 0.5
    return low - room, high + room


def _bars(off: np.ndarray) -> int:
    """How many bars show the residuals: by Freedman & Diaconis (1981), within bounds."""
    lower, upper = np.percentile(off, (25, 75))
    width = 2 * (upper - lower) / np.cbrt(len(off))
    wanted = (off[-1] - off[0]) / width if width else FEWEST_BARS
    return int(np.clip(wanted, FEWEST_BARS, MOST_BARS))


def _quantiles(ordered: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Quantiles of the normal distribution and of values in ascending order, the extreme ones among them."""
    places = np.unique(np.linspace(0, len(ordered) - 1, min(MOST_POINTS, len(ordered))).round().astype(int))
    normal = NormalDist()
    expected = (normal.inv_cdf((place + 0.5) / len(ordered)) for place in places.tolist())
    return tuple(expected), tuple(ordered[places].tolist())
