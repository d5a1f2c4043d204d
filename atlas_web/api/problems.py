"""What is answered when a request is not carried out: problem details (RFC 9457)."""

from collections.abc import Callable, Iterable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control, set_response_etag
from django.utils.http import parse_http_date_safe

from atlas.api import PROBLEM_MEDIA_TYPE, FieldProblem, Problem
from atlas.errors import AtlasError
from ui.faults import FaultResponse

ROOT = "/api/v1/"


class RequestError(AtlasError):
    """The request cannot be carried out. `status` is what the caller sees, `errors` the fields that are wrong."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, message: str, errors: Iterable[FieldProblem] = ()) -> None:
        super().__init__(message)
        self.errors = tuple(errors)


class NotSignedInError(RequestError):
    """Nobody is signed in."""

    status = HTTPStatus.UNAUTHORIZED


class ForbiddenError(RequestError):
    """Who asks may not do this."""

    status = HTTPStatus.FORBIDDEN


class UnknownError(RequestError):
    """There is no such thing."""

    status = HTTPStatus.NOT_FOUND


class ConflictError(RequestError):
    """Things stand otherwise than the request supposes."""

    status = HTTPStatus.CONFLICT


class FieldError(RequestError):
    """One field of the request, or one parameter, is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}", [FieldProblem(field=field, message=message)])


def answer(problem: Problem) -> HttpResponse:
    """The response that tells of a problem."""
    response = HttpResponse(problem.model_dump_json(), status=problem.status, content_type=PROBLEM_MEDIA_TYPE)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Atlas"'
    return response


def problem(status: int, detail: str = "", errors: Iterable[FieldProblem] = ()) -> HttpResponse:
    """The response that tells of a problem of some status."""
    return answer(Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=tuple(errors)))


def speaks_api(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware for answers below `ROOT`: Django's own pages for faults become problem details, nobody else may keep
    answers, and what the caller has already is not sent again."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not request.path.startswith(ROOT):
            return response
        patch_cache_control(response, private=True, no_cache=True)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            return _as_problem(request, response)
        return _unless_known(request, response)

    return respond


def _as_problem(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if response.headers.get("Content-Type", "").startswith(PROBLEM_MEDIA_TYPE):
        return response
    told = problem(response.status_code, _why(request, response))
    for name in ("Allow", "Cache-Control", "Retry-After"):
        if name in response.headers:
            told.headers[name] = response.headers[name]
    return told


def _why(request: HttpRequest, response: HttpResponseBase) -> str:
    if isinstance(response, FaultResponse):
        return response.fault.said
    return f"{request.method} {request.path}: {response.reason_phrase}."


def _unless_known(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The response, or 304 without a body if the caller has the same already."""
    if request.method != "GET":
        return response
    if isinstance(response, HttpResponse) and "ETag" not in response.headers:
        set_response_etag(response)
    modified = parse_http_date_safe(response.headers.get("Last-Modified", ""))
    known = get_conditional_response(request, etag=response.headers.get("ETag"), last_modified=modified)
    if known is None:
        return response
    response.close()
    if known.status_code >= HTTPStatus.BAD_REQUEST:
        known = problem(known.status_code, "What is there now is not what the request supposes.")
    for name in ("ETag", "Last-Modified", "Cache-Control", "Vary"):
        if name in response.headers:
            known.headers[name] = response.headers[name]
    return known
