"""How well a model does on parts of the data: the metrics of the events that have one value in a column, such as a car.

A column of texts, truth values or a few different numbers has a slice for each value; one of many numbers has ranges
with about as many events each. Events without a value are a slice of their own. Values with fewer than `FEWEST_ROWS`
events have none, nor do all but the `MOST_VALUES` most frequent ones, nor a column in which all events are alike.
"""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atlas.errors import MetricError
from atlas.grouped import AT_ONCE, Groups
from atlas.intervals import Sample, told
from atlas.metrics import REGISTRY, Events, Metric, Needs, Predictions, value_or_reason
from atlas.results import MetricValue, SliceMetrics

FEWEST_ROWS = 5
MOST_VALUES = 20
RANGES = 5
MISSING = "missing"
EMPTY = "(empty)"
LONGEST = 200
"""Characters of a value's name."""
DRAWS = 200
"""As few samples tell an interval, and as few groups of rows: a slice's interval is off by some 10 %."""
GROUPS = 200
NO_TIME = "There was no time left to measure it."
Values: TypeAlias = np.ndarray | pa.ChunkedArray | pa.Array
"""A column: a value for each event."""
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Slice:
    """The events that have one value in a column, by their numbers."""

    column: str
    value: str
    rows: np.ndarray


def slice_metrics(
    columns: Mapping[str, Values],
    truth: np.ndarray,
    predictions: Predictions,
    metrics: Sequence[str],
    *,
    seconds: float = 0.25,
    seed: int = 0,
) -> tuple[SliceMetrics, ...]:
    """The registry's metrics on each slice of each column, with their 95 % intervals.

    Each value is the one that scikit-learn computes on these events alone; where it cannot, the reason stands there.

    Args:
        columns: by name, with a value for each event; columns of other types than texts, truth values and numbers have
            no slices.
        truth: as in `atlas.metrics.measure`.
        predictions: likewise.
        metrics: names of metrics, the most important first; those that the registry does not have are left out.
        seconds: how long it may take, in seconds of a core. Once they are over, what has not been measured says so, and
            no more intervals are computed.
        seed: of the random numbers that intervals need.
    """
    return slices_until(time.thread_time() + seconds, columns, Events(truth, predictions), metrics, seed=seed)


def slices_until(
    deadline: float, columns: Mapping[str, Values], events: Events, metrics: Sequence[str], *, seed: int = 0
) -> tuple[SliceMetrics, ...]:
    """The same of events that other measurements are made on too, until the time of this thread is `deadline`."""
    entries = [REGISTRY[name] for name in metrics if name in REGISTRY]
    found = [slices_of(name, values) for name, values in columns.items()]
    grouped = [_Column(slices, events) for slices in found if slices and len(slices[0].rows) < len(events)]
    values = [[value for column in grouped for value in column.values(entry, deadline)] for entry in entries]
    slices = [each for column in grouped for each in column.slices]
    _tell(values, [Sample(events.part(each.rows), seed, 2 * GROUPS, GROUPS) for each in slices], deadline)
    return tuple(
        SliceMetrics(column=each.column, value=each.value, rows=len(each.rows), metrics=tuple(of_slice))
        for each, *of_slice in zip(slices, *values, strict=True)
    )


def _tell(values: list[list[MetricValue]], parts: Sequence[Sample], deadline: float) -> None:
    """Give each metric's values on the slices their intervals, those of the first metric before all others."""
    for some in (values[:1], values[1:]):
        for place, part in enumerate(parts):
            measured = [of_metric[place] for of_metric in some]
            for of_metric, value in zip(some, told(measured, part, draws=DRAWS, deadline=deadline), strict=True):
                of_metric[place] = value


# Values -------------------------------------------------------------------------------------------------------------


class _Column:
    """The slices of one column, and the metrics on them."""

    def __init__(self, slices: Sequence[Slice], events: Events) -> None:
        self.slices = slices
        self._events = events
        self._rows = np.concatenate([each.rows for each in slices])
        self._unit = np.repeat(np.arange(len(slices)), [len(each.rows) for each in slices])
        self._groups: dict[Needs, Groups] = {}

    def values(self, entry: Metric, deadline: float) -> list[MetricValue]:
        """A metric on each slice."""
        try:
            truth, answer = self._events.arguments(entry)
        except MetricError as error:
            return [_without_value(entry, str(error)) for _ in self.slices]
        known = self._at_once(entry, truth, answer)
        return [
            value_or_reason(entry, partial(float, value))
            if np.isfinite(value)
            else self._alone(entry, truth[each.rows], answer[each.rows], deadline)
            for each, value in zip(self.slices, known, strict=True)
        ]

    def _at_once(self, entry: Metric, truth: np.ndarray, answer: np.ndarray) -> np.ndarray:
        """The metric on all slices, NaN where it has to be computed on one alone."""
        if entry.name not in AT_ONCE:
            return np.full(len(self.slices), np.nan)
        if entry.needs not in self._groups:
            given = truth[self._rows], answer[self._rows], self._unit, len(self.slices)
            self._groups[entry.needs] = Groups(*given, self._events.classes)
        return AT_ONCE[entry.name](self._groups[entry.needs])

    def _alone(self, entry: Metric, truth: np.ndarray, answer: np.ndarray, deadline: float) -> MetricValue:
        """The metric on one slice, by scikit-learn, unless the time is over."""
        if time.thread_time() > deadline:
            return _without_value(entry, NO_TIME)
        return value_or_reason(entry, partial(entry.of, truth, answer, self._events.classes))


def _without_value(entry: Metric, reason: str) -> MetricValue:
    return MetricValue(name=entry.name, value=None, greater_is_better=entry.greater_is_better, reason=reason)


# Slices -------------------------------------------------------------------------------------------------------------


def slices_of(column: str, values: Values) -> list[Slice]:
    """The slices of a column: those of values the largest first, those of ranges in their order, the missing last."""
    given = _plain(values)
    if given is None:
        return []
    ranges = _ranges(given)
    names, codes = ranges or _distinct(given)
    order, sizes = np.argsort(codes, kind="stable"), np.bincount(codes, minlength=len(names))
    groups = np.split(order, np.cumsum(sizes)[:-1])
    known = [Slice(column=column, value=name, rows=rows) for name, rows in zip(names, groups, strict=True)]
    most = known[:-1] if ranges else sorted(known[:-1], key=lambda each: -len(each.rows))[:MOST_VALUES]
    return [each for each in [*most, known[-1]] if len(each.rows) >= FEWEST_ROWS]


def _plain(values: Values) -> pa.Array | None:
    """The values as one array of texts, truth values or numbers, with null where there is none; None of other types."""
    array = pa.array(values, from_pandas=True) if isinstance(values, np.ndarray) else values
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_floating(array.type):
        return pc.if_else(pc.is_nan(array), None, array)
    is_plain = (pa.types.is_string, pa.types.is_large_string, pa.types.is_boolean, pa.types.is_integer)
    return array if any(is_it(array.type) for is_it in is_plain) else None


def _distinct(values: pa.Array) -> tuple[list[str], np.ndarray]:
    """The names of the different values, that of none last, and for each event which of them it has."""
    encoded = values.dictionary_encode()
    names = [_name(text) for text in encoded.dictionary.cast(pa.string()).to_pylist()]
    return [*names, MISSING], encoded.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)


def _name(text: str) -> str:
    """A value as one line that every database keeps."""
    plain = UNPRINTABLE.sub(" ", text).strip()
    return (plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1].rstrip()}…") or EMPTY


def _ranges(values: pa.Array) -> tuple[list[str], np.ndarray] | None:
    """The same of ranges of numbers, if there are more different ones than make a slice each."""
    if not pa.types.is_integer(values.type) and not pa.types.is_floating(values.type):
        return None
    if pc.count_distinct(values).as_py() <= MOST_VALUES:
        return None
    numbers = values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    known = numbers[~np.isnan(numbers)]
    ends = np.unique(np.quantile(known, np.linspace(0, 1, RANGES + 1), method="lower"))
    places = np.searchsorted(ends[1:-1], numbers, side="right")
    figures = [str(int(end)) for end in ends] if pa.types.is_integer(values.type) else _figures(ends)
    names = [f"{low}\N{EN DASH}{high}" for low, high in pairwise(figures)]
    return [*names, MISSING], np.where(np.isnan(numbers), len(names), places)


def _figures(ends: np.ndarray) -> list[str]:
    """Numbers, rounded as far as they stay different."""
    for digits in range(3, 17):
        found = [np.format_float_positional(end, digits, fractional=False, trim="-") for end in ends]
        if len(set(found)) == len(ends):
            break
    return found
