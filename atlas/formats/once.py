"""Predicting once: which of an estimator's answers follow from one that has been asked for anyway.

`predict`, `decision_function` and `predict_proba` each cost a whole prediction, and mostly tell the same: the class is
the one that scores highest, and the probabilities are a function of the scores. Whether that is so of a model is tried
on rows where it would show: those with the closest call, those with the clearest, and some between.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

FEWEST_ROWS = 32
"""Fewer rows say too little of a model to rely on."""
ENOUGH_ROWS = 2_048
"""What fewer rows told is looked at again when so many come: the closest call among many is closer."""
MOST_ROWS = 256
"""So many rows are asked about again."""
ENOUGH_TIES = 16
"""With so many ties resolved as expected, a model resolves them all so."""
TIE = 1e-12
"""Two confidences that differ by no more than this, or by this share of the larger one, may be equal."""
TOLERANCE = 1e-9
"""By which share a number may differ from the model's own."""

Kind = Literal["scores", "probabilities"]
Link = Callable[[np.ndarray], np.ndarray]
THRESHOLDS = {"scores": 0.0, "probabilities": 0.5}
"""Above which an event has a label."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Rule:
    """How a model's answers follow from its confidence.

    Attributes:
        kind: of the confidence.
        classes: in the order of its columns; None where each column is a label that an event has or has not.
        knows_ties: whether ties are resolved as here too, so that the model need not be asked about them.
    """

    kind: Kind
    classes: np.ndarray | None
    knows_ties: bool = False

    def fits(self, confidence: np.ndarray) -> bool:
        """Whether there is a column for each class, or one score for two of them."""
        if self.classes is None:
            return confidence.ndim == 2
        wanted = [(len(self.classes),)] if len(self.classes) > 2 else [(2,), ()]
        return len(self.classes) >= 2 and confidence.shape[1:] in wanted

    def labels(self, confidence: np.ndarray) -> np.ndarray:
        """The class of the highest column, the first of several; or 1 for each label above the threshold, else 0."""
        if self.classes is None:
            return (confidence > THRESHOLDS[self.kind]).astype(int)
        return np.asarray(self.classes[self._columns(confidence).argmax(axis=1)])

    def margin(self, confidence: np.ndarray) -> np.ndarray:
        """How clear the call is of each row, (n,): how far the two highest columns, or a label and its threshold, lie
        apart; relative to large scores."""
        with np.errstate(invalid="ignore"):
            if self.classes is None:
                return np.asarray(np.abs(confidence - THRESHOLDS[self.kind]).min(axis=1))
            second, first = np.partition(self._columns(confidence), -2, axis=1)[:, -2:].T
            return np.asarray((first - second) / np.maximum(1.0, np.abs(first)))

    def ties(self, confidence: np.ndarray) -> np.ndarray:
        """Which rows are no clear call, (n,)."""
        return ~(self.margin(confidence) > TIE)

    def doubtful(self, confidence: np.ndarray) -> np.ndarray:
        """The rows whose labels the model itself has to be asked for, (n,)."""
        return np.zeros(len(confidence), bool) if self.knows_ties else self.ties(confidence)

    @staticmethod
    def _columns(confidence: np.ndarray) -> np.ndarray:
        return confidence if confidence.ndim == 2 else np.column_stack([-confidence, confidence])


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What of a model's answers follows from others: its classes by a rule, its probabilities from its scores.

    `rows` is among how many it was looked for.
    """

    rule: Rule | None = None
    link: Link | None = None
    rows: int = 0

    def is_better_sought_among(self, rows: int) -> bool:
        """Whether so many rows tell what these did not."""
        return self.rows < FEWEST_ROWS <= rows or self.rows < ENOUGH_ROWS <= rows


ASK_ALL = Plan()
"""Nothing follows from anything else."""


# Trying -------------------------------------------------------------------------------------------------------------


def telling_rows(margin: np.ndarray) -> np.ndarray:
    """At most `MOST_ROWS` rows, by their numbers, on which a rule shows whether it is the model's."""
    if len(margin) <= MOST_ROWS:
        return np.arange(len(margin))
    third, order = MOST_ROWS // 3, np.argsort(margin, kind="stable")
    between = np.linspace(0, len(margin) - 1, third).astype(int)
    return np.unique(np.concatenate([order[:third], between, order[-third:]]))


def confirmed(rule: Rule, confidence: np.ndarray, labels: np.ndarray) -> Rule | None:
    """The rule, if it gives the model's own labels of these rows, and these are not all alike."""
    if not rule.fits(confidence) or rule.labels(confidence).shape != labels.shape:
        return None
    found = rule.labels(confidence)
    right = np.array([one == other for one, other in zip(found.tolist(), labels.tolist(), strict=True)])
    tied = rule.ties(confidence)
    if not right[~tied].all() or not _vary(found[~tied]):
        return None
    return replace(rule, knows_ties=bool(tied.sum() >= ENOUGH_TIES and right[tied].all()))


def _vary(labels: np.ndarray) -> bool:
    """Whether there are two classes at least, and of sets of labels events with and without each."""
    columns = labels.T if labels.ndim == 2 else [labels]
    return all(len(np.unique(column)) > 1 for column in columns)


def link_between(scores: np.ndarray, probabilities: np.ndarray) -> Link | None:
    """What turns these scores into these probabilities, if it is one of `LINKS`."""
    return next((link for link in LINKS if _is_same(link(scores), probabilities)), None)


def _is_same(found: np.ndarray, expected: np.ndarray) -> bool:
    return found.shape == expected.shape and np.allclose(found, expected, rtol=TOLERANCE, atol=0)


def _softmax(scores: np.ndarray) -> np.ndarray:
    """Probabilities of each class, also of two that have one score, (n,)."""
    from scipy.special import expit, softmax  # here, not above: reading a manifest needs no SciPy

    if scores.ndim == 1:
        return np.asarray(expit(np.column_stack([-scores, scores])))
    return np.asarray(softmax(scores, axis=1))


def _sigmoid(scores: np.ndarray) -> np.ndarray:
    """The probability of each label; of two classes that of the second, and what is left for the first."""
    from scipy.special import expit

    chances = np.asarray(expit(scores))
    return np.column_stack([1 - chances, chances]) if scores.ndim == 1 else chances


LINKS: tuple[Link, ...] = (_softmax, _sigmoid)


# Rows ---------------------------------------------------------------------------------------------------------------


def can_take(features: Any) -> bool:
    """Whether some of the rows can be taken: of a data frame, an array, or a sparse matrix."""
    return hasattr(features, "iloc") or hasattr(features, "tocsr") or isinstance(features, np.ndarray)


def take(features: Any, rows: np.ndarray) -> Any:
    """These rows of the features, by their numbers."""
    if hasattr(features, "iloc"):
        return features.iloc[rows]
    return (features.tocsr() if hasattr(features, "tocsr") else features)[rows]
