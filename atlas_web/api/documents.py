"""Rows of the tables as the documents that the API answers with."""

from typing import Any

from atlas.api import (
    ActionEntry,
    BenchmarkCounts,
    BenchmarkDetail,
    BenchmarkSummary,
    ExplanationSummary,
    HistoryPoint,
    LogLine,
    MeasuredCosts,
    ModelDetail,
    ModelReference,
    ModelSummary,
    Person,
    Score,
    StandingSummary,
    TagSummary,
    TokenSummary,
    VersionReference,
    VersionSummary,
)
from atlas.results import ConfusionMatrix, Explanation, MetricValue, Residuals
from atlas.states import State
from storage import queries, records

MOST_IMPORTANCES = 20


def model_reference(row: Any) -> ModelReference:
    """Of a model."""
    return ModelReference(id=row.pk, name=row.name)


def _score(metric: str, value: float | None, low: float | None, high: float | None) -> Score | None:
    return None if value is None else Score(metric=metric, value=value, low=low, high=high)


def _model_fields(row: Any) -> dict[str, Any]:
    counts = BenchmarkCounts(
        possible=row.possible, done=row.done, running=row.running, unfinished=row.unfinished, failed=row.failed
    )
    return {
        "id": row.pk,
        "name": row.name,
        "state": row.state,
        "reason": row.reason,
        "version": row.version,
        "use_case": row.use_case,
        "task": row.task or None,
        "author": Person(name=row.author.name, email=row.author.email) if row.author else None,
        "tags": tuple(tag.name for tag in row.tags.all()),
        "primary_metric": row.primary_metric,
        "size_bytes": row.size_bytes,
        "sha256": row.digest,
        "arrived": row.arrived,
        "created": row.created,
        "benchmarks": counts,
        "score": _score(row.primary_metric, row.score, row.low, row.high),
        "result": row.result,
        "explained_on": row.explained_on,
        "unexplained": row.unexplained or "",
        "trouble": row.trouble or "",
        "stage": queries.stage_of(row),
    }


def model_summary(row: Any) -> ModelSummary:
    """Of a row of `queries.models()`."""
    return ModelSummary(**_model_fields(row))


def model_detail(row: Any, page: queries.ModelPage) -> ModelDetail:
    """Of a row of `queries.models()` and the page of the same model."""
    previous = page.previous
    return ModelDetail(
        **_model_fields(row),
        manifest=page.manifest.model_dump(mode="json") if page.manifest else None,
        hyperparameters=tuple(page.hyperparameters),
        previous=model_reference(previous.model) if previous else None,
    )


def history_point(point: queries.HistoryPoint) -> HistoryPoint:
    """Of a value over dataset versions."""
    return HistoryPoint(
        metric=point.metric,
        model=point.model,
        benchmark=point.benchmark,
        tag=point.tag,
        version=point.version,
        created=point.created,
        value=point.value,
        low=point.low,
        high=point.high,
    )


def version_reference(row: Any) -> VersionReference:
    """Of a dataset version with its tag."""
    return VersionReference(tag=row.tag.name, number=row.number, query_id=row.query_id)


def version_summary(row: Any) -> VersionSummary:
    """Of a dataset version with its tag."""
    return VersionSummary(
        tag=row.tag.name,
        number=row.number,
        query_id=row.query_id,
        digest=row.digest,
        rows=row.rows,
        evaluation_rows=row.evaluation_rows,
        created=row.created,
    )


def tag_summary(row: Any) -> TagSummary:
    """Of a row of `queries.datasets()`."""
    newest = None
    if row.newest is not None:
        newest = VersionReference(tag=row.name, number=row.newest, query_id=row.query_id)
    return TagSummary(
        name=row.name,
        query=row.query,
        newest=newest,
        rows=row.rows,
        updated=row.updated,
        versions=row.versions_known,
        models=row.models_benchmarked,
        checked=row.checked,
        problem=row.problem,
    )


def _benchmark_fields(row: Any) -> dict[str, Any]:
    done = row.state == State.DONE
    return {
        "id": row.pk,
        "model": model_reference(row.model),
        "use_case": row.model.use_case,
        "author": row.model.author.name if row.model.author else "",
        "dataset": version_reference(row.dataset_version),
        "state": row.state,
        "reason": row.reason,
        "failure_class": row.failure_class or None,
        "phase": row.phase or None,
        "phase_done": row.phase_done,
        "phase_total": row.phase_total,
        "attempts": row.attempts,
        "queued": row.queued,
        "started": row.started,
        "finished": row.finished,
        "score": _score(row.metric, row.score, row.low, row.high) if done else None,
        "greater_is_better": row.greater_is_better if done else None,
        "earlier": _score(row.metric, row.earlier_score, row.earlier_low, row.earlier_high),
        "evaluation_rows": row.dataset_version.evaluation_rows,
        "wall_seconds": row.wall_seconds,
    }


def benchmark_summary(row: Any) -> BenchmarkSummary:
    """Of a row of `queries.benchmarks()`."""
    return BenchmarkSummary(**_benchmark_fields(row))


def benchmark_detail(row: Any, page: queries.BenchmarkPage) -> BenchmarkDetail:
    """Of a row of `queries.benchmarks()` and the page of the same benchmark."""
    shown = page.benchmark
    return BenchmarkDetail(
        **_benchmark_fields(row),
        **(_results(page) if shown.state == State.DONE else _NO_RESULTS),
        warnings=tuple(shown.warnings),
        output=shown.output,
        engine=shown.engine,
        can_cancel=shown.state in records.CAN_BE_CANCELLED,
        can_run_again=shown.state in records.CAN_RUN_AGAIN,
    )


_NO_RESULTS: dict[str, Any] = {
    "metrics": (),
    "class_metrics": (),
    "slice_metrics": (),
    "confusion_matrix": None,
    "residuals": None,
    "costs": None,
    "hyperparameters": (),
    "explanation": None,
    "provenance": None,
    "standing": None,
    "has_predictions": False,
}


def _results(page: queries.BenchmarkPage) -> dict[str, Any]:
    matrix, residuals = page.confusion_matrix, page.residuals
    return {
        "metrics": tuple(_metric(metric) for metric in page.metrics),
        "class_metrics": tuple(page.classes),
        "slice_metrics": tuple(page.slices),
        "confusion_matrix": ConfusionMatrix(classes=tuple(matrix[0]), counts=_table(matrix[1])) if matrix else None,
        "residuals": Residuals(truth=tuple(residuals[0]), predicted=tuple(residuals[1])) if residuals else None,
        "costs": _costs(page.benchmark),
        "hyperparameters": tuple(page.hyperparameters),
        "explanation": _explanation(page.explanation) if page.explanation else None,
        "provenance": page.provenance,
        "standing": StandingSummary(place=page.standing.place, of=len(page.standings)) if page.standing else None,
        "has_predictions": bool(page.benchmark.predictions_key),
    }


def _table(rows: list[list[int]]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(row) for row in rows)


def _metric(row: Any) -> MetricValue:
    return MetricValue(
        name=row.name,
        value=row.value,
        greater_is_better=row.greater_is_better,
        reason=row.reason,
        low=row.low,
        high=row.high,
    )


def _costs(row: Any) -> MeasuredCosts | None:
    if row.wall_seconds is None:
        return None
    return MeasuredCosts(
        wall_seconds=row.wall_seconds,
        cpu_seconds=row.cpu_seconds,
        load_seconds=row.load_seconds,
        predict_seconds=row.predict_seconds,
        peak_memory_bytes=row.peak_memory_bytes,
        model_size_bytes=row.model.size_bytes,
        predictions=row.predictions,
        rows_per_second=row.predictions / row.predict_seconds if row.predictions and row.predict_seconds else None,
        latency_p50_seconds=row.latency_p50_seconds,
        latency_p95_seconds=row.latency_p95_seconds,
        latency_rows=row.latency_rows,
    )


def _explanation(found: Explanation) -> ExplanationSummary:
    return ExplanationSummary(
        available=found.available,
        impossible=found.impossible,
        method=found.method,
        output=found.output,
        outputs=found.outputs,
        rows=found.rows,
        seconds=found.seconds,
        features=len(found.importances),
        importances=found.importances[:MOST_IMPORTANCES],
        has_values=bool(found.values_key),
    )


def log_line(row: Any) -> LogLine:
    """Of a row of `queries.log()`."""
    model = row.model or (row.benchmark.model if row.benchmark else None)
    return LogLine(
        id=row.pk,
        time=row.time,
        level=row.level,
        component=row.component,
        message=row.message,
        detail=row.detail,
        model=model_reference(model) if model else None,
        benchmark=row.benchmark_id,
    )


def token_summary(row: Any) -> TokenSummary:
    """Of a person's token."""
    return TokenSummary(
        id=row.pk,
        name=row.name,
        start=row.start,
        scopes=tuple(row.scopes),
        created=row.created,
        expires=row.expires,
        used=row.used,
    )


def action_entry(row: Any) -> ActionEntry:
    """Of a line of the audit log."""
    return ActionEntry(
        id=row.pk,
        time=row.time,
        person=row.person,
        via=row.via,
        verb=row.verb,
        kind=row.kind,
        thing=row.thing,
        detail=row.detail,
    )
