"""Every read that the benchmark engine makes: what is already known, and what is left to do."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, F, OuterRef, QuerySet

from atlas.datasets import DatasetDescription
from atlas.manifest import Manifest, manifest_of
from atlas.states import ModelState, State
from storage.models import Benchmark, DatasetTag, DatasetVersion, Model


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """The file of a model that can be benchmarked."""

    pk: int
    key: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyModel:
    """A model that can be benchmarked."""

    pk: int
    key: str
    digest: str
    size_bytes: int
    manifest: Manifest

    @classmethod
    def of(cls, row: Model) -> "ReadyModel":
        """The model that a row of the table holds."""
        return cls(
            pk=row.pk,
            key=row.key,
            digest=row.digest,
            size_bytes=row.size_bytes,
            manifest=manifest_of(row.manifest or {}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownVersion:
    """A dataset version that models can be benchmarked on."""

    pk: int
    description: DatasetDescription

    @classmethod
    def of(cls, row: DatasetVersion) -> "KnownVersion":
        """The version that a row of the table holds."""
        return cls(pk=row.pk, description=DatasetDescription.model_validate(row.description))


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """All that an engine needs to know to run a benchmark.

    `shares_pipeline`: other models of the dataset have the same pipeline.
    """

    benchmark: int
    model: ReadyModel
    version: KnownVersion
    shares_pipeline: bool


def known_objects() -> dict[str, str]:
    """The etag of each file in the object store when it was last read, by key."""
    return dict(Model.objects.values_list("key", "etag"))


def known_etag(key: str) -> str:
    """The etag of a file in the object store when it was last read; empty if it never was."""
    return Model.objects.filter(key=key).values_list("etag", flat=True).first() or ""


def tags_of(key: str) -> list[str]:
    """The tags that the model at this key is benchmarked on; none if it cannot be."""
    return list(
        DatasetTag.objects.filter(models__key=key, models__state=ModelState.READY).values_list("name", flat=True)
    )


def ready_model(name: str) -> KnownFile | None:
    """The file of the model that has this name, if there is one."""
    return _known_file(Model.objects.filter(name=name))


def ready_model_at(key: str) -> KnownFile | None:
    """The file that has this key, if it is a model that can be benchmarked."""
    return _known_file(Model.objects.filter(key=key))


def _known_file(models: QuerySet[Model]) -> KnownFile | None:
    row = models.filter(state=ModelState.READY).first()
    return KnownFile(pk=row.pk, key=row.key, digest=row.digest) if row else None


def tags_in_use() -> list[str]:
    """The names of the tags that ready models are benchmarked on."""
    in_use = DatasetTag.objects.filter(models__state=ModelState.READY).distinct()
    return list(in_use.values_list("name", flat=True))


def known_query_ids(tag: str) -> set[str]:
    """The query ids of the versions of a tag that are known."""
    return set(DatasetVersion.objects.filter(tag__name=tag).values_list("query_id", flat=True))


def unplanned() -> list[tuple[ReadyModel, KnownVersion]]:
    """Every ready model with each version of its tags that it has no benchmark on, newest versions first."""
    benchmarked = Benchmark.objects.filter(model_digest=OuterRef("model_digest"), dataset_digest=OuterRef("digest"))
    pairs = list(
        DatasetVersion.objects.filter(tag__models__state=ModelState.READY)
        .annotate(model=F("tag__models"), model_digest=F("tag__models__digest"))
        .filter(~Exists(benchmarked))
        .order_by("-created", "pk", "model")
        .values_list("model", "pk")
    )
    models = {pk: ReadyModel.of(row) for pk, row in Model.objects.in_bulk({model for model, _ in pairs}).items()}
    versions = DatasetVersion.objects.in_bulk({version for _, version in pairs})
    known = {pk: KnownVersion.of(row) for pk, row in versions.items()}
    return [(models[model], known[version]) for model, version in pairs]


def assignment(benchmark: int) -> Assignment:
    """What a benchmark's engine needs to know of its model and dataset version."""
    row = Benchmark.objects.select_related("model", "dataset_version").get(pk=benchmark)
    return Assignment(
        benchmark=benchmark,
        model=ReadyModel.of(row.model),
        version=KnownVersion.of(row.dataset_version),
        shares_pipeline=_shares_pipeline(row.model, row.dataset_version),
    )


def _shares_pipeline(model: Model, version: DatasetVersion) -> bool:
    """Whether another model turns the rows of a dataset into features as this one does."""
    if not model.pipeline_digest:
        return False
    same = Model.objects.filter(state=ModelState.READY, pipeline_digest=model.pipeline_digest, tags=version.tag_id)
    return same.exclude(pk=model.pk).exists()


def next_to_claim(now: datetime, *, limit: int) -> list[int]:
    """Queued benchmarks that may start: the most urgent first, those of one dataset version together."""
    waiting = Benchmark.objects.filter(state=State.QUEUED, not_before__lte=now)
    ordered = waiting.order_by("-priority", "dataset_version_id", "pk")
    return list(ordered.values_list("pk", flat=True)[:limit])


def lease_ran_out(now: datetime) -> list[tuple[int, str]]:
    """Running benchmarks whose engine gave no sign of life in time: their keys and claims."""
    lost = Benchmark.objects.filter(state=State.RUNNING, lease_until__lt=now)
    return list(lost.order_by("pk").values_list("pk", "claim"))


def counts() -> dict[State, int]:
    """How many benchmarks stand where."""
    grouped = Benchmark.objects.values_list("state").annotate(Count("pk")).order_by()
    found = {State(state): number for state, number in grouped}
    return {state: found.get(state, 0) for state in State}
