"""How far two distributions lie apart. Pure functions of shares, and of samples that are read once.

Shares are (k,) arrays of what falls into the same k bins or categories, each summing to 1. Sources of the formulas:
Kullback and Leibler, "On information and sufficiency" (1951); Lin, "Divergence measures based on the Shannon entropy"
(1991); Le Cam and Yang, "Asymptotics in statistics" (2000), for Hellinger's distance; Siddiqi, "Credit risk scorecards"
(2006), for the population stability index; Székely and Rizzo, "Energy statistics" (2013), for pairwise distances;
Vallender (1974) for Wasserstein's distance in one dimension.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

# SciPy is imported where it is used: every process of Atlas knows this module, and most of them compute no drift.

Array = npt.NDArray[np.float64]

SMOOTHING = 0.5
"""Added to the count of every bin (Krichevsky and Trofimov, 1981), so that an empty one is unlikely, not impossible."""


def shares(counts: npt.ArrayLike) -> Array:
    """(k,) counts as shares of their sum, none of which is 0."""
    smooth = np.asarray(counts, np.float64) + SMOOTHING
    normalised: Array = smooth / smooth.sum()
    return normalised


def kullback_leibler(p: Array, q: Array) -> float:
    """Σ p ln(p / q), in nats: at least 0, without a bound; not symmetric. Infinite where q is 0 and p is not."""
    held = p > 0
    with np.errstate(divide="ignore"):
        return max(float(np.sum(p[held] * np.log(p[held] / q[held]))), 0.0)


def jensen_shannon(p: Array, q: Array) -> float:
    """The square root of the mean divergence of both from their middle, in bits: from 0 to 1, symmetric."""
    middle = (p + q) / 2
    divergence = (kullback_leibler(p, middle) + kullback_leibler(q, middle)) / (2 * np.log(2))
    return float(np.sqrt(min(divergence, 1.0)))


def hellinger(p: Array, q: Array) -> float:
    """√(1 - Σ √(p q)): from 0 to 1, symmetric."""
    return float(np.linalg.norm(np.sqrt(p) - np.sqrt(q)) / np.sqrt(2))


def population_stability(p: Array, q: Array) -> float:
    """Σ (q - p) ln(q / p): at least 0, symmetric. Below 0.1 is taken for stable, above 0.25 for a shift."""
    return kullback_leibler(p, q) + kullback_leibler(q, p)


def unlike_pairs(p: Array, q: Array) -> float:
    """The average pairwise distance of categories: how often one drawn from each are not the same, 1 - Σ p q."""
    return float(1.0 - np.dot(p, q))


@dataclass(frozen=True)
class Steps:
    """Two samples of numbers, and what follows from their two distribution functions in one pass over both.

    Attributes:
        reference, current: (n,) and (m,) finite numbers in ascending order, at least one each.
    """

    reference: Array
    current: Array

    @cached_property
    def _widths_and_heights(self) -> tuple[Array, Array, Array]:
        """Between each two neighbouring values of both: how far apart they are, and both distribution functions."""
        n, m = len(self.reference), len(self.current)
        both = np.concatenate([self.reference, self.current])
        order = np.argsort(both, kind="stable")  # two ascending runs are only merged
        of_reference = np.cumsum(order < n)[:-1]
        return np.diff(both[order]), of_reference / n, (np.arange(1, n + m) - of_reference) / m

    @property
    def kolmogorov_smirnov(self) -> float:
        """The largest difference of the distribution functions: from 0 to 1, symmetric."""
        widths, f, g = self._widths_and_heights
        return float(np.max(np.abs(f - g)[widths > 0], initial=0.0))

    @property
    def wasserstein(self) -> float:
        """∫ |F - G|, in the column's unit: how far the values had to be moved on average; symmetric."""
        widths, f, g = self._widths_and_heights
        return float(np.sum(np.abs(f - g) * widths))

    @property
    def average_pairwise_distance(self) -> float:
        """The mean of |x - y| over all pairs, as ∫ F (1 - G) + G (1 - F): no pair is formed."""
        widths, f, g = self._widths_and_heights
        return float(np.sum((f + g - 2 * f * g) * widths))

    @property
    def excess_pairwise_distance(self) -> float:
        """How much farther pairs across the samples are apart than pairs within them, from 0 (alike) to 1 (apart).

        The energy statistic 2 E|x - y| - E|x - x'| - E|y - y'| = 2 ∫ (F - G)², divided by 2 E|x - y|.
        """
        widths, f, g = self._widths_and_heights
        across = self.average_pairwise_distance
        return float(np.sum((f - g) ** 2 * widths) / across) if across else 0.0

    @property
    def p_value(self) -> float:
        """How often chance alone makes the distribution functions differ as much (Kolmogorov's limit)."""
        from scipy.special import kolmogorov

        n, m = len(self.reference), len(self.current)
        size = np.sqrt(n * m / (n + m))
        return float(kolmogorov((size + 0.12 + 0.11 / size) * self.kolmogorov_smirnov))  # Stephens (1970), for small n


def chance_of_counts(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """How often chance alone makes two rows of (k,) counts differ as much: Pearson's χ² test of homogeneity.

    Categories of which either row expects fewer than five are taken as one (Cochran, 1954); if that is still too rare,
    how often it is found is tested exactly (Fisher), and the rest by χ². 1.0 where nothing can be told.
    """
    table = _rare_together(np.array([reference, current], np.float64))
    if not table.sum(axis=1).all():
        return 1.0
    if table.shape[1] < 2 or not _rare(table)[-1]:
        return _homogeneous(table)
    from scipy.stats import fisher_exact

    common, rare = table[:, :-1], table[:, -1]
    exact = float(fisher_exact(np.column_stack([rare, common.sum(axis=1)])).pvalue)
    return exact if common.shape[1] == 1 else min(1.0, 2 * min(exact, _homogeneous(common)))  # Bonferroni


def _homogeneous(table: Array) -> float:
    if table.shape[1] < 2 or not table.sum(axis=1).all():
        return 1.0
    from scipy.special import chdtrc

    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = np.sum((table - expected) ** 2 / expected)
    return float(chdtrc(table.shape[1] - 1, statistic))  # the chi-square distribution's upper tail


def _rare_together(table: Array) -> Array:
    """(2, k) counts whose columns are all common but the last, which holds what is rare, if anything is."""
    table = table[:, table.sum(axis=0) > 0]
    rare = _rare(table)
    together = table[:, rare].sum(axis=1, keepdims=True)
    return np.concatenate([table[:, ~rare], together], axis=1) if rare.any() else table


def _rare(table: Array) -> npt.NDArray[np.bool_]:
    """(k,) of which columns the smaller row expects fewer than five."""
    of_smaller = table.sum(axis=1).min() / max(table.sum(), 1.0)
    rare: npt.NDArray[np.bool_] = table.sum(axis=0) * of_smaller < 5
    return rare
