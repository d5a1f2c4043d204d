"""Sending a model in parts. `storage.uploads` does the work; here it is spoken over HTTP."""

import re
from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from ninja import HeaderEx, P, QueryEx
from ninja.responses import Status
from pydantic import Field

from atlas.access import Right, Via
from atlas.api import UploadProblem, UploadResult, UploadStart, UploadState
from atlas_web.api.authentication import Caller, caller_of
from atlas_web.api.lists import LAST_KEY
from atlas_web.api.operations import STORE_FAULT, Operations
from atlas_web.api.problems import FieldError, UnknownError
from atlas_web.arrivals import noted
from atlas_web.files import store
from storage import queries, uploads
from storage.uploads import Arrived

operations = Operations("uploads")
OFFSET, RANGE = "Upload-Offset", "Content-Range"
Offset = Annotated[int, Field(ge=0, le=LAST_KEY)] | None
_CONTENT = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


@operations.declare("POST", "uploads", Right.WRITE, {201: UploadState, 200: UploadState}, 413, STORE_FAULT)
def start_upload(request: HttpRequest, asked: UploadStart) -> Status[UploadState]:
    """Begin to send a model, or go on: one that you began and did not send whole is answered with 200.

    One that Atlas has already is answered with 200 and its result at once.
    """
    most = settings.ATLAS_MAX_UPLOAD_BYTES
    upload = uploads.start(
        caller_of(request).person.pk,
        asked.name,
        asked.size_bytes,
        asked.sha256,
        most_bytes=most,
        now=timezone.now(),
    )
    state = _state(upload, uploads.result(store(), upload))
    return Status(200 if state.received_bytes else 201, state)


@operations.declare("GET", "uploads/{upload}", Right.WRITE, {200: UploadState}, STORE_FAULT)
def get_upload(request: HttpRequest, upload: UUID) -> UploadState:
    """Where an upload stands, to go on with it."""
    found = _own(caller_of(request), upload)
    return _state(found, uploads.result(store(), found))


@operations.declare(
    "PUT", "uploads/{upload}", Right.WRITE, {200: UploadState, 409: UploadProblem}, 413, STORE_FAULT,
    extra={"requestBody": {"required": True, "content": _CONTENT}},
)  # fmt: skip
def send_part(
    request: HttpRequest,
    upload: UUID,
    offset: HeaderEx[Offset, P(alias=OFFSET)] = None,
    part: HeaderEx[str, P(alias=RANGE)] = "",
    plain: QueryEx[
        bool, P(description="The file is no bundle: it stays as it is until its page describes it.")
    ] = False,
) -> UploadState:
    """Send the next part as the bare body. With the last one the file is verified and becomes a model.

    Either Upload-Offset or Content-Range says where the part begins. Sending one again changes nothing. A fitted model
    that is no bundle is sent with plain=true, and described on the dashboard's page /upload/ID/ once it is whole.
    """
    caller, objects, now = caller_of(request), store(), timezone.now()
    found = _own(caller, upload)
    content = request.read(uploads.PART_BYTES + 1)
    found = uploads.receive(objects, found, _begin(offset, part, len(content)), content, now=now)
    if found.received_bytes < found.size_bytes or plain:
        return _state(found, None)
    return _state(found, uploads.result(objects, found) or _finished(caller, found))


@operations.declare("DELETE", "uploads/{upload}", Right.WRITE, {204: None}, STORE_FAULT)
def give_up_upload(request: HttpRequest, upload: UUID) -> Status[None]:
    """Give up an upload. A model that it has become already stays."""
    uploads.give_up(store(), _own(caller_of(request), upload).pk)
    return Status(204, None)


def _own(caller: Caller, pk: UUID) -> Any:
    found = queries.upload_of(caller.person.pk, pk)
    if found is None:
        raise UnknownError(f"You have no upload {pk}: it was given up or forgotten, or its file was refused.")
    return found


def _finished(caller: Caller, upload: Any) -> Arrived:
    return noted(uploads.finish(store(), upload), caller.name, Via.API if caller.token else Via.PAGE)


def _begin(offset: int | None, content_range: str, size_bytes: int) -> int:
    """Where a part begins, as one of two headers says.

    Raises:
        FieldError: neither does, or the header does not fit the part.
    """
    if offset is not None:
        return offset
    found = re.fullmatch(r"bytes ([0-9]{1,18})-([0-9]{1,18})/(?:[0-9]{1,18}|\*)", content_range.strip())
    if found is None:
        raise FieldError(OFFSET, "Say where the part begins, such as Upload-Offset: 8388608.")
    first, last = int(found[1]), int(found[2])
    if last - first + 1 != size_bytes:
        raise FieldError(RANGE, f"It tells of {last - first + 1:,} bytes, but the body has {size_bytes:,}.")
    return first


def _state(upload: Any, arrived: Arrived | None) -> UploadState:
    return UploadState(
        id=upload.pk,
        name=upload.name,
        size_bytes=upload.size_bytes,
        sha256=upload.sha256,
        received_bytes=upload.received_bytes,
        part_bytes=uploads.PART_BYTES,
        started=upload.started,
        expires=upload.touched + uploads.KEPT,
        result=_result(arrived) if arrived else None,
    )


def _result(arrived: Arrived) -> UploadResult:
    return UploadResult(model=arrived.model, key=arrived.key, known=arrived.known, id=arrived.pk)
