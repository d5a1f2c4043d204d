"""Colours, axes, names and legends that all pictures share. Colours are those of the pages' light theme."""

from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

INK, MUTED, LINE, STRONG, SURFACE = "#1a2230", "#566172", "#dde1e7", "#858f9e", "#ffffff"
ACCENT, SECOND, BAD, PALE, DEEP = "#2556c2", "#c8700f", "#b3261e", "#d5e2f6", "#2f5dac"

VALUES = LinearSegmentedColormap.from_list("values", [ACCENT, STRONG, SECOND])
"""From low values of a feature to high ones."""
EFFECTS = LinearSegmentedColormap.from_list("effects", [SECOND, SURFACE, ACCENT])
"""From effects that lower the answer, over none, to those that raise it."""
ANSWERS = LinearSegmentedColormap.from_list("answers", [PALE, DEEP])
SHARES = LinearSegmentedColormap.from_list("shares", [SURFACE, DEEP])
"""From none of something to all of it."""

FILLS: tuple[dict[str, Any], ...] = (
    {"facecolor": ACCENT, "edgecolor": ACCENT},
    {"facecolor": SECOND, "edgecolor": SECOND},
    {"facecolor": SURFACE, "edgecolor": ACCENT, "hatch": "////"},
    {"facecolor": SURFACE, "edgecolor": SECOND, "hatch": "\\\\\\\\"},
    {"facecolor": SURFACE, "edgecolor": MUTED, "hatch": "...."},
)
"""Fills that differ in more than their hue."""
STRIPED = FILLS[3]

RC: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": STRONG,
    "axes.grid": True,
    "axes.labelcolor": MUTED,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9,
    "grid.color": LINE,
    "hatch.linewidth": 1.0,
    "legend.frameon": False,
    "legend.labelcolor": MUTED,
    "svg.fonttype": "none",
    "svg.hashsalt": "atlas",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
}
"""What matplotlib is told; names with dollars are no formulas, and an SVG's texts stay texts."""

MOST_LETTERS = 36
LETTER = 7
"""The width of a letter, in hundredths of an inch."""


def shorten(name: str, most: int = MOST_LETTERS) -> str:
    """A name whose middle is left out if it is long."""
    if len(name) <= most:
        return name
    head = most // 2
    return f"{name[:head]}…{name[len(name) - (most - 1 - head) :]}"


def title(axis: str, note: str = "") -> str:
    """What an axis means, and below that what the word for it means."""
    return f"{axis}\n{note}" if note else axis


def rows(axes: Any, names: Sequence[str], places: Sequence[float] | None = None) -> list[float]:
    """Names the rows of axes, downwards from 0 if nothing else is said; gives where they are."""
    found = list(places) if places is not None else [-float(row) for row in range(len(names))]
    axes.set_yticks(found, [shorten(name) for name in names], color=INK)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    if found:
        axes.set_ylim(min(found) - 0.6, max(found) + 0.6)
    return found


def legend(page: Any, handles: Sequence[Any]) -> None:
    """Says above all axes what marks stand for."""
    longest = max(len(handle.get_label()) for handle in handles)
    columns = int(100 * page.get_figwidth()) // (LETTER * (longest + 8))
    page.legend(handles=handles, loc="outside upper left", ncols=max(min(columns, len(handles)), 1))


def patch(name: str, fill: dict[str, Any]) -> Patch:
    """A legend's entry for a fill."""
    return Patch(label=shorten(name), linewidth=0.8, **fill)


def mark(name: str, marker: str, color: str, **own: Any) -> Line2D:
    """A legend's entry for a mark."""
    return Line2D([], [], label=shorten(name), marker=marker, color=color, linestyle="none", **own)


def stroke(name: str, color: str, **own: Any) -> Line2D:
    """A legend's entry for a line."""
    return Line2D([], [], label=shorten(name), color=color, **own)


def values(handles_of: str, some_missing: bool) -> list[Line2D]:
    """The legend of points that are coloured by a feature's values."""
    known = [mark(f"low {handles_of}", "o", ACCENT), mark(f"high {handles_of}", "o", SECOND)]
    return [*known, *([mark("missing", "x", MUTED)] if some_missing else [])]


def percent(axis: Any) -> None:
    """Writes an axis of shares as per cent."""
    write: Callable[[float, int], str] = lambda share, _: f"{100 * share:.0f}\N{NARROW NO-BREAK SPACE}%"  # noqa: E731
    axis.set_major_formatter(write)
