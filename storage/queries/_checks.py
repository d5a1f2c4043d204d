"""What comparing results with earlier versions found."""

from atlas.changes import MetricChange
from atlas.states import State
from storage.models import RegressionCheck


def regression_check(benchmark: int) -> list[MetricChange] | None:
    """Each metric of a result beside earlier versions, the primary one first; None while nothing was compared."""
    found = RegressionCheck.objects.filter(benchmark=benchmark).select_related("benchmark")
    return changes_of(found.only("changes", "benchmark__state").first())


def changes_of(check: RegressionCheck | None) -> list[MetricChange] | None:
    """What a check says, if there is one of a benchmark that is done."""
    if check is None or check.benchmark.state != State.DONE:
        return None
    return [MetricChange.model_validate(change) for change in check.changes]
