"""The grammar of the search language: djangoql's, but `and` binds more closely than `or`, and its words are read in any
case. What a field is and means is said in `storage.queries._fields`."""

from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

from djangoql.ast import Const, List
from djangoql.exceptions import DjangoQLLexerError
from djangoql.lexer import DjangoQLLexer
from djangoql.parser import DjangoQLParser
from ply import yacc

from atlas.errors import AtlasError

Value = str | int | float | bool | None


class SearchError(AtlasError):
    """A search cannot be read. `column` is where in the text, counted from 1, `problem` what was wrong there."""

    def __init__(self, problem: str, column: int) -> None:
        super().__init__(f"Column {column}: {problem}")
        self.problem = problem
        self.column = column


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field, an operator such as `not in`, and the values that the field is compared with: one unless it is a list.

    `column` and `value_column` are where the field and the values begin in the text.
    """

    field: str
    operator: str
    values: tuple[Value, ...]
    column: int
    value_column: int


@dataclass(frozen=True, slots=True)
class Both:
    """Two conditions of which both have to hold, or one if `either`."""

    left: "Comparison | Both"
    right: "Comparison | Both"
    either: bool


Condition = Comparison | Both

_KEYWORDS = {"and": "AND", "or": "OR", "not": "NOT", "in": "IN", "none": "NONE", "true": "TRUE", "false": "FALSE"}
_KEYWORDS |= {"startswith": "STARTSWITH", "endswith": "ENDSWITH"}
_OPERATORS = frozenset({"EQUALS", "NOT_EQUALS", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "CONTAINS",
                        "NOT_CONTAINS", "STARTSWITH", "ENDSWITH", "IN", "NOT"})  # fmt: skip
_EXPECTED = (
    (frozenset({"NAME"}), "a field"),
    (_OPERATORS, "an operator such as =, > or ~"),
    (frozenset({"STRING_VALUE"}), 'a text in quotes such as "forest"'),
    (frozenset({"INT_VALUE"}), "a number"),
    (frozenset({"NONE"}), "None"),
    (frozenset({"AND"}), "“and”, “or”"),
    (frozenset({"COMMA"}), "a comma"),
    (frozenset({"PAREN_R"}), "a closing parenthesis"),
    (frozenset({"$end"}), "the end"),
)
"""What each kind of token is called when it is missed."""


class _Lexer(DjangoQLLexer):  # type: ignore[misc]  # an untyped package
    """Names may hold what the names of authors' own metrics may, and the words of the language any case."""

    t_NAME = r"[_A-Za-z][_0-9A-Za-z.-]*"  # noqa: N815  # the form that ply asks for

    def token(self) -> Any:
        """The next token, None at the end."""
        token = super().token()
        if token is not None and token.type == "NAME" and token.value.lower() in _KEYWORDS:
            token.value = token.value.lower()
            token.type = _KEYWORDS[token.value]
        return token


class _Parser(DjangoQLParser):  # type: ignore[misc]  # an untyped package
    """Gives conditions that know where in the text they stand. The docstrings of its rules are the grammar."""

    precedence = (("left", "OR"), ("left", "AND"))
    p_logical = None

    def p_expression_logical(self, p: Any) -> None:
        """
        expression : expression AND expression
                   | expression OR expression
        """
        p[0] = Both(p[1], p[3], either=p[2] == "or")

    def p_expression_comparison(self, p: Any) -> None:
        """
        expression : name comparison_number number
                   | name comparison_string string
                   | name comparison_equality boolean_value
                   | name comparison_equality none
                   | name comparison_in_list const_list_value
        """
        values = tuple(p[3].value) if isinstance(p[3], List) else (p[3].value,)
        p[0] = Comparison(p[1].value, p[2].operator, values, p.lexpos(1) + 1, p.lexpos(3) + 1)

    def p_number_float(self, p: Any) -> None:
        """
        number : FLOAT_VALUE
        """
        p[0] = Const(value=float(p[1]))

    def p_error(self, token: Any) -> None:
        """Say what was expected in place of a token, of None at the text's end."""
        if token is None:
            raise SearchError(f"The search ends too early: expected {self._expected()}.", len(self.text) + 1)
        is_bare = token.type == "NAME" and "STRING_VALUE" in self.yacc.action[self.yacc.state]
        hint = f' Write texts in quotes: "{token.value}".' if is_bare else ""
        raise SearchError(f"Expected {self._expected()}, not {_shown(token.value)}.{hint}", token.lexpos + 1)

    def _expected(self) -> str:
        kinds = self.yacc.action[self.yacc.state].keys()
        *others, last = [called for tokens, called in _EXPECTED if tokens & kinds] or ["an opening parenthesis"]
        return f"{', '.join(others)} or {last}" if others else last

    def read(self, text: str) -> Condition:
        """The condition that a text says."""
        self.text = text
        condition: Condition = self.parse(text, lexer=_Lexer(), tracking=True)
        return condition


def _shown(text: str) -> str:
    return f"“{text if len(text) <= 20 else text[:19] + '…'}”"


_reading = Lock()
"""ply's parsers keep what they read in themselves: one text after the other."""


@cache
def _parser() -> _Parser:
    return _Parser(errorlog=yacc.NullLogger())


def read(text: str) -> Condition:
    """What a text of the search language says.

    Raises:
        SearchError: it is none.
    """
    with _reading:
        try:
            return _parser().read(text)
        except DjangoQLLexerError as error:
            raise _illegal(error, text) from error


def _illegal(error: DjangoQLLexerError, text: str) -> SearchError:
    rest = str(error.value)
    column = len(text) - len(rest) + 1
    if rest[0] in "\"'":
        return SearchError(f"This text has no closing {rest[0]}.", column)
    return SearchError(f"The search language has no {_shown(rest[0])}.", column)
