"""How a model's answer moves with its most important features: individual conditional expectations."""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from explainability.attribution import Answer
from explainability.batches import Batches
from explainability.explained import Effect

SHARES = (0.025, 0.975)
"""The quantiles of a feature between which its grid lies: beyond them a model was hardly ever trained."""


def effects(
    answer: Answer,
    rows: np.ndarray,
    *,
    names: Sequence[str],
    strengths: np.ndarray,
    deadline: float,
    most: int = 6,
    lines: int = 50,
    points: int = 20,
) -> tuple[Effect, ...]:
    """The effects of the most important features, the most important first; of fewer if time runs out.

    The lines of Goldstein et al., Peeking Inside the Black Box, 2015: in each event one feature is set to each value of
    a grid, all others stay what they are, missing ones too. A grid has all values of a feature that has few, else
    quantiles of them. A feature that is the same everywhere, or has no strength, has no effect.

    Args:
        answer: the model.
        rows: (rows, features) numbers, in random order; NaN where one is missing.
        names: of the features.
        strengths: (features,) how important each is.
        deadline: by `time.monotonic`, asked between batches.
        most: how many features are tried.
        lines: how many events, the first ones, have a line.
        points: how many values a grid has at most.

    Raises:
        Exception: whatever the model's own code raises.
    """
    batches, found = Batches(answer, deadline), []
    for place, grid in islice(_grids(rows, strengths, points), most):
        answered = batches.answers(_moved(rows[:lines], place, grid))
        if answered is None:
            break
        if np.isfinite(answered).all():
            drawn = answered.reshape(-1, len(grid), answered.shape[1]).astype(np.float32)
            found.append(Effect(feature=names[place], grid=grid.astype(np.float32), lines=drawn))
    return tuple(found)


def _grids(rows: np.ndarray, strengths: np.ndarray, points: int) -> Iterator[tuple[int, np.ndarray]]:
    """The places of features that vary, the most important first, each with its grid."""
    by_strength = np.argsort(-strengths, kind="stable")
    for place in by_strength[strengths[by_strength] > 0].tolist():
        grid = _grid(rows[:, place], points)
        if len(grid) > 1:
            yield place, grid


def _grid(column: np.ndarray, points: int) -> np.ndarray:
    """(points,) values, upwards; a single one of a feature that does not vary, none if it is always missing."""
    known = column[np.isfinite(column)]
    distinct = np.unique(known)
    if len(distinct) <= points:
        return distinct
    shares = np.linspace(*SHARES, points)
    grid = np.unique(np.quantile(known, shares))
    return grid if len(grid) > 1 else np.unique(np.quantile(distinct, shares))


def _moved(events: np.ndarray, place: int, grid: np.ndarray) -> np.ndarray:
    """(events · points, features): each event with one feature set to each value of the grid."""
    moved = np.repeat(events, len(grid), axis=0)
    moved[:, place] = np.tile(grid, len(events))
    return moved
