"""Results as they are stored, whole: what the page needs that compares one with an earlier one of the same model."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pydantic import TypeAdapter

from atlas.changes import MetricChange
from atlas.drift import ColumnDrift, TableDrift
from atlas.manifest import Manifest
from atlas.results import (
    BenchmarkResult,
    Costs,
    Explanation,
    Provenance,
    SliceMetrics,
)
from atlas.states import State
from storage.models import Benchmark, Metric
from storage.queries._metrics import metric_value
from storage.queries._results import Results

_CHANGES = TypeAdapter(tuple[MetricChange, ...])
_RELATED = (
    "model__author",
    "dataset_version__tag",
    "dataset_version__drift",
    "confusion_matrix",
    "residuals",
    "explanation",
    "drift",
    "check_made",
)
_DEFERRED = ("output", "hyperparameters", "warnings", "dataset_version__description")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How far data have moved, or why nothing says so: one of both, or neither if nobody has measured it yet."""

    drift: TableDrift | None = None
    unknown: str = ""


@dataclass(frozen=True)
class StoredResult(Results):
    """The result of a benchmark that is done, and what was found of it since."""

    @cached_property
    def manifest(self) -> Manifest:
        """What the model's bundle says of itself."""
        return Manifest.model_validate(self.benchmark.model.manifest)

    @cached_property
    def version(self) -> int:
        """The number of the dataset version that it is on."""
        return int(self.benchmark.dataset_version.number)

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """Its metrics by name, the primary one first."""
        return {metric.name: metric for metric in self.benchmark.metrics.all()}

    @cached_property
    def document(self) -> BenchmarkResult:
        """What the engine stored, as far as `monitoring` compares it: without residuals, hyperparameters and output."""
        stored = self.benchmark
        return BenchmarkResult(
            metrics=tuple(map(metric_value, self.metrics.values())),
            class_metrics=tuple(self.classes),
            slice_metrics=tuple(map(SliceMetrics.model_validate, stored.slice_metrics)),
            costs=_costs(stored),
            explanation=self.explanation or Explanation(impossible="Nothing was kept."),
            provenance=Provenance.model_validate(stored.provenance),
            predictions_key=stored.predictions_key,
        )

    @cached_property
    def changes(self) -> dict[str, MetricChange] | None:
        """How each metric differs from earlier versions, by its name; None until the engine has compared them.

        While `benchmark.check_due` is set, an earlier result has changed since.
        """
        found = getattr(self.benchmark, "check_made", None)
        return {each.metric: each for each in _CHANGES.validate_python(found.changes)} if found else None

    @cached_property
    def from_training(self) -> Moved:
        """How far its data lie from what the model was trained on."""
        found = getattr(self.benchmark, "drift", None)
        return Moved(drift=_table(found.document), unknown=found.unknown) if found else Moved()

    @cached_property
    def predictions_moved(self) -> ColumnDrift | None:
        """How far its predictions lie from those on the version before."""
        found = getattr(self.benchmark, "drift", None)
        return ColumnDrift.model_validate(found.predictions) if found and found.predictions else None

    def since(self, version: int) -> Moved:
        """How far its dataset version has moved from an earlier one, if that is the one before or the first."""
        found = getattr(self.benchmark.dataset_version, "drift", None)
        if found is None:
            return Moved()
        known = [table for table in map(_table, (found.from_previous, found.from_first)) if table]
        fitting = next((table for table in known if table.version == version), None)
        return Moved(drift=fitting, unknown=found.problem)


def _table(document: object) -> TableDrift | None:
    return TableDrift.model_validate(document) if document else None


def _costs(stored: Benchmark) -> Costs:
    return Costs(
        wall_seconds=stored.wall_seconds or 0.0,
        cpu_seconds=stored.cpu_seconds or 0.0,
        load_seconds=stored.load_seconds or 0.0,
        predict_seconds=stored.predict_seconds or 0.0,
        peak_memory_bytes=stored.peak_memory_bytes or 0,
        model_size_bytes=stored.model.size_bytes,
        predictions=stored.predictions or 0,
    )


def stored_results(keys: Sequence[int]) -> dict[int, StoredResult]:
    """The results of those of some benchmarks that are done, by the benchmark's key."""
    found = Benchmark.objects.filter(pk__in=keys, state=State.DONE).select_related(*_RELATED).defer(*_DEFERRED)
    return {benchmark.pk: StoredResult(benchmark) for benchmark in found.prefetch_related("metrics")}
