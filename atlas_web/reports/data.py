"""How a report tells how far the data moved: from what the model was trained on, or else from the first version."""

from collections.abc import Iterator, Sequence

from atlas.drift import ColumnDrift, TableDrift
from atlas_web import drifted
from atlas_web.drift_measures import CHANCES, measure_called
from atlas_web.reports.document import Block, Table, Text
from storage.queries import DriftPoint, ModelReport
from ui import formats

MOST_LABELS = 6
MOST_COLUMNS = 12


def changes(found: ModelReport) -> Iterator[Block]:
    """What the report says of the data."""
    compared = found.drift if any(point.drift for point in found.drift) else found.data_drift
    known = [(point, point.drift) for point in compared if point.drift]
    if not known:
        yield from (Text(f"How far the data moved is not known. {drifted.why_unknown(each)}") for each in compared[-1:])
        return
    if compared is not found.drift:
        yield Text(f"{drifted.why_unknown(found.drift[-1])} So each version is compared with the first one.")
    newest, drift = known[-1]
    yield Text(" ".join(drifted.verdict(newest).sentences))
    yield _over_versions([each for each, _ in known])
    if drift.labels:
        yield _labels(drift.labels, drift, newest.number)
    if drift.columns:
        yield _columns(drift, newest.number)


def _over_versions(points: Sequence[DriftPoint]) -> Table:
    rows = [(f"v{point.number}", *_in_short(point.drift)) for point in points if point.drift]
    return Table(
        title="Drift on each version",
        head=("Version", "Columns moved", "Farthest column", "Its distance", "Labels' distance"),
        rows=rows,
        names=1,
        note="Jensen-Shannon distances of the test events: 0 alike, 1 nothing in common.",
    )


def _in_short(drift: TableDrift) -> tuple[str, ...]:
    moved = sum(column.has_moved for column in drift.columns)
    farthest = max(drift.columns, key=lambda column: column.jensen_shannon, default=None)
    return (
        f"{moved:,} of {len(drift.columns):,}",
        farthest.name if farthest else formats.NOTHING,
        _distance(farthest),
        _distance(drift.labels),
    )


def _distance(column: ColumnDrift | None) -> str:
    return formats.num(column.jensen_shannon, 2) if column else formats.NOTHING


def _labels(labels: ColumnDrift, drift: TableDrift, number: int) -> Table:
    """The shares of the labels before and now, those first that changed most."""
    found = labels.distribution
    before, now = max(sum(found.before), 1), max(sum(found.now), 1)
    shares = [(name, a / before, b / now) for name, a, b in zip(found.bins, found.before, found.now, strict=True)]
    held = sorted((each for each in shares if each[1] or each[2]), key=lambda each: -abs(each[2] - each[1]))
    return Table(
        title=f"Labels on v{number}",
        head=("Label", f"Share in {drifted.before(drift)}", f"Share on v{number}", "Points"),
        rows=[
            (name, formats.share(then), formats.share(here), formats.num(100 * (here - then), 1, sign=True))
            for name, then, here in held[:MOST_LABELS]
        ],
    )


def _columns(drift: TableDrift, number: int) -> Table:
    """The columns that moved most."""
    measures = [
        *map(measure_called, ("jensen_shannon", "population_stability", "wasserstein", "missing")),
        CHANCES[-1],
    ]
    return Table(
        title=f"Columns on v{number} that moved most",
        head=("Column", "Moved", *(measure.title for measure in measures)),
        rows=[
            (column.name, "yes" if column.has_moved else "no", *(measure.told(column) for measure in measures))
            for column in drift.columns[:MOST_COLUMNS]
        ],
        names=2,
        note="Moved: more than chance, corrected for all columns, and far enough to matter.",
    )
