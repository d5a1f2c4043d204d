"""Every read that the dashboard makes. Lists are query sets, which pages filter, sort and cut in the database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
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
from django.db.models.functions import Coalesce

from atlas.datasets import DatasetDescription
from atlas.manifest import Manifest
from atlas.results import ClassMetrics, HyperparameterGroup, Provenance, SliceMetrics
from atlas.results import Explanation as ExplanationDocument
from atlas.states import ComponentState, ModelState, State
from storage import catalog
from storage.models import (
    Author,
    Benchmark,
    ComponentStatus,
    DatasetTag,
    DatasetVersion,
    Explanation,
    LogEntry,
    Metric,
    Model,
    Pause,
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
    def running(self) -> int:
        """Benchmarks that an engine runs."""
        return self.benchmarks[State.RUNNING]

    @property
    def queued(self) -> int:
        """Benchmarks that wait."""
        return self.benchmarks[State.QUEUED]

    @property
    def failed(self) -> int:
        """Benchmarks that failed for good."""
        return self.benchmarks[State.FAILED]


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


SILENCE = timedelta(minutes=2)
"""A component that gave no sign of life for so long is down, whatever it said last."""

_ENGINE = "engine"
_PIPELINE = ("ingestion", "training", "storage", _ENGINE)
_SELDOM = "training"
"""The component that gives a sign of life only when it sends a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """How a component of the pipeline is doing. `state` and `seen` are None if nobody has heard of it.

    `waiting` is the number of benchmarks that wait for an engine which does not answer.
    """

    name: str
    state: ComponentState | None
    message: str
    seen: datetime | None
    silent: bool = False
    waiting: int = 0

    @property
    def troubled(self) -> bool:
        """Whether it is known not to be well."""
        return self.state not in (None, ComponentState.HEALTHY)


def components(now: datetime, *, queued: int) -> list[Component]:
    """The components of the pipeline in its order, whether or not they were heard of, then all others.

    An engine that nobody has heard of is down if benchmarks are queued.
    """
    known = {status.name: status for status in ComponentStatus.objects.order_by("name")}
    names = dict.fromkeys((*_PIPELINE, *known))
    return [_component(name, known.get(name), now, queued if name == _ENGINE else 0) for name in names]


def _component(name: str, status: ComponentStatus | None, now: datetime, queued: int) -> Component:
    if status is None:
        state = ComponentState.DOWN if queued else None
        return Component(name=name, state=state, message="", seen=None, waiting=queued)
    silent = name != _SELDOM and now - status.seen > SILENCE
    state = ComponentState.DOWN if silent else ComponentState(status.state)
    waiting = queued if silent else 0
    return Component(name=name, state=state, message=status.message, seen=status.seen, silent=silent, waiting=waiting)


def pause() -> Pause | None:
    """Who paused the queue, when and why, while it is paused."""
    return Pause.objects.first()


def failures_since(moment: datetime) -> QuerySet[Benchmark]:
    """Benchmarks that failed since then, the latest first."""
    return benchmarks().filter(state=State.FAILED, finished__gte=moment).order_by("-finished", "-pk")


def invalid_files_since(moment: datetime) -> QuerySet[Model]:
    """Files that arrived since then and are not usable bundles, the latest first."""
    found = Model.objects.filter(state=ModelState.INVALID, arrived__gte=moment)
    return found.defer("manifest").order_by("-arrived", "-pk")


def troubled_tags() -> QuerySet[DatasetTag]:
    """Dataset tags that the ingestion engine gives no answer for."""
    return DatasetTag.objects.exclude(problem="")


# Models -------------------------------------------------------------------------------------------------------------


def models() -> QuerySet[Model]:
    """All model files but duplicates, the latest first, with how their benchmarks stand.

    Annotations, numbers of benchmarks: `possible` (all that can run), `done`, `running`, `unfinished`, `failed`.
    Keys of benchmarks: `result` (done on the newest dataset version), `explained_on` (the newest with an explanation).
    `score` is the primary metric of `result`, `low` and `high` are the ends of its 95 % interval, `unexplained` is why
    `result` has no explanation, and `trouble` why the latest benchmark that failed or cannot run did so.
    """
    own = Benchmark.objects.filter(model=OuterRef("pk"))
    results = own.filter(state=State.DONE).order_by("-dataset_version__created", "-pk")
    troubled = own.filter(state__in=(State.FAILED, State.INCOMPATIBLE)).order_by("-queued", "-pk")
    primary = Metric.objects.filter(benchmark=OuterRef("result"), primary=True)
    return (
        Model.objects.exclude(state=ModelState.DUPLICATE)
        .select_related("author")
        .prefetch_related(Prefetch("tags", DatasetTag.objects.only("name")))
        .defer("manifest")
        .annotate(
            possible=_number_of(own.exclude(state__in=(State.INCOMPATIBLE, State.CANCELLED))),
            done=_number_of(own.filter(state=State.DONE)),
            running=_number_of(own.filter(state=State.RUNNING)),
            unfinished=_number_of(own.filter(state__in=UNFINISHED)),
            failed=_number_of(own.filter(state=State.FAILED)),
            result=Subquery(results.values("pk")[:1]),
            score=Subquery(primary.values("value")[:1]),
            low=Subquery(primary.values("low")[:1]),
            high=Subquery(primary.values("high")[:1]),
            explained_on=Subquery(results.filter(explanation__impossible="").values("pk")[:1]),
            unexplained=Subquery(results.values("explanation__impossible")[:1]),
            trouble=Subquery(troubled.values("reason")[:1]),
        )
        .order_by("-arrived", "-pk")
    )


def _number_of(found: QuerySet[Benchmark]) -> Coalesce:
    numbers = found.order_by().values("model").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(numbers), 0)


def latest_models(number: int = 5) -> QuerySet[Model]:
    """The models that arrived last."""
    return models().filter(state=ModelState.READY)[:number]


def trends(models: Iterable[int]) -> dict[int, list[float]]:
    """The values of the primary metric of some models, each over the versions of its latest tag, oldest first."""
    found = (
        Metric.objects.filter(benchmark__model__in=list(models), benchmark__state=State.DONE)
        .filter(primary=True)
        .order_by("benchmark__dataset_version__created", "benchmark__pk")
        .values_list("benchmark__model", "benchmark__dataset_version__tag", "value")
    )
    by_tag: dict[int, dict[int, list[float]]] = {}
    for model, tag, value in found:
        if value is not None:
            lines = by_tag.setdefault(model, {})
            lines[tag] = [*lines.pop(tag, []), value]  # the tag of the latest value comes last
    return {model: list(lines.values())[-1] for model, lines in by_tag.items()}


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
    def history(self) -> "list[HistoryPoint]":
        """All its metrics over all versions of its tags."""
        return history([self.model.pk])

    @cached_property
    def hyperparameters(self) -> list[HyperparameterGroup]:
        """The hyperparameters that its newest benchmark found, step by step."""
        newest = Benchmark.objects.filter(model=self.model, state=State.DONE).order_by("-finished").first()
        return _groups(newest) if newest else []

    @cached_property
    def previous(self) -> "ModelPage | None":
        """The version of the model before this one."""
        return previous_version(self.model)

    @cached_property
    def explained_on(self) -> int | None:
        """The key of the benchmark on the newest dataset version that has an explanation."""
        found = Benchmark.objects.filter(model=self.model, state=State.DONE, explanation__impossible="")
        return found.order_by("-dataset_version__created", "-pk").values_list("pk", flat=True).first()

    @cached_property
    def log(self) -> list[LogEntry]:
        """The latest lines about it and its benchmarks."""
        own = Q(model=self.model) | Q(benchmark__model=self.model)
        return list(LogEntry.objects.filter(own)[:20])


def model_page(pk: int) -> ModelPage | None:
    """What is known of a model file, or None if there is none."""
    found = Model.objects.select_related("author").prefetch_related("tags").filter(pk=pk).first()
    return ModelPage(found) if found else None


_MOST_VERSIONS = 500
"""How many of the latest models that may be earlier versions of one are looked at."""
_FEWEST_DIGITS = 8
"""Of a number at the end of a name that is a time stamp: the 50 of ResNet-50 is none."""


def previous_version(model: Model) -> ModelPage | None:
    """The latest model that was made earlier for the same use case, of the same name up to version and time stamp."""
    if model.created is None:
        return None
    family = _family(model.name, model.version)
    earlier = Model.objects.filter(state=ModelState.READY, use_case=model.use_case, created__lt=model.created)
    named = earlier.filter(name__startswith=family).order_by("-created", "-pk").values_list("pk", "name", "version")
    found = next((pk for pk, name, version in named[:_MOST_VERSIONS] if _family(name, version) == family), None)
    return None if found is None else ModelPage(Model.objects.get(pk=found))


def _family(name: str, version: str) -> str:
    """What all versions of a model have in common: `Forest` of `Forest-1.0.0-1625660010`, whose version is 1.0.0."""
    family, found, _ = f"{name}-".rpartition(f"-{version}-")
    if found:
        return family
    head, _, stamp = name.rpartition("-")
    return head if stamp.isdecimal() and len(stamp) >= _FEWEST_DIGITS else name


def _groups(benchmark: Benchmark) -> list[HyperparameterGroup]:
    return [HyperparameterGroup.model_validate(group) for group in benchmark.hyperparameters]


def _classes(benchmark: Benchmark) -> list[ClassMetrics]:
    return [ClassMetrics.model_validate(each) for each in benchmark.class_metrics]


# Benchmarks ---------------------------------------------------------------------------------------------------------


_LONG_FIELDS = ("output", "provenance", "hyperparameters", "class_metrics", "slice_metrics")


def benchmarks() -> QuerySet[Benchmark]:
    """All benchmarks, with their score, the value of their primary metric.

    Annotations: `metric` is its name, `greater_is_better` its direction, `score` its value, `low` and `high` are the
    ends of its 95 % interval; `earlier_score`, `earlier_low` and `earlier_high` are those on the nearest version before
    that is done.
    """
    primary = Metric.objects.filter(benchmark=OuterRef("pk"), primary=True)
    earlier = Metric.objects.filter(
        primary=True,
        value__isnull=False,
        benchmark__model=OuterRef("model"),
        benchmark__state=State.DONE,
        benchmark__dataset_version__tag=OuterRef("dataset_version__tag"),
        benchmark__dataset_version__number__lt=OuterRef("dataset_version__number"),
    ).order_by("-benchmark__dataset_version__number")
    return (
        Benchmark.objects.select_related("model__author", "dataset_version__tag")
        .defer("model__manifest", "dataset_version__description", *_LONG_FIELDS)
        .annotate(
            score=Subquery(primary.values("value")[:1]),
            low=Subquery(primary.values("low")[:1]),
            high=Subquery(primary.values("high")[:1]),
            greater_is_better=Subquery(primary.values("greater_is_better")[:1]),
            metric=F("model__primary_metric"),
            earlier_score=Subquery(earlier.values("value")[:1]),
            earlier_low=Subquery(earlier.values("low")[:1]),
            earlier_high=Subquery(earlier.values("high")[:1]),
        )
    )


def benchmarks_as_they_stand() -> QuerySet[Benchmark]:
    """All benchmarks: what runs now, then what ended last, then what waits."""
    place = Case(
        When(state=State.RUNNING, then=Value(0)),
        When(state=State.QUEUED, then=Value(2)),
        default=Value(1),
        output_field=IntegerField(),
    )
    return benchmarks().annotate(place=place).order_by("place", F("finished").desc(nulls_last=True), "-pk")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPoint:
    """A metric of one model on one dataset version."""

    metric: str
    model: str
    benchmark: int
    tag: str
    version: int
    created: datetime
    value: float
    low: float | None = None
    high: float | None = None


def history(models: Iterable[int], *, tag: str = "", metric: str = "") -> list[HistoryPoint]:
    """The values of all metrics, or of one, of some models over the versions of all tags, or of one, oldest first."""
    found = Metric.objects.filter(benchmark__model__in=list(models), benchmark__state=State.DONE)
    if tag:
        found = found.filter(benchmark__dataset_version__tag__name=tag)
    if metric:
        found = found.filter(name=metric)
    version = "benchmark__dataset_version"
    ordered = found.order_by(f"{version}__tag__name", f"{version}__number", "benchmark__model__name", "pk")
    fields = ("name", "benchmark__model__name", "benchmark", f"{version}__tag__name", f"{version}__number")
    return [
        HistoryPoint(
            metric=name,
            model=model,
            benchmark=benchmark,
            tag=on,
            version=number,
            created=created,
            value=value,
            low=low,
            high=high,
        )
        for name, model, benchmark, on, number, created, value, low, high in ordered.values_list(
            *fields, f"{version}__created", "value", "low", "high"
        )
        if value is not None
    ]


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
class BenchmarkPage:
    """Everything that the page of one benchmark shows."""

    benchmark: Benchmark

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
    def duration(self) -> "Duration | None":
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
    def classes(self) -> list[ClassMetrics]:
        """How well each class is recognised, if the model has classes."""
        return _classes(self.benchmark)

    @cached_property
    def earlier_classes(self) -> dict[str, ClassMetrics]:
        """The same of the earlier benchmark, by the class's name."""
        return {str(each.label): each for each in _classes(self.earlier)} if self.earlier else {}

    @cached_property
    def slices(self) -> list[SliceMetrics]:
        """How well the model does on each slice of the events."""
        return [SliceMetrics.model_validate(each) for each in self.benchmark.slice_metrics]

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
        return _groups(self.benchmark)

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
    related = ("model__author", "dataset_version__tag", "confusion_matrix", "residuals", "explanation")
    found = Benchmark.objects.select_related(*related).defer("dataset_version__description").filter(pk=pk).first()
    return BenchmarkPage(found) if found else None


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
    """All versions without their descriptions, oldest first."""
    version: DatasetVersion | None

    @cached_property
    def before(self) -> DatasetVersion | None:
        """The version before."""
        place = self.versions.index(self.version) if self.version else 0
        return self.versions[place - 1] if place else None

    @cached_property
    def _descriptions(self) -> dict[int, DatasetDescription]:
        shown = [version.pk for version in (self.version, self.before) if version]
        found = DatasetVersion.objects.filter(pk__in=shown).values_list("pk", "description")
        return {pk: DatasetDescription.model_validate(document) for pk, document in found}

    @cached_property
    def description(self) -> DatasetDescription | None:
        """All that the ingestion engine said of the version."""
        return self._descriptions[self.version.pk] if self.version else None

    @cached_property
    def earlier(self) -> DatasetDescription | None:
        """The description of the version before."""
        return self._descriptions[self.before.pk] if self.before else None

    @cached_property
    def benchmarks(self) -> list[Benchmark]:
        """All benchmarks on the version."""
        return list(benchmarks().filter(dataset_version=self.version).order_by("model__use_case", "model__name"))


def dataset_page(name: str, number: int | None = None) -> DatasetPage | None:
    """What is known of a tag and one of its versions, the newest if no number is given; None if there is none."""
    tag = DatasetTag.objects.filter(name=name).first()
    if tag is None:
        return None
    versions = list(tag.versions.defer("description").order_by("number"))
    chosen = next((version for version in reversed(versions) if number in (None, version.number)), None)
    return None if chosen is None and number is not None else DatasetPage(tag, versions, chosen)


# Log ----------------------------------------------------------------------------------------------------------------


def log() -> QuerySet[LogEntry]:
    """What components did and met, the latest first."""
    return LogEntry.objects.select_related("model", "benchmark__model", "benchmark__dataset_version__tag").defer(
        "model__manifest", "benchmark__model__manifest", "benchmark__output", "benchmark__dataset_version__description"
    )


def log_components() -> list[str]:
    """The names of all components that wrote into the log."""
    return list(LogEntry.objects.order_by("component").values_list("component", flat=True).distinct())
