"""A second opinion on single events: LIME for tables (Ribeiro et al., "Why Should I Trust You?", KDD 2016).

A model is asked about events like the one in question, and a linear model is fitted to its answers, in which those that
are more alike weigh more. Other than SHAP values, its slopes know nothing of what the model does further away.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from explainability.attribution import Answer
from explainability.batches import Batches, rows_at_once

WIDTH = 0.75
"""Of the kernel, times the square root of the number of features: the paper's authors' own choice for tables."""
RIDGE = 1e-3
"""How strongly slopes are held small, relative to the weight of all samples."""


def local_opinions(
    answer: Answer,
    rows: np.ndarray,
    background: np.ndarray,
    *,
    events: int,
    deadline: float,
    samples: int = 1_000,
    seed: int = 0,
) -> np.ndarray | None:
    """How a linear model round each of the first events explains it, (m, features, outputs), single precision.

    A number is a slope times how far the event's feature is from its mean over the background, so that it can be laid
    beside a SHAP value: for a linear model they are the same. It is 0 for a feature that the background never varies,
    or that is missing in the event.

    Args:
        answer: the model.
        rows: (rows, features) events; NaN where a feature is missing, which it then is in all events like it.
        background: (rows, features) what features are like elsewhere.
        events: how many are explained at most.
        deadline: by `time.monotonic`, asked between batches.
        samples: how many events like each are made up; an even number.
        seed: of the random numbers.

    Returns:
        The opinions on as many events as there was time for, up to the first where the model answers something that is
        no number; None if there are none, or if features outnumber the samples, from which no slope can be told then.

    Raises:
        Exception: whatever the model's own code raises.
    """
    if not 0 < rows.shape[1] <= samples:
        return None
    mean, spread = _known_moments(background)
    neighbourhood = _Neighbourhood(_noise(samples, rows.shape[1], seed))
    batches, found, start = Batches(answer, deadline), [], 0
    while start < min(events, len(rows)):
        at_once = max(1, min(batches.size, rows_at_once(rows.shape[1])) // samples)
        part = rows[start : min(start + at_once, events)]
        start += len(part)
        answered = batches.answers(neighbourhood.of(part, spread))
        if answered is None:
            break
        slopes = neighbourhood.slopes(answered)
        found.append(slopes * _standardised(part - mean, spread)[:, :, None])
        if not np.isfinite(slopes).all():
            break
    return _finite(np.concatenate(found)) if found else None


def _known_moments(background: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(features,) mean and standard deviation of what is known of each feature; 0 where nothing is."""
    known = np.isfinite(background)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, background, 0).sum(axis=0) / count
    apart = np.where(known, background - mean, 0)
    return mean, np.sqrt((apart**2).sum(axis=0) / count)


def _noise(samples: int, features: int, seed: int) -> np.ndarray:
    """(samples, features) standard normal numbers and their opposites, so that what is even cannot tilt a slope."""
    half = np.random.default_rng(seed).normal(size=(samples // 2, features))
    return np.concatenate([half, -half])


@dataclass(frozen=True)
class _Neighbourhood:
    """Steps from any event to others like it, in standard deviations: the same ones for all events.

    Attributes:
        noise: (samples, features), with the opposite of each.
    """

    noise: np.ndarray

    @cached_property
    def weights(self) -> np.ndarray:
        """(samples,) how much each counts; their sum is one."""
        width = WIDTH * np.sqrt(self.noise.shape[1])
        weights = np.exp(-(self.noise**2).sum(axis=1) / width**2)
        return np.asarray(weights / weights.sum())

    @cached_property
    def fit(self) -> np.ndarray:
        """(features, samples) what makes slopes of answers: weighted ridge regression, solved over the samples.

        The noise has weighted mean zero, so that the intercept is the weighted mean of the answers.
        """
        scaled = self.noise * np.sqrt(self.weights)[:, None]
        inverse = np.linalg.inv(scaled @ scaled.T + RIDGE * np.eye(len(scaled)))
        return np.asarray(scaled.T @ inverse * np.sqrt(self.weights))

    def of(self, events: np.ndarray, spread: np.ndarray) -> np.ndarray:
        """(events · samples, features) all events like the first of these events, then all like the second."""
        return np.asarray(events[:, None, :] + self.noise * spread).reshape(-1, events.shape[1])

    def slopes(self, answered: np.ndarray) -> np.ndarray:
        """(events, features, outputs) per standard deviation, of (events · samples, outputs) answers."""
        by_event = answered.reshape(-1, len(self.noise), answered.shape[1])
        centred = by_event - np.einsum("s,eso->eo", self.weights, by_event)[:, None, :]
        return np.asarray(np.einsum("fs,eso->efo", self.fit, centred, optimize=True))


def _standardised(apart: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Distances in standard deviations; 0 where there is no deviation, or no distance."""
    known = np.isfinite(apart) & (spread > 0)
    return np.asarray(np.divide(apart, spread, out=np.zeros_like(apart), where=known))


def _finite(opinions: np.ndarray) -> np.ndarray | None:
    """The first opinions, up to one that is none."""
    whole = np.isfinite(opinions).all(axis=(1, 2))
    kept = opinions[: len(opinions) if whole.all() else int(whole.argmin())]
    return kept.astype(np.float32) if len(kept) else None
