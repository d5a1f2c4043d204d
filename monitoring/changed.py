"""What a stream says of its last version, as the document that is kept and shown."""

from collections.abc import Mapping, Sequence

from atlas.changes import Beside, LastingChange, MetricChange
from monitoring.regressions import Comparison, Differ, Measurement, by_intervals, latest, shift

LONGEST = 100
"""A lasting change is looked for within so many versions, the newest ones."""


def metric_change(
    stream: Sequence[Measurement], benchmarks: Mapping[int, int], differ: Differ = by_intervals
) -> MetricChange:
    """A metric on the last version of a stream, beside the version before and the best so far.

    Args:
        stream: measurements of the metric, from the first version on.
        benchmarks: the key of the result on each version.
        differ: tells the difference of two measurements.

    Raises:
        ValueError: the stream is empty, or its measurements are of several metrics.
    """
    found, newest = latest(stream, differ), stream[-1].metric
    values = {each.version: each.metric.value for each in stream}

    def beside(comparison: Comparison | None) -> Beside | None:
        if comparison is None:
            return None
        version = comparison.reference
        return Beside(
            benchmark=benchmarks[version],
            version=version,
            value=values[version],
            shared=comparison.shared,
            difference=comparison.difference,
        )

    return MetricChange(
        metric=newest.name,
        value=newest.value,
        greater_is_better=newest.greater_is_better,
        before=beside(found.before),
        best=beside(found.best),
        finding=found.finding,
        step=_lasting(stream[-LONGEST:]),
    )


def _lasting(stream: Sequence[Measurement]) -> LastingChange | None:
    found = shift(stream)
    if found is None:
        return None
    step = found.step
    return LastingChange(
        version=found.version, size=step.size, low=step.low, high=step.high, p=step.p, finding=found.finding
    )
