from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion_engine.errors import QueryError
from ingestion_engine.expressions import (
    Comparison,
    Expression,
    Junction,
    Negation,
    Operator,
    Presence,
    comparisons,
    leaves,
)
from ingestion_engine.query import parse


def written(expression: Expression) -> str:
    """The expression with all its parentheses."""
    match expression:
        case Comparison():
            return f"{expression.column}{expression.operator}{list(expression.values)}"
        case Presence():
            return f"{'missing' if expression.missing else 'has'} {expression.column}"
        case Negation(part):
            return f"not {written(part)}"
        case Junction(parts, every):
            return f"({(' and ' if every else ' or ').join(written(part) for part in parts)})"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "()"),
        (" \n ", "()"),
        ("a = 1", "a=[1.0]"),
        ("a=-1.5e3", "a=[-1500.0]"),
        ('a="x y"', "a=['x y']"),
        ("a='it''s'", 'a=["it\'s"]'),
        ('a = "say ""no"""', "a=['say \"no\"']"),
        ("a = TRUE", "a=[True]"),
        ("a in (1, 2)", "ain[1.0, 2.0]"),
        ("a IN ('x')", "ain['x']"),
        ('label ~ "x"', "label~['x']"),
        ("`mean radius` > 3", "mean radius>[3.0]"),
        ("`odd``name` != 3", "odd`name!=[3.0]"),
        ("größe <= .5", "größe<=[0.5]"),
        ("android = 1 or order = 2", "(android=[1.0] or order=[2.0])"),
        ("a=1 or b=2 and c=3", "(a=[1.0] or (b=[2.0] and c=[3.0]))"),
        ("(a=1 or b=2) and not c=3", "((a=[1.0] or b=[2.0]) and not c=[3.0])"),
        ("not a=1 and b=2", "(not a=[1.0] and b=[2.0])"),
        ("not not a=1", "a=[1.0]"),
        ("NOT a=1 AND b=2", "(not a=[1.0] and b=[2.0])"),
        ("a in 3..8", "(a>=[3.0] and a<=[8.0])"),
        ("a in -1.5 .. .5", "(a>=[-1.5] and a<=[0.5])"),
        ("a in 0...8 or a in 1..1", "((a>=[0.0] and a<=[0.8]) or (a>=[1.0] and a<=[1.0]))"),
        ("missing car or HAS `x y`", "(missing car or has x y)"),
        ("not missing car and not has speed", "(has car and missing speed)"),
        ("not (missing car and a=1)", "not (missing car and a=[1.0])"),
        ("since_then = 1 and sampled = 2", "(since_then=[1.0] and sampled=[2.0])"),
        ("`sample` = 1", "sample=[1.0]"),
    ],
)
def test_a_query_binds_as_it_reads(text: str, expected: str) -> None:
    assert written(parse(text).condition) == expected


@pytest.mark.parametrize("text", ["2026-01-31", "2026-01-31T00:00:00Z", "2026-01-31T01:00:00+01:00"])
def test_times_are_read_as_utc(text: str) -> None:
    (comparison,) = comparisons(parse(f'time >= "{text}"').condition)
    assert comparison.values == (datetime(2026, 1, 31, tzinfo=UTC),)
    assert comparison.operator is Operator.GREATER_OR_EQUAL


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("speed >", 1, 8, "expected a text in quotes, a number, true or false"),
        ("speed ! 3", 1, 7, "= != < <= > >= ~"),
        ("a = 1\n and", 2, 5, "a column"),
        ("a = 1 b", 1, 7, "expected 'and', 'or', 'since', 'until', 'balance by', 'sample', or the end"),
        ("since 7", 1, 8, "expected 'minutes', 'hours', 'days' or 'weeks'"),
        ("since 7 days", 1, 13, "expected 'ago'"),
        ("since 3 < 4", 1, 9, "expected 'minutes'"),
        ("since -1 days ago", 1, 7, "future"),
        ("since 1e9 days ago", 1, 7, "hundred years"),
        ("since 'soon'", 1, 7, "7 days ago"),
        ("since today a = 1", 1, 13, "expected 'since', 'until', 'balance by', 'sample', or the end"),
        ("since today until now since today", 1, 23, "second time"),
        ("balance label", 1, 9, "expected 'by'"),
        ("sample 0", 1, 8, "from 1"),
        ("sample 1.5", 1, 8, "from 1"),
        ("sample 1e400", 1, 8, "from 1"),
        ("a = 1 sample many", 1, 14, "a number"),
        ("speed in 3", 1, 11, "'..'"),
        ("speed in 8..3", 1, 10, "ends before it begins"),
        ("speed in 'a'..'b'", 1, 10, "3..8"),
        ("speed in 1..now", 1, 10, "3..8"),
        ("time in 1..2", 1, 9, "7 days ago"),
        ("time in today..2", 1, 16, "7 days ago"),
        ("speed = now", 1, 9, "not the time"),
        ("car = now", 1, 7, "quotes"),
        ("duration_seconds = 'long'", 1, 20, "without quotes"),
        ("missing", 1, 8, "a column"),
        ("missing 'car'", 1, 9, "a column"),
        ("(a = 1", 1, 7, "')'"),
        ("a in ()", 1, 7, "a number"),
        ('a = "x', 1, 5, "a text in quotes"),
        ("1 = 1", 1, 1, "a column"),
        ("a = 1; drop table event", 1, 6, "';'"),
        ("a = 1 -- and", 1, 7, "'-'"),
        ("a = 1e999", 1, 5, "too large"),
        ("a < 'x'", 1, 5, "numbers and times"),
        ("a < true", 1, 5, "numbers and times"),
        ("a ~ 3", 1, 5, "quotes"),
        ("car = 3", 1, 7, "quotes"),
        ("a in (1, 'x')", 1, 7, "several kinds"),
        ("time > 'soon'", 1, 8, "2026-01-31"),
        ("time > 3", 1, 8, "2026-01-31"),
        ("time ~ '2026'", 1, 8, "< or >="),
        ("time > '0001-01-01T00:00+02:00'", 1, 8, "2026-01-31"),
        ("a = 'x\0'", 1, 7, "cannot be stored"),
        ("a = '\ud800'", 1, 6, "cannot be stored"),
        ("(" * 500, 1, 501, "a column"),
        ("a = 1 or " * 500, 1, 4001, "4000 characters"),
        ("not (a = 1 and " * 30 + "a = 1" + ")" * 30, 1, 310, "simplify"),
    ],
)
def test_a_wrong_query_is_answered_with_the_place_and_what_was_expected(
    text: str, line: int, column: int, said: str
) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert f"line {line}, column {column}" in str(caught.value)
    assert said in str(caught.value)


def test_the_documented_example_is_a_query() -> None:
    page = Path(__file__).parents[2] / "docs/reference/query-language.md"
    query = parse(page.read_text().split("```")[1].removeprefix("text\n"))
    columns = [leaf.column for leaf in leaves(query.condition)]
    assert columns == ["label", "car", "speed", "speed", "peak level", "environment", "time", "time"]
    assert query.balance
    assert (query.balance.column, query.sample) == ("label", 5000)


PIECES = st.sampled_from(
    [
        "a",
        "time",
        "`x`",
        "=",
        "<",
        "~",
        "in",
        "(",
        ")",
        ",",
        "and",
        "or",
        "not",
        "'t'",
        "1",
        "..",
        "has",
        "missing",
        "since",
        "until",
        "balance",
        "by",
        "sample",
        "now",
        "days",
        "ago",
    ]
)


@given(st.text() | st.lists(PIECES, max_size=40).map(" ".join))
def test_any_text_is_understood_or_answered_with_a_place_in_it(text: str) -> None:
    try:
        parse(text)
    except QueryError as error:
        lines = text.split("\n")
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1
