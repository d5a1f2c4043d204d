"""The predictions of a benchmark, event by event, as a file."""

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from atlas_web import files
from atlas_web.pages import trouble
from storage import queries


@require_safe
def predictions(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The Parquet file, from the object store."""
    page = queries.benchmark_page(pk)
    if page is None or not page.benchmark.predictions_key:
        raise Http404
    filename = files.name_of(page, ".parquet")
    return trouble.or_file(request, page.benchmark.predictions_key, filename=filename, media_type=files.PARQUET)
