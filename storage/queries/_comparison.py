"""Benchmarks beside each other: those that were chosen, those that may be added, and those worth a look."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber

from atlas.manifest import Manifest
from atlas.results import HyperparameterGroup
from atlas.states import ModelState, State
from storage.models import Benchmark, DatasetVersion, Metric, Model
from storage.queries._model import hyperparameters_of, previous_version

MOST_CANDIDATES = 8
MOST_POINTS = 40
MOST_SUGGESTIONS = 6


@dataclass(frozen=True)
class ChosenBenchmark:
    """A benchmark that is done, with its metrics in the author's order, the primary one first."""

    benchmark: Benchmark

    @cached_property
    def metrics(self) -> list[Metric]:
        """Its metrics."""
        return list(self.benchmark.metrics.all())

    @cached_property
    def manifest(self) -> Manifest:
        """What the model's bundle says of itself."""
        return Manifest.model_validate(self.benchmark.model.manifest)

    @cached_property
    def hyperparameters(self) -> list[HyperparameterGroup]:
        """The model's hyperparameters, step by step."""
        return hyperparameters_of(self.benchmark)

    @cached_property
    def confusion_matrix(self) -> tuple[list[str], list[list[int]]] | None:
        """Classes, and counts by truth and prediction."""
        matrix = getattr(self.benchmark, "confusion_matrix", None)
        return ([str(label) for label in matrix.classes], matrix.counts) if matrix else None


def chosen_benchmarks(keys: Sequence[int]) -> list[ChosenBenchmark]:
    """The benchmarks of these keys that are done, in the order of the keys."""
    found = (
        Benchmark.objects.filter(pk__in=keys, state=State.DONE)
        .select_related("model", "dataset_version__tag", "confusion_matrix")
        .prefetch_related("metrics")
        .defer("output", "provenance", "class_metrics", "slice_metrics", "dataset_version__description")
    )
    known = {benchmark.pk: benchmark for benchmark in found}
    return [ChosenBenchmark(known[key]) for key in keys if key in known]


def states_of(keys: Iterable[int]) -> dict[int, str]:
    """The state of each of these benchmarks that exists."""
    return dict(Benchmark.objects.filter(pk__in=list(keys)).values_list("pk", "state"))


def _done() -> QuerySet[Benchmark]:
    found = Benchmark.objects.filter(state=State.DONE).select_related("model", "dataset_version__tag")
    return found.only("model__name", "model__use_case", "dataset_version__number", "dataset_version__tag__name")


def candidates(text: str, *, beside: Benchmark | None, without: Iterable[int]) -> list[Benchmark]:
    """Benchmarks that may be compared with others, the latest first.

    Args:
        text: each of its words is part of the model's name, its use case or the tag's name, or a version as `v12`;
            without any, they are those of the use case and dataset version of `beside`.
        beside: one that is chosen already.
        without: the keys of those that are chosen.
    """
    found = _done().exclude(pk__in=list(without))
    if not text.split() and beside:
        found = found.filter(dataset_version=beside.dataset_version_id, model__use_case=beside.model.use_case)
    for word in text.split():
        found = found.filter(_speaks_of(word))
    return list(found.order_by("-pk")[:MOST_CANDIDATES])


def _speaks_of(word: str) -> Q:
    number = word.removeprefix("v")
    is_version = number != word and number.isdecimal() and len(number) < 10
    named = Q(model__name__icontains=word) | Q(model__use_case__icontains=word)
    tagged = Q(dataset_version__tag__name__icontains=word)
    return named | tagged | (Q(dataset_version__number=int(number)) if is_version else Q(pk__in=[]))


def field_of(benchmark: Benchmark, metric: str, *, greater_is_better: bool) -> list[Metric]:
    """One metric of the best models of a benchmark's use case on its dataset version, the best first, with costs."""
    found = Metric.objects.filter(name=metric, value__isnull=False, benchmark__state=State.DONE).filter(
        benchmark__dataset_version=benchmark.dataset_version_id, benchmark__model__use_case=benchmark.model.use_case
    )
    costs = ("latency_p95_seconds", "peak_memory_bytes", "model__name", "model__size_bytes")
    shown = found.select_related("benchmark__model").only(
        "name", "value", "low", "high", *(f"benchmark__{cost}" for cost in costs)
    )
    return list(shown.order_by("-value" if greater_is_better else "value", "pk")[:MOST_POINTS])


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Benchmarks that are worth comparing, and what they are."""

    title: str
    benchmarks: tuple[int, ...]
    models: tuple[str, ...]


def suggestions() -> list[Suggestion]:
    """The best two models of each use case on the newest version of a tag, and the latest model beside the version of
    it before."""
    return [*_latest_beside_the_one_before(), *_best_two()][:MOST_SUGGESTIONS]


def _best_two() -> list[Suggestion]:
    newest = DatasetVersion.objects.filter(tag=OuterRef("tag"), benchmarks__state=State.DONE).order_by("-number")
    versions = DatasetVersion.objects.filter(pk=Subquery(newest.values("pk")[:1])).values_list("pk", flat=True)
    group = ("model__use_case", "dataset_version", "model__primary_metric")
    best = Benchmark.objects.filter(score__isnull=False, state=State.DONE, dataset_version__in=list(versions))
    shown = ("model__use_case", "dataset_version__tag__name", "dataset_version__number", "model__primary_metric")
    ranked = [
        row
        for is_greater, order in ((True, F("score").desc()), (False, F("score").asc()))
        for row in best.filter(greater_is_better=is_greater)
        .annotate(rank=Window(RowNumber(), partition_by=group, order_by=[order, F("pk").asc()]))
        .filter(rank__lte=2)
        .order_by("-dataset_version__created", *group, "rank")
        .values_list(*shown, "pk", "model__name")[: 4 * MOST_SUGGESTIONS]
    ]
    pairs: dict[tuple[object, ...], list[tuple[int, str]]] = {}
    for use_case, tag, number, metric, benchmark, model in ranked:
        pairs.setdefault((use_case, tag, number, metric), []).append((benchmark, model))
    return [
        _suggestion(f"The best two for {use_case} on {tag} v{number}", both)
        for (use_case, tag, number, _), both in pairs.items()
        if len(both) == 2
    ]


def _suggestion(title: str, both: Sequence[tuple[int, str]]) -> Suggestion:
    return Suggestion(title=title, benchmarks=tuple(pk for pk, _ in both), models=tuple(name for _, name in both))


def _latest_beside_the_one_before() -> list[Suggestion]:
    latest = Model.objects.filter(state=ModelState.READY).order_by("-arrived", "-pk").defer("manifest").first()
    before = previous_version(latest) if latest else None
    if latest is None or before is None:
        return []
    of_latest, of_before = (
        Benchmark.objects.filter(model=model.pk, state=State.DONE) for model in (latest, before.model)
    )
    shared = of_latest.filter(dataset_version__in=of_before.values("dataset_version"))
    mine = shared.order_by("-dataset_version__created", "-pk").values_list("pk", "dataset_version").first()
    theirs = mine and of_before.filter(dataset_version=mine[1]).values_list("pk", flat=True).first()
    if not mine or not theirs:
        return []
    title = "The latest model beside the version before it"
    return [_suggestion(title, [(theirs, before.model.name), (mine[0], latest.name)])]
