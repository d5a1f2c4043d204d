"""What the tests of the Python client and of the commands need of a dashboard: people's tokens, and models."""

import hashlib
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.utils import timezone

from atlas.access import Right, Role
from atlas.bundle import inspect
from storage import records
from storage.objects import ObjectStore, open_store
from storage.records import FileRecord
from tests.samples import NOON


def token(*scopes: Right, role: Role = Role.ADMINISTRATOR, hours: float = 1.0) -> str:
    """A new token of a person of the role, with all rights unless they are given; negative hours make one too old."""
    person, _ = User.objects.get_or_create(username=role.value.replace(" ", "-"))
    person.groups.set([Group.objects.get_or_create(name=role.value)[0]])
    ends, label = timezone.now() + timedelta(hours=hours), f"{scopes} {hours}"
    return records.create_token(person.pk, label, scopes or tuple(Right), expires=ends, now=timezone.now())


def objects() -> ObjectStore:
    """The object store that models are sent to."""
    return open_store(str(settings.ATLAS_OBJECT_STORE))


def take_in(bundle: Path) -> int:
    """Do what the engine does with a bundle in the store, which is put there if it is missing; the model's key."""
    manifest = inspect(bundle)
    key = f"models/{manifest.name}.atlas"
    objects().put(key, bundle)
    digest = hashlib.sha256(bundle.read_bytes()).hexdigest()
    size = bundle.stat().st_size
    file = FileRecord(key=key, etag=objects().stat(key).etag, size_bytes=size, digest=digest, arrived=NOON)
    return records.record_model(file, manifest)
