"""The charts of a report, as SVG, in the look of the explanations' pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from atlas.results import Explanation
from atlas_web import words
from explainability import figures, plots
from ui import formats

WIDTH = 680
"""Of a chart, in hundredths of an inch: as wide as the text of an A4 page."""
HEIGHT = 240
SQUARE = 270
"""How high a chart is whose both directions matter."""
ROW = 165
"""How high a row of small charts is."""
ACROSS = 3
"""How many small charts are side by side."""
MOST_CLASSES_WITH_NUMBERS = 10
MOST_NAMED_CLASSES = 24
"""Of more classes a confusion matrix shows no names: they could not be read."""
MOST_BARS = 8
MOST_LINES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A metric over dataset versions: its name, and for each version its value and the ends of its interval."""

    title: str
    values: Sequence[float | None]
    low: Sequence[float | None]
    high: Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A confusion matrix and what it is of: `counts[i][j]` events of class i were predicted as class j."""

    title: str
    classes: Sequence[str]
    counts: Sequence[Sequence[int]]


def history(versions: Sequence[str], line: Line) -> str:
    """A metric over versions, with its intervals."""
    return _drawn(partial(_history, versions, line), HEIGHT)


def histories(versions: Sequence[str], lines: Sequence[Line]) -> str:
    """Several metrics over versions, each in a small chart of its own."""
    rows = -(-len(lines) // ACROSS)
    return _drawn(partial(_histories, versions, lines, rows), ROW * rows)


def confusion(matrices: Sequence[Matrix]) -> str:
    """Confusion matrices side by side, coloured by the share of each row."""
    return _drawn(partial(_matrices, matrices), SQUARE)


def residuals(truth: Sequence[float], predicted: Sequence[float], target: str) -> str:
    """Predicted over true values, and the line on which they are the same."""
    return _drawn(partial(_residuals, truth, predicted, target), SQUARE)


def importance(found: Explanation) -> tuple[str, str, str]:
    """The greatest importances of an explanation, the same in words, and what the others have together."""
    figure = figures.importance(found, most=MOST_BARS, of_columns=bool(found.column_importances))
    note = ""
    if figure.hidden:
        rest = formats.share(figure.totals[-1] / (sum(figure.totals) or 1.0), 0)
        note = f"{words.plural(figure.hidden, 'other')} have {rest} of all effects together."
    return plots.draw(_own_bars(figure), format="svg", width=WIDTH).decode(), figure.label, note


def _own_bars(figure: figures.Importances) -> figures.Importances:
    """Without the bar of all others, beside which those that matter would be small."""
    if not figure.hidden:
        return figure
    return replace(
        figure,
        features=figure.features[:-1],
        values=[values[:-1] for values in figure.values],
        totals=figure.totals[:-1],
        whiskers=figure.whiskers[:-1],
        hidden=0,
    )


def importance_history(versions: Sequence[str], found: Sequence[Explanation | None]) -> tuple[str, str]:
    """How the shares of the most important features moved over versions, and that in words."""
    figure = figures.importance_history(versions, found, most=MOST_LINES)
    return plots.draw(figure, format="svg", width=WIDTH).decode(), figure.label


def _drawn(draw: Callable[[Any], None], height: int) -> str:
    return plots.draw_page(draw, width=WIDTH, height=height, format="svg").decode()


def _history(versions: Sequence[str], line: Line, page: Any) -> None:
    axes = page.subplots()
    _line(axes, versions, line, most_names=12)
    axes.set_ylabel(line.title)
    axes.set_xlabel("Dataset version")


def _histories(versions: Sequence[str], lines: Sequence[Line], rows: int, page: Any) -> None:
    places = list(page.subplots(rows, ACROSS, squeeze=False).flat)
    for axes, line in zip(places, lines, strict=False):
        _line(axes, versions, line, most_names=4)
        axes.set_title(_style().shorten(line.title, 30), loc="left", fontsize="medium")
    for axes in places[len(lines) :]:
        axes.set_axis_off()


def _line(axes: Any, versions: Sequence[str], line: Line, *, most_names: int) -> None:
    style = _style()
    values, low, high = (np.array(part, dtype=float) for part in (line.values, line.low, line.high))
    places = np.arange(len(versions))
    axes.vlines(places, low, high, color=style.ACCENT, alpha=0.45, linewidth=2)
    axes.plot(places, values, color=style.ACCENT, linewidth=1.5, marker="o", markersize=4)
    step = -(-len(versions) // most_names)
    named = places[::-1][::step][::-1]
    axes.set_xticks(named, [versions[place] for place in named])
    axes.set_xlim(-0.5, max(len(versions) - 0.5, 0.5))
    axes.grid(visible=False, axis="x")


def _matrices(matrices: Sequence[Matrix], page: Any) -> None:
    for axes, matrix in zip(page.subplots(1, 2, squeeze=False).flat, matrices, strict=False):
        _matrix(axes, matrix)
    for axes in page.axes[len(matrices) :]:
        axes.set_axis_off()


def _matrix(axes: Any, matrix: Matrix) -> None:
    style = _style()
    counts = np.array(matrix.counts, dtype=float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    are_many = len(matrix.classes) > MOST_NAMED_CLASSES
    edges = np.arange(len(matrix.classes) + 1) - 0.5
    axes.pcolormesh(edges, edges, shares, cmap=style.SHARES, vmin=0, vmax=1, rasterized=are_many)
    axes.invert_yaxis()
    places = () if are_many else range(len(matrix.classes))
    names = [style.shorten(name, 14) for name in matrix.classes[: len(places)]]
    turned = 90 if max(map(len, names), default=0) * len(names) > 32 else 0
    axes.set_xticks(places, names, rotation=turned)
    axes.set_yticks(places, names)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_title(matrix.title, loc="left", fontsize="medium")
    axes.set_xlabel("Predicted")
    axes.set_ylabel("True")
    if len(matrix.classes) <= MOST_CLASSES_WITH_NUMBERS:
        _counts(axes, matrix.counts, shares)


def _counts(axes: Any, counts: Sequence[Sequence[int]], shares: np.ndarray) -> None:
    style = _style()
    for row, line in enumerate(counts):
        for column, count in enumerate(line):
            color = style.SURFACE if shares[row, column] > 0.55 else style.INK if count else style.STRONG
            axes.annotate(f"{count:,}", (column, row), ha="center", va="center", color=color, fontsize="small")


def _residuals(truth: Sequence[float], predicted: Sequence[float], target: str, page: Any) -> None:
    style = _style()
    axes = page.subplots()
    ends = [min(*truth, *predicted), max(*truth, *predicted)]
    axes.plot(ends, ends, color=style.STRONG, linewidth=1, linestyle="--")
    axes.scatter(truth, predicted, s=12, color=style.ACCENT, alpha=0.6, linewidths=0)
    axes.set_xlabel(f"True {style.shorten(target)}")
    axes.set_ylabel(f"Predicted {style.shorten(target, 24)}")


def _style() -> Any:
    """Colours and names; matplotlib takes long to load, and only who wants a report pays for it."""
    from explainability.plots import style

    return style
