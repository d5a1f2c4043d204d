"""What comparing a result with earlier versions found, in words for its page."""

from collections.abc import Iterator

from atlas.changes import Beside, MetricChange
from atlas.paired import Finding
from ui import formats


def noise(change: MetricChange | None, version: int) -> bool | None:
    """Whether the difference from an earlier version lies within noise; None if that was not compared or found out."""
    beside = next((each for each in _compared(change) if each.version == version), None)
    if beside is None or beside.difference.finding is Finding.CANNOT_TELL:
        return None
    return beside.difference.finding is Finding.WITHIN_NOISE


def since_best(change: MetricChange) -> Iterator[str]:
    """A sentence if a metric is worse than at its best, which was not on the version before."""
    best, by = change.best, change.best.difference.value if change.best else None
    if best is None or by is None or best.difference.finding is not Finding.WORSE or best == change.before:
        return
    side = "lower" if by < 0 else "higher"
    yield f"That is {formats.num(abs(by))} {side} than at its best, on v{best.version}: more than noise."


def lasting(change: MetricChange) -> Iterator[str]:
    """A sentence if a metric has changed for long."""
    step = change.step
    if step is None or step.finding not in (Finding.WORSE, Finding.BETTER):
        return
    low, high = (formats.num(end, sign=True) for end in (step.low, step.high))
    by = formats.num(step.size, sign=True)
    yield f"A lasting change for the {step.finding} began with v{step.version}: {by} [{low}, {high}]."


def _compared(change: MetricChange | None) -> list[Beside]:
    return [] if change is None else [each for each in (change.before, change.best) if each is not None]
