"""Drift of a whole table: each column against its reference, and which of them chance does not explain."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pyarrow as pa

from monitoring.columns import Drift, Reference, reference

FALSE_DISCOVERIES = 0.01
"""Of the columns that are found to have moved, so many are expected not to have (Benjamini and Yekutieli, 2001)."""
LEAST_SHIFT = 0.1
"""A smaller Jensen-Shannon distance is no drift, however sure it is: of many rows, every difference is sure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDrift:
    """A column's drift among others.

    Attributes:
        adjusted_p: the p-value, corrected for all columns that are looked at.
        has_moved: whether the drift is both large enough to matter and more than chance.
    """

    name: str
    drift: Drift
    adjusted_p: float
    has_moved: bool


class TableReference:
    """The columns of a reference, prepared once for every version that comes.

    Args:
        table: the reference, such as what a model was trained on; list columns are left out.
        names: which columns, of which it may lack some; all, if it is not given.
        beside: columns of scalars from other rows, such as predictions of a few of them.

    Raises:
        ValueError: a column has no rows.
    """

    def __init__(
        self,
        table: pa.Table,
        names: Iterable[str] | None = None,
        *,
        beside: Mapping[str, pa.ChunkedArray] = MappingProxyType({}),
    ) -> None:
        wanted = table.column_names if names is None else list(names)
        columns = {name: table.column(name) for name in scalars_of(table, wanted)} | dict(beside)
        self.columns: Mapping[str, Reference] = {name: reference(column) for name, column in columns.items()}

    def drift(self, table: pa.Table) -> list[ColumnDrift]:
        """How far each column that a version has too lies from the reference, those that moved first.

        Nothing of a version without rows, and of columns that only one of both has or that hold lists now.
        """
        shared = scalars_of(table, self.columns) if table.num_rows else []
        found = {name: self.columns[name].drift(table.column(name)) for name in shared}
        adjusted = _adjusted([drift.p_value for drift in found.values()])
        moved = [_column(name, drift, p) for (name, drift), p in zip(found.items(), adjusted, strict=True)]
        return sorted(moved, key=lambda column: (not column.has_moved, -column.drift.jensen_shannon, column.name))


def share_moved(columns: Iterable[ColumnDrift]) -> float:
    """Of all columns, the share that has moved; 0 of none."""
    has_moved = [column.has_moved for column in columns]
    return sum(has_moved) / len(has_moved) if has_moved else 0.0


def scalars_of(table: pa.Table, names: Iterable[str]) -> list[str]:
    """Which of the names are columns of a table that hold no lists, so that drift is defined."""
    return [
        name for name in names if name in table.column_names and not pa.types.is_nested(table.schema.field(name).type)
    ]


def _adjusted(p_values: list[float]) -> list[float]:
    """Columns of one table depend on each other: Benjamini and Yekutieli's correction holds for any dependence."""
    from scipy.stats import false_discovery_control  # here, not above: see monitoring.drift

    return [float(p) for p in false_discovery_control(np.array(p_values), method="by")] if p_values else []


def _column(name: str, drift: Drift, adjusted_p: float) -> ColumnDrift:
    has_moved = adjusted_p < FALSE_DISCOVERIES and drift.jensen_shannon >= LEAST_SHIFT
    return ColumnDrift(name=name, drift=drift, adjusted_p=adjusted_p, has_moved=has_moved)
