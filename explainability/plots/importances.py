"""Pictures of importances."""

from typing import Any

import numpy as np

from explainability.figures import Comparison, ImportanceHistory, Importances, ShareLine
from explainability.plots import style

MARKERS = ("o", "D", "s", "^", "P", "v", "*", "X")
DASHES = ("-", "--", ":")
HUES = (style.ACCENT, style.SECOND, style.MUTED)


def importance(figure: Importances, page: Any) -> None:
    """Bars in a part for each output, with whiskers."""
    axes = page.subplots()
    places = style.rows(axes, figure.features)
    start = np.zeros(len(places))
    for values, fill in zip(figure.values, style.FILLS, strict=False):
        axes.barh(places, values, left=start, height=0.65, linewidth=0.8, **fill)
        start = start + values
    for place, total, half in zip(places, figure.totals, figure.whiskers, strict=True):
        if half is not None:
            axes.errorbar(total, place, xerr=half, color=style.INK, capsize=2.5, linewidth=1)
    axes.set_xlim(left=0)
    axes.set_xlabel(style.title(figure.axis, figure.note))
    if len(figure.outputs) > 1:
        style.legend(page, list(map(style.patch, figure.outputs, style.FILLS)))


def importance_history(figure: ImportanceHistory, page: Any) -> None:
    """A line for each feature."""
    axes = page.subplots()
    handles = [_line(axes, line, number) for number, line in enumerate(figure.lines)]
    axes.set_xticks(range(len(figure.versions)), figure.versions)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("Dataset version")
    axes.set_ylabel(figure.axis)
    style.percent(axes.yaxis)
    if handles:
        style.legend(page, handles)


def _line(axes: Any, line: ShareLine, number: int) -> Any:
    own: dict[str, Any] = {
        "color": HUES[number % len(HUES)],
        "linestyle": DASHES[number // len(HUES) % len(DASHES)],
        "linewidth": 1.5 if number else 2.5,
        "marker": MARKERS[number % len(MARKERS)],
    }
    values, low, high = (np.array(part, dtype=float) for part in (line.values, line.low, line.high))
    axes.plot(range(len(values)), values, **own)
    axes.vlines(range(len(values)), low, high, color=own["color"], alpha=0.5, linewidth=1)
    return style.stroke(line.name, **own)


def comparison(figure: Comparison, page: Any) -> None:
    """A mark for each model, joined for each feature."""
    axes = page.subplots()
    places = style.rows(axes, figure.features)
    for place, one, other in zip(places, figure.first, figure.second, strict=True):
        if one is not None and other is not None:
            axes.plot([one, other], [place + 0.12, place - 0.12], color=style.STRONG, linewidth=1.5, zorder=1)
        else:
            share, shift = (one, 0.12) if one is not None else (other, -0.12)
            axes.annotate("  only here", (share, place + shift), color=style.MUTED, va="center")
    _marks(axes, figure.first, figure.first_whiskers, [place + 0.12 for place in places], "o", style.ACCENT)
    _marks(axes, figure.second, figure.second_whiskers, [place - 0.12 for place in places], "D", style.SECOND)
    axes.set_xlim(left=0)
    axes.set_xlabel(figure.axis)
    style.percent(axes.xaxis)
    first, second = figure.names
    style.legend(page, [style.mark(first, "o", style.ACCENT), style.mark(second, "D", style.SECOND)])


def _marks(axes: Any, shares: Any, whiskers: Any, places: list[float], marker: str, color: str) -> None:
    known, halves = np.array(shares, dtype=float), np.nan_to_num(np.array(whiskers, dtype=float))
    axes.errorbar(
        known, places, xerr=halves, fmt=marker, color=color, markersize=6, capsize=2.5, linewidth=1, elinewidth=1
    )
