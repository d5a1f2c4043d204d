"""Every read that the dashboard makes. Lists are query sets, which pages filter, sort and cut in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import (
    Case,
    Count,
    F,
    IntegerField,
    Max,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)

from atlas.datasets import DatasetDescription
from atlas.manifest import Manifest
from atlas.results import Explanation as ExplanationDocument
from atlas.results import HyperparameterGroup, Provenance
from atlas.states import ComponentState, ModelState, State
from storage import catalog
from storage.models import (
    Author,
    Benchmark,
    ComponentStatus,
    DatasetTag,
    DatasetVersion,
    LogEntry,
    Metric,
    Model,
)

UNFINISHED = (State.QUEUED, State.RUNNING)


# Home ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """The numbers of the home page."""

    models: int
    invalid_files: int
    benchmarks: dict[State, int]
    tags: int
    versions: int
    authors: int

    @property
    def done(self) -> int:
        """Benchmarks that have a result."""
        return self.benchmarks[State.DONE]

    @property
    def pending(self) -> int:
        """Benchmarks that wait or run."""
        return sum(self.benchmarks[state] for state in UNFINISHED)


def counters() -> Counters:
    """How much of everything there is."""
    files = dict(Model.objects.values_list("state").annotate(Count("pk")).order_by())
    return Counters(
        models=files.get(ModelState.READY, 0),
        invalid_files=files.get(ModelState.INVALID, 0),
        benchmarks=catalog.counts(),
        tags=DatasetTag.objects.count(),
        versions=DatasetVersion.objects.count(),
        authors=Author.objects.filter(models__state=ModelState.READY).distinct().count(),
    )


def components() -> QuerySet[ComponentStatus]:
    """The last sign of life of each component, by name."""
    return ComponentStatus.objects.order_by("name")


def troubled_components() -> QuerySet[ComponentStatus]:
    """Components that are not well."""
    return ComponentStatus.objects.exclude(state=ComponentState.HEALTHY)


def failed_benchmarks() -> QuerySet[Benchmark]:
    """Benchmarks that failed, the latest first."""
    return benchmarks().filter(state=State.FAILED).order_by("-finished")


def invalid_files() -> QuerySet[Model]:
    """Files that are not usable bundles, the latest first."""
    return Model.objects.filter(state=ModelState.INVALID).order_by("-arrived")


# Models -------------------------------------------------------------------------------------------------------------


def models() -> QuerySet[Model]:
    """All model files but duplicates, with how their benchmarks stand and the newest score by their primary metric.

    Annotations: `total`, `done`, `running`, `failed`, `impossible` (numbers of benchmarks); `explained` and
    `unexplained` (of the done ones); `score`, `scored_on` (the benchmark's key).
    """
    newest = (
        Metric.objects.filter(benchmark__model=OuterRef("pk"), primary=True, value__isnull=False)
        .filter(benchmark__state=State.DONE)
        .order_by("-benchmark__dataset_version__created", "-benchmark__pk")
    )
    return (
        Model.objects.exclude(state=ModelState.DUPLICATE)
        .select_related("author")
        .prefetch_related(Prefetch("tags", DatasetTag.objects.only("name")))
        .defer("manifest")
        .annotate(
            total=Count("benchmarks"),
            done=_number_of(State.DONE),
            running=_number_of(State.RUNNING),
            failed=_number_of(State.FAILED),
            impossible=_number_of(State.INCOMPATIBLE),
            explained=Count("benchmarks", filter=Q(benchmarks__explanation__impossible="")),
            unexplained=Count("benchmarks", filter=Q(benchmarks__explanation__impossible__gt="")),
            score=Subquery(newest.values("value")[:1]),
            scored_on=Subquery(newest.values("benchmark")[:1]),
        )
    )


def _number_of(state: State) -> Count:
    return Count("benchmarks", filter=Q(benchmarks__state=state))


def latest_models(number: int = 5) -> QuerySet[Model]:
    """The models that arrived last."""
    return models().filter(state=ModelState.READY).order_by("-arrived", "-pk")[:number]


def use_cases() -> list[str]:
    """All use cases, by name."""
    found = Model.objects.filter(state=ModelState.READY).values_list("use_case", flat=True)
    return list(found.distinct().order_by("use_case"))


def authors() -> list[str]:
    """The names of all authors of models."""
    found = Author.objects.filter(models__state=ModelState.READY)
    return list(found.distinct().order_by("name").values_list("name", flat=True))


def tags() -> list[str]:
    """The names of all dataset tags."""
    return list(DatasetTag.objects.values_list("name", flat=True))


@dataclass(frozen=True)
class ModelPage:
    """Everything that the page of one model shows."""

    model: Model

    @cached_property
    def manifest(self) -> Manifest | None:
        """What the bundle says of itself, if it could be read."""
        return Manifest.model_validate(self.model.manifest) if self.model.manifest else None

    @cached_property
    def benchmarks(self) -> list[Benchmark]:
        """Its benchmarks, by tag, the newest version first."""
        found = benchmarks().filter(model=self.model)
        return list(found.order_by("dataset_version__tag__name", "-dataset_version__number"))

    @cached_property
    def hyperparameters(self) -> list[HyperparameterGroup]:
        """The hyperparameters that its newest benchmark found, step by step."""
        newest = Benchmark.objects.filter(model=self.model, state=State.DONE).order_by("-finished").first()
        return [HyperparameterGroup.model_validate(group) for group in newest.hyperparameters] if newest else []

    @cached_property
    def log(self) -> list[LogEntry]:
        """The latest lines about it."""
        return list(self.model.log.all()[:20])


def model_page(pk: int) -> ModelPage | None:
    """What is known of a model file, or None if there is none."""
    found = Model.objects.select_related("author").prefetch_related("tags").filter(pk=pk).first()
    return ModelPage(found) if found else None


# Benchmarks ---------------------------------------------------------------------------------------------------------


def benchmarks() -> QuerySet[Benchmark]:
    """All benchmarks, with `score` and `metric` (the primary metric's value and name), and the score on the version
    before, `earlier_score`."""
    primary = Metric.objects.filter(benchmark=OuterRef("pk"), primary=True)
    earlier = (
        Metric.objects.filter(
            primary=True,
            value__isnull=False,
            benchmark__model=OuterRef("model"),
            benchmark__state=State.DONE,
            benchmark__dataset_version__tag=OuterRef("dataset_version__tag"),
            benchmark__dataset_version__number__lt=OuterRef("dataset_version__number"),
        )
        .order_by("-benchmark__dataset_version__number")
        .values("value")[:1]
    )
    return (
        Benchmark.objects.select_related("model__author", "dataset_version__tag")
        .defer("model__manifest", "dataset_version__description", "output", "provenance", "hyperparameters")
        .annotate(
            score=Subquery(primary.values("value")[:1]),
            metric=F("model__primary_metric"),
            greater_is_better=Subquery(primary.values("greater_is_better")[:1]),
            earlier_score=Subquery(earlier),
        )
    )


def latest_benchmarks(number: int = 5) -> QuerySet[Benchmark]:
    """What runs now, then what was done last, then what waits."""
    place = Case(
        When(state=State.RUNNING, then=Value(0)),
        When(state=State.QUEUED, then=Value(2)),
        default=Value(1),
        output_field=IntegerField(),
    )
    return benchmarks().annotate(place=place).order_by("place", F("finished").desc(nulls_last=True), "-pk")[:number]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPoint:
    """A metric of one model on one dataset version."""

    model: str
    benchmark: int
    version: int
    created: datetime
    value: float


@dataclass(frozen=True)
class BenchmarkPage:
    """Everything that the page of one benchmark shows."""

    benchmark: Benchmark

    @cached_property
    def metrics(self) -> list[Metric]:
        """Its metrics, the primary one first."""
        return list(self.benchmark.metrics.all())

    @cached_property
    def earlier(self) -> Benchmark | None:
        """The same model's benchmark on the nearest earlier version of the tag that is done."""
        version = self.benchmark.dataset_version
        return (
            Benchmark.objects.filter(model=self.benchmark.model, state=State.DONE)
            .filter(dataset_version__tag=version.tag, dataset_version__number__lt=version.number)
            .select_related("dataset_version__tag")
            .order_by("-dataset_version__number")
            .first()
        )

    @cached_property
    def earlier_values(self) -> dict[str, float | None]:
        """The metrics of the earlier benchmark, by name."""
        return dict(self.earlier.metrics.values_list("name", "value")) if self.earlier else {}

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
        """Why the model predicts as it does, once the benchmark is done."""
        found = getattr(self.benchmark, "explanation", None)
        return ExplanationDocument.model_validate(found.document) if found else None

    @cached_property
    def hyperparameters(self) -> list[HyperparameterGroup]:
        """The model's hyperparameters, step by step."""
        return [HyperparameterGroup.model_validate(group) for group in self.benchmark.hyperparameters]

    @cached_property
    def provenance(self) -> Provenance | None:
        """What made the result."""
        return Provenance.model_validate(self.benchmark.provenance) if self.benchmark.provenance else None

    @cached_property
    def others(self) -> list[Benchmark]:
        """The model's other benchmarks."""
        found = benchmarks().filter(model=self.benchmark.model).exclude(pk=self.benchmark.pk)
        return list(found.order_by("dataset_version__tag__name", "-dataset_version__number"))

    @cached_property
    def rivals(self) -> list[Benchmark]:
        """Other models' benchmarks of the same use case on the same dataset version."""
        found = benchmarks().filter(dataset_version=self.benchmark.dataset_version)
        same = found.filter(model__use_case=self.benchmark.model.use_case).exclude(model=self.benchmark.model)
        return list(same.filter(state=State.DONE).order_by("model__name"))


def benchmark_page(pk: int) -> BenchmarkPage | None:
    """What is known of a benchmark, or None if there is none."""
    related = ("model__author", "dataset_version__tag", "confusion_matrix", "residuals", "explanation")
    found = Benchmark.objects.select_related(*related).filter(pk=pk).first()
    return BenchmarkPage(found) if found else None


def history(models: Sequence[int], tag: int) -> dict[str, list[HistoryPoint]]:
    """The values of each metric of some models over the versions of a tag, oldest first, by metric."""
    found = (
        Metric.objects.filter(benchmark__model__in=models, benchmark__dataset_version__tag=tag)
        .filter(benchmark__state=State.DONE)
        .order_by("benchmark__dataset_version__number", "benchmark__model__name")
        .values_list(
            "name",
            "benchmark__model__name",
            "benchmark",
            "benchmark__dataset_version__number",
            "benchmark__dataset_version__created",
            "value",
        )
    )
    points: dict[str, list[HistoryPoint]] = {}
    for name, model, benchmark, version, created, value in found:
        if value is not None:
            point = HistoryPoint(model=model, benchmark=benchmark, version=version, created=created, value=value)
            points.setdefault(name, []).append(point)
    return points


# Datasets -----------------------------------------------------------------------------------------------------------


def datasets() -> QuerySet[DatasetTag]:
    """All tags, with `newest` (the number of the newest version), `query_id`, `rows`, `updated` of it, the number of
    `versions_known` and of `models_benchmarked` on the tag."""
    newest = DatasetVersion.objects.filter(tag=OuterRef("pk")).order_by("-number")
    return DatasetTag.objects.annotate(
        newest=Max("versions__number"),
        versions_known=Count("versions", distinct=True),
        models_benchmarked=Count("models", filter=Q(models__state=ModelState.READY), distinct=True),
        query_id=Subquery(newest.values("query_id")[:1]),
        rows=Subquery(newest.values("rows")[:1]),
        updated=Subquery(newest.values("created")[:1]),
    )


@dataclass(frozen=True)
class DatasetPage:
    """Everything that the page of one dataset tag shows, for one of its versions."""

    tag: DatasetTag
    versions: list[DatasetVersion]
    version: DatasetVersion | None

    @cached_property
    def description(self) -> DatasetDescription | None:
        """All that the ingestion engine said of the version."""
        return DatasetDescription.model_validate(self.version.description) if self.version else None

    @cached_property
    def earlier(self) -> DatasetDescription | None:
        """The description of the version before."""
        if self.version is None:
            return None
        before = [version for version in self.versions if version.number < self.version.number]
        return DatasetDescription.model_validate(before[0].description) if before else None

    @cached_property
    def benchmarks(self) -> list[Benchmark]:
        """All benchmarks on the version."""
        return list(benchmarks().filter(dataset_version=self.version).order_by("model__use_case", "model__name"))


def dataset_page(name: str, number: int | None = None) -> DatasetPage | None:
    """What is known of a tag and one of its versions, the newest if no number is given; None if there is none."""
    tag = DatasetTag.objects.filter(name=name).first()
    if tag is None:
        return None
    versions = list(tag.versions.order_by("-number"))
    chosen = next((version for version in versions if number in (None, version.number)), None)
    return None if chosen is None and number is not None else DatasetPage(tag, versions, chosen)


# Log ----------------------------------------------------------------------------------------------------------------


def log() -> QuerySet[LogEntry]:
    """What components did and met, the latest first."""
    return LogEntry.objects.select_related("model", "benchmark__model", "benchmark__dataset_version__tag").defer(
        "model__manifest", "benchmark__output", "benchmark__dataset_version__description"
    )
