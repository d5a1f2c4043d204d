"""How a report tells how the data of the versions differ: see `atlas_web.reports.drift`."""

from collections.abc import Iterator, Sequence

from atlas.datasets import DatasetDescription, Statistics
from atlas_web.reports import drift
from atlas_web.reports.document import Block, Table, Text
from storage.queries import ModelReport
from ui import formats

MOST_LABELS = 6
MOST_COLUMNS = 12


def changes(found: ModelReport) -> Iterator[Block]:
    """What the report says of the data."""
    reference, newest = found.reference, found.newest
    if reference is None or newest is None:
        return
    what = "which the model was trained on" if found.trained_on_reference else "the first version"
    later = [each.number for each in found.measured if each.number != reference.number]
    if not later:
        yield Text(f"It is measured on v{reference.number} alone, {what}: there is nothing to compare its data with.")
        return
    yield Text(
        f"Compared with v{reference.number}, {what}. These are differences of the versions' descriptions, of all their "
        "events. They say how far the data moved, not whether that is more than chance, nor whether it matters."
    )
    yield _versions_moved(found, reference, later)
    now = found.descriptions[newest.number]
    if newest.number in later:
        yield from (Text(change) for change in drift.schema_changes(reference.statistics, now.statistics))
        yield from _moved(reference, now)


def _versions_moved(found: ModelReport, reference: DatasetDescription, later: Sequence[int]) -> Table:
    """What moved furthest on each version."""
    before = reference.statistics
    rows = []
    for each in later:
        now = found.descriptions[each].statistics
        moved = drift.shifts(before, now)
        mean = next((shift for shift in moved if shift.deviations is not None), None)
        missing = max(moved, key=lambda shift: abs(shift.missing_points), default=None)
        label = (_label(before, now),) if before.labels else ()
        rows.append((f"v{each}", f"{now.rows:,}", *label, _mean(mean), _missing(missing)))
    of_labels = ("Label's share, points",) if before.labels else ()
    return Table(
        title="Each version's greatest differences",
        head=("Version", "Events", *of_labels, "Column's mean, deviations", "Missing values, points"),
        rows=rows,
        note="Deviations: how far a mean moved, in standard deviations of the column before.",
    )


def _label(before: Statistics, now: Statistics) -> str:
    label, points = next(iter(drift.label_points(before, now)), ("", 0.0))
    return f"{label} {formats.num(points, 1, sign=True)}" if label else formats.NOTHING


def _mean(shift: drift.Shift | None) -> str:
    return f"{shift.column} {formats.num(shift.deviations, 2, sign=True)}" if shift else formats.NOTHING


def _missing(shift: drift.Shift | None) -> str:
    if shift is None or not shift.missing_points:
        return "none"
    return f"{shift.column} {formats.num(shift.missing_points, 1, sign=True)}"


def _moved(reference: DatasetDescription, now: DatasetDescription) -> Iterator[Block]:
    """The labels and columns of the newest version beside those of the reference."""
    then, here = f"v{reference.number}", f"v{now.number}"
    labels = drift.label_points(reference.statistics, now.statistics)[:MOST_LABELS]
    if labels:
        yield Table(
            title=f"Labels on {here}",
            head=("Label", f"Share on {then}", f"Share on {here}", "Points"),
            rows=[
                (name, *(_share(each.statistics, name) for each in (reference, now)), formats.num(points, 1, sign=True))
                for name, points in labels
            ],
        )
    moved = [each for each in drift.shifts(reference.statistics, now.statistics) if each.deviations is not None]
    if moved:
        yield Table(
            title=f"Columns on {here} that moved most",
            head=("Column", f"Mean on {then}", f"Mean on {here}", "Deviations", f"Missing, {then}", f"Missing, {here}"),
            rows=[_shift(each) for each in moved[:MOST_COLUMNS]],
        )


def _share(statistics: Statistics, label: str) -> str:
    return formats.share(statistics.labels.get(label, 0) / max(statistics.rows, 1))


def _shift(shift: drift.Shift) -> tuple[str, ...]:
    return (
        shift.column,
        formats.figure(shift.mean_before),
        formats.figure(shift.mean_now),
        formats.num(shift.deviations, 2, sign=True),
        formats.share(shift.missing_before),
        formats.share(shift.missing_now),
    )
