"""A column of a reference, and how far other samples of it have moved: numbers, categories, and what is missing."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from monitoring import drift

BINS = 10
"""Into so many equal shares of the reference a column of numbers is cut."""
FEW_VALUES = 20
"""A column of numbers with at most so many values has a bin for each, and one between each two."""
MOST_CATEGORIES = 100
"""The commonest categories of the reference; all others are one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far a column has moved from its reference; what is missing counts as a bin or category of its own.

    Attributes:
        kullback_leibler: of the current from the reference, in nats.
        jensen_shannon, hellinger: from 0 to 1.
        population_stability: the index; above 0.25 is taken for a shift.
        pairwise_distance: how much farther pairs across are apart than pairs within, from 0 to 1.
        kolmogorov_smirnov: from 0 to 1; None for categories, and where one side has no number.
        wasserstein: in standard deviations of the reference (in units, if it has none); None like the above.
        p_value: how often chance alone makes the samples differ as much.
        missing: share of the current that is missing, less that of the reference.
        rows: in the current sample.
    """

    kullback_leibler: float
    jensen_shannon: float
    hellinger: float
    population_stability: float
    pairwise_distance: float
    kolmogorov_smirnov: float | None
    wasserstein: float | None
    p_value: float
    missing: float
    rows: int


class Reference(Protocol):
    """A column of the reference, prepared once for every sample that comes."""

    @property
    def bins(self) -> Sequence[str]:
        """What each of the counts is of, as a person reads it; the last is what is missing."""

    def counts(self, current: pa.ChunkedArray) -> npt.NDArray[np.int64]:
        """(k,) how many of a sample fall into each bin."""

    def drift(self, current: pa.ChunkedArray) -> Drift:
        """How far a sample lies from the reference."""


def reference(column: pa.ChunkedArray) -> Reference:
    """Prepares a column of scalars.

    Raises:
        TypeError: it holds lists; give scalars that are derived from them.
    """
    if pa.types.is_nested(column.type):
        raise TypeError(f"drift is measured on scalars, not on {column.type}")
    is_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    return Numbers(column) if is_number else Categories(column)


class Numbers:
    """A column of numbers: in bins for what compares shares, whole for what compares distribution functions."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        self._values, missing = ascending(column)
        self._edges = _edges(self._values)
        self._counts = np.append(_binned(self._values, self._edges), missing)

    @cached_property
    def bins(self) -> Sequence[str]:
        """The ranges, then `missing`."""
        edges = [f"{edge:.4g}" for edge in self._edges]
        inner = [f"{low} to {high}" for low, high in pairwise(edges)]
        return [*([f"below {edges[0]}", *inner, f"{edges[-1]} and above"] if edges else ["any"]), "missing"]

    def counts(self, current: pa.ChunkedArray) -> npt.NDArray[np.int64]:
        """(k,) how many of a sample fall into each range, and are missing."""
        values, missing = ascending(current)
        return np.append(_binned(values, self._edges), missing)

    def drift(self, current: pa.ChunkedArray) -> Drift:
        """How far a sample lies from the reference."""
        values, missing = ascending(current)
        counts = np.append(_binned(values, self._edges), missing)
        steps = drift.Steps(self._values, values) if len(self._values) and len(values) else None
        spread = float(np.std(self._values)) if len(self._values) else 0.0
        return _drift(
            self._counts,
            counts,
            p_values=[] if steps is None else [steps.p_value],
            pairwise_distance=None if steps is None else steps.excess_pairwise_distance,
            kolmogorov_smirnov=None if steps is None else steps.kolmogorov_smirnov,
            wasserstein=None if steps is None else steps.wasserstein / (spread or 1.0),
        )


class Categories:
    """A column of names, yes and no, or times: each value is a category."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        found, missing = _categories(column)
        common = sorted(found, key=lambda name: (-found[name], str(name)))[:MOST_CATEGORIES]
        self._places = {name: place for place, name in enumerate(common)}
        self._counts = self._placed(found, missing)

    @cached_property
    def bins(self) -> Sequence[str]:
        """The categories of the reference, then `others` and `missing`."""
        return [*map(str, self._places), "others", "missing"]

    def counts(self, current: pa.ChunkedArray) -> npt.NDArray[np.int64]:
        """(k,) how many of a sample are of each category, of others, and missing."""
        return self._placed(*_categories(current))

    def drift(self, current: pa.ChunkedArray) -> Drift:
        """How far a sample lies from the reference."""
        counts = self.counts(current)
        return _drift(self._counts, counts, p_values=[drift.chance_of_counts(self._counts[:-1], counts[:-1])])

    def _placed(self, found: dict[Hashable, int], missing: int) -> npt.NDArray[np.int64]:
        counts = np.zeros(len(self._places) + 2, np.int64)
        for name, count in found.items():
            counts[self._places.get(name, len(self._places))] += count
        counts[-1] = missing
        return counts


def _drift(
    reference: npt.NDArray[np.int64],
    current: npt.NDArray[np.int64],
    *,
    p_values: list[float],
    pairwise_distance: float | None = None,
    kolmogorov_smirnov: float | None = None,
    wasserstein: float | None = None,
) -> Drift:
    p, q = drift.shares(reference), drift.shares(current)
    tests = [*p_values, _chance_of_missing(reference, current)]
    return Drift(
        kullback_leibler=drift.kullback_leibler(q, p),
        jensen_shannon=drift.jensen_shannon(p, q),
        hellinger=drift.hellinger(p, q),
        population_stability=drift.population_stability(p, q),
        pairwise_distance=_excess_of_categories(p, q) if pairwise_distance is None else pairwise_distance,
        kolmogorov_smirnov=kolmogorov_smirnov,
        wasserstein=wasserstein,
        p_value=min(1.0, len(tests) * min(tests)),  # Bonferroni: of what is there, and of what is missing
        missing=_share_missing(current) - _share_missing(reference),
        rows=int(current.sum()),
    )


def _excess_of_categories(p: drift.Array, q: drift.Array) -> float:
    across = drift.unlike_pairs(p, q)
    within = (drift.unlike_pairs(p, p) + drift.unlike_pairs(q, q)) / 2
    return max(0.0, (across - within) / across) if across else 0.0


def _chance_of_missing(reference: npt.NDArray[np.int64], current: npt.NDArray[np.int64]) -> float:
    return drift.chance_of_counts(*([counts[:-1].sum(), counts[-1]] for counts in (reference, current)))


def _share_missing(counts: npt.NDArray[np.int64]) -> float:
    return float(counts[-1] / max(counts.sum(), 1))


def ascending(column: pa.ChunkedArray) -> tuple[drift.Array, int]:
    """(n,) the finite numbers in ascending order, and how many are missing, infinite or not a number."""
    values = np.asarray(column.cast(pa.float64(), safe=False).drop_null().to_numpy(), np.float64)
    finite = values[np.isfinite(values)]
    return np.sort(finite), len(column) - len(finite)


def _edges(ascending: drift.Array) -> drift.Array:
    """Where bins end: each covers from its edge until before the next."""
    if not len(ascending):
        return ascending
    values = ascending[np.concatenate([[True], np.diff(ascending) > 0])]
    if len(values) <= FEW_VALUES:
        return np.unique(np.concatenate([values, np.nextafter(values, np.inf)]))
    cuts: drift.Array = np.unique(np.quantile(ascending, np.linspace(0, 1, BINS + 1)[1:-1]))
    return cuts


def _binned(ascending: drift.Array, edges: drift.Array) -> npt.NDArray[np.int64]:
    places = np.searchsorted(ascending, edges)
    return np.diff(places, prepend=0, append=len(ascending)).astype(np.int64)


def _categories(column: pa.ChunkedArray) -> tuple[dict[Hashable, int], int]:
    found = pc.value_counts(column.drop_null())
    counts = dict(zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True))
    return counts, column.null_count
