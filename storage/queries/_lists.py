"""The lists of models and benchmarks, as query sets, and what they can be narrowed to."""

from django.db.models import (
    Count,
    Exists,
    F,
    OuterRef,
    Prefetch,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce

from atlas.states import ModelState, State
from storage.models import (
    Author,
    Benchmark,
    DatasetTag,
    Model,
)
from storage.queries._distinct import each_once

ENDED = (State.DONE, State.FAILED, State.INCOMPATIBLE, State.CANCELLED)


def models() -> QuerySet[Model]:
    """All model files but duplicates, the latest first, with how their benchmarks stand.

    Annotations, numbers of benchmarks: `possible` (all that can run) and `running`, beside the model's own fields
    `unfinished`, `done`, `failed` and so on, which sum up its benchmarks.
    """
    running = Benchmark.objects.filter(model=OuterRef("pk"), state=State.RUNNING).order_by()
    return (
        Model.objects.exclude(state=ModelState.DUPLICATE)
        .select_related("author", "stage")
        .prefetch_related(Prefetch("tags", DatasetTag.objects.only("name")))
        .defer("manifest")
        .annotate(
            possible=F("unfinished") + F("done") + F("failed"),
            running=Coalesce(Subquery(running.values("model").values(number=Count("pk"))), 0),
        )
        .order_by("-arrived", "-pk")
    )


def plain_models() -> QuerySet[Model]:
    """The same, without what `models` adds: to be counted, narrowed, sorted, and cut into pages."""
    return Model.objects.exclude(state=ModelState.DUPLICATE).order_by("-arrived", "-pk")


def latest_models(number: int = 5) -> QuerySet[Model]:
    """The models that arrived last."""
    return models().filter(state=ModelState.READY)[:number]


def benchmark_counts() -> dict[State, int]:
    """How many benchmarks stand where, by what the models' rows say: to count them all would take too long."""
    found = Model.objects.aggregate(**{f"all_{name}": Sum(name, default=0) for name in ("unfinished", *ENDED)})
    running = Benchmark.objects.filter(state=State.RUNNING).count()
    return {
        State.QUEUED: max(found["all_unfinished"] - running, 0),
        State.RUNNING: running,
        **{state: found[f"all_{state}"] for state in ENDED},
    }


def use_cases() -> list[str]:
    """All use cases, by name."""
    return each_once(Model, "use_case", "state = 'ready'")


def authors_of_models() -> QuerySet[Author]:
    """The authors of models that can be benchmarked."""
    return Author.objects.filter(Exists(Model.objects.filter(author=OuterRef("pk"), state=ModelState.READY)))


def authors() -> list[str]:
    """The names of all authors of models."""
    return list(authors_of_models().distinct().order_by("name").values_list("name", flat=True))


def tags() -> list[str]:
    """The names of all dataset tags."""
    return list(DatasetTag.objects.values_list("name", flat=True))


LONG_FIELDS = ("output", "provenance", "hyperparameters", "class_metrics", "slice_metrics")


def benchmarks() -> QuerySet[Benchmark]:
    """All benchmarks, with their score, the value of their primary metric.

    Annotations: `metric` is that metric's name; `earlier_score`, `earlier_low` and `earlier_high` are the score on the
    nearest version before that is done, and the ends of its 95 % interval.
    """
    earlier = Benchmark.objects.filter(
        model=OuterRef("model"),
        state=State.DONE,
        score__isnull=False,
        dataset_version__tag=OuterRef("dataset_version__tag"),
        dataset_version__number__lt=OuterRef("dataset_version__number"),
    ).order_by("-dataset_version__number")
    return (
        Benchmark.objects.select_related("model__author", "dataset_version__tag")
        .defer("model__manifest", "dataset_version__description", *LONG_FIELDS)
        .annotate(
            metric=F("model__primary_metric"),
            earlier_score=Subquery(earlier.values("score")[:1]),
            earlier_low=Subquery(earlier.values("low")[:1]),
            earlier_high=Subquery(earlier.values("high")[:1]),
        )
    )


def benchmarks_as_they_stand() -> QuerySet[Benchmark]:
    """All benchmarks: what runs now, then what ended last, then what waits."""
    return benchmarks().order_by(*_AS_THEY_STAND)


def plain_benchmarks() -> QuerySet[Benchmark]:
    """The same, without what `benchmarks` adds: to be counted, narrowed, sorted, and cut into pages."""
    return Benchmark.objects.order_by(*_AS_THEY_STAND)


def waiting() -> QuerySet[Benchmark]:
    """The benchmarks that wait, in the order in which engines take them."""
    return benchmarks().filter(state=State.QUEUED).order_by("-priority", "dataset_version_id", "pk")


_AS_THEY_STAND = ("place", "-finished", "-pk")
