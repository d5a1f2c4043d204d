"""Figures that a benchmark prints, beside what they should be."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

Figures = dict[str, float]
Targets = Mapping[str, tuple[str, float]]
"""For each figure, whether it should be ≥ or ≤ a number, and which."""


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
