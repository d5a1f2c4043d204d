"""The query language: text in, an expression out. It knows neither the database nor Django.

The grammar is described for its users in docs/reference/ingestion-api.md.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache, cached_property
from math import isfinite
from typing import NoReturn, cast

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from ingestion_engine.errors import QueryError

MAX_LENGTH = 4000
MAX_DEPTH = 20

GRAMMAR = r"""
start: any?
?any: all (_OR all)*
?all: term (_AND term)*
?term: _NOT term -> negation
     | "(" any ")"
     | column OPERATOR value -> comparison
     | column IN "(" value ("," value)* ")" -> comparison
column: NAME | QUOTED_NAME
value: TEXT | NUMBER | TRUTH

OPERATOR: "!=" | "<=" | ">=" | "=" | "<" | ">" | "~"
_OR.2: /or(?![\w.])/i
_AND.2: /and(?![\w.])/i
_NOT.2: /not(?![\w.])/i
IN.2: /in(?![\w.])/i
TRUTH.2: /(true|false)(?![\w.])/i
NUMBER: /[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?(?![\w.])/i
NAME: /[^\W\d][\w.]*/
QUOTED_NAME: /`([^`]|``)+`/
TEXT: /"([^"]|"")*"|'([^']|'')*'/

%ignore /\s+/
"""

WORDS = {
    "NAME": "a column",
    "QUOTED_NAME": "a column in `backticks`",
    "TEXT": "a text in quotes",
    "NUMBER": "a number",
    "TRUTH": "true or false",
    "OPERATOR": "one of = != < <= > >= ~",
    "IN": "'in'",
    "_AND": "'and'",
    "_OR": "'or'",
    "_NOT": "'not'",
    "LPAR": "'('",
    "RPAR": "')'",
    "COMMA": "','",
    "$END": "or the end",
}

TEXT_FIELDS = ("id", "recording", "car", "environment")
"""What every event may have beside its time, its label and its feature columns."""

Value = str | float | bool | datetime


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
class Comparison:
    """A column compared with one value, or with several of one kind; `line` and `column_number` are the value's."""

    column: str
    operator: Operator
    values: tuple[Value, ...]
    line: int
    column_number: int

    @property
    def depth(self) -> int:
        """How many expressions lie in each other."""
        return 1

    def refuse(self, problem: str) -> NoReturn:
        """Raises QueryError at the comparison's value."""
        raise QueryError(problem, line=self.line, column=self.column_number)


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


Expression = Comparison | Negation | Junction


def parse(text: str) -> Expression:
    """The expression that the text stands for. An empty text selects every event.

    Raises:
        QueryError: says where the text is wrong, and what was expected there.
    """
    _check_characters(text)
    try:
        return cast(Expression, _parser().parse(text))
    except UnexpectedToken as error:
        raise _unexpected(text, error, _found(error.token), error.accepts or error.expected) from error
    except UnexpectedCharacters as error:
        raise _unexpected(text, error, repr(error.char), error.allowed or ()) from error


def comparisons(expression: Expression) -> tuple[Comparison, ...]:
    """All comparisons in the expression, from left to right."""
    match expression:
        case Comparison():
            return (expression,)
        case Negation(part):
            return comparisons(part)
        case Junction(parts):
            return tuple(found for part in parts for found in comparisons(part))


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
    words = ", ".join(word for name, word in WORDS.items() if name in expected)
    return QueryError(f"found {found}, expected {words}", line=line, column=column)


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", transformer=_Builder(), maybe_placeholders=False)


class _Builder(Transformer[Token, Expression]):
    """Makes the expression while the text is read; each method takes the parts of the grammar's rule of its name."""

    def start(self, parts: list[Expression]) -> Expression:
        return parts[0] if parts else Junction((), every=True)

    def any(self, parts: list[Expression]) -> Expression:
        return _shallow(Junction(tuple(parts), every=False))

    def all(self, parts: list[Expression]) -> Expression:
        return _shallow(Junction(tuple(parts), every=True))

    def negation(self, parts: list[Expression]) -> Expression:
        part = parts[0]
        return part.part if isinstance(part, Negation) else _shallow(Negation(part))

    def column(self, parts: list[Token]) -> str:
        token = parts[0]
        return token[1:-1].replace("``", "`") if token.type == "QUOTED_NAME" else str(token)

    def value(self, parts: list[Token]) -> Token:
        return parts[0]

    def comparison(self, parts: list[Token]) -> Expression:
        column, operator, *values = parts
        first = values[0]
        comparison = Comparison(
            column=str(column),
            operator=Operator(operator.lower()),
            values=tuple(_literal(token) for token in values),
            line=first.line or 1,
            column_number=first.column or 1,
        )
        return _well_typed(comparison)


def _shallow(expression: Expression) -> Expression:
    """The expression, unless it is nested so deeply that a database could not follow."""
    if expression.depth > MAX_DEPTH:
        comparisons(expression)[0].refuse(f"expressions lie more than {MAX_DEPTH} deep in each other; simplify them")
    return expression


def _literal(token: Token) -> Value:
    match token.type:
        case "TEXT":
            quote = token[0]
            return str(token[1:-1].replace(quote * 2, quote))
        case "TRUTH":
            return token.lower() == "true"
    if not isfinite(number := float(token)):
        raise QueryError("the number is too large", line=token.line or 1, column=token.column or 1)
    return number


def _well_typed(comparison: Comparison) -> Comparison:
    """The comparison, with times read from their texts; refused if the operator cannot compare such values."""
    if comparison.column == "time":
        return _with_times(comparison)
    kinds = {type(value) for value in comparison.values}
    if comparison.column in TEXT_FIELDS and kinds != {str}:
        comparison.refuse(f"{comparison.column} is a text; put the value in quotes")
    if len(kinds) > 1:
        comparison.refuse("the values after in are of several kinds; give only numbers or only texts")
    if comparison.operator is Operator.CONTAINS and kinds != {str}:
        comparison.refuse("~ looks for a text; put the value in quotes")
    if comparison.operator.orders and kinds != {float}:
        comparison.refuse(f"{comparison.operator} compares numbers and times only; use = or ~ or in")
    return comparison


def _with_times(comparison: Comparison) -> Comparison:
    if comparison.operator is Operator.CONTAINS:
        comparison.refuse("~ looks into texts, not into times; use < or >=")
    return replace(comparison, values=tuple(_time(comparison, value) for value in comparison.values))


def _time(comparison: Comparison, value: Value) -> datetime:
    try:
        time = datetime.fromisoformat(value if isinstance(value, str) else "")
        return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return comparison.refuse('a time looks like "2026-01-31" or "2026-01-31T12:00:00Z"')
