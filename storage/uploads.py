"""Model files that come in part by part: kept below `uploads/`, put together, verified, and put where the engine finds
them. The engine takes in nothing from where the parts lie.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from atlas.bundle import describe_member, inspect
from atlas.errors import BundleError, NameTakenError, ObjectNotFoundError
from atlas.manifest import Manifest
from atlas.wrapping import pack_file
from storage import catalog, parts, queries, records
from storage.models import Upload
from storage.objects import ObjectStore
from storage.parts import DigestError, Parts, TooLargeError, chunks, remove_unneeded

UPLOADS = "uploads/"
MODELS = "models/"
SUFFIX = ".atlas"
PART_BYTES = parts.PART_BYTES
KEPT = parts.KEPT
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A file that lies where the engine finds it: the model's name, its key, and whether it was there before.

    `pk` is the key of the model's row; None until the engine has taken the file in.
    """

    model: str
    key: str
    known: bool
    pk: int | None


def start(owner: int, name: str, size_bytes: int, sha256: str, *, most_bytes: int, now: datetime) -> Upload:
    """Begin an upload, or go on with the one of the same file by the same person that broke off. One of a file that is
    known already is complete at once.

    Raises:
        TooLargeError: the file is larger than `most_bytes`.
    """
    if size_bytes > most_bytes:
        raise TooLargeError(f"The file has {size_bytes:,} bytes; {most_bytes:,} are allowed.")
    known = queries.ready_model_of(sha256)
    if known is not None and known.size_bytes == size_bytes:
        pk = records.start_upload(owner, _file_of(known.key), size_bytes, sha256, received=size_bytes, now=now)
    else:
        pk = records.resume_upload(owner, size_bytes, sha256, since=now - KEPT, now=now) or records.start_upload(
            owner, name, size_bytes, sha256, now=now
        )
    return Upload.objects.get(pk=pk)


def receive(store: ObjectStore, upload: Upload, begins: int, content: bytes, *, now: datetime) -> Upload:
    """Keep a part. One that is there already changes nothing.

    Raises:
        WrongPlaceError: it begins elsewhere than the next byte.
        TooLargeError: it has more than `PART_BYTES`, or the file would be larger than was said.
        ObjectStoreError: the store does not answer.
    """
    sizes = {"received_bytes": upload.received_bytes, "size_bytes": upload.size_bytes, "most_bytes": PART_BYTES}
    if _parts(store, upload.pk).keep(begins, content, **sizes):
        records.add_part(upload.pk, begins=begins, size_bytes=len(content), now=now)
    return Upload.objects.get(pk=upload.pk)


def finish(store: ObjectStore, upload: Upload) -> Arrived:
    """Put the parts together, verify the file, and put it where the engine finds it. Doing so twice changes nothing.

    An upload that cannot become a model is forgotten.

    Raises:
        DigestError: its sha256 is not the one that was announced.
        BundleError: it is not a sound bundle.
        NameTakenError: another model has its name.
        ObjectStoreError: the store does not answer; what has arrived stays.
    """
    known = queries.ready_model_of(upload.sha256)
    if known is not None:
        return _settle(store, upload, Arrived(model=known.name, key=known.key, known=True, pk=known.pk))
    try:
        with _parts(store, upload.pk).assembled(upload.sha256, f"bundle{SUFFIX}") as path:
            arrived = _put(store, path)
    except (DigestError, BundleError):
        if done := result(store, upload):  # who asked at the same moment was faster
            return done
        give_up(store, upload.pk)
        raise
    return _settle(store, upload, arrived)


def finish_described(store: ObjectStore, upload: Upload, manifest: Manifest) -> Arrived:
    """Write a bundle round a file that is no bundle, and put it where the engine finds it. The file is not loaded.

    The upload stays where the name is taken, so that another can be chosen; one whose file is damaged is forgotten.

    Raises:
        DigestError: its sha256 is not the one that was announced.
        NameTakenError: another model has the manifest's name.
        ObjectStoreError: the store does not answer; what has arrived stays.
    """
    if done := result(store, upload):
        return done
    try:
        with _parts(store, upload.pk).assembled(upload.sha256, f"bundle{SUFFIX}") as path:
            arrived = _put(store, pack_file(path, manifest, path.parent))
    except DigestError:
        if done := result(store, upload):  # who asked at the same moment was faster
            return done
        give_up(store, upload.pk)
        raise
    return _settle(store, upload, arrived)


def result(store: ObjectStore, upload: Upload) -> Arrived | None:
    """What became of an upload that is complete; None if bytes or the last step are missing."""
    if upload.received_bytes < upload.size_bytes or _parts(store, upload.pk).any():
        return None
    known = queries.ready_model_of(upload.sha256)
    if known is not None:
        return Arrived(model=known.name, key=known.key, known=True, pk=known.pk)
    return Arrived(model=upload.name.removesuffix(SUFFIX), key=f"{MODELS}{upload.name}", known=False, pk=None)


def give_up(store: ObjectStore, pk: UUID) -> None:
    """Forget an upload and its parts.

    Raises:
        ObjectStoreError: the store does not answer.
    """
    _parts(store, pk).remove()
    records.forget_upload(pk)


def remove_abandoned(store: ObjectStore, *, now: datetime) -> int:
    """Forget uploads that got no part for long, and remove parts of no upload; how many uploads that were.

    Parts are listed before the tables are asked, so that one that comes meanwhile is left alone.

    Raises:
        ObjectStoreError: the store does not answer.
    """
    listed = [found.key for found in store.list(UPLOADS)]
    abandoned = queries.uploads_abandoned(now - KEPT)
    for pk in abandoned:
        records.forget_upload(pk)
    needed = {_folder(pk) for pk in queries.uploads_going_on(now - KEPT)}
    remove_unneeded(store, listed, needed)
    return len(abandoned)


def _put(store: ObjectStore, path: Path) -> Arrived:
    """Put a whole bundle into the store under its model's name, unless it lies there already.

    Raises:
        BundleError: it is not a sound bundle.
        NameTakenError: another file has the name.
    """
    name = inspect(path).name
    key = f"{MODELS}{name}{SUFFIX}"
    _refuse_taken(name, key)
    known = _lies_there(store, key, path)
    if not known:
        store.put(key, path)
    return Arrived(model=name, key=key, known=known, pk=None)


def _refuse_taken(name: str, key: str) -> None:
    if queries.ready_model_named(name) is not None:
        raise NameTakenError(
            f"The name {name} is taken by another model. Pack this one again: its version or time makes another name."
        )
    if catalog.is_removed(key):
        raise NameTakenError(f"{name} was deleted and is on its way out. Send it again in a few seconds.")


def _lies_there(store: ObjectStore, key: str, path: Path) -> bool:
    """Whether the very file is in the store.

    Raises:
        NameTakenError: another one is.
    """
    try:
        there = store.stat(key).size_bytes
        same = there == path.stat().st_size and _digest_at(store, key) == describe_member(path).sha256
    except ObjectNotFoundError:
        return False
    if not same:
        raise NameTakenError(f"Another file lies under {key}. Pack this model again: its time makes another name.")
    return True


def _digest_at(store: ObjectStore, key: str) -> str:
    digest = hashlib.sha256()
    for chunk in chunks(store, key):
        digest.update(chunk)
    return digest.hexdigest()


def _settle(store: ObjectStore, upload: Upload, arrived: Arrived) -> Arrived:
    records.name_upload(upload.pk, _file_of(arrived.key))
    _parts(store, upload.pk).remove()
    return arrived


def _parts(store: ObjectStore, pk: UUID) -> Parts:
    return Parts(store, _folder(pk))


def _folder(pk: UUID) -> str:
    return f"{UPLOADS}{pk}/"


def _file_of(key: str) -> str:
    return key.removeprefix(MODELS)[-_LONGEST_NAME:]
