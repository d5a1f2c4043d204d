"""What the pages of one benchmark show."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.db.models import (
    Case,
    F,
    IntegerField,
    Q,
    Value,
    When,
)

from atlas.changes import MetricChange
from atlas.manifest import Manifest
from atlas.results import ClassMetrics, HyperparameterGroup, Provenance, SliceMetrics
from atlas.results import Explanation as ExplanationDocument
from atlas.states import State
from storage.models import (
    Benchmark,
    Explanation,
    Metric,
)
from storage.queries._checks import changes_of
from storage.queries._history import HistoryPoint, history
from storage.queries._lists import benchmarks
from storage.queries._model import ModelPage, hyperparameters_of, previous_version
from storage.queries._results import Results


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The place of a model among those of its use case on one dataset version; models with one score share a place."""

    place: int
    model: int
    name: str
    benchmark: int
    value: float


@dataclass(frozen=True, slots=True)
class Duration:
    """How long a benchmark took, in seconds, and on how many rows."""

    wall_seconds: float
    load_seconds: float
    predict_seconds: float
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedBenchmark:
    """A benchmark that has an explanation."""

    benchmark: int
    model: str
    version: int


def explanations(benchmarks: Iterable[int]) -> dict[int, ExplanationDocument]:
    """The explanations of some benchmarks, by the benchmark's key, of those that have one."""
    found = Explanation.objects.filter(benchmark__in=list(benchmarks), impossible="")
    return {pk: ExplanationDocument.model_validate(said) for pk, said in found.values_list("benchmark", "document")}


@dataclass(frozen=True)
class BenchmarkPage(Results):
    """Everything that the page of one benchmark shows."""

    @cached_property
    def manifest(self) -> Manifest:
        """What the model's bundle says of itself."""
        return Manifest.model_validate(self.benchmark.model.manifest)

    @cached_property
    def metrics(self) -> list[Metric]:
        """Its metrics, the primary one first."""
        return list(self.benchmark.metrics.all())

    @cached_property
    def primary(self) -> Metric | None:
        """Its primary metric, once it is done."""
        return next((metric for metric in self.metrics if metric.primary), None)

    @cached_property
    def earlier(self) -> Benchmark | None:
        """The same model's benchmark on the nearest earlier version of the tag that is done."""
        version = self.benchmark.dataset_version
        return (
            Benchmark.objects.filter(model=self.benchmark.model, state=State.DONE)
            .filter(dataset_version__tag=version.tag, dataset_version__number__lt=version.number)
            .select_related("dataset_version__tag")
            .defer("output", "slice_metrics", "dataset_version__description")
            .order_by("-dataset_version__number")
            .first()
        )

    @cached_property
    def duration(self) -> Duration | None:
        """How long the model's benchmark took that was done last; this one's own last time, if there was one."""
        measured = Benchmark.objects.filter(model=self.benchmark.model, wall_seconds__isnull=False)
        own_first = Case(When(pk=self.benchmark.pk, then=Value(0)), default=Value(1), output_field=IntegerField())
        last = measured.order_by(own_first, F("finished").desc(nulls_last=True)).values_list(
            "wall_seconds", "load_seconds", "predict_seconds", "dataset_version__evaluation_rows"
        )
        for wall, load, predict, rows in last[:1]:
            return Duration(wall or 0.0, load or 0.0, predict or 0.0, rows)
        return None

    @cached_property
    def earlier_metrics(self) -> dict[str, Metric]:
        """The metrics of the earlier benchmark, by name."""
        return {metric.name: metric for metric in self.earlier.metrics.all()} if self.earlier else {}

    @cached_property
    def changes(self) -> dict[str, MetricChange]:
        """What comparing it with earlier versions found of each metric, by name; empty while nothing was compared."""
        found = changes_of(getattr(self.benchmark, "check_made", None))
        return {change.metric: change for change in found or ()}

    @cached_property
    def earlier_classes(self) -> dict[str, ClassMetrics]:
        """The same of the earlier benchmark, by the class's name."""
        return {str(each.label): each for each in Results(self.earlier).classes} if self.earlier else {}

    @cached_property
    def slices(self) -> list[SliceMetrics]:
        """How well the model does on each slice of the events."""
        return [SliceMetrics.model_validate(each) for each in self.benchmark.slice_metrics]

    @cached_property
    def explained_versions(self) -> list[ExplainedBenchmark]:
        """The same model's benchmarks on all versions of the tag that have an explanation, oldest first."""
        tag = self.benchmark.dataset_version.tag_id
        return self._explained(Q(model=self.benchmark.model_id, dataset_version__tag=tag))

    @cached_property
    def explained_rivals(self) -> list[ExplainedBenchmark]:
        """Those of other models of the use case on the same dataset version, by name."""
        use_case, version = self.benchmark.model.use_case, self.benchmark.dataset_version_id
        others = Q(model__use_case=use_case, dataset_version=version) & ~Q(model=self.benchmark.model_id)
        return self._explained(others)

    @staticmethod
    def _explained(chosen: Q) -> list[ExplainedBenchmark]:
        found = Benchmark.objects.filter(chosen, state=State.DONE, explanation__impossible="")
        return [
            ExplainedBenchmark(benchmark=pk, model=model, version=number)
            for pk, model, number in found.order_by("dataset_version__number", "model__name", "pk").values_list(
                "pk", "model__name", "dataset_version__number"
            )
        ]

    @cached_property
    def hyperparameters(self) -> list[HyperparameterGroup]:
        """The model's hyperparameters, step by step."""
        return hyperparameters_of(self.benchmark)

    @cached_property
    def previous(self) -> ModelPage | None:
        """The version of the model before this one."""
        return previous_version(self.benchmark.model)

    @cached_property
    def provenance(self) -> Provenance | None:
        """What made the result."""
        return Provenance.model_validate(self.benchmark.provenance) if self.benchmark.provenance else None

    @cached_property
    def history(self) -> list[HistoryPoint]:
        """All the model's metrics over the versions of the tag."""
        return history([self.benchmark.model_id], tag=self.benchmark.dataset_version.tag.name)

    @cached_property
    def others(self) -> list[Benchmark]:
        """The model's other benchmarks."""
        found = benchmarks().filter(model=self.benchmark.model).exclude(pk=self.benchmark.pk)
        return list(found.order_by("dataset_version__tag__name", "-dataset_version__number"))

    @cached_property
    def standings(self) -> list[Standing]:
        """All models of the use case that have this primary metric on this dataset version, the best first."""
        if self.primary is None:
            return []
        better = -1 if self.primary.greater_is_better else 1
        rows = sorted(self._scores(self.primary.name), key=lambda row: (better * row[0], row[2]))
        values = [row[0] for row in rows]
        return [
            Standing(place=1 + values.index(value), model=model, name=name, benchmark=benchmark, value=value)
            for value, model, name, benchmark in rows
        ]

    def _scores(self, metric: str) -> list[tuple[float, int, str, int]]:
        found = (
            Metric.objects.filter(name=metric, benchmark__state=State.DONE)
            .filter(benchmark__dataset_version=self.benchmark.dataset_version)
            .filter(benchmark__model__use_case=self.benchmark.model.use_case)
            .values_list("value", "benchmark__model", "benchmark__model__name", "benchmark")
        )
        return [(value, model, name, pk) for value, model, name, pk in found if value is not None]

    @cached_property
    def standing(self) -> Standing | None:
        """This benchmark's own place among them."""
        return next((each for each in self.standings if each.benchmark == self.benchmark.pk), None)

    def rivals(self, metric: str, most: int) -> list[HistoryPoint]:
        """One metric of the best other models of the use case over the versions of the tag."""
        others = [each.model for each in self.standings if each.model != self.benchmark.model_id]
        return history(others[:most], tag=self.benchmark.dataset_version.tag.name, metric=metric)


def benchmark_page(pk: int) -> BenchmarkPage | None:
    """What is known of a benchmark, or None if there is none."""
    related = ("model__author", "dataset_version__tag", "confusion_matrix", "residuals", "explanation", "check_made")
    found = Benchmark.objects.select_related(*related).defer("dataset_version__description").filter(pk=pk).first()
    return BenchmarkPage(found) if found else None
