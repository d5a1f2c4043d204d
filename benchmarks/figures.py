"""The command line of a measurement, and the figures that it prints beside what they should be."""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

Figures = dict[str, float]
Targets = Mapping[str, tuple[str, float]]
"""For each figure, whether it should be ≥ or ≤ a number, and which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for on the command line.

    Attributes:
        only: the parts to measure.
        rounds: how often each is measured.
        quick: whether it need only work, on small models and data.
        as_json: whether figures are printed as one object.
    """

    only: tuple[str, ...]
    rounds: int
    quick: bool
    as_json: bool


def wish(description: str, parts: Iterable[str], *, rounds: int) -> Wish:
    """What is asked for; all parts and so many rounds where nothing is said."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    names = list(parts)
    parser.add_argument("--json", action="store_true", help="print one object of the named figures")
    parser.add_argument(
        "--quick", action="store_true", help="small models and data: says whether it works, not how fast"
    )
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="PART", help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=rounds, help="how often each is measured")
    found = parser.parse_args()
    return Wish(only=tuple(found.only), rounds=found.rounds, quick=found.quick, as_json=found.json)


def tell(figures: Figures, targets: Targets, *, as_json: bool) -> None:
    """Print the figures as one object, or as a table for people."""
    if as_json:
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        show(figures, targets)


def reached(targets: Targets, figure: str, value: float) -> bool:
    """Whether a figure is as good as it should be."""
    direction, target = targets[figure]
    return value >= target if direction == "≥" else value <= target


def show(figures: Figures, targets: Targets) -> None:
    """Print the figures with their targets, then all others."""
    table = Table("Figure", "Value", "Target", "")
    for name in [name for name in targets if name in figures]:
        direction, target = targets[name]
        verdict = "" if reached(targets, name, figures[name]) else "missed"
        table.add_row(name, f"{figures[name]:.3f}", f"{direction} {target:g}", verdict)
    console = Console()
    console.print(table)
    for name in [name for name in figures if name not in targets]:
        console.print(f"{name}: {figures[name]:,.3f}")
