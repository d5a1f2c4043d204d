"""Where in a series of values a lasting change happened, if it did: the likelihood-ratio test for one step.

Hawkins (1977), Testing a sequence of observations for a shift in location; Worsley (1979), On the likelihood ratio test
for a shift in location of normal populations; p by Monte Carlo, as in Davison & Hinkley (1997), Bootstrap methods and
their application, chapter 4. Values may be surer or less sure, and correlated: then generalised least squares.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from atlas.intervals import Z

Array = npt.NDArray[np.float64]

FEWEST_VALUES = 8
"""Of fewer values, nobody can tell a step from scatter."""
FEWEST_ON_A_SIDE = 2
"""A step lasts: one value that lies apart, first or last, is none yet."""
DRAWS = 9_999
LEAST_VARIANCE = 1e-9
"""Of the largest: so much is added to each variance, so that values that are all but the same can be told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step in a series.

    Attributes:
        place: of the first value after it.
        size: mean after it less mean before it, each value with its weight.
        low, high: the ends of its 95 % interval, if the place is right.
        p: how often chance alone would show a step as clear, wherever it was; at least 1/(`DRAWS` + 1).
    """

    place: int
    size: float
    low: float
    high: float
    p: float


def find_step(values: Sequence[float], covariance: npt.ArrayLike, *, draws: int = DRAWS, seed: int = 0) -> Step | None:
    """The likeliest step of a series; None if there are fewer than `FEWEST_VALUES`, their errors are all 0, or the
    likeliest one sets the first or the last value alone apart.

    For each place the size of a step there is estimated, with its standard error; the place where it is most standard
    errors is taken. p is the larger of two: that the values' own errors explain it, and that the scatter about the step
    does. So neither errors that were told too small nor values that happen to lie close make a step.

    Args:
        values: (k,) in order.
        covariance: (k, k) of the values' errors; of independent ones, a diagonal of squared standard errors.
        draws: how many series without a step p is told from.
        seed: of the random numbers.
    """
    given, scatter = np.asarray(values, dtype=float), np.asarray(covariance, dtype=float)
    if len(given) < FEWEST_VALUES or not scatter.any():
        return None
    scatter = scatter + LEAST_VARIANCE * np.eye(len(given)) * scatter.max()
    contrasts = _Contrasts.of(scatter)
    series = (given - given.mean())[None]
    best = int(np.argmax(contrasts.clear(series)))
    place = best + 1
    if min(place, len(given) - place) < FEWEST_ON_A_SIDE:
        return None
    size, error = float((series @ contrasts.sizes.T)[0, best]), float(contrasts.errors[best])
    half = Z * error * sqrt(max(1.0, contrasts.scatter(series)[0, best]))
    chance = np.random.default_rng(seed).standard_normal((draws, len(given))) @ np.linalg.cholesky(scatter).T
    return Step(place=place, size=size, low=size - half, high=size + half, p=_p(contrasts, series, chance))


@dataclass(frozen=True, slots=True, eq=False)
class _Contrasts:
    """What tells a step at each of c places from k correlated values.

    Attributes:
        sizes: (c, k) weights that give the step's size.
        errors: (c,) its standard error.
        precision: (k, k) of the values about their common mean: x' precision x is their weighted sum of squares.
    """

    sizes: Array
    errors: Array
    precision: Array

    @classmethod
    def of(cls, covariance: Array) -> "_Contrasts":
        """From the covariance of the values."""
        inverse = np.linalg.inv(covariance)
        weights = inverse.sum(axis=0)
        precision = inverse - np.outer(weights, weights) / weights.sum()
        places = np.arange(1, len(covariance))
        after = (np.arange(len(covariance)) >= places[:, None]).astype(float)
        projected = after @ precision
        information = (projected * after).sum(axis=1)
        return cls(projected / information[:, None], 1 / np.sqrt(information), precision)

    def clear(self, series: Array) -> Array:
        """(n, c) by how many standard errors each of (n, k) series steps at each place, squared."""
        return np.asarray(((series @ self.sizes.T) / self.errors) ** 2)

    def scatter(self, series: Array) -> Array:
        """(n, c) the mean square about a step at each place, where 1 is what the values' errors explain."""
        total = ((series @ self.precision) * series).sum(axis=1, keepdims=True)
        return np.asarray(np.maximum(total - self.clear(series), 0.0) / (series.shape[1] - 2))


def _p(contrasts: _Contrasts, series: Array, chance: Array) -> float:
    """The larger of both shares of series that chance made, (draws, k), that step as clearly as this one, (1, k)."""
    made, found = _clearest(contrasts, chance), _clearest(contrasts, series)
    beyond = [int((each >= one[0]).sum()) for each, one in zip(made, found, strict=True)]
    return (1 + max(beyond)) / (1 + len(chance))


def _clearest(contrasts: _Contrasts, series: Array) -> tuple[Array, Array]:
    """(n,) the clearest step of each series by its values' errors, and by the scatter about it."""
    clear, scatter = contrasts.clear(series), contrasts.scatter(series)
    by_scatter = np.divide(clear, scatter, out=np.where(clear > 0, np.inf, 0.0), where=scatter > 0)
    return clear.max(axis=1), by_scatter.max(axis=1)
