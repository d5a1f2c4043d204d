"""The file of a model, and the button that runs all its benchmarks again."""

from django.http import Http404, HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from atlas.access import Right
from atlas_web import files
from atlas_web.pages import bulk, trouble
from storage import queries
from ui.access import requires


@requires(Right.READ)
@require_safe
def model_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The bundle as it lies in the object store."""
    page = queries.model_page(pk)
    if page is None:
        raise Http404
    model = page.model
    filename = model.key.rsplit("/", 1)[-1]
    return trouble.or_file(request, model.key, filename=filename, media_type=files.BUNDLE, sha256=model.digest)


@requires(Right.WRITE)
@require_POST
def run_all_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Queue all benchmarks of a model once more that have ended."""
    if queries.model_page(pk) is None:
        raise Http404
    bulk.run_again(request, queries.benchmarks_of([pk]))
    return redirect("model", pk=pk)
