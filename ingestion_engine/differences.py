"""What became otherwise from one version of a tag to another."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from atlas.datasets import DatasetDescription
from atlas.ingestion import ChangedEvent, EventAspect, EventDescription, RetypedColumn, VersionDifference
from atlas.vocabulary import ColumnSchema
from ingestion_engine.errors import UnknownError
from ingestion_engine.histories import describe_events
from ingestion_engine.listings import CHUNK_ROWS, load, read_listing
from ingestion_engine.models import Event, Tag, Version
from storage.objects import ObjectStore

SHOWN = 100
"""So many events of each kind are told one by one."""
FIELDS: Mapping[EventAspect, tuple[str, ...]] = {
    EventAspect.LABEL: ("label", "label_type"),
    EventAspect.CAR: ("car",),
    EventAspect.ENVIRONMENT: ("environment",),
    EventAspect.SPAN: ("time", "duration_seconds"),
    EventAspect.COLUMNS: ("scalars",),
}


def difference(tag: Tag, older: int, newer: int, store: ObjectStore) -> VersionDifference:
    """What the version `newer` of a tag has otherwise than `older`; either may be the later one.

    Raises:
        LostError, ObjectNotFoundError: a list of events is lost.
        UnknownError: there is no such version, or it was made before lists of events were kept.
    """
    one, other = _version(tag, older), _version(tag, newer)
    events = _together(read_listing(store, one.events_key).events, read_listing(store, other.events_key).events)
    added, removed = events.filter(pc.field("older").is_null()), events.filter(pc.field("newer").is_null())
    changed, aspects, shown = _changed(events.filter(pc.field("older") != pc.field("newer")))
    before, after = (DatasetDescription.model_validate_json(each.description) for each in (one, other))
    return VersionDifference(
        older=one.query_id,
        newer=other.query_id,
        added=added.num_rows,
        removed=removed.num_rows,
        changed=changed,
        aspects=aspects,
        labels_before=before.statistics.labels,
        labels_after=after.statistics.labels,
        columns_added=_lacking(after.columns, before.columns),
        columns_removed=_lacking(before.columns, after.columns),
        columns_retyped=_retyped(before.columns, after.columns),
        added_events=_shown(added, "newer"),
        removed_events=_shown(removed, "older"),
        changed_events=shown,
    )


def _version(tag: Tag, number: int) -> Version:
    version = Version.objects.filter(tag=tag, number=number).first()
    if version is None:
        raise UnknownError(f"the tag {tag.name!r} has no version {number}")
    if not version.events_key:
        raise UnknownError(f"{version.query_id} was made before lists of events were kept; it cannot be compared")
    return version


def _together(older: pa.Table, newer: pa.Table) -> pa.Table:
    """The `since` of each event in both lists, by id; null in a list that lacks it."""
    renamed = older.rename_columns(["id", "older"]), newer.rename_columns(["id", "newer"])
    return renamed[0].join(renamed[1], "id", join_type="full outer").sort_by("id")


def _pairs(events: pa.Table, version: str) -> list[tuple[str, int]]:
    return list(zip(events["id"].to_pylist(), events[version].to_pylist(), strict=True))


def _shown(events: pa.Table, version: str) -> tuple[EventDescription, ...]:
    return tuple(describe_events(load(_pairs(events.slice(0, SHOWN), version))))


def _changed(events: pa.Table) -> tuple[int, dict[EventAspect, int], tuple[ChangedEvent, ...]]:
    """How many of the events are otherwise in the two versions, in which way, and the first of them.

    An event may have been changed and changed back: its states are others, but what is known of it is the same.
    """
    count, aspects, first = 0, Counter[EventAspect](), list[tuple[Event, Event]]()
    for before, after in _states(events):
        if differing := _aspects(before, after):
            count += 1
            aspects.update(differing)
            first += [(before, after)] if len(first) < SHOWN else []
    described = zip(describe_events(old for old, _ in first), describe_events(new for _, new in first), strict=True)
    shown = (
        ChangedEvent(before=old, after=new, aspects=_aspects(*states))
        for (old, new), states in zip(described, first, strict=True)
    )
    return count, dict(sorted(aspects.items())), tuple(shown)


def _states(events: pa.Table) -> Iterator[tuple[Event, Event]]:
    """What the events were in the two versions."""
    for begin in range(0, events.num_rows, CHUNK_ROWS):
        part = events.slice(begin, CHUNK_ROWS)
        yield from zip(load(_pairs(part, "older")), load(_pairs(part, "newer")), strict=True)


def _aspects(before: Event, after: Event) -> tuple[EventAspect, ...]:
    return tuple(
        aspect
        for aspect, fields in FIELDS.items()
        if any(getattr(before, field) != getattr(after, field) for field in fields)
    )


def _lacking(columns: Sequence[ColumnSchema], others: Sequence[ColumnSchema]) -> tuple[ColumnSchema, ...]:
    known = {column.name for column in others}
    return tuple(column for column in columns if column.name not in known)


def _retyped(before: Sequence[ColumnSchema], after: Sequence[ColumnSchema]) -> tuple[RetypedColumn, ...]:
    types = {column.name: column.dtype for column in before}
    return tuple(
        RetypedColumn(name=column.name, before=types[column.name], after=column.dtype)
        for column in after
        if types.get(column.name, column.dtype) != column.dtype
    )
