"""What a query says, once its text is understood. It knows neither the database nor Django."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import NoReturn

from ingestion_engine.errors import QueryError


@dataclass(frozen=True, kw_only=True)
class RelativeTime:
    """A moment so long before now, or before the beginning of the day (in UTC) that now belongs to."""

    before: timedelta
    of_day: bool

    def at(self, now: datetime) -> datetime:
        """The moment that it means at `now`."""
        now = now.astimezone(UTC)
        whole = now.replace(hour=0, minute=0, second=0, microsecond=0) if self.of_day else now
        return whole - self.before


Value = str | float | bool | datetime | RelativeTime


class Operator(StrEnum):
    """How a column is compared with the value after it."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    CONTAINS = "~"
    IN = "in"

    @property
    def orders(self) -> bool:
        """Whether it asks which of two values is the greater one."""
        return self in (Operator.LESS, Operator.LESS_OR_EQUAL, Operator.GREATER, Operator.GREATER_OR_EQUAL)


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Something that a query says of a column; `line` and `column_number`, from 1, are where a mistake in it lies."""

    column: str
    line: int
    column_number: int

    @property
    def depth(self) -> int:
        """How many expressions lie in each other."""
        return 1

    def refuse(self, problem: str) -> NoReturn:
        """Raises QueryError at its place."""
        raise QueryError(problem, line=self.line, column=self.column_number)


@dataclass(frozen=True, kw_only=True)
class Comparison(Placed):
    """A column compared with one value, or with several of one kind. Its place is the first value's."""

    operator: Operator
    values: tuple[Value, ...]


@dataclass(frozen=True, kw_only=True)
class Presence(Placed):
    """Holds where the column has a value, or, if it is `missing`, where it has none. Its place is the column's."""

    missing: bool


@dataclass(frozen=True, kw_only=True)
class Balance(Placed):
    """Of each value of the column as many events are taken as the rarest has. Its place is the column's."""


@dataclass(frozen=True)
class Negation:
    """Holds where its part does not."""

    part: "Expression"

    @cached_property
    def depth(self) -> int:
        """How many expressions lie in each other."""
        return 1 + self.part.depth


@dataclass(frozen=True)
class Junction:
    """Holds where `every` part does, or where at least one does. Without parts it holds everywhere."""

    parts: tuple["Expression", ...]
    every: bool

    @cached_property
    def depth(self) -> int:
        """How many expressions lie in each other."""
        return 1 + max((part.depth for part in self.parts), default=0)


Expression = Comparison | Presence | Negation | Junction


@dataclass(frozen=True, kw_only=True)
class Query:
    """Which events are meant: those for which the condition holds, then balanced, then at most `sample` of them."""

    condition: Expression
    balance: Balance | None = None
    sample: int | None = None


def leaves(expression: Expression) -> tuple[Comparison | Presence, ...]:
    """All that the expression says of columns, from left to right."""
    match expression:
        case Comparison() | Presence():
            return (expression,)
        case Negation(part):
            return leaves(part)
        case Junction(parts):
            return tuple(found for part in parts for found in leaves(part))


def comparisons(expression: Expression) -> tuple[Comparison, ...]:
    """All comparisons in the expression, from left to right."""
    return tuple(leaf for leaf in leaves(expression) if isinstance(leaf, Comparison))


def looks_at_now(query: Query) -> bool:
    """Whether what it means depends on the time at which it is asked."""
    values = (value for comparison in comparisons(query.condition) for value in comparison.values)
    return any(isinstance(value, RelativeTime) for value in values)


def is_stable(query: Query) -> bool:
    """Whether nothing but events that change themselves can change what it selects."""
    return query.balance is None and query.sample is None and not looks_at_now(query)


def wants_unlabelled(query: Query) -> bool:
    """Whether it asks, somewhere, for events without a label; any other query selects labelled ones alone."""
    said = leaves(query.condition)
    return any(isinstance(leaf, Presence) and leaf.missing and leaf.column == "label" for leaf in said)
