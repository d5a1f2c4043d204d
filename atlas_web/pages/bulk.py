"""What administrators do to many models or benchmarks at once."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from atlas.access import Right, Verb
from atlas_web import words
from atlas_web.chosen import chosen
from atlas_web.pages import removal
from atlas_web.pages.benchmarks import BenchmarkFilter
from atlas_web.pages.models import ModelFilter
from storage import queries, records
from ui.access import requires


@requires(Right.ADMINISTER)
@require_POST
def change_models(request: HttpRequest) -> HttpResponseBase:
    """Run the benchmarks of the chosen models again, cancel them, or delete the models."""
    read_about = removal.confirmed(request)
    if read_about is not None:
        return removal.delete_models(request, read_about)
    models = chosen(request, ModelFilter, queries.models())
    if models is None:
        return _nothing_chosen(request, "models")
    if request.POST.get("action") == "delete":
        return removal.ask_about_models(request, models)
    return _change(request, queries.benchmarks_of(models), "models")


@requires(Right.ADMINISTER)
@require_POST
def change_benchmarks(request: HttpRequest) -> HttpResponseBase:
    """Run the chosen benchmarks again, cancel or delete them."""
    read_about = removal.confirmed(request)
    if read_about is not None:
        return removal.delete_benchmarks(request, read_about)
    benchmarks = chosen(request, BenchmarkFilter, queries.benchmarks())
    if benchmarks is None:
        return _nothing_chosen(request, "benchmarks")
    if request.POST.get("action") == "delete":
        return removal.ask_about_benchmarks(request, benchmarks)
    return _change(request, benchmarks, "benchmarks")


def _change(request: HttpRequest, benchmarks: QuerySet[Any, Any], page: str) -> HttpResponse:
    match request.POST.get("action"):
        case "again":
            run_again(request, benchmarks)
        case "cancel":
            cancel(request, benchmarks)
        case _:
            messages.error(request, "Choose what is to be done: run again, cancel or delete.")
    return redirect(page)


def run_again(request: HttpRequest, benchmarks: QuerySet[Any, Any]) -> None:
    """Queue those once more that have ended, and say and keep how many that were."""
    number = records.run_again_all(benchmarks, now=timezone.now())
    _told(request, Verb.RAN_AGAIN, number, "Queued again", "None of these benchmarks has ended.")


def cancel(request: HttpRequest, benchmarks: QuerySet[Any, Any]) -> None:
    """Cancel those that wait or run, and say and keep how many that were."""
    number = records.cancel_all(benchmarks, by=str(request.user), now=timezone.now())
    _told(request, Verb.CANCELLED, number, "Cancelled", "None of these benchmarks waits or runs.")


def _told(request: HttpRequest, verb: Verb, number: int, done: str, otherwise: str) -> None:
    if not number:
        messages.warning(request, otherwise)
        return
    counted, by, now = words.plural(number, "benchmark"), str(request.user), timezone.now()
    records.record_action(by, verb, "benchmark", counted, detail=request.POST.get("query", ""), now=now)
    records.log("dashboard", f"{done} by {by}: {counted}.", now=now)
    messages.success(request, f"{done}: {counted}.")


def _nothing_chosen(request: HttpRequest, page: str) -> HttpResponse:
    messages.warning(request, "Nothing is chosen. Tick the boxes of the rows that you mean.")
    return redirect(page)
