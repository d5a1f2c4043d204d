"""The predictions of a benchmark, event by event, as a file."""

from collections.abc import Iterator

from django.conf import settings
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from atlas.errors import ObjectNotFoundError
from storage import queries
from storage.objects import ObjectStore, open_store

PARQUET = "application/vnd.apache.parquet"
CHUNK_BYTES = 1 << 20


@require_safe
def predictions(request: HttpRequest, pk: int) -> StreamingHttpResponse:  # noqa: ARG001 - a view
    """The Parquet file, from the object store."""
    page = queries.benchmark_page(pk)
    if page is None or not page.benchmark.predictions_key:
        raise Http404
    store, key = open_store(settings.ATLAS_OBJECT_STORE), page.benchmark.predictions_key
    try:
        size = store.stat(key).size_bytes
    except ObjectNotFoundError as error:
        raise Http404(str(error)) from error
    version = page.benchmark.dataset_version
    name = f"{page.benchmark.model.name}-{version.tag.name}-v{version.number}.parquet"
    headers = {
        "Content-Length": str(size),
        "Content-Disposition": content_disposition_header(as_attachment=True, filename=name) or "attachment",
    }
    return StreamingHttpResponse(_content(store, key), content_type=PARQUET, headers=headers)


def _content(store: ObjectStore, key: str) -> Iterator[bytes]:
    """The object in chunks, opened when the first one is asked for: so nothing stays open that is never read."""
    with store.open(key) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk
