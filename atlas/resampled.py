"""Statistics of weighted rows for every metric of the registry that the bootstrap can tell.

`atlas.weighted` has those whose own intervals are bootstrapped. Metrics whose intervals follow from formulas are added
here, since the difference of two models has no formula. The largest error has none: how far a maximum may lie from that
of other rows is nothing that resampling these can tell (Bickel & Freedman, 1981, Some asymptotic theory for the
bootstrap, section 6).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from atlas.weighted import BUILDERS, FRACTIONS, Builder, Rows, Statistic, Tally

MEDIAN_LEVELS = 512
MEDIAN_REACH = 6.0
"""Levels of a median lie within so many of its standard deviations, 1/(2 √n) of a quantile."""


def _share_of(is_right: Callable[[Rows], np.ndarray]) -> Builder:
    """The share of rows, (rows,) booleans, that are right."""

    def build(rows: Rows) -> Statistic:
        right, sizes = rows.sums(is_right(rows).astype(float)), rows.sizes
        return lambda weights: np.asarray(weights @ right / (weights @ sizes))

    return build


def _is_same(rows: Rows) -> np.ndarray:
    same = np.asarray(rows.truth == rows.answer)
    return np.asarray(same.all(axis=1)) if same.ndim == 2 else same


def _is_among_two(rows: Rows) -> np.ndarray:
    """Whether the true class is one of the two that score highest; of equal scores, the later class counts as higher,
    as in scikit-learn."""
    best = np.argsort(rows.answer, axis=1, kind="stable")[:, -2:]
    return np.asarray((best == rows.truth[:, None]).any(axis=1))


def _of_positive_class(name: str) -> Builder:
    """A metric of the second of two classes."""

    def build(rows: Rows) -> Statistic:
        true, predicted = rows.truth == 1, rows.answer == 1
        hits, answers, of_class = (rows.sums(part.astype(float)) for part in (true & predicted, predicted, true))
        tally = Tally(hits, answers, of_class, rows.sizes)

        def statistic(weights: np.ndarray) -> np.ndarray:
            part, whole = FRACTIONS[name](tally.of(weights))
            return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))

        return statistic

    return build


def _median_absolute_error(rows: Rows) -> Statistic:
    """The median among levels that lie close together where it can be; all errors are levels if they are few."""
    errors = np.abs(rows.truth - rows.answer).ravel().astype(float)
    levels = _levels_round_median(errors)
    place = np.minimum(np.searchsorted(levels, errors), len(levels) - 1)
    counts = rows.numbers(place, len(levels), np.ones(len(errors), dtype=bool))

    def statistic(weights: np.ndarray) -> np.ndarray:
        below = np.cumsum(weights @ counts, axis=1)
        half = below[:, -1:] / 2
        return np.asarray((levels[(below >= half).argmax(axis=1)] + levels[(below > half).argmax(axis=1)]) / 2)

    return statistic


def _levels_round_median(errors: np.ndarray) -> np.ndarray:
    distinct = np.unique(errors)
    if len(distinct) <= MEDIAN_LEVELS:
        return distinct
    reach = min(0.5, MEDIAN_REACH / (2 * np.sqrt(len(errors))))
    return np.unique(np.quantile(errors, np.linspace(0.5 - reach, 0.5 + reach, MEDIAN_LEVELS), method="higher"))


STATISTICS: Mapping[str, Builder] = MappingProxyType(
    {
        **BUILDERS,
        "accuracy": _share_of(_is_same),
        "top_k_accuracy": _share_of(_is_among_two),
        "median_absolute_error": _median_absolute_error,
        **{name: _of_positive_class(name) for name in FRACTIONS},
    }
)
"""How to build the statistic of each metric, by name."""
