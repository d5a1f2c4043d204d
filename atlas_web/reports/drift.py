"""How the data of one dataset version differ from those of another, as far as their descriptions tell. Pure.

These are differences of what the descriptions say of all events, those of the training split too. They are no tests:
they say how far something moved, not whether that is more than chance.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from atlas.datasets import ColumnStatistics, Statistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How one column moved.

    Attributes:
        column: its name.
        mean_before: the mean of its values; None of what is no number, or has none.
        mean_now: likewise.
        deviations: how far the mean moved, in standard deviations of the values before; None where that says nothing.
        missing_before: the share of events that have no value.
        missing_now: likewise.
    """

    column: str
    mean_before: float | None
    mean_now: float | None
    deviations: float | None
    missing_before: float
    missing_now: float

    @property
    def missing_points(self) -> float:
        """By how many percentage points the share of missing values rose."""
        return 100 * (self.missing_now - self.missing_before)


def shifts(before: Statistics, now: Statistics) -> list[Shift]:
    """The columns that both have, those first whose mean moved furthest, then those whose missing values did."""
    earlier = {column.name: column for column in before.columns}
    found = [
        _shift(earlier[column.name], column, before.rows, now.rows) for column in now.columns if column.name in earlier
    ]
    return sorted(found, key=lambda shift: (-abs(shift.deviations or 0.0), -abs(shift.missing_points), shift.column))


def _shift(before: ColumnStatistics, now: ColumnStatistics, rows_before: int, rows_now: int) -> Shift:
    return Shift(
        column=now.name,
        mean_before=before.mean,
        mean_now=now.mean,
        deviations=_deviations(before, now),
        missing_before=before.missing / max(rows_before, 1),
        missing_now=now.missing / max(rows_now, 1),
    )


def _deviations(before: ColumnStatistics, now: ColumnStatistics) -> float | None:
    if before.mean is None or now.mean is None or not before.standard_deviation:
        return None
    return (now.mean - before.mean) / before.standard_deviation


def label_points(before: Statistics, now: Statistics) -> list[tuple[str, float]]:
    """By how many percentage points each label's share rose, the greatest change first."""
    names = sorted({*before.labels, *now.labels})
    points = [(name, 100 * (_share(now, name) - _share(before, name))) for name in names]
    return sorted(points, key=lambda entry: -abs(entry[1]))


def _share(of: Statistics, label: str) -> float:
    return of.labels.get(label, 0) / max(of.rows, 1)


def schema_changes(before: Statistics, now: Statistics) -> Iterator[str]:
    """What became of columns, in words: those that are new, and those that are gone."""
    old, new = ([column.name for column in each.columns] for each in (before, now))
    added = [name for name in new if name not in old]
    removed = [name for name in old if name not in new]
    if added:
        yield f"New columns: {_some(added)}."
    if removed:
        yield f"Columns that are gone: {_some(removed)}."


def _some(names: list[str], most: int = 5) -> str:
    rest = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{rest}"
