"""Pictures of explained events."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from explainability.figures import Dependence, Heat, Opinions, Paths, Swarm, Waterfall, words
from explainability.plots import style

FAR_RIGHT = 1.02
"""Where the column of numbers beside a waterfall begins, in widths of its axes."""


def swarm(figure: Swarm, page: Any) -> None:
    """A row of points for each feature."""
    axes = page.subplots()
    places = style.rows(axes, figure.features)
    axes.axvline(0, color=style.STRONG, linewidth=1, zorder=1)
    heights = np.array(figure.offsets, dtype=float) + np.array(places)[:, None]
    ranks = np.array(figure.ranks, dtype=float)
    _points(axes, np.array(figure.effects), heights, ranks, size=9)
    axes.set_xlabel(style.title(figure.axis, figure.note))
    style.legend(page, style.values("value", bool(np.isnan(ranks).any())))


def dependence(figure: Dependence, page: Any) -> None:
    """A point for each event, coloured by the partner."""
    axes = page.subplots()
    axes.axhline(0, color=style.STRONG, linewidth=1, zorder=1)
    ranks = np.array(figure.ranks, dtype=float) if figure.partner else np.zeros(len(figure.events))
    _points(axes, np.array(figure.values), np.array(figure.effects), ranks, size=14)
    axes.set_xlabel(figure.feature)
    axes.set_ylabel(style.title(figure.axis, figure.note))
    if figure.partner:
        style.legend(page, style.values(figure.partner, bool(np.isnan(ranks).any())))


def _points(axes: Any, across: np.ndarray, up: np.ndarray, ranks: np.ndarray, size: float) -> None:
    known = np.isfinite(ranks)
    axes.scatter(
        across[known], up[known], s=size, c=ranks[known], cmap=style.VALUES, vmin=0, vmax=1, alpha=0.85, linewidths=0
    )
    axes.scatter(across[~known], up[~known], s=size, color=style.MUTED, marker="x", linewidths=0.9)


def paths(figure: Paths, page: Any) -> None:
    """A line for each event, those that end wrong dashed."""
    axes = page.subplots()
    style.rows(axes, figure.features, [step + 0.5 for step in range(len(figure.features))])
    axes.set_ylim(-0.5, len(figure.features) + 0.05)
    axes.hlines(
        range(len(figure.features)), 0, 1, transform=axes.get_yaxis_transform(), color=style.LINE, linewidth=0.8
    )
    axes.axvline(figure.base, color=style.STRONG, linewidth=1, linestyle=":")
    axes.annotate(f"average {words.number(figure.base)}", (figure.base, -0.28), ha="center", color=style.MUTED)
    for wrong, path in sorted(zip(figure.wrong, figure.paths, strict=True), key=lambda each: each[0]):
        axes.plot(path, range(len(path)), **(WRONG if wrong else RIGHT))
    axes.grid(visible=False, axis="x")
    axes.set_xlabel(style.title(figure.axis, figure.note))
    if any(figure.wrong):
        style.legend(page, [style.stroke("predicted right", **RIGHT), style.stroke("predicted wrong", **WRONG)])


RIGHT: dict[str, Any] = {"color": style.ACCENT, "linewidth": 0.9, "alpha": 0.45}
WRONG: dict[str, Any] = {"color": style.BAD, "linewidth": 1.5, "linestyle": "--"}


def heat(figure: Heat, page: Any) -> None:
    """A field for each feature and event, and the answers above."""
    above, axes = page.subplots(2, 1, sharex=True, height_ratios=[1, max(len(figure.features) / 3, 1)])
    above.plot(range(len(figure.events)), figure.answers, color=style.INK, linewidth=0.9, marker=_dot(figure.events))
    above.axhline(figure.base, color=style.STRONG, linewidth=1, linestyle=":")
    above.set_title(figure.answer_axis, loc="left", fontsize="medium", color=style.MUTED)
    style.rows(axes, figure.features)
    limit, rows, columns = figure.limit or 1.0, len(figure.features), len(figure.events)
    axes.imshow(
        np.array(figure.effects, dtype=float).reshape(rows, columns)[::-1],
        aspect="auto",
        cmap=style.EFFECTS,
        vmin=-limit,
        vmax=limit,
        extent=(-0.5, max(columns, 1) - 0.5, 0.5 - max(rows, 1), 0.5),
        interpolation="nearest",
        origin="lower",
    )
    axes.set_xticks([])
    axes.grid(visible=False)
    axes.set_xlabel(style.title(f"{figure.axis}, event by event", figure.note))
    style.legend(
        page,
        [
            style.patch(f"≤ {words.signed(-limit)}", {"facecolor": style.SECOND, "edgecolor": style.STRONG}),
            style.patch("no effect", {"facecolor": style.SURFACE, "edgecolor": style.STRONG}),
            style.patch(f"≥ {words.signed(limit)}", {"facecolor": style.ACCENT, "edgecolor": style.STRONG}),
        ],
    )


def _dot(events: Sequence[str]) -> str:
    """A line through one event would not be seen."""
    return "o" if len(events) == 1 else ""


def waterfall(figure: Waterfall, page: Any) -> None:
    """A bar for each effect, from the average below to the answer above."""
    axes = page.subplots()
    names = ["answer", *_named(figure), "average"]
    places = style.rows(axes, names)
    ends = figure.base + np.cumsum(figure.effects[::-1])[::-1]
    starts = ends - figure.effects
    hues = [style.SECOND if effect < 0 else style.ACCENT for effect in figure.effects]
    axes.barh(places[1:-1], figure.effects, left=starts, color=hues, height=0.65)
    axes.vlines(starts, np.array(places[1:-1]) - 1, places[1:-1], color=style.STRONG, linewidth=0.8, zorder=1)
    axes.vlines(figure.answer, places[1], places[0], color=style.STRONG, linewidth=0.8, zorder=1)
    axes.plot(figure.answer, places[0], marker="D", color=style.INK)
    axes.plot(figure.base, places[-1], marker="o", color=style.MUTED, markerfacecolor=style.SURFACE)
    axes.use_sticky_edges = False
    axes.margins(x=0.04)
    numbers = [words.number(figure.answer), *map(words.signed, figure.effects), words.number(figure.base)]
    for place, number in zip(places, numbers, strict=True):
        axes.annotate(number, (FAR_RIGHT, place), xycoords=("axes fraction", "data"), va="center")
    axes.set_xlabel(style.title(figure.axis, figure.note))


def _named(figure: Waterfall | Opinions) -> list[str]:
    """The features with the event's values of them."""
    given = [f" = {value}" if value else "" for value in figure.given]
    return [
        style.shorten(name, style.MOST_LETTERS - len(value)) + value
        for name, value in zip(figure.features, given, strict=True)
    ]


def opinions(figure: Opinions, page: Any) -> None:
    """Two bars for each feature."""
    axes = page.subplots()
    places = np.array(style.rows(axes, _named(figure)))
    axes.axvline(0, color=style.STRONG, linewidth=1)
    axes.barh(places + 0.18, figure.shap, height=0.34, **style.FILLS[0])
    axes.barh(places - 0.18, figure.lime, height=0.34, **style.STRIPED)
    axes.set_xlabel(style.title(figure.axis, figure.note))
    style.legend(page, [style.patch("SHAP", style.FILLS[0]), style.patch("LIME", style.STRIPED)])
