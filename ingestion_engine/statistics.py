"""What a dataset version contains, in numbers: counts of labels, cars and environments, and each column's summary."""

from math import isfinite

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from atlas.datasets import ColumnStatistics, Histogram, Statistics

Numbers = npt.NDArray[np.float64]

BINS = 20
MOST_FREQUENT = 20
NOT_SUMMARISED = ("id", "time", "car", "environment")


def summarise(table: pa.Table) -> Statistics:
    """Statistics of a version's rows; one column at a time is in memory."""
    return Statistics(
        rows=table.num_rows,
        labels=_label_counts(table["label"]),
        cars=counts(table["car"]),
        environments=counts(table["environment"]),
        columns=tuple(_column(field, table[field.name]) for field in table.schema if _has_summary(field)),
    )


def counts(column: pa.ChunkedArray) -> dict[str, int]:
    """How often each value occurs, the most frequent first; missing values are not counted."""
    found = [(str(each["values"]), each["counts"]) for each in pc.value_counts(column.drop_null()).to_pylist()]
    return dict(sorted(found, key=lambda each: (-each[1], each[0])))


def _label_counts(labels: pa.ChunkedArray) -> dict[str, int]:
    """Events per class; a continuous label has no classes, but a summary among the columns."""
    if pa.types.is_floating(labels.type):
        return {}
    return counts(pc.list_flatten(labels) if pa.types.is_list(labels.type) else labels)


def _has_summary(field: pa.Field) -> bool:
    if field.name == "label":
        return bool(pa.types.is_floating(field.type) or pa.types.is_integer(field.type))
    return field.name not in NOT_SUMMARISED and not pa.types.is_list(field.type)


def _column(field: pa.Field, column: pa.ChunkedArray) -> ColumnStatistics:
    summary = ColumnStatistics(name=field.name, dtype=str(field.type), missing=column.null_count)
    if pa.types.is_string(field.type) or pa.types.is_boolean(field.type):
        return summary.model_copy(update={"values": dict(list(counts(column).items())[:MOST_FREQUENT])})
    numbers = column.drop_null().to_numpy().astype(np.float64)
    return summary.model_copy(update=_moments(numbers)) if len(numbers) else summary


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
