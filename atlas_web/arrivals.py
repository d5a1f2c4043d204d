"""Models that people send, in parts over the API or as a form's file."""

import hashlib
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from atlas.access import Verb, Via
from atlas.bundle import SUFFIX
from atlas_web.files import store
from storage import records, uploads
from storage.uploads import Arrived


def noted(arrived: Arrived, by: str, via: Via) -> Arrived:
    """A model that has arrived, once it is kept who sent it; one that was there before is nobody's doing."""
    if not arrived.known:
        now = timezone.now()
        records.record_action(by, Verb.UPLOADED, "model", arrived.model, via=via, now=now)
        records.log("dashboard", f"{arrived.model} was sent by {by}.", now=now)
    return arrived


def take_in(file: "UploadedFile[bytes]", person: Any) -> Any:
    """Keep a form's file as an upload; a bundle becomes a model at once. The upload.

    Raises:
        UploadError, BundleError: it is refused; the message says why.
        ObjectStoreError: the store does not answer.
    """
    objects, now = store(), timezone.now()
    name = str(file.name)
    upload = uploads.start(
        person.pk, name, file.size or 0, _digest(file), most_bytes=settings.ATLAS_MAX_UPLOAD_BYTES, now=now
    )
    if uploads.result(objects, upload):  # Atlas has the very file
        return upload
    for part in file.chunks(uploads.PART_BYTES):
        upload = uploads.receive(objects, upload, upload.received_bytes, part, now=now)
    if name.endswith(SUFFIX):
        noted(uploads.finish(objects, upload), person.get_username(), Via.PAGE)
    return upload


def _digest(file: "UploadedFile[bytes]") -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()
