"""The tables of states have each word that the code declares, and no other."""

import re
from enum import StrEnum

import pytest

from atlas.access import Right, Role
from atlas.ingestion import RecordingState
from atlas.states import CellState, ComponentState, FailureClass, Level, ModelState, Phase, State
from atlas.watching import AlertKind, AlertState, DeliveryState, GateKind, Stage
from tests.docs.commands import ROOT

REFERENCE = (ROOT / "docs/reference/states.md").read_text()
TABLES: dict[str, type[StrEnum]] = {
    "Benchmarks": State,
    "Phases of a running benchmark": Phase,
    "Failure classes": FailureClass,
    "Files of models": ModelState,
    "Stages of models": Stage,
    "Cells of the matrix": CellState,
    "Components": ComponentState,
    "Recordings": RecordingState,
    "Kinds of alerts": AlertKind,
    "States of alerts": AlertState,
    "Messages about alerts": DeliveryState,
    "Rules of gates": GateKind,
    "Roles": Role,
    "Rights": Right,
    "Levels of the log": Level,
}


def table(title: str) -> list[list[str]]:
    """The rows of the table below a heading, each with its cells."""
    section = REFERENCE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [row.strip("| ").split(" | ") for row in section.splitlines() if row.startswith("| `")]


@pytest.mark.parametrize("title", TABLES)
def test_a_table_has_each_word_in_the_codes_order(title: str) -> None:
    assert [row[0].strip("`") for row in table(title)] == [word.value for word in TABLES[title]]


def test_every_heading_has_its_table() -> None:
    assert re.findall(r"^## (.*)$", REFERENCE, re.MULTILINE) == list(TABLES)


def test_what_is_tried_again_is_told() -> None:
    told = {row[0].strip("`"): row[2] for row in table("Failure classes")}
    assert told == {kind.value: "yes" if kind.retry_helps else "no" for kind in FailureClass}


def test_each_role_has_its_rights() -> None:
    told = {row[0].strip("`"): re.findall(r"`(\w+)`", row[1]) for row in table("Roles")}
    assert told == {role.value: [right.value for right in Right if right in role.rights] for role in Role}
