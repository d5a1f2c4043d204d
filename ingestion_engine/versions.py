"""Tags and their versions: a new version appears whenever a tag's query selects other content than before."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
from django.db import transaction
from django.db.models import Q, QuerySet
from django.dispatch import Signal

from atlas.datasets import DatasetDescription, DatasetVersion, Format, Split, SplitFile, TagDescription, columns_of
from atlas.errors import AtlasError, ObjectNotFoundError
from ingestion_engine import examples
from ingestion_engine.assembly import Assembly, assembled
from ingestion_engine.errors import ConflictError, LostError, RefusedError, UnknownError
from ingestion_engine.expressions import is_stable
from ingestion_engine.listings import content_key, listing, read_listing
from ingestion_engine.models import Ledger, Tag, Version
from ingestion_engine.query import parse
from ingestion_engine.selection import check, known_columns, matching, selected
from ingestion_engine.turns import turn
from ingestion_engine.version_files import Files
from storage.objects import ObjectStore

TARGET = "label"
MAX_TAG_LENGTH = 100
RETRY_SECONDS = 60
version_made = Signal()  # once it is committed; with the tag's name
logger = logging.getLogger(__name__)


def create_tag(name: str, query: str, *, every_seconds: int | None = None, now: datetime) -> Tag:
    """Name a query. The same name with the same query again changes nothing; `refresh` makes its first version.

    `every_seconds` is how often it is looked at; without it, whenever the data change.

    Raises:
        ConflictError: the name stands for another query, or has another schedule than the one that is given.
        QueryError: the query cannot be understood.
    """
    if len(name) > MAX_TAG_LENGTH:
        raise RefusedError(f"the tag's name is longer than {MAX_TAG_LENGTH} characters; query ids are made from it")
    query = query.strip()
    check(parse(query), known_columns())
    defaults = {"query": query, "every_seconds": every_seconds, "created": now}
    tag, _ = Tag.objects.get_or_create(name=name, defaults=defaults)
    if tag.query != query:
        raise ConflictError(f"the tag {name!r} already stands for the query {tag.query!r}; choose another name")
    if every_seconds not in (None, tag.every_seconds):
        said = f"every {tag.every_seconds} seconds" if tag.every_seconds else "whenever the data change"
        raise ConflictError(f"every_seconds: the tag {name!r} is already looked at {said}")
    return tag


def due(now: datetime) -> list[Tag]:
    """The tags to look at, by name: those with a period when it is over, the others when the data have changed.

    A tag whose version could not be made is tried again after `RETRY_SECONDS`.
    """
    revision = current_revision()
    return [tag for tag in Tag.objects.order_by("name") if _is_due(tag, revision, now)]


def refresh_all(store: ObjectStore, *, now: datetime) -> None:
    """Bring every tag that is due up to date. What a crash left undone, the next call does.

    A tag whose version cannot be made says why in its `problem`, and the others are not kept from theirs.
    """
    for tag in due(now):
        try:
            refresh_in_turn(tag, store, now=now)
        except (AtlasError, OSError, pa.ArrowException) as error:
            logger.exception("no version of the tag %s could be made", tag.name)
            Tag.objects.filter(pk=tag.pk).update(problem=str(error) or type(error).__name__, evaluated=now)


def refresh_in_turn(tag: Tag, store: ObjectStore, *, now: datetime) -> None:
    """Bring the tag up to date. Who finds another process of this machine at it waits, and has nothing left to do.

    Raises:
        AtlasError: the query no longer fits the data, or the store fails.
    """
    with turn(tag.name):
        tag.refresh_from_db()
        refresh(tag, store, now=now)


def refresh(tag: Tag, store: ObjectStore, *, now: datetime) -> None:
    """Make a new version if the tag's query selects other content than its newest version holds.

    Files come first; then one transaction makes them a version, unless another request was faster.

    Raises:
        AtlasError: the query no longer fits the data, or the store fails.
    """
    while not _evaluate(tag, current_revision(), store, now):
        tag.refresh_from_db()


def remake(version: Version, store: ObjectStore) -> None:
    """Make the files of a version again, from the list of its events alone, and put them where they were.

    Raises:
        LostError: the list or features are lost, or what comes of them is not what the version held.
        ObjectNotFoundError: the list or features are not in the store.
    """
    if not version.events_key:
        raise LostError(f"{version.query_id} was made before lists of events were kept, so it cannot be made again")
    kept = DatasetDescription.model_validate_json(version.description)
    with assembled(read_listing(store, version.events_key), store) as assembly:
        if assembly.digest != version.digest:
            raise LostError(f"{version.query_id} cannot be made again: its events give other content than they did")
        files = assembly.files()
        if (_of(files, Format.ARROW), _of(files, Format.PARQUET)) != (kept.splits, kept.parquet):
            raise LostError(f"{version.query_id}: its files were written by another release of Arrow, in other bytes")
        for (split, form), file in files.items():
            store.take(split_key(file.sha256, form), assembly.path(split, form))


def make_sure_of(query_id: str, key: str, store: ObjectStore) -> None:
    """Make the files of a version again if the one under `key` was removed since it was old; others wait meanwhile.

    Raises:
        LostError: they cannot be made as they were.
        ObjectNotFoundError: what they are made from is not in the store.
    """
    if _is_there(store, key):
        return
    with turn(query_id):
        if not _is_there(store, key):
            logger.info("The files of %s are made again: they are asked for.", query_id)
            remake(Version.objects.get(query_id=query_id), store)


def _is_there(store: ObjectStore, key: str) -> bool:
    try:
        store.stat(key)
    except ObjectNotFoundError:
        return False
    return True


def announce_to(hear: Callable[[str], None]) -> None:
    """From now on, tell the name of each tag that has a new version, once it is committed."""
    version_made.connect(lambda tag, **_: hear(tag), weak=False)


def describe_tag(tag: Tag) -> TagDescription:
    """The tag and its versions, oldest first."""
    versions = tuple(
        DatasetVersion(
            query_id=version.query_id,
            number=version.number,
            digest=version.digest,
            rows=version.rows,
            created=version.created,
        )
        for version in sorted(tag.versions.all(), key=lambda version: version.number)
    )
    return TagDescription(name=tag.name, query=tag.query, every_seconds=tag.every_seconds, versions=versions)


def tags() -> QuerySet[Tag]:
    """All tags by name, with their versions."""
    return Tag.objects.order_by("name").prefetch_related("versions")


def tag_named(name: str) -> Tag:
    """The tag.

    Raises:
        UnknownError: there is none of this name.
    """
    if tag := tags().filter(name=name).first():
        return tag
    raise UnknownError(f"there is no tag {name!r}")


def dataset(query_id: str) -> DatasetDescription:
    """What is known of a version.

    Raises:
        UnknownError: there is none with this query id.
    """
    description = Version.objects.filter(query_id=query_id).values_list("description", flat=True).first()
    if description is None:
        raise UnknownError(f"there is no dataset version {query_id!r}")
    return DatasetDescription.model_validate_json(description)


def listing_key(query_id: str) -> str:
    """Where the list of a version's events lies.

    Raises:
        UnknownError: there is no such version, or it was made before lists of events were kept.
    """
    key = Version.objects.filter(query_id=query_id).values_list("events_key", flat=True).first()
    if key is None:
        raise UnknownError(f"there is no dataset version {query_id!r}")
    if not key:
        raise UnknownError(f"{query_id} was made before lists of events were kept")
    return key


def split_key(sha256: str, form: Format = Format.ARROW) -> str:
    """Where the file of a split lies. It is named by its content, so that it is never replaced by another."""
    return f"splits/{sha256}.{form}"


def current_revision() -> int:
    """How often the data have changed."""
    return Ledger.objects.values_list("revision", flat=True).first() or 0


def _is_due(tag: Tag, revision: int, now: datetime) -> bool:
    wait = tag.every_seconds or (RETRY_SECONDS if tag.problem else 0)
    waited = tag.evaluated is None or tag.evaluated + timedelta(seconds=wait) <= now
    return waited and (bool(tag.every_seconds) or tag.evaluated_revision < revision)


def _evaluate(tag: Tag, revision: int, store: ObjectStore, now: datetime) -> bool:
    """Whether the tag is up to date with the revision; False if others were at it and it has to be read again."""
    if not _may_have_changed(tag, revision, now):
        return _mark_evaluated(tag, revision, now)
    found = listing(selected(tag.query, revision=revision, now=now))
    newest = tag.versions.order_by("-number").first()
    key = content_key(found.content)
    if not found.events.num_rows or (newest and newest.events_key == key):
        return _mark_evaluated(tag, revision, now)

    def take(path: Path, file: SplitFile, form: Format) -> None:
        store.take(split_key(file.sha256, form), path)

    with assembled(found, store, take) as assembly:
        if newest and newest.digest == assembly.digest:
            return _mark_evaluated(tag, revision, now)
        store.put(key, found.content)
        examples.make(assembly.table, assembly.digest, store)
        version = _version(tag, revision, assembly, newest.number + 1 if newest else 1, now)
        version.events_key = key
    if published := _publish(version, tag, revision, now):
        version_made.send_robust(Version, tag=tag.name)
    return published


def _may_have_changed(tag: Tag, revision: int, now: datetime) -> bool:
    """Whether the tag's query may select otherwise than at its last evaluation.

    Where an event is selected for what it is alone, only events that have changed since can make a difference.
    """
    if not is_stable(parse(tag.query)):
        return True
    changed = Q(since__gt=tag.evaluated_revision, since__lte=revision) | Q(until__gt=tag.evaluated_revision)
    return matching(tag.query, changed, now=now).exists()


def _mark_evaluated(tag: Tag, revision: int, now: datetime) -> bool:
    """Note what was evaluated, if nobody did since the tag was read; only one of several requests gets True."""
    unchanged = Tag.objects.filter(pk=tag.pk, evaluated_revision=tag.evaluated_revision, evaluated=tag.evaluated)
    return unchanged.update(evaluated_revision=revision, evaluated=now, problem="") == 1


@transaction.atomic
def _publish(version: Version, tag: Tag, revision: int, now: datetime) -> bool:
    if not _mark_evaluated(tag, revision, now):
        return False
    version.save()
    return True


def _of(files: Files, form: Format) -> dict[Split, SplitFile]:
    return {split: files[split, form] for split in Split}


def _version(tag: Tag, revision: int, assembly: Assembly, number: int, now: datetime) -> Version:
    """The version that the assembly will be, not saved yet, once all its files are taken."""
    files = assembly.files()
    description = DatasetDescription(
        query_id=f"{tag.name}-v{number}-{assembly.digest[:8]}",
        tag=tag.name,
        number=number,
        digest=assembly.digest,
        rows=assembly.rows,
        created=now,
        target=TARGET,
        columns=columns_of(assembly.schema),
        statistics=assembly.statistics,
        splits=_of(files, Format.ARROW),
        parquet=_of(files, Format.PARQUET),
    )
    return Version(
        tag=tag,
        number=number,
        query_id=description.query_id,
        digest=assembly.digest,
        rows=assembly.rows,
        revision=revision,
        created=now,
        description=description.model_dump_json(),
    )
