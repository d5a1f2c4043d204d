"""Commands that the documents' sentences name, and usages that the reference shows, are there with their options."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import pytest
import typer
from django.core.management import get_commands

from atlas import cli
from tests.docs.commands import DOCUMENTS, ROOT, blocks

INLINE = re.compile(r"`(atlas|make|manage\.py|python manage\.py) ([^`\n]+)`")
EXAMPLE = "drives …"
"""What the reference's example of a package of one's own adds."""
MAKEFILE = (ROOT / "Makefile").read_text()
ENTRY_POINTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]


def named() -> Iterator[tuple[str, str, str]]:
    """The documents' inline commands: where, the program, and what it is given."""
    for document in DOCUMENTS:
        for program, arguments in INLINE.findall(document.read_text()):
            yield document.name, program.removeprefix("python "), arguments


def usages() -> Iterator[str]:
    """What the reference shows as the way to write a command, each option in it once."""
    for block in blocks(ROOT / "docs/reference/cli.md"):
        if block.language == "text" and block.text.startswith("atlas "):
            yield from re.split(r"\n(?=atlas )", block.text)


def group(points: Mapping[str, str]) -> dict[str, Any]:
    """The commands that entry points of pyproject.toml name."""
    found: dict[str, Any] = {}
    for name, value in points.items():
        module, _, attribute = value.partition(":")
        found[name] = typer.main.get_command(getattr(import_module(module), attribute))
    return found


def root() -> dict[str, Any]:
    """The commands of `atlas`, those of other packages of Atlas included."""
    own: Any = typer.main.get_command(cli.app)
    return {**own.commands, **group(ENTRY_POINTS["atlas.commands"])}


COMMANDS = root()
OF_BAG = group(ENTRY_POINTS["atlas.commands.bag"])


def command(words: list[str]) -> Any:
    """The command that these words lead to; None where the first leads to none."""
    found: Any = COMMANDS.get(words[0])
    for word in words[1:]:
        if not hasattr(found, "commands"):
            break
        found = found.commands.get(word) or OF_BAG.get(word)
    return found


def missing(text: str) -> list[str]:
    """What of a command line of `atlas` is not there."""
    found = command(re.findall(r"[^\s\[\]|]+", text))
    if found is None:
        return [text]
    known = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return [option for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", text) if option not in known | {"--help"}]


def test_each_command_of_atlas_in_a_sentence_is_there() -> None:
    ours = {(where, text) for where, program, text in named() if program == "atlas" and not text.startswith("-")}
    ours.remove(("cli.md", EXAMPLE))
    assert [(where, text, lost) for where, text in sorted(ours) if (lost := missing(text))] == []


def test_each_target_of_make_in_a_sentence_is_there() -> None:
    targets = {(where, text.split()[0]) for where, program, text in named() if program == "make"}
    assert [each for each in sorted(targets) if not re.search(rf"^{each[1]}:", MAKEFILE, re.MULTILINE)] == []


def test_each_management_command_in_a_sentence_is_there() -> None:
    wanted = {(where, text.split()[0]) for where, program, text in named() if program == "manage.py"}
    assert [each for each in sorted(wanted) if each[1] not in get_commands()] == []


@pytest.mark.parametrize("usage", list(usages()), ids=lambda usage: " ".join(usage.split()[:4]))
def test_a_usage_has_options_that_are_there(usage: str) -> None:
    assert missing(usage.removeprefix("atlas ")) == []


def test_every_command_of_atlas_has_a_usage() -> None:
    shown = "\n".join(usages())
    assert [name for name in COMMANDS if f"atlas {name}" not in shown] == []
