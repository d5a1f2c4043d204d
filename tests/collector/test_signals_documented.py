"""The lines of the collector's log that are documented are those that it writes."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = sorted((ROOT / "collector/src/atlas_collector").rglob("*.py"))
DOCUMENT = (ROOT / "docs/reference/collector-signals.md").read_text()
LOGGED = {"info", "warning", "error", "exception"}
LINES = re.findall(r"^\| `([^`]*%[^`]*|[^`]*\.)` \|", DOCUMENT, re.MULTILINE)
BEGINNINGS = re.findall(r"^\| `([A-Z ,]+|Recording)` \|", DOCUMENT, re.MULTILINE)


def logged() -> Iterator[str]:
    """The texts with which the collector's code calls its log."""
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOGGED:
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value


def texts() -> set[str]:
    """All pieces of text in the collector's code."""
    nodes = (node for path in CODE for node in ast.walk(ast.parse(path.read_text())))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


@pytest.mark.parametrize("line", LINES)
def test_a_documented_line_is_written_by_the_code(line: str) -> None:
    assert line in set(logged())


def test_every_line_that_the_code_writes_is_documented() -> None:
    assert {line for line in logged() if line not in LINES} == set()


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_the_line_of_every_minute_begins_as_documented(beginning: str) -> None:
    assert beginning in texts()


def test_lines_are_found() -> None:
    assert len(LINES) > 15
    assert len(BEGINNINGS) == 3
