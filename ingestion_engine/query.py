"""The query language: text in, a query out. It knows neither the database nor Django.

The grammar is described for its users in docs/reference/query-language.md.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from math import isfinite
from typing import cast

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from ingestion_engine.errors import QueryError
from ingestion_engine.expressions import (
    Balance,
    Comparison,
    Expression,
    Junction,
    Negation,
    Operator,
    Presence,
    Query,
    RelativeTime,
    Value,
    leaves,
)
from ingestion_engine.grammar import GRAMMAR, WORDS

MAX_LENGTH = 4000
MAX_DEPTH = 20
MAX_SAMPLE = 1_000_000_000
KEPT_QUERIES = 256
LONG_AGO = timedelta(days=36_525)
UNITS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}

TEXT_FIELDS = ("id", "recording", "car", "environment")
"""What every event may have beside its time, its duration, its label and its feature columns."""
DURATION = "duration_seconds"


@lru_cache(maxsize=KEPT_QUERIES)
def parse(text: str) -> Query:
    """The query that the text stands for. An empty text selects every labelled event.

    Raises:
        QueryError: says where the text is wrong, and what was expected there.
    """
    _check_characters(text)
    try:
        return cast(Query, _parser().parse(text))
    except UnexpectedToken as error:
        raise _unexpected(text, error, _found(error.token), error.accepts or error.expected) from error
    except UnexpectedCharacters as error:
        raise _unexpected(text, error, repr(error.char), error.allowed or ()) from error


def _check_characters(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise QueryError(f"a query has at most {MAX_LENGTH} characters", line=1, column=MAX_LENGTH + 1)
    if wrong := re.search(r"[\0\ud800-\udfff]", text):
        line, column = _position(text, wrong.start())
        raise QueryError("this character cannot be stored; remove it", line=line, column=column)


def _position(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 1."""
    before = text[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")


def _found(token: Token) -> str:
    return "the end" if token.type == "$END" else repr(str(token))


def _unexpected(text: str, error: UnexpectedInput, found: str, expected: set[str] | tuple[str, ...]) -> QueryError:
    offset = len(text) if found == "the end" else (error.pos_in_stream or 0)
    line, column = _position(text, offset)
    likely = set(expected) - {"UNIT"} or expected  # a number is seldom meant as so many days
    words = ", ".join(word for name, word in WORDS.items() if name in likely)
    return QueryError(f"found {found}, expected {words}", line=line, column=column)


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", transformer=_Builder(), maybe_placeholders=False)


Literal = tuple[Token, Value]
"""A value, and the token where it begins."""


class _Builder(Transformer[Token, Query]):
    """Makes the query while the text is read; each method takes the parts of the grammar's rule of its name."""

    def start(self, parts: list[object]) -> Query:
        condition = [part for part in parts if not isinstance(part, tuple)]
        clauses = [part for part in parts if isinstance(part, tuple)]
        said: dict[str, object] = {}
        for word, meaning in clauses:
            if word.lower() in said:
                raise _problem(word, f"{word.lower()} stands here for the second time; keep one of them")
            said[word.lower()] = meaning
        bounds = [cast(Comparison, said[word]) for word in ("since", "until") if word in said]
        return Query(
            condition=_together([*cast(list[Expression], condition), *bounds]),
            balance=cast(Balance | None, said.get("balance")),
            sample=cast(int | None, said.get("sample")),
        )

    def any(self, parts: list[Expression]) -> Expression:
        return _shallow(Junction(tuple(parts), every=False))

    def all(self, parts: list[Expression]) -> Expression:
        return _shallow(Junction(tuple(parts), every=True))

    def negation(self, parts: list[Expression]) -> Expression:
        match parts[0]:
            case Negation(part):
                return part
            case Presence() as presence:
                return replace(presence, missing=not presence.missing)
        return _shallow(Negation(parts[0]))

    def column(self, parts: list[Token]) -> str:
        token = parts[0]
        return token[1:-1].replace("``", "`") if token.type == "QUOTED_NAME" else str(token)

    def column_name(self, parts: list[Token]) -> Literal:
        return parts[0], self.column(parts)

    def value(self, parts: list[Token]) -> Literal:
        return parts[0], _ago(parts) if len(parts) > 1 else _literal(parts[0])

    moment = value

    def comparison(self, parts: list[object]) -> Expression:
        column, operator, *values = parts
        return _compared(str(column), Operator(str(operator).lower()), cast(list[Literal], values))

    def range(self, parts: list[object]) -> Expression:
        column, ends = str(parts[0]), cast(list[Literal], [parts[2], parts[4]])
        if column != "time" and not all(isinstance(value, float) for _, value in ends):
            raise _problem(ends[0][0], "a range has a number or a time at each end, such as 3..8")
        low = _compared(column, Operator.GREATER_OR_EQUAL, ends[:1])
        high = _compared(column, Operator.LESS_OR_EQUAL, ends[1:])
        return _not_empty(low, high)

    def presence(self, parts: list[object]) -> Expression:
        word, (token, column) = cast(tuple[Token, Literal], tuple(parts))
        return Presence(column=str(column), missing=word.lower() == "missing", **_place(token))

    def bound(self, parts: list[object]) -> tuple[Token, Comparison]:
        word, moment = cast(tuple[Token, Literal], tuple(parts))
        operator = Operator.GREATER_OR_EQUAL if word.lower() == "since" else Operator.LESS
        return word, _compared("time", operator, [moment])

    def balance(self, parts: list[object]) -> tuple[Token, Balance]:
        word, _, (token, column) = cast(tuple[Token, Token, Literal], tuple(parts))
        return word, Balance(column=str(column), **_place(token))

    def sample(self, parts: list[Token]) -> tuple[Token, int]:
        word, number = parts
        if not (number.isdigit() and 1 <= int(number) <= MAX_SAMPLE):
            raise _problem(number, f"a sample has a whole number of events, from 1 to {MAX_SAMPLE}")
        return word, int(number)


def _place(token: Token) -> dict[str, int]:
    return {"line": token.line or 1, "column_number": token.column or 1}


def _problem(token: Token, problem: str) -> QueryError:
    return QueryError(problem, line=token.line or 1, column=token.column or 1)


def _shallow(expression: Expression) -> Expression:
    """The expression, unless it is nested so deeply that a database could not follow."""
    if expression.depth > MAX_DEPTH:
        leaves(expression)[0].refuse(f"expressions lie more than {MAX_DEPTH} deep in each other; simplify them")
    return expression


def _together(parts: list[Expression]) -> Expression:
    """What holds where all parts do."""
    return parts[0] if len(parts) == 1 else Junction(tuple(parts), every=True)


def _literal(token: Token) -> Value:
    match token.type:
        case "TEXT":
            quote = token[0]
            return str(token[1:-1].replace(quote * 2, quote))
        case "TRUTH":
            return token.lower() == "true"
        case "DAY":
            return RelativeTime(before=timedelta(days=token.lower() == "yesterday"), of_day=token.lower() != "now")
    if not isfinite(number := float(token)):
        raise _problem(token, "the number is too large")
    return number


def _ago(tokens: list[Token]) -> RelativeTime:
    """The moment that a number, a unit and `ago` mean."""
    number, unit, _ = tokens
    count = float(number)
    if not 0 <= count <= LONG_AGO / UNITS[unit.lower().removesuffix("s")]:
        raise _problem(number, "this time lies in the future, or more than a hundred years ago")
    return RelativeTime(before=count * UNITS[unit.lower().removesuffix("s")], of_day=False)


def _compared(column: str, operator: Operator, literals: list[Literal]) -> Comparison:
    """The comparison, with times read from their texts; refused if the operator cannot compare such values."""
    place = _place(literals[0][0])
    comparison = Comparison(column=column, operator=operator, values=tuple(value for _, value in literals), **place)
    if column == "time":
        return _with_times(comparison)
    _check_kinds(comparison, {type(value) for value in comparison.values})
    return comparison


def _check_kinds(comparison: Comparison, kinds: set[type]) -> None:
    if comparison.column in TEXT_FIELDS and kinds != {str}:
        comparison.refuse(f"{comparison.column} is a text; put the value in quotes")
    if comparison.column == DURATION and kinds != {float}:
        comparison.refuse(f"{DURATION} is a number; write it without quotes")
    if RelativeTime in kinds:
        comparison.refuse(f"{comparison.column} is not the time of an event; compare it with a text or a number")
    if len(kinds) > 1:
        comparison.refuse("the values after in are of several kinds; give only numbers or only texts")
    if comparison.operator is Operator.CONTAINS and kinds != {str}:
        comparison.refuse("~ looks for a text; put the value in quotes")
    if comparison.operator.orders and kinds != {float}:
        comparison.refuse(f"{comparison.operator} compares numbers and times only; use = or ~ or in")


def _with_times(comparison: Comparison) -> Comparison:
    if comparison.operator is Operator.CONTAINS:
        comparison.refuse("~ looks into texts, not into times; use < or >=")
    return replace(comparison, values=tuple(_time(comparison, value) for value in comparison.values))


def _time(comparison: Comparison, value: Value) -> datetime | RelativeTime:
    if isinstance(value, RelativeTime):
        return value
    try:
        time = datetime.fromisoformat(value if isinstance(value, str) else "")
        return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return comparison.refuse('a time looks like "2026-01-31", "2026-01-31T12:00:00Z", yesterday or 7 days ago')


def _not_empty(low: Comparison, high: Comparison) -> Expression:
    """The range between both, unless nothing lies there."""
    first, last = low.values[0], high.values[0]
    if isinstance(first, RelativeTime) or isinstance(last, RelativeTime):
        return Junction((low, high), every=True)
    if first > last:  # type: ignore[operator]  # both are numbers, or both are times
        low.refuse("nothing lies in this range: it ends before it begins")
    return Junction((low, high), every=True)
