"""The engine over HTTP: recordings in, tags and their versions, data out. It only translates HTTP."""

# ruff: noqa: ARG001  (ninja finds the request by its name)

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from atlas.datasets import TagDescription
from atlas.errors import AtlasError
from atlas.ingestion import NewTag
from ingestion_engine import api_datasets, api_events, api_examples, api_queries, api_recordings, versions
from ingestion_engine.authentication import ADDS, READS
from ingestion_engine.errors import NotSignedInError, QueryError, RefusedError
from ingestion_engine.middleware import FAULTS, Fault
from ingestion_engine.places import object_store
from storage.parts import TooLargeError, WrongPlaceError
from storage.ranges import RangeError

api = NinjaAPI(
    title="Atlas data ingestion engine",
    version="1",
    urls_namespace="api-v1",
    description="Recordings of labelled events in; tagged, versioned datasets out.",
    auth=READS,
)
api.add_router("", api_recordings.router)
api.add_router("", api_events.router)
api.add_router("", api_datasets.router)
api.add_router("", api_examples.router)
api.add_router("", api_queries.router)


@api.get("tags", response={200: list[TagDescription], **FAULTS}, tags=["tags"])
def get_tags(request: HttpRequest) -> list[TagDescription]:
    """All tags by name."""
    return [versions.describe_tag(tag) for tag in versions.tags()]


@api.post("tags", auth=ADDS, response={200: TagDescription, **FAULTS}, tags=["tags"])
def post_tag(request: HttpRequest, tag: NewTag) -> TagDescription:
    """Name a query; its first version is there at once, if the query selects any event."""
    now = timezone.now()
    made = versions.create_tag(tag.name, tag.query, every_seconds=tag.every_seconds, now=now)
    versions.refresh_in_turn(made, object_store(), now=now)
    return versions.describe_tag(versions.tag_named(tag.name))


@api.get("tags/{tag}", response={200: TagDescription, **FAULTS}, tags=["tags"])
def get_tag(request: HttpRequest, tag: str) -> TagDescription:
    """The query and all versions, oldest first."""
    return versions.describe_tag(versions.tag_named(tag))


def _fault(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    return api.create_response(request, Fault(detail=detail).document(), status=status)


@api.exception_handler(AtlasError)
def _refused(request: HttpRequest, error: AtlasError) -> HttpResponse:
    return _fault(request, error.status if isinstance(error, RefusedError) else 503, str(error))


@api.exception_handler(NotSignedInError)
def _not_signed_in(request: HttpRequest, error: NotSignedInError) -> HttpResponse:
    response = _fault(request, error.status, str(error))
    response.headers["WWW-Authenticate"] = 'Bearer realm="Atlas"'
    return response


@api.exception_handler(QueryError)
def _not_understood(request: HttpRequest, error: QueryError) -> HttpResponse:
    fault = Fault(detail=str(error), line=error.line, column=error.column)
    return api.create_response(request, fault.document(), status=error.status)


@api.exception_handler(WrongPlaceError)
def _elsewhere(request: HttpRequest, error: WrongPlaceError) -> HttpResponse:
    response = _fault(request, HTTPStatus.CONFLICT, str(error))
    response.headers["Upload-Offset"] = str(error.received_bytes)
    return response


@api.exception_handler(TooLargeError)
def _too_large(request: HttpRequest, error: TooLargeError) -> HttpResponse:
    return _fault(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error))


@api.exception_handler(RangeError)
def _out_of_range(request: HttpRequest, error: RangeError) -> HttpResponse:
    response = _fault(request, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, str(error))
    response.headers["Content-Range"] = f"bytes */{error.size}"
    return response


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _fault(request, error.status_code, str(error))


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    problems = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors]
    return _fault(request, 422, "; ".join(problems))
