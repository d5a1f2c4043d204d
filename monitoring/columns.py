"""A column of a reference, and how far other samples of it have moved: numbers, categories, and what is missing."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from monitoring import drift
from monitoring.drift import Array

BINS = 10
"""Into so many equal shares of the reference a column of numbers is cut."""
FEW_VALUES = 20
"""A column of numbers with at most so many values has a bin for each, one between each two, and one at either end."""
MOST_CATEGORIES = 100
"""The commonest categories of the reference have a bin each; all others share one."""
LARGEST = 1e150
"""Numbers beyond are taken as this: their squares could not be added up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far a column has moved from its reference.

    What compares shares takes what is missing as a bin or category of its own; what compares the values of numbers
    (pairwise distance, Kolmogorov-Smirnov, Wasserstein) leaves it out.

    Attributes:
        kullback_leibler: Σ p ln(p / q) in nats, of the reference's shares p and the current ones q.
        jensen_shannon, hellinger: from 0 to 1.
        population_stability: the index; above 0.25 is taken for a shift.
        pairwise_distance: how much farther pairs across are apart than pairs within, from 0 to 1.
        kolmogorov_smirnov: from 0 to 1; None for categories, and where one side has no number.
        wasserstein: in standard deviations of the reference (in units, if it has none); None like the above.
        p_value: how often chance alone makes the samples differ as much.
        missing: share of the current that is missing, less that of the reference.
        counts: how many of the current fall into each of the reference's bins.
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
    counts: tuple[int, ...]

    @property
    def rows(self) -> int:
        """How many the current sample has."""
        return sum(self.counts)


class Reference(Protocol):
    """A column of the reference, prepared once for every sample that comes."""

    @property
    def bins(self) -> Sequence[str]:
        """What each of the counts is of, as a person reads it; the last is what is missing."""

    @property
    def own_counts(self) -> npt.NDArray[np.int64]:
        """(k,) how many of the reference itself fall into each bin."""

    def drift(self, current: pa.ChunkedArray) -> Drift:
        """How far a sample lies from the reference.

        Raises:
            TypeError: it holds lists.
            ValueError: it has no rows.
        """


def reference(column: pa.ChunkedArray) -> Reference:
    """Prepares a column of scalars: numbers and times in bins, all else by category.

    Raises:
        TypeError: it holds lists; give scalars that are derived from them.
        ValueError: it has no rows.
    """
    column = _scalars(column)
    return Numbers(column) if _is_number(column.type) or _is_time(column.type) else Categories(column)


class Numbers:
    """A column of numbers: in bins for what compares shares, whole for what compares distribution functions.

    Times are numbers of seconds. Whole numbers beyond 2⁵³ are told apart as far as 64-bit floats do.
    """

    def __init__(self, column: pa.ChunkedArray) -> None:
        self._values, missing = ascending(column)
        self._is_moment = pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)
        self._spread = float(np.std(self._values - self._values[0])) if len(self._values) else 0.0
        distinct = self._values[np.diff(self._values, prepend=-np.inf) > 0]
        self._are_few = len(distinct) <= FEW_VALUES
        self._cuts = distinct if self._are_few else _deciles(self._values)
        self.own_counts = self._counted(self._values, missing)

    @cached_property
    def bins(self) -> Sequence[str]:
        """The ranges (and single values, if they are few), then `missing`."""
        names = _told(self._cuts, 7 if self._are_few else 4, self._is_moment)
        if not names:
            return ["any", "missing"]
        between = [f"{low} to {high}" for low, high in pairwise(names)]
        if not self._are_few:
            return [f"below {names[0]}", *between, f"{names[-1]} and above", "missing"]
        inner = [name for pair in zip(names, [*between, f"above {names[-1]}"], strict=True) for name in pair]
        return [f"below {names[0]}", *inner, "missing"]

    def drift(self, current: pa.ChunkedArray) -> Drift:
        """How far a sample lies from the reference."""
        values, missing = ascending(_scalars(current))
        steps = drift.Steps(self._values, values) if len(self._values) and len(values) else None
        return _drift(
            self.own_counts,
            self._counted(values, missing),
            p_values=[] if steps is None else [steps.p_value],
            pairwise_distance=None if steps is None else steps.excess_pairwise_distance,
            kolmogorov_smirnov=None if steps is None else steps.kolmogorov_smirnov,
            wasserstein=None if steps is None else steps.wasserstein / (self._spread or 1.0),
        )

    def _counted(self, ascending: Array, missing: int) -> npt.NDArray[np.int64]:
        """(k,) each bin reaches from its edge until before the next."""
        cuts = self._cuts
        edges = np.column_stack([cuts, np.nextafter(cuts, np.inf)]).ravel() if self._are_few else cuts
        places = np.searchsorted(ascending, edges)
        return np.append(np.diff(places, prepend=0, append=len(ascending)), missing).astype(np.int64)


class Categories:
    """A column of names, or of yes and no: each value is a category."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        self._found, missing = _categories(column)
        common = sorted(self._found, key=lambda name: (-self._found[name], str(name)))[:MOST_CATEGORIES]
        self._places = {name: place for place, name in enumerate(common)}
        self.own_counts = self._placed(self._found, missing)

    @cached_property
    def bins(self) -> Sequence[str]:
        """The commonest categories of the reference, then `others` and `missing`."""
        return [*map(str, self._places), "others", "missing"]

    def drift(self, current: pa.ChunkedArray) -> Drift:
        """How far a sample lies from the reference."""
        found, missing = _categories(_scalars(current))
        return _drift(self.own_counts, self._placed(found, missing), p_values=[self._chance(found)])

    def _chance(self, found: Mapping[Hashable, int]) -> float:
        """Of all categories, not of those common in the reference: these are rarer elsewhere by chance alone."""
        names = self._found.keys() | found.keys()
        return drift.chance_of_counts(*([counts.get(name, 0) for name in names] for counts in (self._found, found)))

    def _placed(self, found: Mapping[Hashable, int], missing: int) -> npt.NDArray[np.int64]:
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
        kullback_leibler=drift.kullback_leibler(p, q),
        jensen_shannon=drift.jensen_shannon(p, q),
        hellinger=drift.hellinger(p, q),
        population_stability=drift.population_stability(p, q),
        pairwise_distance=_excess_of_categories(p, q) if pairwise_distance is None else pairwise_distance,
        kolmogorov_smirnov=kolmogorov_smirnov,
        wasserstein=wasserstein,
        p_value=min(1.0, len(tests) * min(tests)),  # Bonferroni: of what is there, and of what is missing
        missing=_share_missing(current) - _share_missing(reference),
        counts=tuple(current.tolist()),
    )


def _excess_of_categories(p: Array, q: Array) -> float:
    across = drift.unlike_pairs(p, q)
    within = (drift.unlike_pairs(p, p) + drift.unlike_pairs(q, q)) / 2
    return max(0.0, (across - within) / across) if across else 0.0


def _chance_of_missing(reference: npt.NDArray[np.int64], current: npt.NDArray[np.int64]) -> float:
    return drift.chance_of_counts(*([counts[:-1].sum(), counts[-1]] for counts in (reference, current)))


def _share_missing(counts: npt.NDArray[np.int64]) -> float:
    return float(counts[-1] / counts.sum())


def _scalars(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column without a dictionary, which may hold what is missing as one of its values."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_nested(column.type):
        raise TypeError(f"drift is measured on scalars, not on {column.type}")
    if not len(column):
        raise ValueError("drift is measured on columns that have rows")
    return column


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _is_time(kind: pa.DataType) -> bool:
    return bool(pa.types.is_temporal(kind) and not pa.types.is_interval(kind))


def ascending(column: pa.ChunkedArray) -> tuple[Array, int]:
    """(n,) the finite numbers in ascending order (of times: seconds), and how many rows hold none."""
    values = _floats(column)
    finite = values[np.isfinite(values)]
    return np.sort(np.clip(finite, -LARGEST, LARGEST)), len(column) - len(finite)


def _floats(column: pa.ChunkedArray) -> Array:
    """What is there, as numbers; nothing, if the column is of another kind."""
    there = column.drop_null()
    if _is_time(column.type):
        return np.asarray(_microseconds(there).to_numpy(), np.float64) / 1e6
    if not _is_number(column.type) and not pa.types.is_boolean(column.type):
        return np.empty(0)
    return np.asarray(there.cast(pa.float64(), safe=False).to_numpy(), np.float64)


def _microseconds(times: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole ones, since 1970, since midnight or of a duration."""
    if pa.types.is_duration(times.type):
        kind = pa.duration("us")
    else:
        kind = pa.time64("us") if pa.types.is_time(times.type) else pa.timestamp("us", getattr(times.type, "tz", None))
    return times.cast(kind, safe=False).cast(pa.int64())


def _deciles(ascending: Array) -> Array:
    """Into equal shares; where a value is so common that it fills several, these are one."""
    cuts: Array = np.unique(np.quantile(ascending, np.linspace(0, 1, BINS + 1)[1:-1]))
    return cuts


def _told(values: Array, digits: int, are_moments: bool) -> list[str]:
    """With so many digits, or more where that takes to tell them apart."""
    if are_moments:
        moments = (values * 1e6).astype("datetime64[us]")
        return [str(moment).replace("T", " ").removesuffix(".000000") for moment in moments]
    names: list[str] = []
    for more in range(digits, 18):
        names = [f"{value:.{more}g}" for value in values]
        if len(set(names)) == len(names):
            break
    return names


def _categories(column: pa.ChunkedArray) -> tuple[dict[Hashable, int], int]:
    found = pc.value_counts(column.drop_null())
    counts = dict(zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True))
    return counts, column.null_count
