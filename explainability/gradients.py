"""SHAP values of wide networks from their gradients.

Expected gradients (Erion, Janizek, Sturmfels, Lundberg and Lee, Improving performance of deep learning models with
axiomatic attribution priors and expected gradients, Nature Machine Intelligence 2021): the mean, over background rows b
and places a between 0 and 1, of (x - b) times the gradient at b + a (x - b). They are the Aumann-Shapley values of the
network, which are its Shapley values only as far as its features do not interact. On a network of 8 features with
interactions, permutation sampling missed the Shapley values by a seventh as much in the same time, and more samples of
gradients did not help. So it is asked first; gradients are for networks of so many features that it takes too long.
"""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from atlas.formats.torch import TorchModule
from atlas.vocabulary import Outputs, Task
from explainability.attribution import FEWEST_ROWS, Attribution, Explainer, ImpossibleError, Subject, closed
from explainability.explained import Output

METHOD = "expected gradients"
SAMPLES = 200
"""Places between a row and the background at which there is a gradient, where there is time."""
FEWEST_SAMPLES = 25
BACKGROUND_ROWS = 100
BATCH_NUMBERS = 2**21
"""So many features of rows, and gradients of them, are held at once."""
MAX_GAP = 0.5
"""Values that miss so much of the answers, relative to their distance from the base, do so for want of gradients: that
is no chance."""

NAMES: dict[Outputs, Output] = {
    Outputs.LOGITS: "margin",
    Outputs.PROBABILITIES: "probability",
    Outputs.VALUES: "value",
}


def accepts(estimator: Any) -> bool:
    """Whether it is a network of PyTorch."""
    return isinstance(estimator, TorchModule)


def attribute(subject: Subject) -> Attribution:
    """Expected gradients of logits, of probabilities or of a regressor's value.

    Raises:
        ImpossibleError: there is too little time, or the network is not smooth enough.
        Exception: some of its operations have no gradient.
    """
    background = subject.others.sample(BACKGROUND_ROWS, subject.seed).numbers()
    base = _answers(subject, background).mean(axis=0)
    sums = _sampled(subject, background)
    answers = _answers(subject, subject.features[: len(sums.mean)])
    values = _closed(sums, answers - base)
    return Attribution(
        method=METHOD,
        output=NAMES[subject.estimator.outputs],
        values=values,
        base_values=base,
        answers=answers,
        value_error=float(np.sqrt(sums.variance.mean())),
        background_rows=len(background),
        answer=lambda rows: _answers(subject, rows),
    )


def _answers(subject: Subject, rows: np.ndarray) -> np.ndarray:
    """(rows, outputs) what the network gives; of two classes, for the last."""
    parts = np.array_split(rows, -(-rows.size // BATCH_NUMBERS))
    return np.concatenate([_one_of_two(subject.estimator.slopes(part)[0], subject) for part in parts])


def _one_of_two(columns: np.ndarray, subject: Subject) -> np.ndarray:
    """Of two classes the last alone; its logit is by how much it is above the other."""
    if subject.task is not Task.BINARY or columns.shape[-1] == 1:
        return columns
    last = columns[..., 1:]
    return last - columns[..., :1] if subject.estimator.outputs is Outputs.LOGITS else last


@dataclass(frozen=True, slots=True)
class _Sampled:
    """Values before they are made to add up, and their squared standard errors, both (rows, features, outputs)."""

    mean: np.ndarray
    variance: np.ndarray


def _sampled(subject: Subject, background: np.ndarray) -> _Sampled:
    random = np.random.default_rng(subject.seed)
    first = subject.features[:FEWEST_ROWS]
    for _ in range(2):  # the first time, a network may compile itself
        started = time.monotonic()
        _changes(subject, first, background[np.zeros(len(first), dtype=int)], np.full(len(first), 0.5))
    rows = subject.features[: _affordable(subject, time.monotonic() - started)]
    total = squares = np.zeros(())
    count = 0
    for others, places in zip(_dealt(len(background), rows, random), _spread(rows, random), strict=True):
        changes = _changes(subject, rows, background[others], places)
        total, squares, count = total + changes, squares + changes**2, count + 1
        if time.monotonic() > subject.deadline:
            break
    if count < FEWEST_SAMPLES:
        raise ImpossibleError("There was no time for enough gradients of the network.")
    mean = total / count
    return _Sampled(mean, np.maximum(squares / count - mean**2, 0) / (count - 1))


def _dealt(background: int, rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(SAMPLES, rows) background rows, each equally often."""
    rounds = -(-SAMPLES // background)
    dealt = random.permuted(np.tile(np.arange(background), (len(rows), rounds, 1)), axis=2)
    return dealt.reshape(len(rows), -1)[:, :SAMPLES].T


def _spread(rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(SAMPLES, rows) places between 0 and 1, for each row one in each of so many equal parts."""
    parts = random.permuted(np.tile(np.arange(SAMPLES), (len(rows), 1)), axis=1)
    return np.asarray(((parts + random.random(parts.shape)) / SAMPLES).T)


def _affordable(subject: Subject, seconds: float) -> int:
    """How many rows there is time for, when so many seconds are for the fewest, and memory for."""
    by_time = FEWEST_ROWS * (subject.deadline - time.monotonic()) / max(seconds * SAMPLES, 1e-9)
    return int(max(FEWEST_ROWS, min(len(subject.features), by_time)))


def _changes(subject: Subject, rows: np.ndarray, others: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(rows, features, outputs) distance from a background row times the gradient at a place on the way."""
    apart = rows - others
    between = others + places[:, None] * apart
    parts = np.array_split(between, -(-between.size // BATCH_NUMBERS))
    slopes = np.concatenate([_one_of_two(subject.estimator.slopes(part)[1], subject) for part in parts])
    return np.asarray(slopes * apart[:, :, None])


def _closed(sampled: _Sampled, totals: np.ndarray) -> np.ndarray:
    """The values with what they miss of (rows, outputs) totals shared out."""
    missed, size = (np.sqrt(np.mean(part**2)) for part in (totals - sampled.mean.sum(axis=1), totals))
    if missed > MAX_GAP * size:
        raise ImpossibleError(f"The network's gradients miss its answers by {missed / size:.0%}: it is not smooth.")
    return closed(sampled.mean, sampled.variance, totals)


GRADIENT = Explainer(accepts=accepts, attribute=attribute)
