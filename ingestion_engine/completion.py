"""What may come next in a query that is being written, and which columns and values there are to write."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from lark import Lark, Token, UnexpectedInput

from atlas.ingestion import QueryColumn, QuerySuggestions
from ingestion_engine.conditions import KINDS, PATHS
from ingestion_engine.grammar import GRAMMAR
from ingestion_engine.models import Column, Event
from ingestion_engine.query import DURATION, MAX_LENGTH
from ingestion_engine.selection import FEW_VALUES

LOOKED_AT = 2000
"""Values are counted in so many events, drawn as if by chance."""
MOST_VALUES = 20
MOST_ITEMS = 40

ALWAYS_THERE: Mapping[str, str] = {**dict.fromkeys(PATHS, "text"), "label": "label", "time": "time", DURATION: "number"}
"""The kind of each column that every event may have. A label may be of any kind."""
OPERATORS: Mapping[str, tuple[str, ...]] = {
    "text": ("=", "!=", "~"),
    "boolean": ("=", "!="),
    "number": ("=", "!=", "<", "<=", ">", ">="),
    "time": ("=", "!=", "<", "<=", ">", ">="),
}
ANY_OPERATOR = (*OPERATORS["number"], "~")
KEYWORDS: Mapping[str, tuple[str, ...]] = {
    "IN": ("in",),
    "_AND": ("and",),
    "_OR": ("or",),
    "_NOT": ("not",),
    "HAS": ("has",),
    "MISSING": ("missing",),
    "SINCE": ("since",),
    "UNTIL": ("until",),
    "BALANCE": ("balance by",),
    "BY": ("by",),
    "SAMPLE": ("sample",),
    "AGO": ("ago",),
}
TIMES: Mapping[str, tuple[str, ...]] = {
    "DAY": ("now", "today", "yesterday"),
    "UNIT": ("minutes", "hours", "days", "weeks"),
}
RESERVED = {word for words in KEYWORDS.values() for word in words} | {"balance"}
PLAIN_NAME = re.compile(r"[^\W\d][\w.]*")
WORD = re.compile(r"[^\W\d](?:\w|\.(?!\.))*$")
WHOLE_QUOTES = re.compile(r"""(?:"(?:[^"]|"")*"|'(?:[^']|'')*'|`(?:[^`]|``)*`|[^"'`])*""")
"""As much of a text as has no quote that is not closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a query is being written.

    Attributes:
        start: where the word begins that is being written.
        word: what of it is there.
        terminals: what of the grammar may stand there.
        column: the column that an operator or a value there would belong to; nothing if there is none.
        after: the terminal before it; nothing at the beginning.
    """

    start: int
    word: str
    terminals: frozenset[str]
    column: str = ""
    after: str = ""


def columns() -> list[QueryColumn]:
    """All columns that queries can use, and of texts the most frequent values, most frequent first.

    Values are counted in some events only, so that it takes no longer when there are many.
    """
    kinds = _kinds()
    counted = _counted_values()
    values = {name: tuple(value for value, _ in counted[name].most_common(MOST_VALUES)) for name in kinds}
    return [QueryColumn(name=name, kind=kind, values=values[name]) for name, kind in kinds.items()]


def suggest(text: str, position: int) -> QuerySuggestions:
    """What may stand at a position of a query, in place of the word that is being written there."""
    place = place_at(text, position)
    written = place.word.strip("\"'`").casefold()
    fitting = (item for item in _items(place) if item.strip('"`').casefold().startswith(written))
    return QuerySuggestions(start=place.start, items=tuple(dict.fromkeys(fitting))[:MOST_ITEMS])


def place_at(text: str, position: int) -> Place:
    """What the grammar says of a position. Nothing may stand after a mistake."""
    before = text[: min(position, MAX_LENGTH)]
    start = _start_of_word(before)
    parser = _parser().parse_interactive(before[:start])
    try:
        tokens = list(parser.exhaust_lexer())
    except UnexpectedInput:
        return Place(start=start, word=before[start:], terminals=frozenset())
    terminals = parser.accepts()  # type: ignore[no-untyped-call]  # lark declares no types here
    return Place(
        start=start,
        word=before[start:],
        terminals=frozenset(terminals),
        column=next(filter(None, map(_column_of, reversed(tokens))), ""),
        after=tokens[-1].type if tokens else "",
    )


def _start_of_word(before: str) -> int:
    """Where the word or the quoted text begins at whose end the text stops."""
    whole = WHOLE_QUOTES.match(before)
    if whole and whole.end() < len(before):
        return whole.end()
    word = WORD.search(before)
    return word.start() if word else len(before)


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", maybe_placeholders=False)


def _column_of(token: Token) -> str:
    """The column that a token names, or that its values belong to."""
    match token.type:
        case "NAME":
            return str(token)
        case "QUOTED_NAME":
            return token[1:-1].replace("``", "`")
        case "SINCE" | "UNTIL":
            return "time"
    return ""


def _items(place: Place) -> Iterator[str]:
    kinds = _kinds()
    kind = kinds.get(place.column, "")
    if "NAME" in place.terminals:
        yield from map(_written_name, _fitting_columns(kinds, place.after))
    if "OPERATOR" in place.terminals:
        yield from OPERATORS.get(kind, ANY_OPERATOR)
    if "TEXT" in place.terminals and kind in ("text", "label"):
        yield from (f'"{value.replace(chr(34), chr(34) * 2)}"' for value, _ in _values_of(place.column))
    if "TRUTH" in place.terminals and kind in ("boolean", "label"):
        yield from ("true", "false")
    for terminal, words in (*KEYWORDS.items(), *(TIMES.items() if kind == "time" else ())):
        if terminal in place.terminals:
            yield from words


def _fitting_columns(kinds: Mapping[str, str], after: str) -> Iterator[str]:
    """All columns, or after `balance by` those with few values."""
    for name, kind in kinds.items():
        if after != "BY" or name in FEW_VALUES or (name not in PATHS and kind in ("text", "boolean")):
            yield name


def _written_name(name: str) -> str:
    """The column's name as a query says it."""
    plain = PLAIN_NAME.fullmatch(name) and name.lower() not in RESERVED
    return name if plain else f"`{name.replace('`', '``')}`"


def _kinds() -> dict[str, str]:
    """The kind of each column that queries can use."""
    features = Column.objects.filter(kind__in=KINDS.values()).order_by("name").values_list("name", "kind")
    return {**ALWAYS_THERE, **{name: kind for name, kind in features if name not in ALWAYS_THERE}}


def _values_of(column: str) -> list[tuple[str, int]]:
    return _counted_values()[column].most_common(MOST_VALUES)


def _counted_values() -> Mapping[str, Counter[str]]:
    """How often each text occurs in each column, in the events that are looked at."""
    counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    names = {column.key: column.name for column in Column.objects.filter(kind="text")}
    drawn = Event.objects.filter(until=None).order_by("shuffle")[:LOOKED_AT]
    for label, car, environment, scalars in drawn.values_list("label", "car", "environment", "scalars"):
        counted["label"].update(_texts(label))
        counted["car"].update(_texts(car))
        counted["environment"].update(_texts(environment))
        for key in names.keys() & scalars.keys():
            counted[names[key]][scalars[key]] += 1
    return counted


def _texts(value: object) -> list[str]:
    """The texts in a value: itself, or those of a list; none in a number or where it is missing."""
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]
