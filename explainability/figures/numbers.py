"""Arrays as plain numbers, and which features a figure shows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explainability.explained import Explained
from explainability.figures import words

DIGITS = 7
"""As many as single precision holds; more would only make pages larger."""


def plain(array: np.ndarray) -> list[float]:
    """A row of numbers as Python's own, in as many digits as they have."""
    numbers: list[float] = _rounded(array).tolist()
    return numbers


def table(array: np.ndarray) -> list[list[float]]:
    """Rows of numbers, likewise."""
    return [plain(row) for row in array]


def _rounded(array: np.ndarray) -> np.ndarray:
    exact = np.asarray(array, dtype=float)
    usual = np.isfinite(exact) & (np.abs(exact) > 1e-100)
    size = np.floor(np.log10(np.abs(np.where(usual, exact, 1.0))))
    decimals = DIGITS - 1 - size
    # Dividing by a power of ten is exact to the last digit, multiplying by its reciprocal is not.
    up, down = 10.0 ** np.maximum(decimals, 0), 10.0 ** np.maximum(-decimals, 0)
    return np.where(usual, np.round(exact * up / down) * down / up, np.where(np.isfinite(exact), 0.0, exact))


def fair(explained: Explained) -> np.ndarray:
    """The numbers of the events of the fair sample; of all events if none is of it."""
    found = np.flatnonzero(explained.is_sampled)
    return found if len(found) else np.arange(len(explained))


def evenly(count: int, most: int) -> np.ndarray:
    """At most so many of the numbers below `count`, the first and the last among them, evenly between these."""
    return np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int))


def strength(explained: Explained, output: int) -> np.ndarray:
    """(features,) the mean of |value| over the fair sample: how much each matters for this output."""
    values = explained.findings.values[fair(explained), :, output]
    return np.abs(values).mean(axis=0, dtype=float) if len(values) else np.zeros(values.shape[1])


def strongest(strength: np.ndarray, most: int) -> np.ndarray:
    """The numbers of the features with the greatest strength, the strongest first; the order of columns breaks ties."""
    return np.argsort(-strength, kind="stable")[:most]


@dataclass(frozen=True)
class Parts:
    """The strongest features' values and, as one more that comes last, the sum of all others.

    Attributes:
        names: of the features; the last may be `7 other features`.
        values: (events, names).
        hidden: how many features the last one sums up; 0 if it is one itself.
    """

    names: list[str]
    values: np.ndarray
    hidden: int


def parts(features: Sequence[str], values: np.ndarray, chosen: np.ndarray) -> Parts:
    """The chosen features of `values` (events, features), in this order, and the rest."""
    hidden = len(features) - len(chosen)
    names, shown = [features[place] for place in chosen], values[:, chosen].astype(float)
    if not hidden:
        return Parts(names, shown, 0)
    rest = values.sum(axis=1, dtype=float) - shown.sum(axis=1)
    return Parts([*names, words.others(hidden)], np.column_stack([shown, rest]), hidden)


def ranks(values: np.ndarray) -> np.ndarray:
    """(n,) each value's place among all, from 0 for the lowest to 1 for the highest; NaN for what is missing.

    Equal values share the mean of their places; if all are equal, that is one half.
    """
    known = np.flatnonzero(np.isfinite(values))
    found = np.full(len(values), np.nan)
    _, which, counts = np.unique(values[known], return_inverse=True, return_counts=True)
    places = np.cumsum(counts) - (counts + 1) / 2
    found[known] = places[which] / (len(known) - 1) if len(known) > 1 else 0.5
    return found
