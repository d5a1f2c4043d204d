"""Tags and their versions: a new version appears whenever a tag's query selects other content than before."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.dispatch import Signal

from atlas.datasets import DatasetDescription, DatasetVersion, Split, TagDescription, columns_of
from ingestion_engine import examples
from ingestion_engine.assembly import Assembly, assembled
from ingestion_engine.errors import ConflictError, RefusedError, UnknownError
from ingestion_engine.models import Ledger, Tag, Version
from ingestion_engine.query import parse
from ingestion_engine.selection import check, known_columns, selected
from storage.objects import ObjectStore

TARGET = "label"
MAX_TAG_LENGTH = 100
version_made = Signal()  # once it is committed; with the tag's name


def create_tag(name: str, query: str, *, now: datetime) -> Tag:
    """Name a query. The same name with the same query again changes nothing; `refresh` makes its first version.

    Raises:
        ConflictError: the name stands for another query.
        QueryError: the query cannot be understood.
    """
    if len(name) > MAX_TAG_LENGTH:
        raise RefusedError(f"the tag's name is longer than {MAX_TAG_LENGTH} characters; query ids are made from it")
    query = query.strip()
    check(parse(query), known_columns())
    tag, _ = Tag.objects.get_or_create(name=name, defaults={"query": query, "created": now})
    if tag.query != query:
        raise ConflictError(f"the tag {name!r} already stands for the query {tag.query!r}; choose another name")
    return tag


def refresh_all(store: ObjectStore, *, now: datetime) -> None:
    """Bring every tag up to date with the data. What a crash left undone, the next call does."""
    for tag in Tag.objects.order_by("name"):
        refresh(tag, store, now=now)


def refresh(tag: Tag, store: ObjectStore, *, now: datetime) -> None:
    """Make a new version if the tag's query selects other content than its newest version holds.

    Files come first; then one transaction makes them a version, unless another request was faster.
    """
    revision = Ledger.objects.values_list("revision", flat=True).first() or 0
    while tag.evaluated_revision < revision:
        _evaluate(tag, revision, store, now)
        tag.refresh_from_db()


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


def split_key(sha256: str) -> str:
    """Where the file of a split lies. It is named by its content, so that it is never replaced by another."""
    return f"splits/{sha256}.arrow"


def _evaluate(tag: Tag, revision: int, store: ObjectStore, now: datetime) -> None:
    events = selected(tag.query, revision=revision, now=now)
    if not events.exists():
        _mark_evaluated(tag, revision)
        return
    newest = tag.versions.order_by("-number").first()
    with assembled(events, store) as assembly:
        if newest and newest.digest == assembly.digest:
            _mark_evaluated(tag, revision)
            return
        for split, path in assembly.paths.items():
            store.put(split_key(assembly.splits[split].sha256), path)
        examples.make(assembly.table, assembly.digest, store)
        published = _publish(tag, revision, assembly, number=newest.number + 1 if newest else 1, now=now)
    if published:
        version_made.send_robust(Version, tag=tag.name)


def _mark_evaluated(tag: Tag, revision: int) -> bool:
    """Note what was evaluated, if nobody did since the tag was read; only one of several requests gets True."""
    unchanged = Tag.objects.filter(pk=tag.pk, evaluated_revision=tag.evaluated_revision)
    return unchanged.update(evaluated_revision=revision) == 1


@transaction.atomic
def _publish(tag: Tag, revision: int, assembly: Assembly, *, number: int, now: datetime) -> bool:
    if not _mark_evaluated(tag, revision):
        return False
    description = _describe(tag, assembly, number, now)
    Version.objects.create(
        tag=tag,
        number=number,
        query_id=description.query_id,
        digest=assembly.digest,
        rows=assembly.rows,
        revision=revision,
        created=now,
        description=description.model_dump_json(),
    )
    return True


def _describe(tag: Tag, assembly: Assembly, number: int, now: datetime) -> DatasetDescription:
    return DatasetDescription(
        query_id=f"{tag.name}-v{number}-{assembly.digest[:8]}",
        tag=tag.name,
        number=number,
        digest=assembly.digest,
        rows=assembly.rows,
        created=now,
        target=TARGET,
        columns=columns_of(assembly.schema),
        statistics=assembly.statistics,
        splits={split: assembly.splits[split] for split in Split},
    )
