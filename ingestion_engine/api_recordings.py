"""Recordings over HTTP: sent whole or part by part, told of, and handed out as they came."""

# ruff: noqa: ARG001  (ninja finds the request by its name)

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile as Sent
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from ninja import File, Form, Header, Query, Router, Status, UploadedFile
from pydantic import Field, ValidationError

from atlas.ingestion import (
    LabelReceipt,
    NewUpload,
    RecordingDescription,
    RecordingSettings,
    RecordingState,
    UploadProgress,
)
from ingestion_engine import label_files, receiving, sidecar
from ingestion_engine.authentication import ADDS, CHANGES, caller_of
from ingestion_engine.errors import ForbiddenError, RefusedError
from ingestion_engine.files import object_response
from ingestion_engine.middleware import FAULTS, Fault
from ingestion_engine.models import Recording, Upload
from ingestion_engine.places import object_store
from ingestion_engine.registration import describe
from storage.parts import PART_BYTES

router = Router(tags=["recordings"])
FILE_MEDIA_TYPE = "application/octet-stream"
PART_BODY = {"requestBody": {"required": True, "content": {FILE_MEDIA_TYPE: {"schema": {"format": "binary"}}}}}
LABELS_BODY = {
    "requestBody": {
        "required": True,
        "content": {"text/csv": {"schema": {"type": "string"}}, "application/json": {"schema": {"type": "array"}}},
    }
}
PAGE = 100
MAX_PAGE = 1000

Offset = Annotated[int, Field(ge=0, description="Which byte of the file the part begins with")]


@router.post("recordings", auth=ADDS, response={200: RecordingDescription, **FAULTS})
def post_recording(
    request: HttpRequest,
    file: File[UploadedFile],
    name: Form[str] = "",
    sha256: Form[str] = "",
    settings: Form[str] = "",
    labels: Annotated[UploadedFile | None, File()] = None,
) -> RecordingDescription:
    """Keep a file, to be decoded: a bag, a sound, a table of samples, or a table of labelled events. Sending it twice
    changes nothing.

    The name is the file's own, without its ending, unless it is given; `settings` is a `RecordingSettings` as JSON.
    `labels` is a file as `PUT recordings/{name}/labels` takes it.
    """
    who = caller_of(request).person
    if labels is not None:
        if not who:
            raise ForbiddenError("labels: they are told by people; send them with a token of your own.")
        sidecar.read(labels.read())  # nothing is kept of a request that is refused
    filename = receiving.plain_filename(file.name or "")
    with TemporaryDirectory(prefix="atlas-upload-") as folder:
        recording = receiving.receive(
            object_store(),
            on_disk(file, Path(folder)),
            name=name or Path(filename).stem,
            filename=filename,
            sha256=sha256,
            settings=_settings(settings),
            now=timezone.now(),
        )
    if labels is not None:
        labels.seek(0)
        label_files.keep(object_store(), recording.name, labels.read(), who=who, now=timezone.now())
    return describe(recording)


@router.get("recordings", response={200: list[RecordingDescription], **FAULTS})
def get_recordings(
    request: HttpRequest,
    state: RecordingState | None = None,
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = PAGE,
) -> list[RecordingDescription]:
    """Recordings, newest first. `after` is the name of the last one that was told, to go on behind it."""
    return [describe(recording) for recording in receiving.recordings(state=state, after=after)[:limit]]


@router.get("recordings/{name}", response={200: RecordingDescription, **FAULTS})
def get_recording(request: HttpRequest, name: str) -> RecordingDescription:
    """What is known of a recording, and how far it is."""
    return describe(receiving.recording_named(name))


@router.get("recordings/{name}/file", response={200: None, 416: Fault, **FAULTS})
def get_file(request: HttpRequest, name: str) -> StreamingHttpResponse:
    """The file as it was sent. Its ETag is its sha256; one range of bytes can be asked for."""
    recording = receiving.recording_named(name)
    response = object_response(
        request,
        object_store(),
        recording.file_key,
        sha256=recording.sha256,
        size_bytes=recording.size_bytes,
        content_type=FILE_MEDIA_TYPE,
    )
    response.headers["Content-Disposition"] = "attachment"
    return response


@router.put("recordings/{name}/labels", auth=CHANGES, response={200: LabelReceipt, **FAULTS}, openapi_extra=LABELS_BODY)
def put_labels(request: HttpRequest, name: str) -> LabelReceipt:
    """Label a recording: CSV with a heading (start, end, label, car, environment, id; others are columns), or a list of
    `LabelledSpan` in JSON. They wait for a recording that is not there or not decoded yet.

    Labels whose ids are known correct them; events that are not named stay as they are.
    """
    content = request.read(sidecar.MOST_BYTES + 1)
    checked = receiving.checked_name(name)
    return label_files.keep(object_store(), checked, content, who=caller_of(request).person, now=timezone.now())


@router.post("uploads", auth=ADDS, response={200: UploadProgress, **FAULTS})
def post_upload(request: HttpRequest, told: NewUpload) -> UploadProgress:
    """Begin to send a recording in parts, or go on: the answer says how much is there. What is known is complete."""
    now = timezone.now()
    upload = receiving.begin_upload(told, now=now)
    return _progress(receiving.complete(object_store(), upload, now=now))


@router.get("uploads/{upload}", auth=ADDS, response={200: UploadProgress, **FAULTS})
def get_upload(request: HttpRequest, upload: UUID) -> UploadProgress:
    """How much of an upload has arrived, and the recording once all of it has."""
    return _progress(receiving.upload_of(upload))


@router.put(
    "uploads/{upload}", auth=ADDS, response={200: UploadProgress, 413: Fault, **FAULTS}, openapi_extra=PART_BODY
)
def put_part(
    request: HttpRequest, upload: UUID, offset: Annotated[Offset, Header(alias="Upload-Offset")]
) -> UploadProgress:
    """Send the next part as the bare body, of 8 MiB at most. Sending one again changes nothing.

    With the last one the file is verified and becomes a recording.
    """
    content = request.read(PART_BYTES + 1)
    found = receiving.upload_of(upload)
    return _progress(receiving.take_part(object_store(), found, offset, content, now=timezone.now()))


@router.delete("uploads/{upload}", auth=ADDS, response={204: None, **FAULTS})
def delete_upload(request: HttpRequest, upload: UUID) -> Status[None]:
    """Give up an upload. A recording that it has become stays."""
    receiving.give_up(object_store(), receiving.upload_of(upload))
    return Status(204, None)


def on_disk(file: "Sent[bytes]", folder: Path) -> Path:
    """The content of a file that came with a form, in the folder."""
    path = folder / "upload"
    with path.open("wb") as target:
        target.writelines(file.chunks())
    return path


def _settings(given: str) -> RecordingSettings:
    """The settings of a recording, from JSON.

    Raises:
        RefusedError: which of them is wrong.
    """
    try:
        return RecordingSettings.model_validate_json(given) if given.strip() else RecordingSettings()
    except ValidationError as error:
        wrong = [": ".join([*map(str, each["loc"]), each["msg"]]) for each in error.errors()]
        raise RefusedError(f"settings: {'; '.join(wrong)}") from error


def _progress(upload: Upload) -> UploadProgress:
    recording: Recording | None = receiving.recording_of(upload)
    return UploadProgress(
        id=upload.pk,
        received_bytes=upload.received_bytes,
        size_bytes=upload.size_bytes,
        recording=describe(recording) if recording else None,
    )
