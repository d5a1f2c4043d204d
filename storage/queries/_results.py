"""What a benchmark that is done found, read from its row and those that belong to it."""

from dataclasses import dataclass
from functools import cached_property

from atlas.results import ClassMetrics
from atlas.results import Explanation as ExplanationDocument
from storage.models import Benchmark


@dataclass(frozen=True)
class Results:
    """The results of one benchmark; what it has none of is None or empty. Select the related rows with it."""

    benchmark: Benchmark

    @cached_property
    def classes(self) -> list[ClassMetrics]:
        """How well each class is recognised, if the model has classes."""
        return [ClassMetrics.model_validate(each) for each in self.benchmark.class_metrics]

    @cached_property
    def confusion_matrix(self) -> tuple[list[str], list[list[int]]] | None:
        """Classes, and counts by truth and prediction."""
        matrix = getattr(self.benchmark, "confusion_matrix", None)
        return ([str(label) for label in matrix.classes], matrix.counts) if matrix else None

    @cached_property
    def residuals(self) -> tuple[list[float], list[float]] | None:
        """True and predicted values of a regression's sample."""
        found = getattr(self.benchmark, "residuals", None)
        return (found.truth, found.predicted) if found else None

    @cached_property
    def explanation(self) -> ExplanationDocument | None:
        """Why the model predicts as it does, or why that cannot be said."""
        found = getattr(self.benchmark, "explanation", None)
        return ExplanationDocument.model_validate(found.document) if found else None
