"""What administrators do to many things at once."""

from django.http import HttpRequest
from django.utils import timezone

from atlas.access import Right, Verb, Via
from atlas.api import BulkRequest, BulkResult
from atlas_web.api.authentication import caller_of
from atlas_web.api.operations import Operations
from storage import queries, records

operations = Operations("many at once")


@operations.declare("POST", "bulk/run-again", Right.ADMINISTER, {200: BulkResult})
def run_many_again(request: HttpRequest, asked: BulkRequest) -> BulkResult:
    """Queue those of some benchmarks once more that have ended."""
    caller, now = caller_of(request), timezone.now()
    ended = list(queries.benchmarks().filter(pk__in=asked.ids, state__in=records.CAN_RUN_AGAIN))
    records.run_again_all([row.pk for row in ended], now=now)
    records.record_actions(caller.name, Verb.RAN_AGAIN, "benchmark", map(str, ended), via=Via.API, now=now)
    if ended:
        records.log("dashboard", f"{caller.name} queued {len(ended):,} benchmarks again.", now=now)
    return _result(asked, {row.pk for row in ended})


@operations.declare("POST", "bulk/cancel", Right.ADMINISTER, {200: BulkResult})
def cancel_many(request: HttpRequest, asked: BulkRequest) -> BulkResult:
    """Cancel those of some benchmarks that wait or run."""
    caller, now = caller_of(request), timezone.now()
    going = list(queries.benchmarks().filter(pk__in=asked.ids, state__in=records.CAN_BE_CANCELLED))
    records.cancel_all([row.pk for row in going], by=caller.name, now=now)
    records.record_actions(caller.name, Verb.CANCELLED, "benchmark", map(str, going), via=Via.API, now=now)
    if going:
        records.log("dashboard", f"{caller.name} cancelled {len(going):,} benchmarks.", now=now)
    return _result(asked, {row.pk for row in going})


@operations.declare("POST", "bulk/delete", Right.ADMINISTER, {200: BulkResult})
def delete_many(request: HttpRequest, asked: BulkRequest) -> BulkResult:
    """Delete some models with their benchmarks and results; an engine then deletes their objects."""
    there = set(queries.models().filter(pk__in=asked.ids).values_list("pk", flat=True))
    records.delete_models(there, caller_of(request).name, Via.API, timezone.now())
    return _result(asked, there)


def _result(asked: BulkRequest, done: set[int]) -> BulkResult:
    wanted = tuple(dict.fromkeys(asked.ids))
    return BulkResult(
        done=tuple(pk for pk in wanted if pk in done), skipped=tuple(pk for pk in wanted if pk not in done)
    )
