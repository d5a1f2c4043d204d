"""Drift in words: what moved, since when, and what is not known. Pure functions of what `queries` found."""

from collections.abc import Iterator
from dataclasses import dataclass

from atlas.drift import ColumnDrift, TableDrift
from atlas_web import words
from storage.queries import DriftPoint
from ui import formats
from ui.components import Tone

MOST_NAMED = 5
"""So many columns that came or went are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The conclusion: the first sentence is the shortest answer."""

    tone: Tone
    glyph: str
    sentences: list[str]


def verdict(point: DriftPoint) -> Verdict:
    """What moved at a version, or why that is not known."""
    version, drift = f"v{point.number}", point.drift
    if drift is None:
        return Verdict(tone="idle", glyph="information-circle", sentences=[f"{version}: {why_unknown(point)}"])
    told = [f"{version}: {moved(drift)}.", *_beside(point), *_columns_changed(drift), *filter(None, [point.unknown])]
    if any(column.has_moved for column in (*drift.columns, *filter(None, _others(point).values()))):
        return Verdict(tone="warn", glyph="exclamation-triangle", sentences=told)
    return Verdict(tone="ok", glyph="check-circle", sentences=told)


def why_unknown(point: DriftPoint) -> str:
    """Why there is no drift of a version, as a sentence."""
    if point.unknown:
        return point.unknown
    if point.is_measured:
        return "It is the first version with rows, so there is nothing to compare it with."
    if point.benchmark:
        return "The drift was not measured. Run the benchmark again, and it is."
    return "It has not been compared yet. The engine does that by itself, one version after the other."


def moved(drift: TableDrift) -> str:
    """How many columns have moved, from where, and which one farthest: `3 of 12 columns have moved since v6: …`."""
    if not drift.columns:
        return f"no column can be compared with {before(drift)}"
    count = sum(column.has_moved for column in drift.columns)
    has = "has" if count == 1 else "have"
    said = f"{count or 'none'} of {words.plural(len(drift.columns), 'column')} {has} moved {since(drift)}"
    farthest = next((column for column in drift.columns if column.has_moved), None)
    if farthest is None:
        return said
    return f"{said}: {farthest.name}{' most' if count > 1 else ''}, by {formats.num(farthest.jensen_shannon, 2)}"


def since(drift: TableDrift) -> str:
    """From where it moved."""
    return f"from {before(drift)}" if drift.version is None else f"since v{drift.version}"


def before(drift: TableDrift) -> str:
    """What it is compared with."""
    return "what the model was trained on" if drift.version is None else f"v{drift.version}"


def _others(point: DriftPoint) -> dict[str, ColumnDrift | None]:
    """What is no column of the data, as the middle of a sentence names it and says from when it moved."""
    drift = point.drift
    return {
        "labels have {}moved": drift.labels if drift else None,
        "predictions have {}moved": drift.predictions if drift else None,
        "predictions have {}moved since the version before": point.predictions_since,
    }


def _beside(point: DriftPoint) -> Iterator[str]:
    """Whether labels and predictions moved."""
    for said, column in _others(point).items():
        if column:
            distance = f", by {formats.num(column.jensen_shannon, 2)}" if column.has_moved else ""
            yield f"The {said.format('' if column.has_moved else 'not ')}{distance}."


def _columns_changed(drift: TableDrift) -> Iterator[str]:
    if drift.gone:
        yield f"Gone since: {_named(drift.gone)}."
    if drift.new:
        yield f"New since: {_named(drift.new)}."


def _named(names: tuple[str, ...]) -> str:
    more = len(names) - MOST_NAMED
    return f"{', '.join(names[:MOST_NAMED])}{f' and {more:,} more' if more > 0 else ''}"
