"""Which events a query selects, at any state of the data."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from django.db import connection
from django.db.models import Count, F, Q, QuerySet, Subquery, Window
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import RowNumber

from ingestion_engine.conditions import KINDS, PATHS, condition
from ingestion_engine.expressions import Balance, Comparison, Presence, Query, leaves, looks_at_now, wants_unlabelled
from ingestion_engine.models import Column, Event
from ingestion_engine.query import KEPT_QUERIES, parse

FEW_VALUES = ("label", "car", "environment", "recording")
"""Of what every event may have, what can be balanced."""
DRAWN = ("shuffle", "event_id")
"""The order in which events are drawn: as if by chance, but the same for the same events."""
ANY_TIME = datetime.min.replace(tzinfo=UTC)
"""The time for a query that does not look at it: always the same, so that what is kept of the query is found again."""
StoredColumns = tuple[tuple[int, str, str], ...]
"""Primary key, name and kind of each feature column."""


def selected(query_text: str, *, revision: int, now: datetime) -> QuerySet[Event]:
    """The states of events that a query selects of those that hold at a revision, in no certain order.

    Only labelled events are selected, unless the query says `missing label`. The same data and, if the query looks at
    it, the same time give the same events. The result can be filtered further.

    Raises:
        QueryError: the query cannot be understood.
    """
    return matching(query_text, present_at(revision), now=now)


def matching(query_text: str, states: Q, *, now: datetime) -> QuerySet[Event]:
    """What a query selects of these states of events.

    Raises:
        QueryError: the query cannot be understood.
    """
    query, stored = parse(query_text), _stored_columns()
    found = _found(query_text, states, now if looks_at_now(query) else ANY_TIME, stored).all()
    if query.balance is None and query.sample is None:
        return found
    return Event.objects.filter(pk__in=_drawn(query, found, _by_name(stored)).values("pk"))


@lru_cache(maxsize=KEPT_QUERIES)
def _found(query_text: str, states: Q, now: datetime, stored: StoredColumns) -> QuerySet[Event]:
    """Those states for which the query's condition holds. This is kept: only copies of it are to be evaluated.

    It is found again by the query's text: as values, parsed queries for 1 and for true are the same to Python.
    """
    query = parse(query_text)
    labelled = Q() if wants_unlabelled(query) else Q(label__isnull=False)
    return Event.objects.filter(states, labelled, condition(query.condition, _by_name(stored), now=now))


def present_at(revision: int) -> Q:
    """Which states of events hold at a revision."""
    return Q(since__lte=revision) & (Q(until=None) | Q(until__gt=revision))


def known_columns() -> dict[str, Column]:
    """All feature columns by name."""
    return _by_name(_stored_columns())


def _stored_columns() -> StoredColumns:
    """Read for every query, so without a query set: that takes three times as long."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, name, kind FROM {Column._meta.db_table}")  # noqa: S608 - no value is in it
        return tuple(cursor.fetchall())


def _by_name(stored: StoredColumns) -> dict[str, Column]:
    return {name: Column(pk=pk, name=name, kind=kind) for pk, name, kind in stored}


def check(query: Query, columns: Mapping[str, Column]) -> None:
    """Refuses what can never hold, because the column holds other values.

    Columns that no recording has yet are accepted: the tag may be made before its data arrive.

    Raises:
        QueryError: at the place.
    """
    for leaf in leaves(query.condition):
        if column := _feature(leaf.column, columns):
            _check_kind(leaf, column)
    if query.balance:
        _check_balance(query.balance, _feature(query.balance.column, columns))


def _feature(name: str, columns: Mapping[str, Column]) -> Column | None:
    """The feature column of this name, unless the name means what every event may have."""
    return None if name in PATHS else columns.get(name)


def _check_kind(leaf: Comparison | Presence, column: Column) -> None:
    if column.kind not in KINDS.values():
        leaf.refuse(f"the column {column.name} holds values of kind {column.kind}; queries look at single values only")
    if isinstance(leaf, Comparison) and column.kind != KINDS.get(type(leaf.values[0])):
        leaf.refuse(f"the column {column.name} holds values of kind {column.kind}")


def _check_balance(balance: Balance, column: Column | None) -> None:
    wrong = column.kind not in ("text", "boolean") if column else balance.column in PATHS.keys() - set(FEW_VALUES)
    if wrong:
        balance.refuse(f"{balance.column} cannot be balanced; choose {', '.join(FEW_VALUES)} or a column of few values")


def _drawn(query: Query, found: QuerySet[Event], columns: Mapping[str, Column]) -> QuerySet[Event]:
    """The events that are left once they are balanced and sampled; a sample takes each value in turn."""
    order: tuple[str, ...] = DRAWN
    if query.balance:
        found, order = _balanced(query.balance, found, columns), ("turn", *DRAWN)
    return found.order_by(*order)[: query.sample] if query.sample else found


def _balanced(balance: Balance, found: QuerySet[Event], columns: Mapping[str, Column]) -> QuerySet[Event]:
    """As many events of each value as the rarest has; `turn` counts those of each from 1."""
    column = _feature(balance.column, columns)
    if column is None and balance.column not in FEW_VALUES:
        return found.annotate(turn=F("shuffle")).none()
    value = KeyTransform(column.key, "scalars") if column else F(PATHS[balance.column])
    valued = found.annotate(balanced=value).filter(balanced__isnull=False).order_by()
    rarest = valued.values("balanced").annotate(events=Count("pk")).order_by("events").values("events")[:1]
    turn = Window(RowNumber(), partition_by=F("balanced"), order_by=DRAWN)
    return valued.annotate(turn=turn).filter(turn__lte=Subquery(rarest))
