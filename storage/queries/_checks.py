"""What comparing results with earlier versions found."""

from atlas.changes import MetricChange
from atlas.states import State
from storage.models import RegressionCheck


def regression_check(benchmark: int) -> list[MetricChange] | None:
    """Each metric of a result beside earlier versions, the primary one first; None while nothing was compared."""
    found = RegressionCheck.objects.filter(benchmark=benchmark, benchmark__state=State.DONE)
    for changes in found.values_list("changes", flat=True):
        return [MetricChange.model_validate(change) for change in changes]
    return None
