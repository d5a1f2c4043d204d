"""What the report of one model tells: its benchmarks over the newest versions of one dataset tag."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Count, Max

from atlas.manifest import Manifest
from atlas.ranking import Score
from atlas.states import ModelState, State
from storage.models import Benchmark, Metric, Model
from storage.queries._drift import DriftHistory, DriftPoint, Since, dataset_drift, model_drift
from storage.queries._results import Results

MOST_REPORTED = 12
"""So many of a tag's newest versions are in a report."""


@dataclass(frozen=True)
class Measured(Results):
    """A benchmark that is done, and what it measured."""

    @property
    def number(self) -> int:
        """Of its dataset version."""
        return int(self.benchmark.dataset_version.number)

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """Its metrics by name, the primary one first."""
        return {metric.name: metric for metric in self.benchmark.metrics.all()}

    @cached_property
    def primary(self) -> Metric | None:
        """Its primary metric."""
        return next((metric for metric in self.metrics.values() if metric.primary), None)

    @property
    def greater_is_better(self) -> bool:
        """The direction of its primary metric."""
        return self.primary is None or self.primary.greater_is_better


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReport:
    """Everything that the report of one model tells.

    Attributes:
        model: whose report it is.
        manifest: what its bundle says of itself.
        tags: the dataset tags that it can be reported on: those with results, the latest first, then the others that
            it names.
        tag: the one that is reported.
        versions: on how many versions of the tag it is measured.
        measured: its benchmarks on the newest of them, the oldest first, at most `MOST_REPORTED`.
        later: its benchmark on the newest version of the tag, if that is later than all that are done.
        drift: how far the data of `measured` lie from what the model was trained on.
        data_drift: how far the versions of `measured` have moved from the tag's first one.
        rivals: the scores of all models of the use case on the newest version that it is measured on, by its primary
            metric, itself among them; the key is a model's key and name.
    """

    model: Model
    manifest: Manifest
    tags: Sequence[str]
    tag: str
    versions: int
    measured: Sequence[Measured]
    later: Benchmark | None
    drift: Sequence[DriftPoint]
    data_drift: Sequence[DriftPoint]
    rivals: dict[tuple[int, str], Score]

    @property
    def newest(self) -> Measured | None:
        """Its benchmark on the newest version that it is measured on."""
        return self.measured[-1] if self.measured else None


def model_report(pk: int, tag: str = "") -> ModelReport | None:
    """What is known of a model on the newest versions of one of its tags, with a fixed number of queries.

    Args:
        pk: the model's key.
        tag: the tag's name; without one, the tag of the latest version that the model is measured on.

    Returns:
        None if there is no such model, its file is none that Atlas can use, or it has nothing to do with the tag.
    """
    model = Model.objects.select_related("author").prefetch_related("tags").filter(pk=pk).first()
    if model is None or not model.manifest:
        return None
    counts = _versions_by_tag(pk)
    tags = list(dict.fromkeys((*counts, *(each.name for each in model.tags.all()))))
    chosen = tag or next(iter(tags), "")
    if tag and tag not in tags:
        return None
    manifest = Manifest.model_validate(model.manifest)
    measured = _measured(pk, chosen)
    return ModelReport(
        model=model,
        manifest=manifest,
        tags=tags,
        tag=chosen,
        versions=counts.get(chosen, 0),
        measured=measured,
        later=_later(pk, chosen, measured),
        drift=_of(measured, model_drift(pk, chosen)),
        data_drift=_of(measured, dataset_drift(chosen, Since.FIRST)),
        rivals=_rivals(model, measured),
    )


def _versions_by_tag(model: int) -> dict[str, int]:
    """On how many versions of each tag a model is measured, the tag with the latest version first."""
    done = Benchmark.objects.filter(model=model, state=State.DONE).order_by()
    counted = done.values_list("dataset_version__tag__name").annotate(
        versions=Count("dataset_version", distinct=True), latest=Max("dataset_version__created")
    )
    return {tag: versions for tag, versions, _ in counted.order_by("-latest", "dataset_version__tag__name")}


def _measured(model: int, tag: str) -> list[Measured]:
    """The benchmarks on the newest versions, the oldest first; of several on one version the latest."""
    found = (
        Benchmark.objects.filter(model=model, state=State.DONE, dataset_version__tag__name=tag)
        .select_related("dataset_version", "confusion_matrix", "residuals", "explanation")
        .prefetch_related("metrics")
        .defer("output", "slice_metrics", "dataset_version__description")
        .order_by("-dataset_version__number", "-pk")
    )
    by_version: dict[int, Measured] = {}
    for benchmark in found[:MOST_REPORTED]:
        by_version.setdefault(benchmark.dataset_version_id, Measured(benchmark))
    return list(by_version.values())[::-1]


def _later(model: int, tag: str, measured: Sequence[Measured]) -> Benchmark | None:
    """The benchmark on the newest version that the model has one for, if none is done there or later."""
    last = measured[-1].number if measured else -1
    found = Benchmark.objects.filter(
        model=model, dataset_version__tag__name=tag, dataset_version__number__gt=last
    ).exclude(state=State.DONE)
    known = found.select_related("dataset_version__tag").defer("output", "dataset_version__description")
    return known.order_by("-dataset_version__number", "-pk").first()


def _of(measured: Sequence[Measured], history: DriftHistory | None) -> list[DriftPoint]:
    """The drift on the versions that are measured, as far as it is among the newest that have one."""
    numbers = {each.number for each in measured}
    return [point for point in history.points if point.number in numbers] if history else []


def _rivals(model: Model, measured: Sequence[Measured]) -> dict[tuple[int, str], Score]:
    """The scores of all models of the use case on the newest version that is measured."""
    newest = measured[-1].benchmark if measured else None
    found = Metric.objects.filter(
        name=model.primary_metric,
        benchmark__state=State.DONE,
        benchmark__dataset_version=newest.dataset_version_id if newest else None,
        benchmark__model__use_case=model.use_case,
        benchmark__model__state=ModelState.READY,
    ).order_by("benchmark__model__name", "benchmark")
    fields = ("benchmark__model", "benchmark__model__name", "value", "low", "high")
    return {(pk, name): Score(value, low, high) for pk, name, value, low, high in found.values_list(*fields)}
