"""The pages that say what goes with models or benchmarks, and the buttons that delete them."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from atlas.access import Right, Via
from atlas_web import words
from storage import queries, records
from storage.records import Deleted
from ui import formats
from ui.access import requires

MOST_NAMES = 20
"""So many of the models are named on the page."""


@requires(Right.DELETE)
@require_http_methods(["GET", "POST"])
def delete_model(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What goes with a model, and its deletion once the person has read that."""
    page = queries.model_page(pk)
    if page is None:
        raise Http404
    if request.method == "POST":
        return delete_models(request, [pk])
    crumbs = [("Models", reverse("models")), (page.model.name, reverse("model", args=[pk]))]
    context = _models_context([pk], queries.what_goes_with([pk])) | {
        "crumbs": crumbs,
        "back": crumbs[-1][1],
        "what": "this model",
    }
    return render(request, "pages/delete.html", context | {"title": f"Delete {page.model.name}?"})


@requires(Right.DELETE)
@require_http_methods(["GET", "POST"])
def delete_benchmark(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What goes with a benchmark, and its deletion."""
    page = queries.benchmark_page(pk)
    if page is None:
        raise Http404
    if request.method == "POST":
        return delete_benchmarks(request, [pk])
    back = reverse("benchmark", args=[pk])
    crumbs = [("Benchmarks", reverse("benchmarks")), (str(page.benchmark), back)]
    context = _benchmarks_context([pk], queries.what_goes_with_benchmarks([pk])) | {"what": "this benchmark"}
    title = f"Delete {page.benchmark}?"
    return render(request, "pages/delete.html", context | {"crumbs": crumbs, "back": back, "title": title})


def confirmed(request: HttpRequest) -> list[int] | None:
    """The keys of what a person read about before they confirmed its deletion; None if they did not confirm one."""
    keys = request.POST.get("keys")
    return None if keys is None else [int(key) for key in keys.split(",") if key.isdecimal() and len(key) < 19]


def delete_models(request: HttpRequest, pks: list[int]) -> HttpResponse:
    """Delete many models."""
    return _done(request, records.delete_models(pks, str(request.user), Via.PAGE, timezone.now()), "models")


def delete_benchmarks(request: HttpRequest, pks: list[int]) -> HttpResponse:
    """Delete many benchmarks."""
    return _done(request, records.delete_benchmarks(pks, str(request.user), Via.PAGE, timezone.now()), "benchmarks")


def ask_about_models(request: HttpRequest, models: QuerySet[Any]) -> HttpResponse:
    """Say what will go with many models."""
    pks = list(models.values_list("pk", flat=True))
    going = queries.what_goes_with(models)
    names = queries.names_of_models(pks[: MOST_NAMES + 1])
    context = _models_context(pks, going) | {"names": names[:MOST_NAMES], "more": going.models - MOST_NAMES}
    context |= {
        "action": reverse("change-models"),
        "back": reverse("models"),
        "crumbs": [("Models", reverse("models"))],
    }
    return render(request, "pages/delete.html", context | {"title": f"Delete {words.plural(going.models, 'model')}?"})


def ask_about_benchmarks(request: HttpRequest, benchmarks: QuerySet[Any]) -> HttpResponse:
    """Say what will go with many benchmarks."""
    pks = list(benchmarks.values_list("pk", flat=True))
    going = queries.what_goes_with_benchmarks(benchmarks)
    back = reverse("benchmarks")
    context = _benchmarks_context(pks, going) | {"crumbs": [("Benchmarks", back)], "back": back}
    title = f"Delete {words.plural(going.benchmarks, 'benchmark')}?"
    return render(request, "pages/delete.html", context | {"action": reverse("change-benchmarks"), "title": title})


def _models_context(pks: list[int], going: queries.Going) -> dict[str, Any]:
    return {
        "going": _lines(going),
        "keys": ",".join(map(str, pks)),
        "what": words.plural(going.models, "model"),
        "warning": _warning(going),
        "note": "A file that is sent anew under the same name later is a new model.",
    }


def _benchmarks_context(pks: list[int], going: queries.Going) -> dict[str, Any]:
    return {
        "going": _lines(going),
        "keys": ",".join(map(str, pks)),
        "what": words.plural(going.benchmarks, "benchmark"),
        "warning": _warning(going),
        "note": "The engine queues a benchmark anew while there are its model and its dataset version. "
        "To have a new result in the place of the old one, run it again instead.",
    }


def _warning(going: queries.Going) -> str:
    ends = words.plural(going.unfinished, "benchmark waits or runs", "benchmarks wait or run")
    return f"{ends}, and will be ended." if going.unfinished else ""


def _lines(going: queries.Going) -> list[tuple[str, str]]:
    """What goes, as terms and numbers; what is not concerned is left out."""
    counted = (
        ("Models", going.models),
        ("Benchmarks", going.benchmarks),
        ("Results", going.results),
        ("Explanations", going.explanations),
        ("Files in the object store", going.objects),
    )
    lines = [(term, formats.num(number, 0)) for term, number in counted if number]
    return lines + ([("Size of the model files", formats.size(going.model_bytes))] if going.models else [])


def _done(request: HttpRequest, deleted: Deleted, page: str) -> HttpResponse:
    models = f"{words.plural(deleted.models, 'model')} and " if deleted.models else ""
    gone = f"{models}{words.plural(deleted.benchmarks, 'benchmark')}"
    if deleted.models or deleted.benchmarks:
        files = words.plural(deleted.objects, "file")
        messages.success(request, f"Deleted {gone}. The engine deletes {files} from the object store.")
        records.log("dashboard", f"Deleted by {request.user}: {gone}.", now=timezone.now())
    else:
        messages.warning(request, "There was nothing left to delete.")
    return redirect(page)
