"""The lists of models and benchmarks, as query sets, and what they can be narrowed to."""

from django.db.models import (
    Case,
    Count,
    F,
    IntegerField,
    OuterRef,
    Prefetch,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from atlas.states import ModelState, State
from storage.models import (
    Author,
    Benchmark,
    DatasetTag,
    Metric,
    Model,
)

UNFINISHED = (State.QUEUED, State.RUNNING)


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


LONG_FIELDS = ("output", "provenance", "hyperparameters", "class_metrics", "slice_metrics")


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
        .defer("model__manifest", "dataset_version__description", *LONG_FIELDS)
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


def waiting() -> QuerySet[Benchmark]:
    """The benchmarks that wait, in the order in which engines take them."""
    return benchmarks().filter(state=State.QUEUED).order_by("-priority", "dataset_version_id", "pk")
