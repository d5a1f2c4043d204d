"""The grammar of the search language, and what it says of texts that do not follow it."""

import pytest

from storage.queries import SearchError, is_query
from storage.queries._language import Both, Comparison, Condition, read


def told(condition: Condition) -> str:
    """A condition with all its parentheses."""
    if isinstance(condition, Comparison):
        return f"{condition.field} {condition.operator} {list(condition.values)}"
    assert isinstance(condition, Both)
    return f"({told(condition.left)} {'or' if condition.either else 'and'} {told(condition.right)})"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ('use_case = "damage detector"', "use_case = ['damage detector']"),
        ("author ~ 'silva'", "author ~ ['silva']"),
        ("f1>-0.5", "f1 > [-0.5]"),
        ("done >= 3", "done >= [3]"),
        ('name not startswith "Forest"', "name not startswith ['Forest']"),
        ('tag in ("a", "b", None)', "tag in ['a', 'b', None]"),
        ("tag not in (1, 2.5)", "tag not in [1, 2.5]"),
        ("my-own.metric < 1e3", "my-own.metric < [1000.0]"),
        (r'name = "a \"b\" \\ c"', "name = ['a \"b\" \\\\ c']"),
        ("a = 1 and b = 2 or c = 3", "((a = [1] and b = [2]) or c = [3])"),
        ("a = 1 or b = 2 and c = 3", "(a = [1] or (b = [2] and c = [3]))"),
        ("(a = 1 or b = 2) and c = 3", "((a = [1] or b = [2]) and c = [3])"),
        ("a = 1 AND b = NONE Or c IN (2)", "((a = [1] and b = [None]) or c in [2])"),
        ("  a\n=\n1 ", "a = [1]"),
    ],
)
def test_a_text_says(text: str, meaning: str) -> None:
    assert told(read(text)) == meaning


def test_a_comparison_knows_where_it_stands() -> None:
    condition = read('a = 1 and tag in ("b", "c")')
    assert isinstance(condition, Both)
    assert isinstance(condition.right, Comparison)
    assert (condition.right.column, condition.right.value_column) == (11, 18)


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("name", 5, "The search ends too early: expected an operator such as =, > or ~."),
        ("name ~", 7, 'The search ends too early: expected a text in quotes such as "forest".'),
        (
            "name = forest",
            8,
            'a text in quotes such as "forest", a number or None, not “forest”. Write texts in quotes: "forest".',
        ),
        ("done > > 3", 8, 'Expected a text in quotes such as "forest" or a number, not “>”.'),
        ("done = 3 and", 13, "The search ends too early: expected a field."),
        ("= 3", 1, "Expected a field, not “=”."),
        ("done = 3)", 9, "Expected “and”, “or” or the end, not “)”."),
        ("(done = 3", 10, "The search ends too early: expected “and”, “or” or a closing parenthesis."),
        ("name in", 8, "The search ends too early: expected an opening parenthesis."),
        ("name in <", 9, "Expected an opening parenthesis, not “<”."),
        ("done in (3", 11, "The search ends too early: expected a comma or a closing parenthesis."),
        ('name = "forest', 8, 'This text has no closing ".'),
        ("name = 'forest", 8, "This text has no closing '."),
        ("done = 3; drop", 9, "The search language has no “;”."),
        ("name = " + "long" * 9, 8, "“longlonglonglonglon…”"),
    ],
)
def test_what_is_wrong_is_said_with_its_column(text: str, column: int, problem: str) -> None:
    with pytest.raises(SearchError) as raised:
        read(text)
    assert (raised.value.column, problem in raised.value.problem) == (column, True), raised.value
    assert str(raised.value) == f"Column {column}: {raised.value.problem}"


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("forest", False),
        ("forest in winter", False),
        ("in (", True),
        ('"lr=0.1"', False),
        ("'a > b' c", False),
        ("lr=0.1", True),
        ("f1>", True),
        ("author ~ x", True),
        ("name STARTSWITH", True),
        ("endswithout", False),
        ("", False),
    ],
)
def test_a_text_is_a_query_if_there_is_a_sign_of_the_language_outside_quotes(text: str, query: bool) -> None:
    assert is_query(text) is query
