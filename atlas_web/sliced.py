"""How well a model does on slices of the events, as tables: one for each column, the worst slice first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from django.utils.html import format_html
from django.utils.safestring import SafeString

from atlas.ranking import unlike
from atlas.results import MetricValue, SliceMetrics
from atlas_web import words
from atlas_web.intervals import Interval
from ui import components, formats


class Whole(Interval, Protocol):
    """A metric on all test rows."""

    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One slice. `is_worst` marks the worst one, if more than noise makes it worse than the whole."""

    name: str
    is_worst: bool
    score: SafeString
    apart: SafeString
    rows: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The slices of one column by one metric."""

    id: str
    column: str
    metric: str
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class _Measured:
    """A slice, and its value of the metric that is shown."""

    slice: SliceMetrics
    found: MetricValue

    def badness(self) -> float:
        """What grows as the slice does worse; without a value it comes last."""
        value = self.found.value
        return float("-inf") if value is None else -value if self.found.greater_is_better else value

    def is_apart(self, whole: Whole) -> bool:
        """Whether more than noise tells it from the whole."""
        return unlike(self.found.low, self.found.high, whole.low, whole.high)

    def is_worse(self, whole: Whole) -> bool:
        """Whether it is worse than the whole by more than noise."""
        if self.found.value is None or whole.value is None or not self.is_apart(whole):
            return False
        return (self.found.value < whole.value) == self.found.greater_is_better


def tables(slices: Sequence[SliceMetrics], metrics: Sequence[Whole]) -> list[Table]:
    """A table for each column, by the first of the benchmark's metrics that the slices have."""
    known = {value.name for each in slices for value in each.metrics}
    whole = next((metric for metric in metrics if metric.name in known), None)
    if whole is None:
        return []
    by_column = groupby(slices, key=lambda each: each.column)
    return [
        _table(number, column, whole, list(_measured(found, whole.name)))
        for number, (column, found) in enumerate(by_column, start=1)
    ]


def _measured(slices: Iterator[SliceMetrics], name: str) -> Iterator[_Measured]:
    for each in slices:
        yield from (_Measured(each, value) for value in each.metrics if value.name == name)


def _table(number: int, column: str, whole: Whole, slices: Sequence[_Measured]) -> Table:
    shown = sorted(slices, key=_Measured.badness, reverse=True)
    ends = [end for each in shown for end in (each.found.low, each.found.high) if end is not None]
    inside = [] if whole.value is None or not ends else [whole.value]
    scale = (min(ends + inside), max(ends + inside)) if ends else None
    return Table(
        id=f"slices-{number}",
        column=column,
        metric=words.metric_title(whole.name),
        rows=[_row(each, whole, scale, is_first=each is shown[0]) for each in shown],
    )


def _row(each: _Measured, whole: Whole, scale: tuple[float, float] | None, *, is_first: bool) -> Row:
    value = each.found
    return Row(
        name=each.slice.value,
        is_worst=is_first and each.is_worse(whole),
        score=components.interval(value.value, value.low, value.high, scale, whole.value)
        if value.value is not None
        else _missing(value.reason),
        apart=components.delta(
            words.difference(value.value, whole.value),
            False if each.is_apart(whole) else None,
            better_down=not value.greater_is_better,
        ),
        rows=formats.num(each.slice.rows, 0),
    )


def _missing(reason: str) -> SafeString:
    """What stands where there is no value: why."""
    return format_html('{} <small class="muted">{}</small>', components.nothing(), words.clipped(reason))
