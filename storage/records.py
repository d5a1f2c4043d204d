"""Every write to the tables, one transaction each. The states of a benchmark change here and nowhere else.

    (new) -> queued | incompatible;  queued -> running -> done | failed | queued (another try, or the engine stopped)
    queued | running -> cancelled;  done | failed | cancelled -> queued (by a person)

A change compares the old state (and the claim, once there is one) in the statement that sets the new one, so that of
two engines that try, one wins.
"""

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from atlas.datasets import DatasetDescription, Split
from atlas.errors import NameTakenError
from atlas.manifest import Manifest
from atlas.results import BenchmarkResult, Failure
from atlas.states import ComponentState, FailureClass, Level, ModelState, State
from storage.catalog import KnownVersion, ReadyModel
from storage.models import (
    Author,
    Benchmark,
    ComponentStatus,
    ConfusionMatrix,
    DatasetTag,
    DatasetVersion,
    Explanation,
    LogEntry,
    Metric,
    Model,
    Residuals,
)

MAX_ATTEMPTS = 3
NEW_PRIORITY = 0
AGAIN_PRIORITY = -1
"""What a person asks for again waits until what nobody has seen yet is done."""
CAN_BE_CANCELLED = (State.QUEUED, State.RUNNING)
CAN_RUN_AGAIN = (State.DONE, State.FAILED, State.CANCELLED)
FIRST_RETRY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """A file as the object store lists it, and the sha256 of its content."""

    key: str
    etag: str
    size_bytes: int
    digest: str
    arrived: datetime

    @property
    def stem(self) -> str:
        """The last part of the key, which names a file that says nothing else of itself."""
        return self.key.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A benchmark that this engine may run until its lease ends."""

    benchmark: int
    token: str


# Models and datasets ------------------------------------------------------------------------------------------------


@transaction.atomic
def record_model(file: FileRecord, manifest: Manifest) -> int:
    """Keep a bundle that Atlas can benchmark, with its author and tags; the key of its row.

    Raises:
        NameTakenError: a ready model with another file has this name.
    """
    author, _ = Author.objects.update_or_create(email=manifest.author.email, defaults={"name": manifest.author.name})
    tags = [DatasetTag.objects.get_or_create(name=tag)[0] for tag in manifest.tags]
    try:
        with transaction.atomic():
            model = _keep_file(
                file,
                state=ModelState.READY,
                reason="",
                name=manifest.name,
                version=manifest.version,
                use_case=manifest.use_case,
                task=manifest.task,
                author=author,
                primary_metric=manifest.primary_metric,
                created=manifest.created,
                pipeline_digest=manifest.pipeline_digest,
                manifest=manifest.model_dump(mode="json"),
            )
    except IntegrityError as error:
        raise NameTakenError(f"The name {manifest.name} is taken by another model.") from error
    model.tags.set(tags)
    return model.pk


def record_unused_file(file: FileRecord, state: ModelState, *, name: str, reason: str) -> int:
    """Keep a file that is not benchmarked, and why; it is looked at again when it changes. The key of its row."""
    return _keep_file(file, state=state, reason=reason, name=name).pk


def record_replaced_file(file: FileRecord, reason: str) -> int:
    """Note that the file of a ready model was overwritten: what is known of the model stays. The key of its row."""
    Model.objects.filter(key=file.key).update(etag=file.etag, reason=reason)
    return Model.objects.only("pk").get(key=file.key).pk


def _keep_file(file: FileRecord, **fields: object) -> Model:
    kept = {"etag": file.etag, "size_bytes": file.size_bytes, "digest": file.digest, "arrived": file.arrived, **fields}
    model, _ = Model.objects.update_or_create(key=file.key, defaults=kept)
    return model


def record_tag(name: str, *, query: str, checked: datetime) -> None:
    """Keep what the ingestion engine says of a tag."""
    DatasetTag.objects.update_or_create(name=name, defaults={"query": query, "checked": checked, "problem": ""})


def record_tag_problem(name: str, problem: str) -> bool:
    """Keep why the ingestion engine gives no answer for a tag; whether that is news."""
    return DatasetTag.objects.filter(name=name).exclude(problem=problem).update(problem=problem) == 1


@transaction.atomic
def record_version(description: DatasetDescription) -> DatasetVersion:
    """Keep a dataset version and all that is known of it."""
    tag, _ = DatasetTag.objects.get_or_create(name=description.tag)
    version, _ = DatasetVersion.objects.get_or_create(
        query_id=description.query_id,
        defaults={
            "tag": tag,
            "number": description.number,
            "digest": description.digest,
            "rows": description.rows,
            "evaluation_rows": description.splits[Split.EVALUATION].rows,
            "created": description.created,
            "description": description.model_dump(mode="json"),
        },
    )
    return version


# Benchmarks ---------------------------------------------------------------------------------------------------------


def queue_benchmark(model: ReadyModel, version: KnownVersion, *, incompatible: str = "", now: datetime) -> bool:
    """Queue a benchmark unless there is one of this model digest, dataset digest and metric specification.

    Args:
        model: what is benchmarked.
        version: what it is benchmarked on.
        incompatible: why it cannot be run at all; it is kept with this reason then and never starts.
        now: the time.

    Returns:
        Whether it is new.
    """
    _, new = Benchmark.objects.get_or_create(
        model_digest=model.digest,
        dataset_digest=version.description.digest,
        metrics_digest=metrics_digest(model.manifest),
        defaults={
            "model_id": model.pk,
            "dataset_version_id": version.pk,
            "state": State.INCOMPATIBLE if incompatible else State.QUEUED,
            "reason": incompatible,
            "priority": NEW_PRIORITY,
            "queued": now,
            "not_before": now,
            "finished": now if incompatible else None,
        },
    )
    return new


def metrics_digest(manifest: Manifest) -> str:
    """The sha256 of what is measured."""
    return hashlib.sha256(manifest.metric_specification.encode()).hexdigest()


def claim(benchmark: int, *, engine: str, lease: timedelta, now: datetime) -> Claim | None:
    """Take a queued benchmark, unless another engine was faster."""
    token = uuid.uuid4().hex
    queued = Benchmark.objects.filter(pk=benchmark, state=State.QUEUED, not_before__lte=now)
    taken = _change(
        queued,
        State.RUNNING,
        claim=token,
        engine=engine,
        lease_until=now + lease,
        started=now,
        finished=None,
        reason="",
        failure_class="",
    )
    return Claim(benchmark=benchmark, token=token) if taken else None


def renew(claims: Iterable[Claim], *, lease: timedelta, now: datetime) -> set[Claim]:
    """Lengthen the leases of running benchmarks. What is not returned is no longer this engine's."""
    return {held for held in claims if _held(held).update(lease_until=now + lease)}


@transaction.atomic
def finish(held: Claim, result: BenchmarkResult, *, primary_metric: str, now: datetime) -> bool:
    """Store a result, all of it or nothing.

    Returns:
        False if the benchmark is no longer this engine's; nothing is stored then.
    """
    costs = result.costs
    done = _change(
        _held(held),
        State.DONE,
        finished=now,
        claim="",
        lease_until=None,
        wall_seconds=costs.wall_seconds,
        cpu_seconds=costs.cpu_seconds,
        load_seconds=costs.load_seconds,
        predict_seconds=costs.predict_seconds,
        peak_memory_bytes=costs.peak_memory_bytes,
        predictions=costs.predictions,
        latency_p50_seconds=costs.latency_p50_seconds,
        latency_p95_seconds=costs.latency_p95_seconds,
        latency_rows=costs.latency_rows,
        predictions_key=result.predictions_key,
        hyperparameters=[group.model_dump(mode="json") for group in result.hyperparameters],
        class_metrics=[each.model_dump(mode="json") for each in result.class_metrics],
        slice_metrics=[each.model_dump(mode="json") for each in result.slice_metrics],
        provenance=result.provenance.model_dump(mode="json"),
        warnings=list(result.warnings),
        output=result.output,
    )
    if done:
        _replace_results(held.benchmark, result, primary_metric)
    return done


def _replace_results(benchmark: int, result: BenchmarkResult, primary_metric: str) -> None:
    for table in (Metric, ConfusionMatrix, Residuals, Explanation):
        table.objects.filter(benchmark=benchmark).delete()
    Metric.objects.bulk_create(
        Metric(benchmark_id=benchmark, primary=value.name == primary_metric, **value.model_dump())
        for value in result.metrics
    )
    if result.confusion_matrix:
        ConfusionMatrix.objects.create(benchmark_id=benchmark, **result.confusion_matrix.model_dump(mode="json"))
    if result.residuals:
        Residuals.objects.create(benchmark_id=benchmark, **result.residuals.model_dump(mode="json"))
    Explanation.objects.create(
        benchmark_id=benchmark,
        impossible=result.explanation.impossible,
        document=result.explanation.model_dump(mode="json"),
    )


@transaction.atomic
def fail(held: Claim, failure: Failure, *, now: datetime) -> State | None:
    """Store why a benchmark gave no result, and queue it again where another try can help.

    Returns:
        The state that it now has, or None if it is no longer this engine's.
    """
    attempts = Benchmark.objects.filter(pk=held.benchmark, claim=held.token).values_list("attempts", flat=True).first()
    if attempts is None:
        return None
    attempts += 1
    again = failure.failure_class.retry_helps and attempts < MAX_ATTEMPTS
    state = State.QUEUED if again else State.FAILED
    stored = _change(
        _held(held),
        state,
        attempts=attempts,
        failure_class=failure.failure_class,
        reason=failure.reason,
        output=failure.output,
        finished=None if again else now,
        not_before=now + FIRST_RETRY * 2 ** (attempts - 1),
        claim="",
        lease_until=None,
    )
    return state if stored else None


def release(held: Claim, *, now: datetime) -> bool:
    """Give a running benchmark back to the queue, as an engine does that is stopped."""
    return _change(_held(held), State.QUEUED, claim="", lease_until=None, started=None, not_before=now)


def cancel(benchmark: int, *, by: str, now: datetime) -> bool:
    """Take a benchmark out of the queue, or from the engine that runs it, which then ends it; whether it was there."""
    return _change(
        Benchmark.objects.filter(pk=benchmark, state__in=CAN_BE_CANCELLED),
        State.CANCELLED,
        reason=f"Cancelled by {by}.",
        failure_class="",
        claim="",
        lease_until=None,
        finished=now,
    )


def run_again(benchmark: int, *, now: datetime) -> bool:
    """Queue a benchmark that has ended once more; its result stays until there is a new one. Whether it had ended."""
    return _change(
        Benchmark.objects.filter(pk=benchmark, state__in=CAN_RUN_AGAIN),
        State.QUEUED,
        attempts=0,
        priority=AGAIN_PRIORITY,
        reason="",
        failure_class="",
        queued=now,
        not_before=now,
        started=None,
        finished=None,
    )


def still_held(claims: Iterable[Claim]) -> set[Claim]:
    """Those of the claims that nobody has taken back or cancelled."""
    tokens = {held.token: held for held in claims}
    running = Benchmark.objects.filter(state=State.RUNNING, claim__in=tokens).values_list("claim", flat=True)
    return {tokens[token] for token in running}


def fail_lost(benchmark: int, token: str, *, now: datetime) -> State | None:
    """Take a benchmark from an engine whose lease ran out."""
    reason = "The engine that ran it stopped answering."
    return fail(
        Claim(benchmark=benchmark, token=token),
        Failure(failure_class=FailureClass.LOST_WORKER, reason=reason),
        now=now,
    )


def _held(held: Claim) -> QuerySet[Benchmark]:
    return Benchmark.objects.filter(pk=held.benchmark, state=State.RUNNING, claim=held.token)


def _change(benchmarks: QuerySet[Benchmark], state: State, **fields: object) -> bool:
    """Set a new state where the old one still holds; whether it did."""
    return benchmarks.update(state=state, **fields) == 1


# Signs of life ------------------------------------------------------------------------------------------------------


def log(
    component: str,
    message: str,
    *,
    now: datetime,
    level: Level = Level.INFO,
    detail: str = "",
    model: int | None = None,
    benchmark: int | None = None,
) -> None:
    """Keep a line for people."""
    LogEntry.objects.create(
        time=now,
        level=level,
        component=component,
        message=message,
        detail=detail,
        model_id=model,
        benchmark_id=benchmark,
    )


def report_status(component: str, state: ComponentState, message: str, *, now: datetime) -> None:
    """Keep a component's sign of life."""
    ComponentStatus.objects.update_or_create(name=component, defaults={"state": state, "message": message, "seen": now})
