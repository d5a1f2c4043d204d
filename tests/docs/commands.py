"""The commands of the documents: what a reader would type, taken from their blocks."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHELL, PYTHON = "sh", "python"
NOT_COMMANDS = {"http", "ini", "json", "nginx", "text", "toml", "xml", "yaml"}
"""Languages of blocks that nobody types; of YAML, the steps that a CI server runs are commands all the same."""


@dataclass(frozen=True)
class Command:
    """What is typed at one place: a command of a shell with all its lines, or a whole block of Python."""

    document: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}: {self.text.splitlines()[0]}"


@dataclass(frozen=True)
class Block:
    """A block of a document, with the number of its first line of text."""

    line: int
    language: str
    text: str


def commands(document: Path) -> Iterator[Command]:
    """All commands of a document, in its order.

    Raises:
        ValueError: a block's language is not known, so that nobody can tell whether it is a command.
    """
    name = str(document.relative_to(ROOT))
    for block in blocks(document):
        for line, language, text in _commands_of(block, f"{name}:{block.line}"):
            yield Command(name, block.line + line, language, text)


def blocks(document: Path) -> Iterator[Block]:
    """The blocks of a document; an indented one has the language `sh`."""
    for token in MarkdownIt().parse(document.read_text()):
        if token.type == "fence" and token.map is not None:
            yield Block(token.map[0] + 2, token.info, token.content)
        elif token.type == "code_block" and token.map is not None:
            yield Block(token.map[0] + 1, SHELL, token.content)


def _commands_of(block: Block, place: str) -> Iterator[tuple[int, str, str]]:
    match block.language:
        case "python":
            yield 0, PYTHON, block.text
        case "sh":
            yield from _typed(block.text.splitlines())
        case "console":
            yield from _prompted(block.text.splitlines())
        case "yaml":
            yield from ((0, SHELL, step) for step in _steps(yaml.safe_load(block.text)))
        case other if other not in NOT_COMMANDS:
            raise ValueError(f"{place}: a block is sh, console, python or one of {sorted(NOT_COMMANDS)}, not {other!r}")


def _typed(lines: list[str]) -> Iterator[tuple[int, str, str]]:
    start = 0
    for end in range(1, len(lines) + 1):
        text = "\n".join(lines[start:end])
        if not text.strip() or text.startswith("#"):
            start = end
        elif _is_whole(text):
            yield start, SHELL, text
            start = end


def _prompted(lines: list[str]) -> Iterator[tuple[int, str, str]]:
    """What follows a prompt; the other lines are what the command answers."""
    start: int | None = None
    for number, line in enumerate(lines):
        if re.match(r"[$#] ", line):
            start = number
        if start is not None and _is_whole(text := "\n".join(lines[start : number + 1])[2:]):
            yield start, SHELL, text
            start = None


def _is_whole(text: str) -> bool:
    """Whether a shell would run it rather than wait for another line."""
    heredoc = re.search(r"<<\s*'?(\w+)'?", text)
    if heredoc:
        return text.splitlines()[-1] == heredoc[1]
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return not text.endswith("\\")


def _steps(node: object) -> Iterator[str]:
    """What stands as `run:` in the steps of a CI server's job."""
    if isinstance(node, dict):
        if isinstance(node.get("run"), str):
            yield node["run"]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _steps(each)
