"""What stands in the place of a page that cannot be made: what is wrong, what became of one's work, and what to do.

None of it reads the database or the session: it is shown while they are away.
"""

import errno
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from atlas.errors import ObjectNotFoundError, ObjectStoreError
from atlas.logs import current_request

AGAIN_SECONDS = 10
"""After so long a page that could not be made is asked for again."""
_FULL = ("no space left on device", "disk is full", "disk quota exceeded", "xminiostoragefull", "minimum free drive")
"""What databases and object stores say when there is no room; it is compared without regard to case."""
_OLD_TABLES = ("no such table", "no such column", "undefinedtable", "undefinedcolumn")
_AS_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a request was not carried out, in words for people. One that `passes` is over by itself after a while."""

    status: HTTPStatus
    title: str
    text: str
    glyph: str = "exclamation-triangle"
    tone: str = "bad"
    passes: bool = False

    @property
    def said(self) -> str:
        """All of it in plain sentences."""
        return f"{self.title}. {self.text}"


class FaultResponse(HttpResponse):
    """The answer that tells of a fault; `fault` is there for those who tell it in another form."""

    def __init__(self, fault: Fault, content: str, content_type: str = "text/html; charset=utf-8") -> None:
        super().__init__(content, status=fault.status, content_type=content_type)
        self.fault = fault
        if fault.passes:
            self.headers["Retry-After"] = str(AGAIN_SECONDS)


DATABASE_AWAY = Fault(
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    title="The database does not answer",
    text="Atlas cannot read or keep anything at this moment. What was kept before is still there, and benchmarks go on "
    "when the database is back. What you sent just now was not kept: send it again then.",
    glyph="circle-stack",
    passes=True,
)
STORE_AWAY = Fault(
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    title="The object store does not answer",
    text="The files of models and results cannot be reached at this moment. They are still there, and other pages "
    "work. What you sent just now was not kept: send it again when the store is back.",
    glyph="archive-box-x-mark",
    passes=True,
)
FULL = Fault(
    status=HTTPStatus.INSUFFICIENT_STORAGE,
    title="There is no room left",
    text="The disk is full, so what you sent was not kept. All that was kept before is unharmed. An administrator has "
    "to make room; then send it again.",
    glyph="archive-box-x-mark",
)
OTHER_TABLES = Fault(
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    title="The database is not ready for this release",
    text="Its tables are those of another release: Atlas is being upgraded, or the command manage.py prepare was "
    "forgotten. Nothing is lost.",
    glyph="wrench-screwdriver",
    passes=True,
)
GONE = Fault(
    status=HTTPStatus.NOT_FOUND,
    title="The file is gone",
    text="The object store no longer has what belongs here. Run the benchmark again to have its results made anew.",
    glyph="archive-box-x-mark",
    tone="",
)
OURS = Fault(
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    title="This request failed",
    text="The error is ours and was recorded. Nothing you sent before is lost, and benchmarks keep running. Try again "
    "in a moment.",
)
NOT_UNDERSTOOD = Fault(
    status=HTTPStatus.BAD_REQUEST,
    title="This request was not understood",
    text="The address or the form held something that Atlas cannot read. Go back and try again.",
    glyph="exclamation-circle",
    tone="warn",
)


def fault_of(error: BaseException | None) -> Fault:
    """What an error that nobody handled means for whoever sees it."""
    if isinstance(error, DatabaseError | InterfaceError):
        return _of_database(error)
    if isinstance(error, ObjectNotFoundError):
        return GONE
    if isinstance(error, ObjectStoreError):
        return FULL if _is_full(error) else STORE_AWAY
    return FULL if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT) else OURS


def _of_database(error: DatabaseError | InterfaceError) -> Fault:
    if _is_full(error):
        return FULL
    if _says(error, _OLD_TABLES):
        return OTHER_TABLES
    return DATABASE_AWAY if isinstance(error, OperationalError | InterfaceError) else OURS


def _is_full(error: BaseException) -> bool:
    return _says(error, _FULL)


def _says(error: BaseException, signs: tuple[str, ...]) -> bool:
    told = " ".join(f"{type(each).__name__}: {each}" for each in _chain(error)).lower()
    return any(sign in told for sign in signs)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what it came from."""
    while error.__cause__ is not None:
        yield error
        error = error.__cause__
    yield error


def failed(request: HttpRequest) -> HttpResponse:
    """Django's handler of errors that nobody else handles: while it runs, the error is the one being handled."""
    return told(request, fault_of(sys.exc_info()[1]))


def not_understood(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler of requests that cannot be read."""
    return told(request, _too_large() if isinstance(exception, RequestDataTooBig) else NOT_UNDERSTOOD)


def _too_large() -> Fault:
    most = (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0) >> 20
    return Fault(
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        title="This is too large",
        text=f"A form may have {most} MiB at most, files apart, so nothing of it was kept. Send less at a time, or "
        "ask an administrator to raise ATLAS_REQUEST_MB.",
        glyph="exclamation-circle",
        tone="warn",
    )


def told(request: HttpRequest, fault: Fault) -> FaultResponse:
    """A page that tells of a fault, and asks for itself again if that passes; of a part of a page, the sentence."""
    if request.headers.get("HX-Request"):
        return FaultResponse(fault, fault.said, _AS_TEXT)
    again = AGAIN_SECONDS if fault.passes and request.method == "GET" else None
    context = {"fault": fault, "again": again, "request_id": current_request()}
    response = FaultResponse(fault, render_to_string("fault.html", context))
    if again:
        response.headers["Refresh"] = str(again)
    return response
