"""How good a classifier probably is on events without labels, from its own probabilities.

Probabilities that are calibrated say how often a prediction is right: if the model is 80 % sure of each of a thousand
events, about 800 are. So the confusion matrix that labels would show can be expected (confidence-based performance
estimation: Guerra, Flach & Kull, 2012, On the effect of calibration in classifier combination; in use since NannyML,
2022). What the model's probabilities are worth is learned from labelled events: isotonic regression of each class
(Zadrozny & Elkan, 2002, Transforming classifier scores into accurate multiclass probability estimates).

It holds only while an event that looks the same is of the same class as often as before. Where classes have come to
mean something else, nothing but labels can tell; `unjustified` says where it is not to be trusted for certain.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression

from atlas.metrics import REGISTRY, Needs
from atlas.resampled import STATISTICS
from atlas.results import MetricValue
from atlas.vocabulary import Task
from atlas.weighted import Rows

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

FEWEST_LABELLED = 300
"""Of fewer events it cannot be learned what probabilities are worth."""
FEWEST_OF_CLASS = 10
MOST_LABELLED = 4_000
"""So many labelled events are learned from, at most; a sample of them, if there are more."""
MOST_ROWS = 20_000
"""So many events stand for all of a version, if there are more."""
MOST_MOVED = 0.5
"""If a larger share of columns has moved, the model meets events of a kind that nobody knows it on."""
DRAWS = 200
SURE = 3.29
"""So many standard errors from what was found once labels came, an estimate was wrong: once in a thousand by chance."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """A classifier's answers to some events.

    Attributes:
        probabilities: (n, k) of the k classes.
        predicted: (n,) places of the predicted classes.
    """

    probabilities: Array
    predicted: Places

    def __len__(self) -> int:
        return len(self.predicted)

    def at(self, rows: Places) -> "Answers":
        """Some of them, by their numbers."""
        return Answers(probabilities=self.probabilities[rows], predicted=self.predicted[rows])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labelled:
    """Answers to events whose classes are known; `truth` is (n,) places of the true classes."""

    answers: Answers
    truth: Places


def can_be_estimated(metric: str, task: Task) -> bool:
    """Whether a metric follows from a confusion matrix, so that it can be expected of one."""
    known = REGISTRY.get(metric)
    is_class = task in {Task.BINARY, Task.MULTICLASS}
    return bool(is_class and known and known.needs is Needs.LABELS and metric in STATISTICS)


def unjustified(labelled: Labelled, *, earlier: Labelled | None = None, share_moved: float | None = None) -> str:
    """Why metrics cannot be estimated, as a sentence; empty if nothing speaks against it.

    Args:
        labelled: the newest events whose classes are known.
        earlier: older ones: what they would have made expect of `labelled` is held against what was found there.
        share_moved: of the columns of the events without labels, those that moved from what the model was trained on.
    """
    if len(labelled.truth) < FEWEST_LABELLED:
        return (
            f"Only {len(labelled.truth):,} events are labelled; what probabilities are worth takes {FEWEST_LABELLED}."
        )
    if _rarest(labelled) < FEWEST_OF_CLASS:
        return f"One of the classes has fewer than {FEWEST_OF_CLASS} labelled events."
    if share_moved is not None and share_moved > MOST_MOVED:
        return (
            f"{share_moved:.0%} of the columns have moved from what the model was trained on: "
            "its probabilities are not known to mean the same there."
        )
    if earlier is not None and len(earlier.truth) >= FEWEST_LABELLED and not _held(earlier, labelled):
        return "When labels came the last time, accuracy was not what had been estimated without them."
    return ""


def _rarest(labelled: Labelled) -> int:
    return int(np.bincount(labelled.truth, minlength=labelled.answers.probabilities.shape[1]).min())


def _held(earlier: Labelled, later: Labelled) -> bool:
    """Whether the accuracy that earlier events made expect of later ones is the one that was found."""
    calibrated = Calibration.learned(earlier).of(later.answers.probabilities)
    right = calibrated[np.arange(len(calibrated)), later.answers.predicted]
    found = float(np.mean(later.truth == later.answers.predicted))
    errors = np.sqrt((right * (1 - right)).sum()) / len(right), np.sqrt(found * (1 - found) / len(earlier.truth))
    return bool(abs(found - right.mean()) <= SURE * float(np.hypot(*errors)))


# What probabilities are worth ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """How often an event is of a class, by the probability that the model gives that class.

    Attributes:
        curves: of each class, ascending probabilities and how often events are of it there.
    """

    curves: tuple[tuple[Array, Array], ...]

    @classmethod
    def learned(cls, labelled: Labelled, weights: Array | None = None) -> "Calibration":
        """From labelled events, each as often as its weight says, (n,)."""
        probabilities = labelled.answers.probabilities
        return cls(tuple(_curve(column, labelled.truth == k, weights) for k, column in enumerate(probabilities.T)))

    def of(self, probabilities: Array) -> Array:
        """(n, k) how often events with these probabilities are of each class; each row adds up to 1."""
        worth = np.column_stack(
            [np.interp(column, *curve) for column, curve in zip(probabilities.T, self.curves, strict=True)]
        )
        total = worth.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(worth, total, out=np.full_like(worth, 1 / worth.shape[1]), where=total > 0))


def _curve(probability: Array, is_of_class: npt.NDArray[np.bool_], weights: Array | None) -> tuple[Array, Array]:
    regression = IsotonicRegression(y_min=0, y_max=1)
    regression.fit(probability, is_of_class.astype(float), sample_weight=weights)
    return np.asarray(regression.X_thresholds_), np.asarray(regression.y_thresholds_)


# What to expect -----------------------------------------------------------------------------------------------------


def estimated(
    labelled: Labelled, answers: Answers, metrics: Sequence[str], *, seed: int = 0
) -> tuple[MetricValue, ...]:
    """The metrics that labels would probably show, with 95 % intervals.

    An interval holds what chance does to the labels of these events, and how well probabilities are known to be worth
    what they are: labelled events are drawn again, and of each draw the labels are.

    Args:
        labelled: events of the same model whose classes are known.
        answers: to the events without labels.
        metrics: names of those for which `can_be_estimated` holds.
        seed: of the random numbers.
    """
    random = np.random.default_rng(seed)
    labelled, shown = _sampled(labelled, random), answers.at(_some(len(answers), MOST_ROWS, random))
    scale = len(answers) / max(len(shown), 1)
    expected = scale * _expected(Calibration.learned(labelled), shown)
    drawn = np.stack([_drawn(labelled, shown, scale, random) for _ in range(DRAWS)])
    return tuple(_told(name, expected, drawn) for name in metrics)


def _sampled(labelled: Labelled, random: np.random.Generator) -> Labelled:
    rows = _some(len(labelled.truth), MOST_LABELLED, random)
    return Labelled(answers=labelled.answers.at(rows), truth=labelled.truth[rows])


def _some(rows: int, most: int, random: np.random.Generator) -> Places:
    return np.arange(rows) if rows <= most else np.sort(random.choice(rows, most, replace=False))


def _expected(calibration: Calibration, answers: Answers) -> Array:
    """(k, k) how many events of each class, by row, are expected among those predicted as each, by column."""
    worth = calibration.of(answers.probabilities)
    return np.asarray(worth.T @ np.eye(worth.shape[1])[answers.predicted])


def _drawn(labelled: Labelled, answers: Answers, scale: float, random: np.random.Generator) -> Array:
    """(k, k) a confusion matrix as chance could have it."""
    size = len(labelled.truth)
    weights = random.multinomial(size, np.full(size, 1 / size)).astype(float)
    drawn_again = weights > 0
    part = Labelled(answers=labelled.answers.at(np.flatnonzero(drawn_again)), truth=labelled.truth[drawn_again])
    expected = scale * _expected(Calibration.learned(part, weights[drawn_again]), answers)
    of_predicted = expected.sum(axis=0)
    shares = np.divide(expected, of_predicted, out=np.full_like(expected, 1 / len(expected)), where=of_predicted > 0)
    counts = np.rint(of_predicted).astype(int)
    return np.column_stack([random.multinomial(number, share) for number, share in zip(counts, shares.T, strict=True)])


def _told(name: str, expected: Array, drawn: Array) -> MetricValue:
    """A metric of the expected confusion matrix, and of the drawn ones its 95 % interval; each cell is one unit."""
    classes, entry = len(expected), REGISTRY[name]
    true, predicted = np.indices((classes, classes)).reshape(2, -1)
    statistic = STATISTICS[name](Rows(true, predicted, np.arange(classes**2), classes**2))
    with np.errstate(all="ignore"):
        value = float(statistic(expected.reshape(1, -1))[0])
        values = statistic(drawn.reshape(len(drawn), -1))
    known = values[np.isfinite(values)]
    if not np.isfinite(value) or not len(known):
        return MetricValue(
            name=name, value=None, greater_is_better=entry.greater_is_better, reason="It has no value on these events."
        )
    low, high = np.percentile(known, (2.5, 97.5))
    return MetricValue(
        name=name,
        value=value,
        greater_is_better=entry.greater_is_better,
        low=min(float(low), value),
        high=max(float(high), value),
    )
