"""What a dataset version contains, in numbers: counts of labels, cars and environments, and each column's summary."""

from collections.abc import Collection, Mapping
from math import isfinite

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from atlas.datasets import ColumnStatistics, Damage, Histogram, Lengths, Statistics

Numbers = npt.NDArray[np.float64]

BINS = 20
MOST_FREQUENT = 20


def summarise(table: pa.Table, *, harmless: Collection[str] = ()) -> Statistics:
    """Statistics of a version's rows.

    Of a file that is mapped into memory one scalar column at a time is read, and of lists only how long they are.

    Args:
        table: the rows, with the columns that every version has.
        harmless: labels of events without damage, in any case of letters.
    """
    return Statistics(
        rows=table.num_rows,
        labels=_label_counts(table["label"]),
        damage=damage(table, harmless),
        cars=counts(table["car"]),
        environments=counts(table["environment"]),
        columns=tuple(_column(field, table[field.name]) for field in table.schema if field.name != "id"),
    )


def damage(table: pa.Table, harmless: Collection[str]) -> dict[Damage, int] | None:
    """Events with and without damage, as the truth values of a column `damage` say, or else the labels.

    An event with several labels has damage if one of them is not harmless. None if there is no such column, and the
    labels are no texts or none of them is harmless.
    """
    if "damage" in table.schema.names and pa.types.is_boolean(table.schema.field("damage").type):
        said = table["damage"].drop_null()
        with_damage = pc.sum(said).as_py() or 0
        return {"damage": with_damage, "no damage": len(said) - with_damage}
    of_events = [_damage_of_labels(chunk, harmless) for chunk in table["label"].chunks]
    with_damage, without = (sum(each) for each in zip(*of_events, strict=True)) if of_events else (0, 0)
    return {"damage": with_damage, "no damage": without} if without else None


def _damage_of_labels(labels: pa.Array, harmless: Collection[str]) -> tuple[int, int]:
    """How many events of a batch have damage, and how many have none; none of either where labels are no texts."""
    known = labels.drop_null()
    if known.type == pa.string():
        with_damage = pc.sum(_harms(known, harmless)).as_py() or 0
    elif known.type == pa.list_(pa.string()):
        with_damage = len(pc.unique(pc.list_parent_indices(known).filter(_harms(known.flatten(), harmless))))
    else:
        return 0, 0
    return with_damage, len(known) - with_damage


def _harms(labels: pa.Array, harmless: Collection[str]) -> pa.Array:
    return pc.invert(pc.is_in(pc.utf8_lower(labels), pa.array(map(str.lower, harmless), pa.string())))


def counts(column: pa.ChunkedArray, most: int | None = None) -> dict[str, int]:
    """How often each value occurs, or each of the `most` frequent, those first; missing values are not counted."""
    values, numbers = pc.value_counts(column.drop_null()).flatten()
    found = pa.table({"value": values, "events": numbers}).sort_by([("events", "descending"), ("value", "ascending")])
    return {str(each["value"]): each["events"] for each in found.slice(0, most).to_pylist()}


def _label_counts(labels: pa.ChunkedArray) -> dict[str, int]:
    """Events per class; a continuous label has no classes, but a summary among the columns."""
    if pa.types.is_floating(labels.type):
        return {}
    return counts(pc.list_flatten(labels) if pa.types.is_list(labels.type) else labels)


def _column(field: pa.Field, column: pa.ChunkedArray) -> ColumnStatistics:
    summary = ColumnStatistics(name=field.name, dtype=str(field.type), missing=column.null_count)
    return summary.model_copy(update=_summary(column))


def _summary(column: pa.ChunkedArray) -> Mapping[str, object]:
    """What the statistics say of values of this type, if there are any."""
    if pa.types.is_string(column.type) or pa.types.is_boolean(column.type):
        return {"values": counts(column, MOST_FREQUENT)}
    if pa.types.is_timestamp(column.type) or column.null_count == len(column):
        return {}
    if pa.types.is_list(column.type):
        return {"lengths": _lengths(pc.list_value_length(column))}
    return _moments(column.drop_null().to_numpy().astype(np.float64))


def _lengths(lengths: pa.ChunkedArray) -> Lengths:
    extremes = pc.min_max(lengths).as_py()
    return Lengths(minimum=extremes["min"], mean=pc.mean(lengths).as_py(), maximum=extremes["max"])


def _moments(numbers: Numbers) -> dict[str, float | Histogram | None]:
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = float(numbers.mean()), float(numbers.std())
    return {
        "minimum": float(numbers.min()),
        "maximum": float(numbers.max()),
        "mean": mean if isfinite(mean) else None,
        "standard_deviation": deviation if isfinite(deviation) else None,
        "histogram": _histogram(numbers),
    }


def _histogram(numbers: Numbers) -> Histogram | None:
    """None where floating point cannot tell the edges of the bins: the numbers are too close or too far apart."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            bins, edges = np.histogram(numbers, bins=BINS)
    except ValueError:
        return None
    return Histogram(edges=tuple(edges.tolist()), counts=tuple(bins.tolist()))
