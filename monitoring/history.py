"""Drift over the versions of a dataset: each from the reference, and each from the one before."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from monitoring.tables import ColumnDrift, TableReference, scalars_of, share_moved


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDrift:
    """How far the columns of a version lie from those of another table.

    Attributes:
        columns: those that both have, the ones that moved first.
        bins: by column, what its counts are of.
        counts: by column, how many rows of the other table fall into each of its bins.
        gone, new: columns of scalars that the version has no longer, or that only the version has.
    """

    columns: Sequence[ColumnDrift]
    bins: dict[str, list[str]]
    counts: dict[str, list[int]]
    gone: list[str]
    new: list[str]

    @property
    def share_moved(self) -> float:
        """Of all columns, the share that has moved."""
        return share_moved(self.columns)

    @property
    def farthest(self) -> float:
        """The largest Jensen-Shannon distance of a column."""
        return max((column.drift.jensen_shannon for column in self.columns), default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDrift:
    """A version of a dataset, and how far it has moved.

    Attributes:
        version: as the caller names it.
        from_reference: from what all versions are compared with.
        from_previous: from the version before that had rows; None for the first.
    """

    version: str
    from_reference: TableDrift
    from_previous: TableDrift | None


def history(
    reference: pa.Table, versions: Iterable[tuple[str, pa.Table]], names: Iterable[str] | None = None
) -> Iterator[VersionDrift]:
    """The drift of each version, in the order given. Of the tables, two at a time are held besides the reference.

    Args:
        reference: such as what a model was trained on.
        versions: (name, table), the earliest first; tables without rows have no drift and are nobody's predecessor.
        names: the columns to look at; all that hold scalars, if not given.

    Raises:
        ValueError: the reference has no rows.
    """
    wanted = None if names is None else list(names)
    prepared = TableReference(reference, wanted)
    previous: TableReference | None = None
    for version, table in versions:
        yield VersionDrift(
            version=version,
            from_reference=between(prepared, table, wanted),
            from_previous=None if previous is None else between(previous, table, wanted),
        )
        previous = TableReference(table, wanted) if table.num_rows else previous


def between(reference: TableReference, table: pa.Table, wanted: Sequence[str] | None = None) -> TableDrift:
    """How far a table has moved from a reference.

    Args:
        reference: prepared once for all tables.
        table: without rows, none of its columns has moved.
        wanted: the columns to look at; all that hold scalars, if not given.
    """
    columns = reference.drift(table)
    known = {name: reference.columns[name] for name in sorted(column.name for column in columns)}
    held = set(scalars_of(table, table.column_names if wanted is None else wanted))
    return TableDrift(
        columns=columns,
        bins={name: list(column.bins) for name, column in known.items()},
        counts={name: column.own_counts.tolist() for name, column in known.items()},
        gone=sorted(set(reference.columns) - held),
        new=sorted(held - set(reference.columns)),
    )
