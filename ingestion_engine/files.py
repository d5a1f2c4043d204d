"""Sending an object of the store over HTTP, whole or one range of its bytes."""

from django.http import HttpRequest, StreamingHttpResponse

from storage.objects import ObjectStore
from storage.ranges import ObjectPart, requested_range


def object_response(
    request: HttpRequest, store: ObjectStore, key: str, *, sha256: str, size_bytes: int, content_type: str
) -> StreamingHttpResponse:
    """The object under `key`, or the part that the request asks for. Its ETag is its sha256.

    Raises:
        ObjectNotFoundError: there is no such object.
        RangeError: the range begins behind the end.
    """
    etag = f'"{sha256}"'
    resumes = request.headers.get("If-Range", etag) == etag
    wanted = requested_range(request.headers.get("Range", ""), size_bytes) if resumes else None
    part = wanted or range(size_bytes)
    response = StreamingHttpResponse(
        ObjectPart(store, key, part),
        status=206 if wanted else 200,
        content_type=content_type,
        headers={"ETag": etag, "Accept-Ranges": "bytes", "Content-Length": str(len(part))},
    )
    if wanted:
        response.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size_bytes}"
    return response
