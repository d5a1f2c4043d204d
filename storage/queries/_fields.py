"""What a field of the search language can be compared with, and what that means in the tables."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_
from typing import ClassVar

from django.db.models import Q

from storage.queries._language import Comparison, SearchError, Value

_LARGEST = 2**53
_OPPOSITES = {"!=": "=", "!~": "~", "not in": "in", "not startswith": "startswith", "not endswith": "endswith"}
_LOOKUPS = {"~": "icontains", "startswith": "istartswith", "endswith": "iendswith"}
_ORDERS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
_TIMES = (("%Y-%m-%d", timedelta(days=1)), ("%Y-%m-%d %H:%M", timedelta(minutes=1)),
          ("%Y-%m-%d %H:%M:%S", timedelta(seconds=1)))  # fmt: skip
"""How times are written, and how long each way of writing one means."""


class ValueFaultError(ValueError):
    """A field cannot be compared with a value; the message says what was expected."""


def unheld(text: str) -> int | None:
    """Where in a text the first character is that no database holds, if there is one: a zero or half a character."""
    return next((place for place, each in enumerate(text) if each == "\0" or "\ud800" <= each <= "\udfff"), None)


def itself(condition: Q) -> Q:
    """A condition on the row's own columns."""
    return condition


@dataclass(frozen=True, kw_only=True)
class Field(ABC):
    """A field: its name, what it is in a few words, an example of what it is compared with, and its column.

    `within` turns a condition on the column into one on the row that is searched: where the column belongs to rows of
    another table, into whether there is one that meets it.
    """

    kind: ClassVar[str]
    operators: ClassVar[tuple[str, ...]]

    name: str
    about: str
    example: str
    column: str = ""
    within: Callable[[Q], Q] = itself

    @property
    def shown(self) -> str:
        """A condition on it, for example."""
        return f'{self.name} = "{self.example}"'

    def condition(self, comparison: Comparison) -> Q:
        """Which rows a comparison finds. `!=` and `not …` find all rows that the opposite does not.

        Raises:
            SearchError: the field has no such operator, or is not compared with such values.
        """
        if comparison.operator not in self.operators:
            raise SearchError(
                f"{self.name} is a {self.kind}: it is compared by {', '.join(self.operators)}, "
                f"not by {comparison.operator}.",
                comparison.column,
            )
        operator = _OPPOSITES.get(comparison.operator, comparison.operator)
        try:
            found = reduce(or_, (self._one(operator, value) for value in comparison.values))
        except ValueFaultError as fault:
            raise SearchError(f"{self.name} {fault}", comparison.value_column) from fault
        return found if operator == comparison.operator else ~found

    def _one(self, operator: str, value: Value) -> Q:
        if value is None:
            return ~self.within(self.present())
        return self.within(self.meets("=" if operator == "in" else operator, value))

    def present(self) -> Q:
        """That there is a value."""
        return Q(**{f"{self.column}__isnull": False})

    @abstractmethod
    def meets(self, operator: str, value: Value) -> Q:
        """Which values of the column compare so: `=`, or another operator that is no opposite.

        Raises:
            ValueFaultError: the value is none of this kind.
        """


@dataclass(frozen=True, kw_only=True)
class TextField(Field):
    """A text. `=` and `in` want it as it is; `~`, `startswith` and `endswith` find it in any case."""

    kind = "text"
    operators = ("=", "!=", "~", "!~", "in", "not in", "startswith", "not startswith", "endswith", "not endswith")

    def present(self) -> Q:
        """That it is not empty."""
        return super().present() & ~Q(**{self.column: ""})

    def meets(self, operator: str, value: Value) -> Q:
        """The texts that compare so."""
        if not isinstance(value, str):
            raise ValueFaultError(f'is a text: expected one in quotes such as "{self.example}", not {value}.')
        if unheld(value) is not None:
            raise ValueFaultError("is a text: this one has a character that no database holds.")
        lookup = _LOOKUPS.get(operator)
        return Q(**{f"{self.column}__{lookup}" if lookup else self.column: value})


@dataclass(frozen=True, kw_only=True)
class WordField(Field):
    """One of some words, each with the condition that it stands for."""

    kind = "word"
    operators = ("=", "!=", "in", "not in")

    words: Mapping[str, Q] = field(default_factory=dict)

    def present(self) -> Q:
        """That it is one of the words."""
        return reduce(or_, self.words.values())

    def meets(self, operator: str, value: Value) -> Q:  # noqa: ARG002  # it is always =
        """The rows for which the word stands."""
        if not isinstance(value, str) or value not in self.words:
            raise ValueFaultError(f"is one of {', '.join(map(_told, self.words))}, not {_told(value)}.")
        return self.words[value]


@dataclass(frozen=True, kw_only=True)
class NumberField(Field):
    """A number, in units of so many of the column's; a whole one if `whole`."""

    kind = "number"
    operators = ("=", "!=", ">", ">=", "<", "<=", "in", "not in")

    unit: float = 1
    whole: bool = False

    @property
    def shown(self) -> str:
        """A condition on it, for example."""
        return f"{self.name} {'=' if self.whole else '>'} {self.example}"

    def meets(self, operator: str, value: Value) -> Q:
        """The numbers that compare so."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueFaultError(f"is a number: expected one such as {self.example}, not {_told(value)}.")
        if not math.isfinite(value) or abs(value) > _LARGEST:
            raise ValueFaultError("is a number: this one is too large.")
        if self.whole and value != int(value):
            raise ValueFaultError(f"is a whole number: expected one such as {self.example}, not {value}.")
        lookup = f"{self.column}__{_ORDERS.get(operator, 'exact')}"
        return Q(**{lookup: int(value) if self.whole else value * self.unit})


@dataclass(frozen=True, kw_only=True)
class TimeField(Field):
    """A time in UTC. A value means all of the day, minute or second that it names."""

    kind = "time"
    operators = ("=", "!=", ">", ">=", "<", "<=")

    def meets(self, operator: str, value: Value) -> Q:
        """The times that compare so."""
        start, end = _span(value)
        after_start, before_end = Q(**{f"{self.column}__gte": start}), Q(**{f"{self.column}__lt": end})
        spans = {
            "=": after_start & before_end,
            ">=": after_start,
            "<=": before_end,
            ">": Q(**{f"{self.column}__gte": end}),
            "<": Q(**{f"{self.column}__lt": start}),
        }
        return spans[operator]


def _span(value: Value) -> tuple[datetime, datetime]:
    for form, length in _TIMES:
        try:
            start = datetime.strptime(str(value), form).replace(tzinfo=UTC)
            return start, start + length
        except (ValueError, OverflowError):
            continue
    raise ValueFaultError(f'is a time: expected "2026-03-02" or "2026-03-02 14:30" (UTC), not {_told(value)}.')


def _told(value: Value) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
