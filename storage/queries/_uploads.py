"""Files on their way in."""

from datetime import datetime
from uuid import UUID

from django.db.models import F, Q

from atlas.bundle import SUFFIX
from atlas.states import ModelState
from storage.models import Model, Upload


def upload_of(owner: int, pk: UUID) -> Upload | None:
    """An upload of a person's; None if the person has no such upload."""
    return Upload.objects.filter(owner_id=owner, pk=pk).first()


def uploads_to_go_on_with(owner: int) -> list[Upload]:
    """A person's uploads that miss bytes, or whose file is whole but no bundle, so that it has to be described."""
    unfinished = Q(received_bytes__lt=F("size_bytes")) | ~Q(name__endswith=SUFFIX)
    return list(Upload.objects.filter(unfinished, owner_id=owner))


def uploads_going_on(since: datetime) -> set[UUID]:
    """The keys of the uploads that got a part since then."""
    return set(Upload.objects.filter(touched__gte=since).values_list("pk", flat=True))


def uploads_abandoned(since: datetime) -> list[UUID]:
    """The keys of the uploads that got no part since then."""
    return list(Upload.objects.filter(touched__lt=since).values_list("pk", flat=True))


def ready_model_of(digest: str) -> Model | None:
    """The ready model whose file has this sha256, if there is one."""
    return Model.objects.filter(digest=digest, state=ModelState.READY).defer("manifest").first()


def ready_model_named(name: str) -> Model | None:
    """The ready model of this name, if there is one."""
    return Model.objects.filter(name=name, state=ModelState.READY).defer("manifest").first()


def model_at(key: str) -> Model | None:
    """What the engine made of the file under a key of the object store; None until it has looked at it."""
    return Model.objects.filter(key=key).defer("manifest").first()
