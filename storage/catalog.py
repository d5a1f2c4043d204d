"""Every read that the benchmark engine makes: what is already known, and what is left to do."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from pydantic import ValidationError

from atlas.datasets import DatasetDescription, Split
from atlas.limits import ModelLimits
from atlas.manifest import Manifest, manifest_of
from atlas.states import ModelState, State
from storage.models import Benchmark, DatasetTag, DatasetVersion, Model, Pause, Removal, Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """The file of a model that can be benchmarked."""

    pk: int
    key: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyModel:
    """A model that can be benchmarked, and what an administrator grants it beyond the engine's settings."""

    pk: int
    key: str
    digest: str
    size_bytes: int
    manifest: Manifest
    granted: ModelLimits = field(default_factory=ModelLimits)

    @classmethod
    def of(cls, row: Model) -> "ReadyModel":
        """The model that a row of the table holds."""
        return cls(
            pk=row.pk,
            key=row.key,
            digest=row.digest,
            size_bytes=row.size_bytes,
            manifest=manifest_of(row.manifest or {}),
            granted=ModelLimits.model_validate(row.granted_limits),
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

    `shares_pipeline`: other models of the dataset have the same pipeline. `due`: since when it could have been started.
    """

    benchmark: int
    model: ReadyModel
    version: KnownVersion
    shares_pipeline: bool
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The peak memory of a benchmark that is done, and on how many rows it ran."""

    rows: int
    peak_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """What the model of a benchmark that is done was like, and the memory that it took."""

    format: str
    bundle_bytes: int
    measured: Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What tells how much memory a benchmark that waits will take.

    Attributes:
        benchmark: its key.
        format: of the model.
        bundle_bytes: the size of the model's file.
        rows: how many it predicts.
        data_bytes: the size of those rows' file.
        asked: what the bundle asks for, of memory.
        granted: what an administrator grants the model, of memory.
        earlier: what it took the last time, or else the benchmark of the same model that took the most.
    """

    benchmark: int
    format: str
    bundle_bytes: int
    rows: int
    data_bytes: int
    asked: ModelLimits
    granted: ModelLimits
    earlier: Measured | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """An object that is to go if it still has this etag; whatever it has, if that is empty."""

    key: str
    etag: str


def known_objects() -> dict[str, str]:
    """The etag of each file in the object store when it was last read, by key."""
    return dict(Model.objects.values_list("key", "etag"))


def removals() -> list[Removed]:
    """The objects that a person wants gone, those that were asked for first first.

    Who lists the store and takes in what is not known has to ask for `known_objects` first, then for these, and list
    last: else a file could be taken for a new one that is deleted in between.
    """
    asked = Removal.objects.order_by("pk").values_list("key", "etag")
    return [Removed(key=key, etag=etag) for key, etag in asked]


def is_removed(key: str) -> bool:
    """Whether a person wants this object gone."""
    return Removal.objects.filter(key=key).exists()


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
    """The names of the tags that ready models are benchmarked on, or run on live."""
    ready = ModelState.READY
    in_use = DatasetTag.objects.filter(Q(models__state=ready) | Q(live_watches__model__state=ready)).distinct()
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
    return [(models[model], known[version]) for model, version in pairs if model in models and version in known]


def assignment(benchmark: int) -> Assignment:
    """What a benchmark's engine needs to know of its model and dataset version."""
    row = Benchmark.objects.select_related("model", "dataset_version").get(pk=benchmark)
    return Assignment(
        benchmark=benchmark,
        model=ReadyModel.of(row.model),
        version=KnownVersion.of(row.dataset_version),
        shares_pipeline=_shares_pipeline(row.model, row.dataset_version),
        due=row.not_before,
    )


def _shares_pipeline(model: Model, version: DatasetVersion) -> bool:
    """Whether another model turns the rows of a dataset into features as this one does."""
    if not model.pipeline_digest:
        return False
    same = Model.objects.filter(state=ModelState.READY, pipeline_digest=model.pipeline_digest, tags=version.tag_id)
    return same.exclude(pk=model.pk).exists()


def next_to_claim(now: datetime, *, limit: int) -> list[int]:
    """Queued benchmarks that may start: the most urgent first, those of one dataset version together.

    There is none while a person pauses the queue.
    """
    waiting = Benchmark.objects.filter(state=State.QUEUED, not_before__lte=now).exclude(Exists(Pause.objects.all()))
    ordered = waiting.order_by("-priority", "dataset_version_id", "pk")
    return list(ordered.values_list("pk", flat=True)[:limit])


def needs(benchmarks: Iterable[int]) -> list[Need]:
    """What tells how much memory each of these benchmarks will take, in the order given.

    Its own last time is what it took before; without one, the model's benchmark that is done and took the most.
    """
    done = Benchmark.objects.filter(model=OuterRef("model"), state=State.DONE, peak_memory_bytes__isnull=False)
    most = done.order_by("-peak_memory_bytes")[:1]
    rows_now, measured_before = F("dataset_version__evaluation_rows"), Q(peak_memory_bytes__isnull=False)
    rows = Benchmark.objects.filter(pk__in=benchmarks).values_list(
        "pk",
        "model__manifest__model__format",
        "model__size_bytes",
        "dataset_version__evaluation_rows",
        f"dataset_version__description__splits__{Split.EVALUATION}__size_bytes",
        "model__manifest__limits__memory_mb",
        "model__granted_limits__memory_mb",
        Case(When(measured_before, then=rows_now), default=Subquery(most.values("dataset_version__evaluation_rows"))),
        Case(When(measured_before, then=F("peak_memory_bytes")), default=Subquery(most.values("peak_memory_bytes"))),
    )
    found = {row[0]: _need(*row) for row in rows}
    return [found[pk] for pk in benchmarks if pk in found]


def _need(
    pk: int,
    kind: str,
    bundle_bytes: int,
    rows: int,
    data_bytes: int,
    asked_mb: object,
    granted_mb: object,
    earlier_rows: int | None,
    peak: int | None,
) -> Need:
    return Need(
        benchmark=pk,
        format=kind,
        bundle_bytes=bundle_bytes,
        rows=rows,
        data_bytes=data_bytes or 0,
        asked=_memory_limit(asked_mb),
        granted=_memory_limit(granted_mb),
        earlier=None if peak is None or earlier_rows is None else Measured(rows=earlier_rows, peak_bytes=peak),
    )


def _memory_limit(memory_mb: object) -> ModelLimits:
    """A limit as it stands in a document. What is none says nothing here: no such model may hold up the queue."""
    try:
        return ModelLimits.model_validate({"memory_mb": memory_mb})
    except ValidationError:
        return ModelLimits()


LATEST = 100


def latest_peaks() -> list[Peer]:
    """The memory that the benchmarks took which were done last, up to `LATEST` of them."""
    done = Benchmark.objects.filter(state=State.DONE, finished__isnull=False).order_by("-finished")[:LATEST]
    fields = ("model__manifest__model__format", "model__size_bytes", "dataset_version__evaluation_rows")
    return [
        Peer(format=kind, bundle_bytes=size, measured=Measured(rows=rows, peak_bytes=peak))
        for kind, size, rows, peak in done.values_list(*fields, "peak_memory_bytes")
        if peak is not None
    ]


def lease_ran_out(now: datetime) -> list[tuple[int, str]]:
    """Running benchmarks whose engine gave no sign of life in time: their keys and claims."""
    lost = Benchmark.objects.filter(state=State.RUNNING, lease_until__lt=now)
    return list(lost.order_by("pk").values_list("pk", "claim"))


def without_owner(files: Mapping[str, str]) -> set[str]:
    """The keys of those files that belong to no result and to no benchmark that runs.

    Args:
        files: the claim that wrote it and that its name begins with, by the key of each object. They must have been
            listed before: an object that comes later may be that of a claim that was made since.
    """
    keys: dict[str, list[str]] = defaultdict(list)
    for key, token in files.items():
        keys[token].append(key)
    owners = Benchmark.objects.filter(Q(state=State.RUNNING) | ~Q(predictions_key=""))
    for predictions_key, token in owners.values_list("predictions_key", "claim").iterator():
        for claim in (token, PurePosixPath(predictions_key).stem):
            keys.pop(claim, None)
    return {key for orphans in keys.values() for key in orphans}


def claims_in_use(claims: Iterable[str]) -> tuple[set[str], set[str]]:
    """Those of some claims that wrote the predictions of a result or run now, and those whose explanation is kept too.

    Args:
        claims: as files in the object store are named after them. The files must have been listed before.
    """
    wanted = set(claims)
    used: set[str] = set()
    explained: set[str] = set()
    owners = Benchmark.objects.filter(Q(state=State.RUNNING) | ~Q(predictions_key=""))
    fields = ("predictions_key", "claim", "explanation__impossible")
    for key, running, impossible in owners.values_list(*fields).iterator():
        written = PurePosixPath(key).stem
        used |= {written, running} & wanted
        explained |= {running, *([written] if impossible == "" else ())} & wanted
    return used, explained


def uploads_in_use() -> set[str]:
    """The keys of the uploads that are under way, as they stand in the names of their parts."""
    return {name for upload in Upload.objects.values_list("pk", flat=True) for name in (str(upload), upload.hex)}


def evaluation_files_in_use() -> set[str]:
    """The sha256 of the evaluation rows of each version that a benchmark waits for, or runs on."""
    unfinished = Benchmark.objects.filter(state__in=(State.QUEUED, State.RUNNING))
    versions = DatasetVersion.objects.filter(pk__in=unfinished.values("dataset_version"))
    return set(versions.values_list(f"description__splits__{Split.EVALUATION}__sha256", flat=True))


def counts() -> dict[State, int]:
    """How many benchmarks stand where."""
    grouped = Benchmark.objects.values_list("state").annotate(number=Count("*")).order_by()
    found = {State(state): number for state, number in grouped}
    return {state: found.get(state, 0) for state in State}
