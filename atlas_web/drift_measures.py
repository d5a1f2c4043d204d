"""The measures of drift, as the pages name, write and explain them."""

from collections.abc import Callable
from dataclasses import dataclass

from atlas.drift import ColumnDrift
from atlas_web.evidenced import SMALLEST_P
from monitoring.tables import FALSE_DISCOVERIES, LEAST_SHIFT
from ui import formats


def _two(value: float) -> str:
    return formats.num(value, 2)


def _points(value: float) -> str:
    return f"{formats.num(100 * value, 1, sign=True)}{formats.NARROW_SPACE}pp"


def _probability(value: float) -> str:
    return f"< {SMALLEST_P}" if value < SMALLEST_P else formats.num(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Something that is measured of a column.

    Attributes:
        name: as `atlas.drift.ColumnDrift` calls it.
        title: as people do.
        meaning: what it says.
        large: a value that has the darkest colour, unless there are larger ones beside it.
        write: how a value is written.
    """

    name: str
    title: str
    meaning: str
    large: float = 0.5
    write: Callable[[float], str] = _two

    def of(self, column: ColumnDrift) -> float | None:
        """Its value for a column; None where it is not defined."""
        value: float | None = getattr(column, self.name)
        return value

    def told(self, column: ColumnDrift) -> str:
        """That value, written."""
        value = self.of(column)
        return formats.NOTHING if value is None else self.write(value)


DISTANCES = (
    Measure(
        name="jensen_shannon",
        title="Jensen-Shannon distance",
        meaning=f"How far the shares lie apart: 0 alike, 1 nothing in common. Below {LEAST_SHIFT} is no drift.",
    ),
    Measure(name="hellinger", title="Hellinger distance", meaning="The same question by another formula: 0 to 1."),
    Measure(
        name="population_stability",
        title="Population stability index",
        meaning="Below 0.1 is taken for stable, above 0.25 for a shift. It has no upper end.",
        large=1.0,
    ),
    Measure(
        name="kullback_leibler",
        title="Kullback-Leibler divergence",
        meaning="How badly the shares now stand in for those before, in nats. It has no upper end.",
        large=1.0,
    ),
    Measure(
        name="pairwise_distance",
        title="Average pairwise distance",
        meaning="How much farther two values are apart, one from each side, than two of the same side: 0 to 1.",
        large=0.25,
    ),
    Measure(
        name="kolmogorov_smirnov",
        title="Kolmogorov-Smirnov",
        meaning="The largest gap between the distribution functions: 0 to 1. Numbers only.",
    ),
    Measure(
        name="wasserstein",
        title="Wasserstein distance",
        meaning="How far values would have to be moved on average, in standard deviations before. Numbers only.",
        large=1.0,
    ),
    Measure(
        name="missing",
        title="Missing values",
        meaning="The share of rows without a value, now less before, in percentage points.",
        large=0.25,
        write=_points,
    ),
)
"""What the table of columns over versions can show; the first unless something else is chosen."""

CHANCES = (
    Measure(
        name="p_value",
        title="p",
        meaning="How often chance alone makes both sides differ as much.",
        write=_probability,
    ),
    Measure(
        name="adjusted_p",
        title="p, adjusted",
        meaning=f"Corrected for all columns that were looked at. Below {FALSE_DISCOVERIES} is more than chance.",
        write=_probability,
    ),
)


def measure_called(name: str) -> Measure:
    """The distance of this name; the first one if there is none."""
    return next((measure for measure in DISTANCES if measure.name == name), DISTANCES[0])
