"""Receiving recordings: a file as a whole or part by part. It is kept at once, and decoded later by the worker."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from pydantic import TypeAdapter, ValidationError

from atlas.ingestion import NewUpload, RecordingSettings
from atlas.vocabulary import Name
from ingestion_engine.errors import ConflictError, RefusedError, UnknownError
from ingestion_engine.models import Recording, RecordingState, Upload
from storage.objects import ObjectStore
from storage.parts import KEPT, PART_BYTES, DigestError, Parts, remove_unneeded

UPLOADS = "uploads/"
MAX_FILENAME = 255


@dataclass(frozen=True, kw_only=True)
class NewRecording:
    """What a sender says of a file. `sha256` is that of its content."""

    name: str
    filename: str
    sha256: str
    size_bytes: int
    settings: RecordingSettings


def receive(
    store: ObjectStore,
    path: Path,
    *,
    name: str,
    filename: str = "",
    sha256: str | None = None,
    settings: RecordingSettings | None = None,
    now: datetime,
) -> Recording:
    """Keep a file as the recording `name`, to be decoded. The same file again changes nothing.

    The file is in the store before the row is: whoever finds the recording finds its file, and a crash leaves at most
    an object that nothing refers to. A recording that could not be decoded is replaced by another file, or by the same
    with other settings.

    Raises:
        ConflictError: the name stands for another file.
        RefusedError: the name is none, the file is empty, or its sha256 is not `sha256`.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if sha256 not in (None, "", digest):
        raise RefusedError(f"sha256: the file that arrived has {digest}; send it again")
    told = NewRecording(
        name=checked_name(name),
        filename=plain_filename(filename),
        sha256=digest,
        size_bytes=path.stat().st_size,
        settings=settings or RecordingSettings(),
    )
    return _keep(store, path, told, now)


def begin_upload(told: NewUpload, *, now: datetime) -> Upload:
    """Begin an upload, or go on with the one of the same name and file that broke off. One of a file that is known
    already is complete at once.

    Raises:
        ConflictError: the name stands for another file.
        RefusedError: a setting cannot be used.
    """
    _check_settings(told.settings)
    fields = {"settings": told.settings.model_dump(mode="json"), "updated": now}
    is_known = known_recording(told.name, told.sha256) is not None
    begun = _begun(told, now)
    if begun is not None and (is_known or recording_of(begun) is None):
        Upload.objects.filter(pk=begun.pk).update(**fields)
        return upload_of(begun.pk)
    return Upload.objects.create(
        id=uuid.uuid4(),
        name=told.name,
        filename=plain_filename(told.filename),
        sha256=told.sha256,
        size_bytes=told.size_bytes,
        received_bytes=told.size_bytes if is_known else 0,
        **fields,
    )


def _begun(told: NewUpload, now: datetime) -> Upload | None:
    """The upload of this name and file that got a part last."""
    same = Upload.objects.filter(name=told.name, sha256=told.sha256, size_bytes=told.size_bytes)
    return same.filter(updated__gte=now - KEPT).order_by("-updated").first()


def upload_of(pk: UUID) -> Upload:
    """The upload.

    Raises:
        UnknownError: there is none, or it was forgotten.
    """
    if upload := Upload.objects.filter(pk=pk).first():
        return upload
    raise UnknownError(f"there is no upload {pk}: it was given up or forgotten, or its file was refused; begin again")


def take_part(store: ObjectStore, upload: Upload, begins: int, content: bytes, *, now: datetime) -> Upload:
    """Keep a part of an upload. One that is there already changes nothing. With the last one, it becomes a recording.

    Raises:
        WrongPlaceError: it begins elsewhere than the next byte.
        TooLargeError: it is larger than allowed, or the file would be larger than was said.
        RefusedError: the file that arrived is not the one that was announced; then the upload is forgotten.
        ConflictError: the name stands for another file by now.
    """
    sizes = {"received_bytes": upload.received_bytes, "size_bytes": upload.size_bytes, "most_bytes": PART_BYTES}
    if _parts(store, upload.pk).keep(begins, content, **sizes):
        expected = Upload.objects.filter(pk=upload.pk, received_bytes=begins)
        expected.update(received_bytes=begins + len(content), updated=now)
    return complete(store, upload_of(upload.pk), now=now)


def complete(store: ObjectStore, upload: Upload, *, now: datetime) -> Upload:
    """Make a recording of an upload if all of it has arrived. Doing so twice changes nothing.

    Raises:
        RefusedError: the file that arrived is not the one that was announced; then the upload is forgotten.
        ConflictError: the name stands for another file by now.
    """
    if upload.received_bytes == upload.size_bytes and _parts(store, upload.pk).any():
        _finish(store, upload, now)
    return upload


def recording_of(upload: Upload) -> Recording | None:
    """The recording that the upload has become."""
    if upload.received_bytes < upload.size_bytes:
        return None
    return Recording.objects.filter(name=upload.name, sha256=upload.sha256).first()


def give_up(store: ObjectStore, upload: Upload) -> None:
    """Forget an upload and its parts. A recording that it has become stays."""
    _parts(store, upload.pk).remove()
    Upload.objects.filter(pk=upload.pk).delete()


def remove_abandoned(store: ObjectStore, *, now: datetime) -> int:
    """Forget uploads that got no part for long, and remove parts of none; how many uploads that were.

    Parts are listed before the table is asked, so that one that comes meanwhile is left alone.
    """
    listed = [found.key for found in store.list(UPLOADS)]
    abandoned, _ = Upload.objects.filter(updated__lt=now - KEPT).delete()
    remove_unneeded(store, listed, {_folder(pk) for pk in Upload.objects.values_list("pk", flat=True)})
    return abandoned


def known_recording(name: str, sha256: str) -> Recording | None:
    """The recording of this name and content that need not be sent again.

    Raises:
        ConflictError: the name stands for another file.
    """
    recording = Recording.objects.filter(name=name).first()
    if recording is None or recording.state == RecordingState.FAILED:
        return None
    if recording.sha256 != sha256:
        raise ConflictError(
            f"the recording {name!r} is already here with other content (sha256 {recording.sha256}); "
            "a recording never changes: send this file under another name"
        )
    return recording


def recordings(*, state: str | None = None, after: str = "") -> QuerySet[Recording]:
    """Recordings, newest first, behind the one that is called `after`.

    Raises:
        UnknownError: there is none of this name.
    """
    found = Recording.objects.order_by("-received", "-pk")
    if state:
        found = found.filter(state=state)
    if after:
        last = recording_named(after)
        found = found.filter(Q(received__lt=last.received) | Q(received=last.received, pk__lt=last.pk))
    return found


def recording_named(name: str) -> Recording:
    """The recording.

    Raises:
        UnknownError: there is none of this name.
    """
    if recording := Recording.objects.filter(name=name).first():
        return recording
    raise UnknownError(f"there is no recording {name!r}")


def checked_name(name: str) -> str:
    """The name, if it can be a recording's.

    Raises:
        RefusedError: it cannot.
    """
    try:
        return TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise RefusedError(
            f"name {name!r}: a recording's name has 1 to 128 letters, digits, dots, hyphens and underscores, "
            "and begins with a letter or digit"
        ) from error


def plain_filename(filename: str) -> str:
    """A file's name without folders, in one line that is not too long; its end stays, which tells the format."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    return "".join(each for each in last if each.isprintable())[-MAX_FILENAME:]


def _keep(store: ObjectStore, path: Path, told: NewRecording, now: datetime) -> Recording:
    """Keep the file and note that it waits, unless another request was faster with the same one."""
    if told.size_bytes == 0:
        raise RefusedError("file: it is empty")
    _check_settings(told.settings)
    if known := known_recording(told.name, told.sha256):
        return known
    fields = {
        "filename": told.filename,
        "sha256": told.sha256,
        "size_bytes": told.size_bytes,
        "settings": told.settings.model_dump(mode="json"),
        "received": now,
    }
    store.put(Recording(name=told.name, sha256=told.sha256).file_key, path)
    _replace_failed(told.name, fields)
    Recording.objects.get_or_create(name=told.name, defaults=fields)
    return known_recording(told.name, told.sha256) or recording_named(told.name)


def _replace_failed(name: str, fields: dict[str, Any]) -> None:
    """Let a recording that could not be decoded wait anew, with what is told now."""
    fresh = {"state": RecordingState.WAITING, "problem": "", "losses": [], "attempts": 0, "leased_until": None}
    Recording.objects.filter(name=name, state=RecordingState.FAILED).update(**fields, **fresh)


def _check_settings(settings: RecordingSettings) -> None:
    for name in ("car", "environment"):
        text = getattr(settings, name)
        if text is not None and not text.isprintable():
            raise RefusedError(f"settings, {name}: it is not one line of text")


def _finish(store: ObjectStore, upload: Upload, now: datetime) -> None:
    parts = _parts(store, upload.pk)
    told = NewRecording(
        name=upload.name,
        filename=upload.filename,
        sha256=upload.sha256,
        size_bytes=upload.size_bytes,
        settings=RecordingSettings.model_validate(upload.settings),
    )
    try:
        with parts.assembled(upload.sha256, "recording") as path:
            _keep(store, path, told, now)
    except DigestError as error:
        if recording_of(upload):  # who asked at the same moment was faster
            return
        give_up(store, upload)
        raise RefusedError(str(error)) from error
    parts.remove()


def _parts(store: ObjectStore, pk: UUID) -> Parts:
    return Parts(store, _folder(pk))


def _folder(pk: UUID) -> str:
    return f"{UPLOADS}{pk}/"
