"""Files on their way in."""

import uuid
from datetime import datetime
from uuid import UUID

from storage.models import Upload


def start_upload(owner: int, name: str, size_bytes: int, sha256: str, *, received: int = 0, now: datetime) -> UUID:
    """Note that a file is to come. The key of the upload.

    Args:
        owner: the key of the person who sends it.
        name: of the file.
        size_bytes: how large it will be.
        sha256: what its content will have.
        received: how much of it is there already.
        now: the time.
    """
    upload = Upload.objects.create(
        pk=uuid.uuid4(),
        owner_id=owner,
        name=name,
        size_bytes=size_bytes,
        sha256=sha256,
        received_bytes=received,
        started=now,
        touched=now,
    )
    return upload.pk


def resume_upload(owner: int, size_bytes: int, sha256: str, *, since: datetime, now: datetime) -> UUID | None:
    """The key of the upload of a file that the person began and has not sent whole, which is kept on; None without one.

    Args:
        owner: the key of the person who sends it.
        size_bytes: how large the file is.
        sha256: what its content has.
        since: an upload that got no part since then counts as forgotten.
        now: the time.
    """
    begun = Upload.objects.filter(
        owner_id=owner, sha256=sha256, size_bytes=size_bytes, received_bytes__lt=size_bytes, touched__gte=since
    )
    furthest = begun.order_by("-received_bytes").values_list("pk", flat=True).first()
    if furthest is None or not Upload.objects.filter(pk=furthest).update(touched=now):
        return None
    return furthest


def add_part(upload: UUID, *, begins: int, size_bytes: int, now: datetime) -> bool:
    """Note that a part has come that begins where the last one ended; whether it does, so that each counts once."""
    expected = Upload.objects.filter(pk=upload, received_bytes=begins)
    return expected.update(received_bytes=begins + size_bytes, touched=now) == 1


def name_upload(upload: UUID, name: str) -> None:
    """Call the file of an upload as the object is called that it became."""
    Upload.objects.filter(pk=upload).update(name=name)


def forget_upload(upload: UUID) -> None:
    """End an upload; what is left of its parts nobody needs."""
    Upload.objects.filter(pk=upload).delete()
