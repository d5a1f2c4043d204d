"""Objects of the store as files: whole or in part, so that a download can be resumed and verified."""

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header, http_date

from storage.objects import ObjectStore, open_store
from storage.queries import BenchmarkPage
from storage.ranges import ObjectPart, requested_range

PARQUET = "application/vnd.apache.parquet"
ARROW = "application/vnd.apache.arrow.file"
BUNDLE = "application/zip"


def store() -> ObjectStore:
    """The store that the settings name."""
    return open_store(settings.ATLAS_OBJECT_STORE)


def download(
    request: HttpRequest, key: str, *, filename: str, media_type: str, sha256: str = ""
) -> StreamingHttpResponse:
    """An object, or the range of it that is asked for. The ETag is its sha256, where that is known.

    Raises:
        ObjectNotFoundError: there is no such object.
        RangeError: the range lies outside.
        ObjectStoreError: the store does not answer.
    """
    objects = store()
    found = objects.stat(key)
    etag = f'"{sha256 or found.etag.strip(chr(34))}"'
    modified = http_date(found.modified.timestamp())
    resumes = request.headers.get("If-Range", etag) in (etag, modified)
    wanted = requested_range(request.headers.get("Range", ""), found.size_bytes) if resumes else None
    part = wanted or range(found.size_bytes)
    response = StreamingHttpResponse(
        ObjectPart(objects, key, part),
        status=HTTPStatus.PARTIAL_CONTENT if wanted else HTTPStatus.OK,
        content_type=media_type,
        headers={
            "ETag": etag,
            "Last-Modified": modified,
            "Accept-Ranges": "bytes",
            "Content-Length": str(len(part)),
            "Content-Disposition": content_disposition_header(as_attachment=True, filename=filename) or "attachment",
        },
    )
    if wanted:
        response.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{found.size_bytes}"
    return response


def name_of(page: BenchmarkPage, suffix: str) -> str:
    """What a file of a benchmark is called: after its model and its dataset version."""
    version = page.benchmark.dataset_version
    return f"{page.benchmark.model.name}-{version.tag.name}-v{version.number}{suffix}"
