"""Curves, calibration and residuals of a benchmark: a part of its page, loaded when it comes in view."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from atlas.errors import AtlasError
from atlas.states import State
from atlas_web import spread
from atlas_web.pages import trouble
from storage import queries
from storage.queries import BenchmarkPage


def curves(request: HttpRequest, pk: int) -> HttpResponse:
    """The cards, to be put into the page of a benchmark that is done, or why there are none."""
    page = queries.benchmark_page(pk)
    if page is None or page.benchmark.state != State.DONE:
        raise Http404
    return render(request, "pages/parts/curves.html", _found(page))


def _found(page: BenchmarkPage) -> dict[str, object]:
    try:
        return {"panels": spread.panels(page)}
    except AtlasError as error:
        return {"problem": trouble.reason(error)}
