"""What `monitoring` measures, as documents that are stored and shown: within their bounds, whatever the data holds."""

import math
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import Literal

from atlas.drift import MOST_BINS, MOST_COLUMNS, ColumnDrift, Distribution, TableDrift
from monitoring import history, tables

MOST_NAME = 500
MOST_BIN_NAME = 200
"""A category may be a whole text."""


def table_drift(
    found: history.TableDrift,
    *,
    compared_with: Literal["reference", "first", "previous"],
    rows_before: int,
    rows_now: int,
    version: int | None = None,
    label: str = "",
    prediction: str = "",
) -> TableDrift:
    """The drift between two tables as a document, without those that moved least if there are over `MOST_COLUMNS`.

    Args:
        found: the drift of all columns, labels and predictions included, as they are corrected for each other.
        compared_with: what they have moved from.
        rows_before, rows_now: how many rows were compared.
        version: the number of the version that they have moved from, if it is one.
        label, prediction: which columns hold the labels and the predictions, if any does.
    """
    told = {column.name: _column(column, found) for column in found.columns}
    beside = {label, prediction} - {""}
    labels, predictions = (told.pop(name, None) if name else None for name in (label, prediction))
    return TableDrift(
        compared_with=compared_with,
        version=version,
        rows_before=rows_before,
        rows_now=rows_now,
        columns=tuple(told.values())[:MOST_COLUMNS],
        labels=labels,
        predictions=predictions,
        gone=_names(found.gone, beside),
        new=_names(found.new, beside),
    )


def _column(column: tables.ColumnDrift, of: history.TableDrift) -> ColumnDrift:
    measures = asdict(column.drift)
    now = measures.pop("counts")
    return ColumnDrift(
        name=_told(column.name, MOST_NAME),
        adjusted_p=column.adjusted_p,
        has_moved=column.has_moved,
        distribution=Distribution(
            bins=tuple(_told(name, MOST_BIN_NAME) for name in of.bins[column.name][:MOST_BINS]),
            before=tuple(of.counts[column.name][:MOST_BINS]),
            now=now[:MOST_BINS],
        ),
        **{name: _finite(value) for name, value in measures.items()},
    )


def _names(names: Iterable[str], beside: set[str]) -> tuple[str, ...]:
    return tuple(_told(name, MOST_NAME) for name in names if name not in beside)[:MOST_COLUMNS]


def _told(name: str, most: int) -> str:
    """Without NUL, which no database takes, and no longer than that."""
    name = name.replace("\0", " ")
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _finite(value: float | None) -> float | None:
    """What JSON can hold: of numbers as large as floats go, the distance may be beyond them."""
    return value if value is None or math.isfinite(value) else math.copysign(sys.float_info.max, value)
