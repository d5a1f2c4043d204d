"""Where a model fell between two results: the slices and classes, and how much of the whole change each explains.

The change of an average over events is the sum over the slices of a column of what changed within each, and of what the
mixture did: Kitagawa (1955), Components of a difference between two rates.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from atlas.paired import Difference, judged, unpaired
from atlas.results import BenchmarkResult, ClassMetrics, MetricValue, SliceMetrics
from atlas.slices import MISSING

AVERAGES = frozenset(
    {
        "accuracy",
        "brier_score",
        "f1_samples",
        "jaccard_samples",
        "log_loss",
        "mean_absolute_error",
        "mean_absolute_percentage_error",
        "mean_gamma_deviance",
        "mean_poisson_deviance",
        "mean_squared_error",
        "mean_squared_log_error",
        "precision_samples",
        "recall_samples",
        "top_k_accuracy",
    }
)
"""The metrics that are the mean of a number for each event: what their slices explain adds up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A slice or a class in one result; `rows` of the result's events are of it, `share` of all."""

    rows: int
    share: float
    metric: MetricValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """How a slice or a class changed between two results.

    Attributes:
        column: of the slice; empty of a class.
        value: in the column, or the class.
        before, after: None where a result has no events of it, or too few.
        difference: after less before. `finding` and `adjusted_p` are corrected for all that are compared (Holm's
            method); events that both results share are not told apart, so its interval is rather too wide.
        within: by how much the change within the slice moved the whole, in the metric's unit; None if a value lacks.
        mixture: by how much it did so because there are more or fewer such events than before; None where parts do not
            add up.
        explained: share of the whole change that both are; None where parts do not add up. Below 0 if against it.
    """

    column: str
    value: str
    before: Part | None
    after: Part | None
    difference: Difference
    within: float | None
    mixture: float | None
    explained: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    """A metric of all events, before and after; `is_sum` where those of parts add up to it."""

    before: float
    after: float
    is_sum: bool
    greater_is_better: bool


Name = tuple[str, str]
Parts = Mapping[Name, Part]


def fallen_slices(before: BenchmarkResult, after: BenchmarkResult, metric: str) -> list[Fall]:
    """How each slice of each column changed, that which explains most of a fall first.

    Columns whose values differ altogether, such as ranges with other ends, are left out.

    Args:
        before: a model's result on one dataset version.
        after: likewise, on a later one.
        metric: the name of one that both results have; else the list is empty.
    """
    whole = _whole(before, after, metric, is_sum=metric in AVERAGES)
    older, newer = (_slices(result, metric) for result in (before, after))
    common = {column for column, value in older.keys() & newer.keys() if value != MISSING}
    names = [name for name in dict.fromkeys([*older, *newer]) if name[0] in common]
    return _falls(names, older, newer, whole) if whole else []


def fallen_classes(before: BenchmarkResult, after: BenchmarkResult) -> list[Fall]:
    """How the recall of each class changed, and what that explains of the change of accuracy, most of a fall first.

    Empty of regressions, and where accuracy was not measured.
    """
    is_sum = all(sum(each.rows for each in result.class_metrics) == _rows(result) for result in (before, after))
    whole = _whole(before, after, "accuracy", is_sum=is_sum)
    older, newer = _classes(before), _classes(after)
    return _falls(list(dict.fromkeys([*older, *newer])), older, newer, whole) if whole else []


def _rows(result: BenchmarkResult) -> int:
    return max(result.costs.predictions, 1)


def _whole(before: BenchmarkResult, after: BenchmarkResult, metric: str, *, is_sum: bool) -> _Whole | None:
    older, newer = (_named(result.metrics, metric) for result in (before, after))
    if older is None or newer is None or older.value is None or newer.value is None:
        return None
    return _Whole(before=older.value, after=newer.value, is_sum=is_sum, greater_is_better=newer.greater_is_better)


def _named(metrics: Iterable[MetricValue], name: str) -> MetricValue | None:
    return next((each for each in metrics if each.name == name), None)


def _slices(result: BenchmarkResult, metric: str) -> Parts:
    return {(each.column, each.value): part for each in result.slice_metrics if (part := _slice(each, result, metric))}


def _slice(found: SliceMetrics, result: BenchmarkResult, metric: str) -> Part | None:
    value = _named(found.metrics, metric)
    return None if value is None else Part(rows=found.rows, share=found.rows / _rows(result), metric=value)


def _classes(result: BenchmarkResult) -> Parts:
    return {("", str(each.label)): _class(each, result) for each in result.class_metrics if each.rows}


def _class(found: ClassMetrics, result: BenchmarkResult) -> Part:
    recall = MetricValue(name="recall", greater_is_better=True, **found.recall.model_dump())
    return Part(rows=found.rows, share=found.rows / _rows(result), metric=recall)


def _falls(names: Sequence[Name], older: Parts, newer: Parts, whole: _Whole) -> list[Fall]:
    pairs = [(older.get(name), newer.get(name)) for name in names]
    differences = judged([_difference(*pair) for pair in pairs], greater_is_better=whole.greater_is_better)
    falls = [
        _fall(name, pair, difference, whole) for name, pair, difference in zip(names, pairs, differences, strict=True)
    ]
    side = 1 if whole.greater_is_better else -1
    return sorted(falls, key=lambda fall: (side * _moved(fall), fall.column, fall.value))


def _moved(fall: Fall) -> float:
    """By how much a part moved the whole, as far as that is known."""
    return (fall.within or 0.0) + (fall.mixture or 0.0)


def _difference(before: Part | None, after: Part | None) -> Difference:
    return unpaired(before.metric, after.metric) if before and after else Difference()


def _fall(name: Name, pair: tuple[Part | None, Part | None], difference: Difference, whole: _Whole) -> Fall:
    within = _within(*pair)
    mixture = None if within is None or not whole.is_sum else _mixture(*pair, (whole.before + whole.after) / 2)
    change = whole.after - whole.before
    explained = None if within is None or mixture is None or not change else (within + mixture) / change
    column, value = name
    return Fall(
        column=column,
        value=value,
        before=pair[0],
        after=pair[1],
        difference=difference,
        within=within,
        mixture=mixture,
        explained=explained,
    )


def _within(before: Part | None, after: Part | None) -> float | None:
    """The change of the metric, times the mean share of events: 0 of a slice that only one result has."""
    if any(part and part.metric.value is None for part in (before, after)):
        return None
    if not before or not after:
        return 0.0
    return ((after.metric.value or 0.0) - (before.metric.value or 0.0)) * (before.share + after.share) / 2


def _mixture(before: Part | None, after: Part | None, middle: float) -> float:
    """The change of the share of events, times how far their metric lies from the middle of the whole's."""
    known = [part.metric.value or 0.0 for part in (before, after) if part]
    shares = [part.share if part else 0.0 for part in (before, after)]
    return (shares[1] - shares[0]) * (sum(known) / len(known) - middle)
