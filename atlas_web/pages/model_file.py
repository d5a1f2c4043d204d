"""The file of a model, and the button that runs all its benchmarks again."""

from collections.abc import Iterator

from django.conf import settings
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from atlas.access import Right
from atlas.errors import ObjectNotFoundError
from atlas_web.access import requires
from atlas_web.pages import bulk
from storage import queries
from storage.objects import ObjectStore, open_store

CHUNK_BYTES = 1 << 20


@requires(Right.READ)
@require_safe
def model_file(request: HttpRequest, pk: int) -> HttpResponseBase:  # noqa: ARG001 - a view
    """The bundle as it lies in the object store."""
    page = queries.model_page(pk)
    if page is None:
        raise Http404
    store, key = open_store(settings.ATLAS_OBJECT_STORE), page.model.key
    try:
        found = store.stat(key)
    except ObjectNotFoundError as error:
        raise Http404("The model's file is no longer in the object store.") from error
    headers = {
        "Content-Length": str(found.size_bytes),
        "Content-Disposition": content_disposition_header(as_attachment=True, filename=key.rsplit("/", 1)[-1])
        or "attachment",
        "ETag": f'"{found.etag}"',
    }
    return StreamingHttpResponse(_content(store, key), content_type="application/zip", headers=headers)


def _content(store: ObjectStore, key: str) -> Iterator[bytes]:
    """The object in chunks, opened when the first one is asked for: so nothing stays open that is never read."""
    with store.open(key) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


@requires(Right.WRITE)
@require_POST
def run_all_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Queue all benchmarks of a model once more that have ended."""
    if queries.model_page(pk) is None:
        raise Http404
    bulk.run_again(request, queries.benchmarks_of([pk]))
    return redirect("model", pk=pk)
