"""The table of the workbench: metrics, costs and hyperparameters of the chosen benchmarks beside the reference."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from atlas.comparison import ComparedBenchmark, ComparedHyperparameter, ComparedMetric, Comparison
from atlas.paired import Difference, Finding
from atlas_web import words
from ui import components, formats


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one benchmark has, and how that differs from the reference; `is_other` if it does."""

    value: SafeString | str
    change: SafeString | str
    is_other: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing of all benchmarks; `is_same` if none differs from the reference, as far as anything tells."""

    name: str
    reference: SafeString | str
    cells: Sequence[Cell]
    is_same: bool
    is_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows of one kind below a head; `hidden` is the number of those that are left out since they are the same."""

    title: str
    rows: Sequence[Row]
    hidden: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The groups, and the marks of the columns: the reference's, and the others'."""

    reference: ComparedBenchmark
    others: Sequence[ComparedBenchmark]
    groups: Sequence[Group]
    defaults: int

    @property
    def left_out(self) -> str:
        """What the table does not show, in words; empty if it shows everything."""
        same = sum(group.hidden for group in self.groups)
        rows = [f"{words.plural(same, 'row')} without a difference"] if same else []
        defaults = [f"{words.plural(self.defaults, 'default')} of libraries"] if self.defaults else []
        return f"Left out: {' and '.join([*rows, *defaults])}." if rows or defaults else ""


def table(of: Comparison, *, differences_only: bool) -> Table:
    """The table of a comparison."""
    marks = [each.mark for each in of.benchmarks]
    place = marks.index(of.reference)
    kinds: list[tuple[str, list[Row]]] = [
        ("Metric", [_metric(metric, place) for metric in of.metrics]),
        ("Cost", list(_costs(of.benchmarks, place))),
        ("Hyperparameter", [_hyperparameter(each, place) for each in of.hyperparameters if not each.is_idle]),
    ]
    return Table(
        reference=of.benchmarks[place],
        others=_but(of.benchmarks, place),
        groups=[_group(title, rows, differences_only) for title, rows in kinds if rows],
        defaults=sum(each.is_idle for each in of.hyperparameters),
    )


def _but(items: Sequence[Any], place: int) -> list[Any]:
    return [item for number, item in enumerate(items) if number != place]


def _group(title: str, rows: Sequence[Row], differences_only: bool) -> Group:
    shown = [row for row in rows if not (differences_only and row.is_same)]
    return Group(title=title, rows=shown, hidden=len(rows) - len(shown))


def _metric(metric: ComparedMetric, place: int) -> Row:
    cells = [
        Cell(value=_score(value, low, high), change=_change(difference, metric))
        for value, low, high, difference in zip(
            metric.values, metric.lows, metric.highs, metric.differences, strict=True
        )
        if difference is not None
    ]
    found = {difference.finding for difference in metric.differences if difference}
    return Row(
        name=words.metric_title(metric.name),
        reference=_score(metric.values[place], metric.lows[place], metric.highs[place]),
        cells=cells,
        is_same=not found & {Finding.BETTER, Finding.WORSE},
    )


def _score(value: float | None, low: float | None, high: float | None) -> SafeString:
    """A value with its interval below it."""
    return _stacked(components.score(value), components.ci(low, high))


def _stacked(above: SafeString, below: SafeString) -> SafeString:
    return format_html('{}<small class="d-block muted">{}</small>', above, below) if below else above


def _change(difference: Difference, metric: ComparedMetric) -> SafeString:
    """A difference with its interval; in colour only if it is more than noise."""
    noise = {Finding.WITHIN_NOISE: True, Finding.CANNOT_TELL: None}.get(difference.finding, False)
    change = components.delta(difference.value, noise, better_down=not metric.greater_is_better)
    return _stacked(change, components.ci(difference.low, difference.high))


@dataclass(frozen=True, slots=True)
class _Cost:
    name: str
    read: Callable[[ComparedBenchmark], float | None]
    scale: float
    decimals: int

    def text(self, value: float | None, *, sign: bool = False) -> str:
        return formats.num(None if value is None else value * self.scale, self.decimals, sign=sign)


COSTS = (
    _Cost("Latency p50, ms", lambda each: each.latency_p50_seconds, 1e3, 2),
    _Cost("Latency p95, ms", lambda each: each.latency_p95_seconds, 1e3, 2),
    _Cost("Peak memory, MiB", lambda each: each.peak_memory_bytes, 2**-20, 0),
    _Cost("Size, MiB", lambda each: each.size_bytes, 2**-20, 3),
)


def _costs(benchmarks: Sequence[ComparedBenchmark], place: int) -> Iterator[Row]:
    """Costs have no intervals: they were measured once, so that nothing tells how much of a difference is noise."""
    base = benchmarks[place]
    for cost in COSTS:
        own = cost.read(base)
        values = [cost.read(each) for each in _but(benchmarks, place)]
        changes = [cost.text(words.difference(value, own), sign=True) for value in values]
        yield Row(
            name=cost.name,
            reference=cost.text(own),
            cells=[
                Cell(value=cost.text(value), change=format_html('<span class="muted">{}</span>', change))
                for value, change in zip(values, changes, strict=True)
            ],
            is_same=all(cost.text(value) == cost.text(own) for value in values),
        )


def _hyperparameter(of: ComparedHyperparameter, place: int) -> Row:
    own = of.values[place]
    return Row(
        name=f"{of.step}: {of.name}" if of.step else of.name,
        reference=_text(own),
        cells=[
            Cell(value=_text(value), change="differs" if value != own else "", is_other=value != own)
            for value in _but(of.values, place)
        ],
        is_same=not of.differs,
        is_code=True,
    )


def _text(value: str | None) -> str:
    return formats.NOTHING if value is None else words.clipped(value)
