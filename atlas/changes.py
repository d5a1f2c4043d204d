"""How a model's metric on a dataset version differs from those on earlier versions, as it is kept and shown.

`monitoring.regressions` finds it out.
"""

from atlas.paired import Difference, Finding
from atlas.vocabulary import Document, Text


class Beside(Document):
    """A result beside an earlier one of the same model.

    Attributes:
        benchmark: the earlier result's key.
        version: the number of the dataset version that it is on.
        value: the metric then.
        shared: how many events both have in the same state.
        difference: the newer value less the earlier; its finding is corrected as docs/explanation/regressions.md says.
    """

    benchmark: int
    version: int
    value: float | None
    shared: int
    difference: Difference


class LastingChange(Document):
    """A step of a metric within the stream of versions: the first version that it shows in, its size, how sure."""

    version: int
    size: float
    low: float
    high: float
    p: float
    finding: Finding


class MetricChange(Document):
    """One metric of a new result beside the version before and the best so far; None where there is none to compare."""

    metric: Text
    value: float | None
    greater_is_better: bool
    before: Beside | None = None
    best: Beside | None = None
    finding: Finding
    step: LastingChange | None = None
