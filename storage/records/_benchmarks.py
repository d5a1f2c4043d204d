"""The states of a benchmark, which change here and nowhere else, and its results.

    (new) -> queued | incompatible;  queued -> running -> done | failed | queued (another try, or the engine stopped)
    queued | running -> cancelled;  done | failed | cancelled -> queued (by a person)

A change compares the old state (and the claim, once there is one) in the statement that sets the new one, so that of
two engines that try, one wins.
"""

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, QuerySet, Subquery
from django.db.models.functions import Coalesce, Least

from atlas.drift import TableDrift
from atlas.manifest import Manifest
from atlas.results import BenchmarkResult, Failure, Progress
from atlas.results import Explanation as ExplanationDocument
from atlas.states import FailureClass, State
from storage.catalog import KnownVersion, ReadyModel
from storage.models import (
    Benchmark,
    ConfusionMatrix,
    Drift,
    Explanation,
    Metric,
    Pause,
    RegressionCheck,
    Residuals,
)
from storage.records._checks import check_later_ones
from storage.records._failing import store_failure
from storage.records._summaries import Keys, one_more_waits, summarize, summed_up
from storage.retries import RETRIES, Retries

NEW_PRIORITY = 0
AGAIN_PRIORITY = -1
"""What a person asks for again waits until what nobody has seen yet is done."""
HIGHEST_PRIORITY = 32_767
"""The most that the column holds."""
"""Of benchmarks: numbers, or a query set of one column."""
CAN_BE_CANCELLED = (State.QUEUED, State.RUNNING)
CAN_RUN_AGAIN = (State.DONE, State.FAILED, State.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A benchmark that this engine may run until its lease ends."""

    benchmark: int
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A result that was stored. Nothing refers any more to the objects `replaced_keys`."""

    replaced_keys: frozenset[str] = frozenset()


@transaction.atomic
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
    if new and incompatible:
        summarize([model.pk])
    elif new:
        one_more_waits(model.pk)
    return new


def metrics_digest(manifest: Manifest) -> str:
    """The sha256 of what is measured."""
    return hashlib.sha256(manifest.metric_specification.encode()).hexdigest()


def claim(benchmark: int, *, engine: str, lease: timedelta, now: datetime) -> Claim | None:
    """Take a queued benchmark, unless another engine was faster or a person paused the queue."""
    token = uuid.uuid4().hex
    waiting = Benchmark.objects.filter(pk=benchmark, state=State.QUEUED, not_before__lte=now)
    queued = waiting.exclude(Exists(Pause.objects.all()))
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


def renew(claims: Iterable[Claim], *, lease: timedelta, now: datetime) -> int:
    """Lengthen the leases of running benchmarks; how many of them are still this engine's."""
    return _all_held(claims).update(lease_until=now + lease)


def report_progress(progress: Mapping[Claim, Progress]) -> None:
    """Keep how far running benchmarks are, as far as they are still this engine's.

    Each is a statement of its own: one that changed several rows could wait for `renew`, and `renew` for it.
    """
    for held, now in progress.items():
        _held(held).update(phase=now.phase, phase_done=now.done, phase_total=now.total)


def finish(held: Claim, result: BenchmarkResult, *, primary_metric: str, now: datetime) -> Finished | None:
    """Store a result, all of it or nothing.

    Returns:
        None if the benchmark is no longer this engine's; nothing is stored then.
    """
    with summed_up([held.benchmark]):
        return _finish(held, result, primary_metric, now)


def _finish(held: Claim, result: BenchmarkResult, primary_metric: str, now: datetime) -> Finished | None:
    earlier = _held(held).values("predictions_key", "provenance").first()
    if earlier is None:
        return None
    replaced = {earlier["predictions_key"], *_explanation_keys(held.benchmark)} - {""}
    if not _store_result(held, result, primary_metric, now=now):
        return None
    if earlier["provenance"] is not None:
        _delete_results(held.benchmark)
    _add_results(held.benchmark, result, primary_metric)
    check_later_ones([held.benchmark])
    return Finished(replaced_keys=frozenset(replaced - {result.predictions_key} - result.explanation.keys))


def _explanation_keys(benchmark: int) -> frozenset[str]:
    """The objects that the stored explanation of a benchmark refers to."""
    stored = Explanation.objects.filter(benchmark=benchmark).first()
    return ExplanationDocument.model_validate(stored.document).keys if stored else frozenset()


def _store_result(held: Claim, result: BenchmarkResult, primary_metric: str, *, now: datetime) -> bool:
    costs = result.costs
    return _change(
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
        check_due=True,
        **_score(result, primary_metric),
    )


def _score(result: BenchmarkResult, primary_metric: str) -> dict[str, object]:
    """What the benchmark's own row keeps of its primary metric."""
    primary = next((metric for metric in result.metrics if metric.name == primary_metric), None)
    return {
        "score": primary.value if primary else None,
        "low": primary.low if primary else None,
        "high": primary.high if primary else None,
        "greater_is_better": primary.greater_is_better if primary else None,
    }


def _delete_results(benchmark: int) -> None:
    for table in (Metric, ConfusionMatrix, Residuals, Explanation, Drift, RegressionCheck):
        table.objects.filter(benchmark=benchmark).delete()


def _add_results(benchmark: int, result: BenchmarkResult, primary_metric: str) -> None:
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
    Drift.objects.create(benchmark_id=benchmark, unknown=result.drift_unknown, **_moved(result.drift))


def _moved(drift: TableDrift | None) -> dict[str, object]:
    """The document, and what lists sort by."""
    if drift is None:
        return {}
    return {
        "document": drift.model_dump(mode="json"),
        "share_moved": drift.share_moved,
        "farthest": drift.farthest,
    }


def fail(held: Claim, failure: Failure, *, now: datetime, retries: Retries = RETRIES) -> State | None:
    """Store why a benchmark gave no result, and queue it again where another try can help.

    Returns:
        The state that it now has, or None if it is no longer this engine's.
    """
    with summed_up([held.benchmark]):
        return store_failure(_held(held), _change, failure, now=now, retries=retries)


def fail_lost(benchmark: int, token: str, *, now: datetime, retries: Retries = RETRIES) -> State | None:
    """Take a benchmark from an engine whose lease ran out, unless it was renewed since."""
    late = _held(Claim(benchmark=benchmark, token=token)).filter(lease_until__lt=now)
    failure = Failure(failure_class=FailureClass.LOST_WORKER, reason="The engine that ran it stopped answering.")
    with summed_up([benchmark]):
        return store_failure(late, _change, failure, now=now, retries=retries)


def release(held: Claim, *, now: datetime) -> bool:
    """Give a running benchmark back to the queue, as an engine does that is stopped."""
    return _change(_held(held), State.QUEUED, claim="", lease_until=None, started=None, not_before=now)


def cancel(benchmark: int, *, by: str, now: datetime) -> bool:
    """Take a benchmark out of the queue, or from the engine that runs it, which then ends it; whether it was there."""
    return cancel_all([benchmark], by=by, now=now) == 1


def cancel_all(benchmarks: Keys, *, by: str, now: datetime) -> int:
    """Cancel those of some benchmarks that wait or run; how many that were.

    Args:
        benchmarks: their keys, or a query for them.
        by: who wants it.
        now: the time.
    """
    with summed_up(benchmarks) as models:
        return _change_all(
            Benchmark.objects.filter(pk__in=benchmarks, model__in=models, state__in=CAN_BE_CANCELLED),
            State.CANCELLED,
            reason=f"Cancelled by {by}.",
            failure_class="",
            claim="",
            lease_until=None,
            finished=now,
        )


def run_again(benchmark: int, *, now: datetime) -> bool:
    """Queue a benchmark that has ended once more; its result stays until there is a new one. Whether it had ended."""
    return run_again_all([benchmark], now=now) == 1


def run_again_all(benchmarks: Keys, *, now: datetime) -> int:
    """Queue those of some benchmarks once more that have ended; how many that were.

    Args:
        benchmarks: their keys, or a query for them.
        now: the time.
    """
    with summed_up(benchmarks) as models:
        return _change_all(
            Benchmark.objects.filter(pk__in=benchmarks, model__in=models, state__in=CAN_RUN_AGAIN),
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


def move_to_front(benchmark: int, *, now: datetime) -> bool:
    """Have a benchmark that waits run before all others that do, and also at once if it waits for another try.

    Returns:
        Whether it waited.
    """
    waiting = Benchmark.objects.filter(state=State.QUEUED)
    first = waiting.order_by("-priority").values("priority")[:1]
    ahead = Least(Coalesce(Subquery(first), NEW_PRIORITY) + 1, HIGHEST_PRIORITY)
    return waiting.filter(pk=benchmark).update(priority=ahead, not_before=now) == 1


def still_held(claims: Iterable[Claim]) -> set[Claim]:
    """Those of the claims that nobody has taken back or cancelled."""
    tokens = {held.token: held for held in claims}
    return {tokens[token] for token in _all_held(tokens.values()).values_list("claim", flat=True)}


def _held(held: Claim) -> QuerySet[Benchmark]:
    return Benchmark.objects.filter(pk=held.benchmark, state=State.RUNNING, claim=held.token)


def _all_held(claims: Iterable[Claim]) -> QuerySet[Benchmark]:
    keys = {held.token: held.benchmark for held in claims}
    return Benchmark.objects.filter(pk__in=keys.values(), state=State.RUNNING, claim__in=keys)


def _change(benchmarks: QuerySet[Benchmark], state: State, **fields: object) -> bool:
    """Set a new state where the old one still holds; whether it did."""
    return _change_all(benchmarks, state, **fields) == 1


def _change_all(benchmarks: QuerySet[Benchmark], state: State, **fields: object) -> int:
    """Set a new state wherever the old one still holds; how often. A phase belongs to the state that ends."""
    return benchmarks.update(state=state, phase="", phase_done=0, phase_total=0, **fields)
