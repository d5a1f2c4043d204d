"""Pictures of what a model does as a whole."""

from typing import Any

from explainability.figures import EffectLines, TreeFigure, TreePoint, words
from explainability.plots import style

MOST_LETTERS = 18
"""Of a feature's name at a node."""
CLEAR = {"facecolor": style.SURFACE, "edgecolor": "none", "pad": 0.8}
"""Keeps lines from running through a text."""


def effect_lines(figure: EffectLines, page: Any) -> None:
    """A thin line for each event, a bold one for their mean."""
    axes = page.subplots()
    for line in figure.lines:
        axes.plot(figure.grid, line, color=style.STRONG, linewidth=0.7, alpha=0.5)
    axes.plot(figure.grid, figure.mean, color=style.ACCENT, linewidth=2.5)
    axes.set_xlabel(figure.feature)
    axes.set_ylabel(style.title(figure.axis, figure.note))
    mean = style.stroke(f"mean of {figure.events}", style.ACCENT, linewidth=2.5)
    style.legend(page, [style.stroke("one event", style.STRONG, linewidth=0.7), mean])


def tree(figure: TreeFigure, page: Any) -> None:
    """The tree from its root at the left to its leaves at the right."""
    axes = page.subplots()
    axes.set_axis_off()
    for edge in figure.edges:
        start, end = figure.points[edge.start], figure.points[edge.end]
        axes.plot([start.x, end.x], [start.y, end.y], color=style.STRONG, linewidth=1, zorder=1)
        if edge.start == 0:
            middle = ((start.x + end.x) / 2, (start.y + end.y) / 2)
            axes.annotate(
                "yes" if edge.holds else "no", middle, ha="center", va="center", color=style.MUTED, bbox=CLEAR
            )
    axes.scatter(
        [point.x for point in figure.points],
        [point.y for point in figure.points],
        s=[40 + 200 * point.share for point in figure.points],
        c=[point.answer for point in figure.points],
        cmap=style.ANSWERS,
        edgecolors=style.STRONG,
        linewidths=0.8,
        zorder=2,
    )
    for point in figure.points:
        _say(axes, point)
    axes.set_xlim(-0.25, figure.depth + 0.45)
    axes.set_ylim(0.3 - figure.leaves, 0.8)
    page.supxlabel(style.title(f"{figure.axis} at each leaf", figure.note), fontsize="medium", color=style.MUTED)


def _say(axes: Any, point: TreePoint) -> None:
    if not point.feature:
        axes.annotate(f"   {words.number(point.answer)}", (point.x, point.y), va="center")
        return
    question = f"{style.shorten(point.feature, MOST_LETTERS)} {point.condition}"
    above = {"xytext": (0, 9), "textcoords": "offset points", "bbox": CLEAR}
    axes.annotate(question, (point.x, point.y), ha="center" if point.x else "left", va="bottom", **above)
