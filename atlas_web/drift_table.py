"""The table of columns over dataset versions, and what one of its cells tells. Pure functions."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.safestring import SafeString

from atlas.drift import ColumnDrift, Distribution, TableDrift
from atlas_web import drifted
from atlas_web.drift_measures import CHANCES, DISTANCES, Measure
from monitoring.tables import LEAST_SHIFT
from storage.queries import DriftPoint
from ui import formats
from ui.drift import Distributions, DriftScores
from ui.heat import HeatCell

COLOURS = 7
MOST_BINS = 24
"""Of more bins that hold rows, the largest are drawn, and the rest as one."""


class Part(StrEnum):
    """What a row of the table is."""

    LABELS = "labels"
    PREDICTIONS = "predictions"
    PREDICTIONS_SINCE = "predictions since the version before"
    COLUMN = "column"


@dataclass(frozen=True, slots=True)
class Key:
    """Which row of the table; `name` tells columns apart."""

    part: Part
    name: str = ""

    def __str__(self) -> str:
        return f"{self.part}:{self.name}" if self.name else self.part.value

    @classmethod
    def of(cls, text: str) -> "Key | None":
        """The row that an address names; None if it names none."""
        part, _, name = text.partition(":")
        return cls(Part(part), name) if part in list(Part) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of the table: one column over the versions."""

    name: str
    cells: list[SafeString]


Address = Callable[[DriftPoint, Key], str]
"""The address at which a cell's distributions are shown."""


def columns_at(point: DriftPoint) -> dict[Key, ColumnDrift]:
    """All that was measured at a version, by its row."""
    drift = point.drift
    found: dict[Key, ColumnDrift] = {}
    if drift and drift.labels:
        found[Key(Part.LABELS)] = drift.labels
    if drift and drift.predictions:
        found[Key(Part.PREDICTIONS)] = drift.predictions
    if point.predictions_since:
        found[Key(Part.PREDICTIONS_SINCE)] = point.predictions_since
    return found | {Key(Part.COLUMN, column.name): column for column in (drift.columns if drift else ())}


def farthest(point: DriftPoint) -> Key | None:
    """The row that moved farthest at a version; None if nothing is known there."""
    found = columns_at(point)
    return max(found, key=lambda key: (found[key].has_moved, found[key].jensen_shannon), default=None)


def ordered(points: Sequence[DriftPoint], measure: Measure) -> list[Key]:
    """The rows: labels and predictions, then the columns, those that moved on any version and most first."""
    worst: dict[Key, tuple[int, bool, float]] = {}
    for point in points:
        for key, column in columns_at(point).items():
            rank = (-list(Part).index(key.part), column.has_moved, abs(measure.of(column) or 0.0))
            worst[key] = max(worst.get(key, rank), rank)
    return sorted(worst, key=lambda key: (*(-part for part in worst[key]), key.name))


def lines(points: Sequence[DriftPoint], keys: Iterable[Key], measure: Measure, address: Address) -> list[Line]:
    """Some rows of the table, a cell for each version."""
    found = [columns_at(point) for point in points]
    known = [abs(measure.of(column) or 0.0) for columns in found for column in columns.values()]
    largest = max([measure.large, *known])
    return [
        Line(
            name=_named(key, found),
            cells=[
                _cell(point, columns.get(key), measure, largest, address(point, key)).render()
                for point, columns in zip(points, found, strict=True)
            ],
        )
        for key in keys
    ]


def _named(key: Key, found: Sequence[dict[Key, ColumnDrift]]) -> str:
    """What a row is called: labels with the name of their column."""
    if key.part is Part.LABELS:
        return next((f"labels ({columns[key].name})" for columns in found if key in columns), key.part.value)
    return key.name or key.part.value


def _cell(point: DriftPoint, column: ColumnDrift | None, measure: Measure, largest: float, href: str) -> HeatCell:
    version = f"v{point.number}"
    if column is None:
        why = drifted.why_unknown(point) if point.drift is None else "Only one of the two versions has it."
        return HeatCell(
            text=formats.NOTHING, title=f"{version}\n{why}", css="glyph is-none is-idle", spoken="not known"
        )
    told = [f"{column.name} at {version}", f"{measure.title} {measure.told(column)}", _meaning(column)]
    step = min(1 + int(COLOURS * abs(measure.of(column) or 0.0) / largest), COLOURS)
    css = f"q{step}{' is-drop' if column.has_moved else ''}" if measure.of(column) is not None else "glyph is-idle"
    spoken = ", has moved" if column.has_moved else ""
    return HeatCell(text=measure.told(column), title="\n".join(told), css=css, href=href, spoken=spoken)


def _meaning(column: ColumnDrift) -> str:
    """Whether it has moved, and if not, why that is not said."""
    if column.has_moved:
        return "Has moved: more than chance, and far enough to matter."
    if column.jensen_shannon < LEAST_SHIFT:
        return "Has not moved: too close to matter."
    return "Has not moved as far as these rows tell: that may be chance."


def scores(points: Sequence[DriftPoint], target: Callable[[DriftPoint], str]) -> DriftScores:
    """The chart of whole tables over versions; `target` is the id of the link that a click on a point follows."""
    drifts = [point.drift for point in points]
    columns = [_farthest(drift) for drift in drifts]
    return DriftScores(
        versions=[f"v{point.number}" for point in points],
        notes=[f"{point.created:%d %b %Y}" for point in points],
        shares=[drift.share_moved if drift else None for drift in drifts],
        farthest=[column.jensen_shannon if column else None for column in columns],
        columns=[column.name if column else "" for column in columns],
        least=LEAST_SHIFT,
        targets=[target(point) for point in points],
    )


def _farthest(drift: TableDrift | None) -> ColumnDrift | None:
    return max(drift.columns, key=lambda column: column.jensen_shannon, default=None) if drift else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One column at one version: the distributions before and now, and all measures.

    `measures` are of title, value and meaning.
    """

    name: str
    point: DriftPoint
    before: str
    has_moved: bool
    meaning: str
    chart: Distributions
    measures: list[tuple[str, str, str]]


def detail(point: DriftPoint, key: Key) -> Detail | None:
    """What is told of one cell; None if nothing was measured there."""
    column = columns_at(point).get(key)
    if column is None:
        return None
    before = _before(point, key)
    return Detail(
        name=_named(key, [columns_at(point)]),
        point=point,
        before=before,
        has_moved=column.has_moved,
        meaning=_meaning(column),
        chart=drawn(column.distribution, before, f"v{point.number}"),
        measures=[(each.title, each.told(column), each.meaning) for each in (*DISTANCES, *CHANCES)],
    )


def _before(point: DriftPoint, key: Key) -> str:
    """What a row of a version is compared with."""
    if key.part is Part.PREDICTIONS_SINCE or point.drift is None:
        return "the version before"
    return drifted.before(point.drift)


def drawn(found: Distribution, before: str, now: str) -> Distributions:
    """The bins that hold rows on either side; of many only the largest, and the rest as one."""
    held = [each for each in zip(found.bins, found.before, found.now, strict=True) if each[1] or each[2]]
    if len(held) > MOST_BINS:
        largest = sorted(held, key=lambda each: max(each[1:]), reverse=True)
        rest = [each for each in held if each not in largest[: MOST_BINS - 1]]
        held = [each for each in held if each not in rest]
        held.append((f"{len(rest)} others", sum(each[1] for each in rest), sum(each[2] for each in rest)))
    bins, earlier, later = zip(*held, strict=True) if held else ((), (), ())
    return Distributions(names=(before, now), bins=bins, before=earlier, now=later)
