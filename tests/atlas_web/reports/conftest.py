"""Models to report on."""

from typing import Any

from atlas.results import BenchmarkResult, MetricValue
from storage.models import DatasetVersion
from tests import stage
from tests.samples import result

HOSTILE = '</title><script>alert(1)</script> #panic("x") $x^2$ *b* _i_ @ref <label> \\ [ ] // /* `raw` "q"'
"""What HTML, JSON or typst could take for something else than text."""


def scored(f1: float | None, around: float | None = 0.02, **changes: Any) -> BenchmarkResult:
    """A result with this F1 and an interval of so much on either side."""
    sure = {} if f1 is None or around is None else {"low": f1 - around, "high": f1 + around}
    reason = "" if f1 is not None else "no damage seen"
    return result(
        metrics=(
            MetricValue(name="accuracy", value=0.9, greater_is_better=True),
            MetricValue(name="f1", value=f1, greater_is_better=True, reason=reason, **sure),
        ),
        **changes,
    )


def measured(*scores: float | None, name: str = "Forest-1.0.0-1", around: float | None = 0.02, **changes: Any) -> int:
    """A model that is done on as many versions of the tag `impacts`."""
    model = stage.add_model(name, **changes)
    for number, f1 in enumerate(scores, 1):
        stage.finish(model, version(number), scored(f1, around))
    return model


def version(number: int, **changes: Any) -> int:
    """The key of a version of `impacts`, which is made if there is none."""
    found = DatasetVersion.objects.filter(number=number, tag__name="impacts").first()
    return found.pk if found else stage.add_version(number, **changes)
