"""Which values lie outside what a model was trained on. Pure functions over Arrow tables, no Django."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from atlas.datasets import ColumnStatistics, Statistics
from atlas.inference import OutOfRange

MOST_EXAMPLES = 5
MOST_EVENTS = 1_000
MOST_NAMED = 10
"""So many known texts are named."""
MOST_CHARACTERS = 100


def out_of_range(table: pa.Table, ids: Sequence[str], known: Statistics | None) -> tuple[OutOfRange, ...]:
    """The columns of some rows that hold values which the known data do not have, in the table's order.

    Numbers are compared with the least and the greatest known one, texts with the known ones where all of them are
    known, lists by how many values they have; a value that is missing where there always was one is one too.

    Args:
        table: the rows.
        ids: of the rows.
        known: the statistics of the known data; None if there are none.
    """
    columns = {each.name: each for each in known.columns} if known else {}
    found = ((name, columns[name]) for name in table.column_names if name in columns)
    return tuple(_all_outside(table, ids, known.rows, found)) if known else ()


def _all_outside(
    table: pa.Table, ids: Sequence[str], known_rows: int, columns: Iterator[tuple[str, ColumnStatistics]]
) -> Iterator[OutOfRange]:
    for name, statistics in columns:
        column = _without_nan(table[name])
        outside = _is_outside(column, statistics, known_rows)
        if outside is not None and (count := pc.sum(outside).as_py() or 0):
            places = pc.indices_nonzero(outside).slice(0, MOST_EVENTS).to_pylist()
            yield OutOfRange(
                column=name,
                known=_in_words(statistics),
                rows=count,
                examples=_examples(column.filter(outside)),
                events=tuple(ids[place] for place in places),
            )


def _without_nan(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """What is no number is missing."""
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)


def _is_outside(column: pa.ChunkedArray, known: ColumnStatistics, known_rows: int) -> pa.ChunkedArray | None:
    """Which values are not among the known ones; None where nothing is known of values of this type."""
    outside = _strange(column, known, known_rows)
    if known.missing or not known_rows:
        return None if outside is None else pc.fill_null(outside, False)
    missing = pc.is_null(column)
    return missing if outside is None else pc.or_(pc.fill_null(outside, False), missing)


def _strange(column: pa.ChunkedArray, known: ColumnStatistics, known_rows: int) -> pa.ChunkedArray | None:
    """Which values are strange; null where there is none. None where nothing is known of values of this type."""
    if known.minimum is not None and known.maximum is not None and _is_number(column.type):
        return pc.or_(pc.less(column, known.minimum), pc.greater(column, known.maximum))
    if known.lengths is not None and _is_list(column.type):
        lengths = pc.list_value_length(column)
        return pc.or_(pc.less(lengths, known.lengths.minimum), pc.greater(lengths, known.lengths.maximum))
    if known.values is not None and sum(known.values.values()) + known.missing == known_rows:
        texts = _as_text(column)
        return pc.if_else(pc.is_null(texts), None, pc.invert(pc.is_in(texts, pa.array(known.values, pa.string()))))
    return None


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values as statistics name them."""
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "True", "False")
    return column.cast(pa.string())


def _in_words(known: ColumnStatistics) -> str:
    if known.minimum is not None and known.maximum is not None:
        return f"{known.minimum:.6g} to {known.maximum:.6g}"
    if known.lengths is not None:
        return f"lists of {known.lengths.minimum} to {known.lengths.maximum} values"
    if known.values:
        named = [_clipped(value) for value in list(known.values)[:MOST_NAMED]]
        more = len(known.values) - len(named)
        return ", ".join(named) + (f" and {more} more" if more else "")
    return "never missing"


def _examples(column: pa.ChunkedArray) -> tuple[str, ...]:
    """Some different values, as text."""
    found: dict[str, None] = {}
    for value in column.slice(0, MOST_EVENTS).to_pylist():
        found[_example(value)] = None
        if len(found) == MOST_EXAMPLES:
            break
    return tuple(found)


def _example(value: object) -> str:
    if value is None:
        return "missing"
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{len(value)} values" if isinstance(value, list) else _clipped(str(value))


def _clipped(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
