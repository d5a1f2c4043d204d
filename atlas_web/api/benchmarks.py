"""Benchmarks: found, read, run again, cancelled; their predictions, explanations and log lines."""

from typing import Any, Literal

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from ninja import Query
from ninja.responses import Status
from pydantic import Field, FiniteFloat

from atlas.access import Right, Verb, Via
from atlas.api import BenchmarkDetail, BenchmarkDrift, BenchmarkSummary, LogLine, MetricChanges, Page
from atlas.results import Explanation
from atlas.states import State
from atlas_web import drifted, files
from atlas_web.api import documents
from atlas_web.api.authentication import Caller, caller_of
from atlas_web.api.files import answers_with
from atlas_web.api.lists import Key, Paging, Sought, Words, narrowed, ordered, page_of, searched
from atlas_web.api.models import model_called
from atlas_web.api.operations import STORE_FAULT, Operations
from atlas_web.api.problems import ConflictError, UnknownError
from storage import queries, records

operations = Operations("benchmarks")
COLUMNS = {
    "model": "model__name",
    "tag": "dataset_version__tag__name",
    "score": "score",
    "finished": "finished",
    "queued": "queued",
    "wall_seconds": "wall_seconds",
}
Order = Literal[
    "model", "-model", "tag", "-tag", "score", "-score", "finished", "-finished", "queued", "-queued",
    "wall_seconds", "-wall_seconds",
]  # fmt: skip


class BenchmarkFilters(Paging):
    """What the list of benchmarks is narrowed and ordered by; `score` is the value of the primary metric."""

    q: Sought = ""
    model: Words = Field("", description="a model's key or name")
    use_case: Words = ""
    tag: Words = ""
    version: int | None = Field(None, ge=0, le=2**31 - 1, description="a dataset version's number")
    state: State | None = None
    score_min: FiniteFloat | None = None
    score_max: FiniteFloat | None = None
    order: Order | None = None


@operations.declare("GET", "benchmarks", Right.READ, {200: Page[BenchmarkSummary]}, 404)
def list_benchmarks(
    request: HttpRequest, response: HttpResponse, asked: Query[BenchmarkFilters]
) -> Page[BenchmarkSummary]:
    """All benchmarks: what runs now, then what ended last, then what waits, unless another order is asked for."""
    rows = narrowed(
        queries.benchmarks_as_they_stand().filter(searched(asked.q, queries.BENCHMARKS)),
        model=model_called(asked.model).pk if asked.model else None,
        model__use_case=asked.use_case,
        dataset_version__tag__name=asked.tag,
        dataset_version__number=asked.version,
        state=asked.state,
        score__gte=asked.score_min,
        score__lte=asked.score_max,
    )
    return page_of(
        request, response, ordered(rows, asked.order, COLUMNS), asked, documents.benchmark_summary,
        Page[BenchmarkSummary],
    )  # fmt: skip


@operations.declare("GET", "benchmarks/{benchmark}", Right.READ, {200: BenchmarkDetail})
def get_benchmark(request: HttpRequest, benchmark: Key) -> BenchmarkDetail:  # noqa: ARG001  # ninja finds it by its name
    """A benchmark with all that is known of it."""
    return documents.benchmark_detail(_row(benchmark), _page(benchmark))


@operations.declare("POST", "benchmarks/{benchmark}/run-again", Right.WRITE, {200: BenchmarkSummary}, 409)
def run_again(request: HttpRequest, benchmark: Key) -> BenchmarkSummary:
    """Queue a benchmark that has ended once more; its result stays until there is a new one."""
    done = records.run_again(benchmark, now=timezone.now())
    refusal = "It has not ended yet, or it cannot run at all."
    return _changed(caller_of(request), benchmark, Verb.RAN_AGAIN, "Queued again", "" if done else refusal)


@operations.declare("POST", "benchmarks/{benchmark}/cancel", Right.WRITE, {200: BenchmarkSummary}, 409)
def cancel(request: HttpRequest, benchmark: Key) -> BenchmarkSummary:
    """Take a benchmark out of the queue, or from the engine that runs it."""
    caller = caller_of(request)
    done = records.cancel(benchmark, by=caller.name, now=timezone.now())
    refusal = "It has ended already, so it cannot be cancelled."
    return _changed(caller, benchmark, Verb.CANCELLED, "Cancelled", "" if done else refusal)


@operations.declare("POST", "benchmarks/{benchmark}/move-to-front", Right.ADMINISTER, {200: BenchmarkSummary}, 409)
def move_to_front(request: HttpRequest, benchmark: Key) -> BenchmarkSummary:
    """Have a benchmark that waits run before all others that do."""
    done = records.move_to_front(benchmark, now=timezone.now())
    refusal = "It does not wait."
    return _changed(caller_of(request), benchmark, Verb.CHANGED, "Moved to the front", "" if done else refusal)


@operations.declare("DELETE", "benchmarks/{benchmark}", Right.DELETE, {204: None})
def delete_benchmark(request: HttpRequest, benchmark: Key) -> Status[None]:
    """Delete a benchmark with its result. The engine queues it anew while there are its model and dataset version."""
    records.delete_benchmarks([_row(benchmark).pk], caller_of(request).name, Via.API, timezone.now())
    return Status(204, None)


@operations.declare(
    "GET", "benchmarks/{benchmark}/predictions", Right.READ, {200: None, 206: None}, 416, STORE_FAULT,
    extra=answers_with(files.PARQUET),
)  # fmt: skip
def download_predictions(request: HttpRequest, benchmark: Key) -> StreamingHttpResponse:
    """The prediction of each event, as a Parquet file."""
    page = _page(benchmark)
    key = page.benchmark.predictions_key
    if not key:
        raise UnknownError("There are no predictions: the benchmark is not done, or they were not kept.")
    return files.download(request, key, filename=files.name_of(page, ".parquet"), media_type=files.PARQUET)


@operations.declare("GET", "benchmarks/{benchmark}/explanation", Right.READ, {200: Explanation})
def get_explanation(request: HttpRequest, benchmark: Key) -> Explanation:  # noqa: ARG001  # ninja finds it by its name
    """Why the model predicts as it does, or why that cannot be said."""
    return _explanation(_page(benchmark))


@operations.declare(
    "GET", "benchmarks/{benchmark}/explanation/values", Right.READ, {200: None, 206: None}, 416, STORE_FAULT,
    extra=answers_with(files.ARROW),
)  # fmt: skip
def download_values(request: HttpRequest, benchmark: Key) -> StreamingHttpResponse:
    """The effect of each feature on each explained event, as an Arrow file."""
    page = _page(benchmark)
    key = _explanation(page).values_key
    if not key:
        raise UnknownError("The values of single events were not kept.")
    return files.download(request, key, filename=files.name_of(page, "-values.arrow"), media_type=files.ARROW)


@operations.declare("GET", "benchmarks/{benchmark}/changes", Right.READ, {200: MetricChanges})
def get_changes(request: HttpRequest, benchmark: Key) -> MetricChanges:  # noqa: ARG001  # ninja finds it by its name
    """How each metric differs from that on the version before and on the best so far: by more than noise or not."""
    found = queries.regression_check(_row(benchmark).pk)
    if found is None:
        raise UnknownError("It was not compared with earlier versions yet: the engine does so once there is a result.")
    return MetricChanges(tuple(found))


@operations.declare("GET", "benchmarks/{benchmark}/drift", Right.READ, {200: BenchmarkDrift})
def get_benchmark_drift(request: HttpRequest, benchmark: Key) -> BenchmarkDrift:  # noqa: ARG001  # ninja finds it by its name
    """How far the data of a benchmark lie from what its model was trained on, with each column's distributions."""
    point = queries.benchmark_drift(benchmark)
    if point is None:
        raise UnknownError(f"There is no benchmark with the key {benchmark}.")
    if point.drift is None:
        raise UnknownError(drifted.why_unknown(point))
    return BenchmarkDrift(**dict(point.drift), predictions_since=point.predictions_since)


@operations.declare("GET", "benchmarks/{benchmark}/log", Right.READ, {200: Page[LogLine]})
def benchmark_log(request: HttpRequest, response: HttpResponse, benchmark: Key, asked: Query[Paging]) -> Page[LogLine]:
    """The log lines about a benchmark, the latest first."""
    _row(benchmark)
    rows = queries.log().filter(benchmark=benchmark)
    return page_of(request, response, rows, asked, documents.log_line, Page[LogLine])


def _row(pk: int) -> Any:
    found = queries.benchmarks().filter(pk=pk).first()
    if found is None:
        raise UnknownError(f"There is no benchmark with the key {pk}.")
    return found


def _page(pk: int) -> queries.BenchmarkPage:
    found = queries.benchmark_page(pk)
    if found is None:
        raise UnknownError(f"There is no benchmark with the key {pk}.")
    return found


def _explanation(page: queries.BenchmarkPage) -> Explanation:
    if page.explanation is None:
        raise UnknownError("There is no explanation yet: the engine makes one at the end of a benchmark.")
    return page.explanation


def _changed(caller: Caller, pk: int, verb: Verb, what: str, refusal: str) -> BenchmarkSummary:
    """Tell of what a person did in the log and the audit log; or why it was not done."""
    row, now = _row(pk), timezone.now()
    if refusal:
        raise ConflictError(f"{refusal} It is {row.state}.")
    detail = what.lower() if verb is Verb.CHANGED else ""
    records.record_action(caller.name, verb, "benchmark", str(row), via=Via.API, detail=detail, now=now)
    records.log("dashboard", f"{what} by {caller.name}: {row}.", now=now, benchmark=pk)
    return documents.benchmark_summary(row)
