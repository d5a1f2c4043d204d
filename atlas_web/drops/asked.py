"""What is asked of a result: which of its metrics, and beside which earlier result of the model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from atlas.changes import Beside, MetricChange
from atlas.paired import Difference, Finding, finding, unpaired
from atlas.results import MetricValue
from atlas_web import words
from storage.queries import HistoryPoint, StoredResult, metric_value

MOST_VERSIONS = 50
"""So many earlier versions can be chosen, the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A metric of a result, beside one of its earlier values.

    Attributes:
        now: the metric.
        version: that it is on.
        earlier: the metric on the versions before that have a value, oldest first.
        before, best: of those, the last one and the best; None of the first.
        reference: of those, the one to compare with.
        change: how the metric differs from that.
        is_checked: whether the engine has compared them, with all its corrections; else both intervals tell.
        is_due: whether the engine is still to compare the result with those before, maybe once more.
        shared: how many events both have in the same state; None where nobody has counted.
        problems: what is wrong with what was asked for, in sentences.
    """

    now: MetricValue
    version: int
    earlier: Sequence[HistoryPoint]
    before: HistoryPoint | None
    best: HistoryPoint | None
    reference: HistoryPoint | None
    change: Difference
    is_checked: bool
    is_due: bool
    shared: int | None
    problems: Sequence[str]

    @property
    def title(self) -> str:
        """The metric's name for people."""
        return words.metric_title(self.now.name)

    @property
    def noun(self) -> str:
        """What the change is called."""
        return "fall" if (self.change.value or 0.0) < 0 else "rise"

    def options(self) -> Iterator[tuple[int, str]]:
        """The earlier results that can be chosen, the latest first: the benchmark's key, and its version in words."""
        named = (("the one before", self.before), ("the best so far", self.best))
        for point in list(reversed(self.earlier))[:MOST_VERSIONS]:
            roles = " and ".join(role for role, of in named if of and of.benchmark == point.benchmark)
            yield point.benchmark, f"v{point.version}, {roles}" if roles else f"v{point.version}"


def asked(result: StoredResult, points: Sequence[HistoryPoint], metric: str = "", against: str = "") -> Asked | None:
    """What is asked of a result, and where nothing is asked, the primary metric beside what it fell from.

    Args:
        result: the newer one.
        points: the metrics of its model over the versions of its tag.
        metric: the name of one of its metrics.
        against: the key of an earlier benchmark, `before` or `best`.

    Returns:
        None if it has no metric with a value.
    """
    known = {name: each for name, each in result.metrics.items() if each.value is not None}
    if not known:
        return None
    now = metric_value(known.get(metric) or next(iter(known.values())))
    checked = (result.changes or {}).get(now.name)
    earlier = [point for point in points if point.metric == now.name and point.version < result.version]
    offered = _offered(earlier, checked, greater_is_better=now.greater_is_better)
    reference = _reference(offered, earlier, checked, against)
    beside = _beside(checked, reference)
    return Asked(
        now=now,
        version=result.version,
        earlier=earlier,
        before=offered.get("before"),
        best=offered.get("best"),
        reference=reference,
        change=beside.difference if beside else _by_intervals(now, reference),
        is_checked=beside is not None,
        is_due=result.benchmark.check_due,
        shared=beside.shared if beside else None,
        problems=[*_no_metric(metric, now), *_no_version(against, reference, offered)],
    )


def _offered(
    earlier: Sequence[HistoryPoint], checked: MetricChange | None, *, greater_is_better: bool
) -> dict[str, HistoryPoint]:
    """The earlier results that have a name: those that the engine compared with, else the last and the best."""
    if not earlier:
        return {}
    side = 1 if greater_is_better else -1
    found = {"before": earlier[-1], "best": max(reversed(earlier), key=lambda point: side * point.value)}
    for name, beside in (("before", checked and checked.before), ("best", checked and checked.best)):
        point = next((each for each in earlier if beside and each.benchmark == beside.benchmark), None)
        found |= {name: point} if point else {}
    return found


def _reference(
    offered: Mapping[str, HistoryPoint], earlier: Sequence[HistoryPoint], checked: MetricChange | None, against: str
) -> HistoryPoint | None:
    """What was asked for; else the version before, unless only the best so far was better by more than noise."""
    asked_for = {str(point.benchmark): point for point in earlier} | dict(offered)
    if against in asked_for:
        return asked_for[against]
    only_best = checked is not None and not _is_worse(checked.before) and _is_worse(checked.best)
    return offered.get("best" if only_best else "before")


def _is_worse(beside: Beside | None) -> bool:
    return beside is not None and beside.difference.finding is Finding.WORSE


def _beside(checked: MetricChange | None, reference: HistoryPoint | None) -> Beside | None:
    """What the engine found of both, if it has compared them as they stand now."""
    if checked is None or reference is None:
        return None
    known = (each for each in (checked.before, checked.best) if each)
    return next((each for each in known if each.benchmark == reference.benchmark), None)


def _by_intervals(now: MetricValue, reference: HistoryPoint | None) -> Difference:
    if reference is None:
        return Difference()
    value, low, high = reference.value, reference.low, reference.high
    found = unpaired(now.model_copy(update={"value": value, "low": low, "high": high}), now)
    says = finding(found, found.p, greater_is_better=now.greater_is_better)
    return found.model_copy(update={"finding": says})


def _no_metric(asked_for: str, now: MetricValue) -> Iterator[str]:
    if asked_for not in ("", now.name):
        yield f"This result has no value of {asked_for}; {words.metric_title(now.name)} is shown."


def _no_version(asked_for: str, reference: HistoryPoint | None, offered: Mapping[str, HistoryPoint]) -> Iterator[str]:
    if reference and asked_for not in ("", str(reference.benchmark), *offered):
        yield f"{asked_for} is no earlier result of this model on these data; v{reference.version} is compared with."
