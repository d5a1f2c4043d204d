"""Which problem each error is answered as."""

import logging
from collections.abc import Iterable
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse
from ninja.errors import HttpError, ValidationError

from atlas.api import FieldProblem, UploadProblem
from atlas.errors import (
    AtlasError,
    BundleError,
    NameTakenError,
    ObjectNotFoundError,
    ObjectStoreError,
    StageError,
)
from atlas_web.api.problems import RequestError, answer, problem
from storage.parts import DigestError, TooLargeError, WrongPlaceError
from storage.ranges import RangeError
from ui.faults import AGAIN_SECONDS

STATUSES: tuple[tuple[type[AtlasError], HTTPStatus], ...] = (
    (ObjectNotFoundError, HTTPStatus.NOT_FOUND),
    (ObjectStoreError, HTTPStatus.SERVICE_UNAVAILABLE),
    (NameTakenError, HTTPStatus.CONFLICT),
    (BundleError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (StageError, HTTPStatus.CONFLICT),
    (DigestError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (TooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
)
"""The first that an error belongs to counts; one of none of them is a fault of the server's own."""

logger = logging.getLogger(__name__)


def of_atlas(_request: HttpRequest, error: AtlasError) -> HttpResponse:
    """Something that Atlas refuses or cannot do."""
    status = next((status for kind, status in STATUSES if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("The API could not answer", exc_info=error)
    told = problem(status, str(error))
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        told.headers["Retry-After"] = str(AGAIN_SECONDS)
    return told


def of_request(_request: HttpRequest, error: RequestError) -> HttpResponse:
    """A request that cannot be carried out."""
    return problem(error.status, str(error), error.errors)


def of_range(_request: HttpRequest, error: RangeError) -> HttpResponse:
    """A range that lies outside a file."""
    response = problem(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, str(error))
    response.headers["Content-Range"] = f"bytes */{error.size}"
    return response


def of_place(_request: HttpRequest, error: WrongPlaceError) -> HttpResponse:
    """A part of an upload that does not begin where the last one ended."""
    status = HTTPStatus.CONFLICT
    told = UploadProblem(title=status.phrase, status=status, detail=str(error), received_bytes=error.received_bytes)
    return answer(told)


def of_http(_request: HttpRequest, error: HttpError) -> HttpResponse:
    """A request that ninja cannot read."""
    return problem(error.status_code, str(error))


def of_missing(request: HttpRequest, _error: Http404) -> HttpResponse:
    """An address that leads nowhere."""
    return problem(HTTPStatus.NOT_FOUND, f"There is nothing at {request.path}.")


def of_values(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Fields or parameters that are wrong."""
    errors = [FieldProblem(field=_place(each["loc"]), message=each["msg"]) for each in error.errors]
    named = ", ".join(dict.fromkeys(each.field for each in errors))
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"Wrong: {named}.", errors)


def _place(location: Iterable[object]) -> str:
    """The field's own name: without where it was sent, nor what the view calls the group that it belongs to."""
    parts = [str(part) for part in location]
    inner = parts[2:] if len(parts) > 2 and parts[0] in ("query", "body") else parts[1:]
    return ".".join(inner) or parts[0]
