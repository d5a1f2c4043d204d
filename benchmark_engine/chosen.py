"""Which events are explained: a fair sample of all, and those that the model predicts worst."""

from dataclasses import dataclass

import numpy as np

from atlas.metrics import Predictions
from atlas.vocabulary import Task

PICKED_SHARE = 0.2
"""How many of the events are there for being predicted worst."""
STRATA = 10
"""How many ranges of equally many true values a regression's events are sampled from."""


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Events to explain, by the numbers of their rows, in an order of which every beginning is a fair share.

    Attributes:
        rows: (n,) each at most once.
        is_sampled: (n,) whether an event is of the sample, rather than one of the worst.
    """

    rows: np.ndarray
    is_sampled: np.ndarray


def choose(truth: np.ndarray, predictions: Predictions, task: Task, *, most: int, seed: int = 0) -> Chosen:
    """At most so many events.

    Args:
        truth: (n,) labels or values, or (n, k) zeros and ones.
        predictions: for the same events.
        task: what is predicted.
        most: how many events.
        seed: of the sample.
    """
    badness, strata = badness_of(truth, predictions, task), _strata(truth, task)
    size = most - round(PICKED_SHARE * most) if most < len(truth) else len(truth)
    while True:
        sampled = _stratified(strata, size, np.random.default_rng(seed))
        left = np.setdiff1d(np.flatnonzero(badness > 0), sampled)  # what the sample has is explained anyway
        missing = min(most, len(truth)) - size - len(left)
        if missing <= 0:
            break
        size += missing
    return _mixed(sampled, left[np.argsort(-badness[left], kind="stable")][: max(0, most - size)])


def badness_of(truth: np.ndarray, predictions: Predictions, task: Task) -> np.ndarray:
    """How bad each prediction is, (n,); 0 where it is right, and more the surer the model was of what is wrong."""
    labels = predictions.labels
    if task is Task.REGRESSION:
        return np.asarray(np.abs(truth - labels))
    if task is Task.MULTILABEL:
        return np.asarray((truth != labels).mean(axis=1))
    return np.asarray((labels != truth) * (1 + np.nan_to_num(confidence_of(predictions))))


def confidence_of(predictions: Predictions) -> np.ndarray:
    """The probability of each predicted class, (n,); NaN where the model gives none."""
    if predictions.probabilities is None or predictions.is_multilabel:
        return np.full(len(predictions.labels), np.nan)
    places = {label: place for place, label in enumerate(predictions.classes)}
    columns = np.array([places[label] for label in predictions.labels.tolist()], dtype=int)
    return np.asarray(predictions.probabilities[np.arange(len(columns)), columns])


def _strata(truth: np.ndarray, task: Task) -> np.ndarray:
    """The stratum of each event: its class, its set of labels, or the range that its true value lies in."""
    if task is Task.REGRESSION:
        edges = np.quantile(truth, np.linspace(0, 1, STRATA + 1)[1:-1])
        return np.searchsorted(edges, truth)
    return np.unique(truth, axis=0, return_inverse=True)[1].ravel()


def _stratified(strata: np.ndarray, size: int, random: np.random.Generator) -> np.ndarray:
    """So many rows in random order, from each stratum in proportion: those at even steps when all stand by stratum."""
    order = np.lexsort([random.random(len(strata)), strata])
    places = ((np.arange(size) + random.random()) * len(strata) / max(size, 1)).astype(int)
    return random.permutation(order[np.minimum(places, len(strata) - 1)])


def _mixed(sampled: np.ndarray, picked: np.ndarray) -> Chosen:
    """Both, each in its order, evenly mixed."""
    when = np.concatenate([(np.arange(len(part)) + 0.5) / max(len(part), 1) for part in (sampled, picked)])
    order = np.argsort(when, kind="stable")
    is_sampled = np.arange(len(order)) < len(sampled)
    return Chosen(np.concatenate([sampled, picked])[order], is_sampled[order])
