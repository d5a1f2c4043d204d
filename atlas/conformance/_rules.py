"""What a rule of the contract is, and what comes of checking it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from atlas.errors import AtlasError

if TYPE_CHECKING:
    from atlas.conformance._trial import Trial


class Outcome(StrEnum):
    """What came of checking a rule."""

    KEPT = "kept"
    BROKEN = "broken"
    SKIPPED = "skipped"


class BrokenError(AtlasError):
    """The engine does not keep the rule."""

    def __init__(self, expected: object, found: object) -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected, self.found = str(expected), str(found)


class SkippedError(AtlasError):
    """The rule cannot be checked; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        id: such as `R07`; it never stands for another rule.
        says: what an engine does that keeps the rule.
        required: whether every engine has to; else only one that offers what the rule is about.
        check: asks the engine.

    Raises (check):
        BrokenError: the engine does not keep it.
        SkippedError: it cannot be checked.
    """

    id: str
    says: str
    required: bool
    check: "Callable[[Trial], None]"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What came of a rule: if it is broken, what was expected and found; if it was skipped, why."""

    rule: Rule
    outcome: Outcome
    expected: str = ""
    found: str = ""
    reason: str = ""


RULES: dict[str, Rule] = {}
"""All rules by id, in the order in which they are checked."""


def rule(number: int, says: str, *, required: bool = True) -> "Callable[[Callable[[Trial], None]], None]":
    """Makes a rule of a function that asks the engine."""

    def register(check: "Callable[[Trial], None]") -> None:
        known = Rule(id=f"R{number:02}", says=says, required=required, check=check)
        if known.id in RULES:
            raise ValueError(f"there are two rules {known.id}")
        RULES[known.id] = known

    return register


def expect(expected: object, found: object, what: str = "") -> None:
    """Breaks the rule unless both are the same.

    Raises:
        BrokenError: they are not.
    """
    if expected != found:
        before = f"{what} " if what else ""
        raise BrokenError(f"{before}{expected!r}", repr(found))
