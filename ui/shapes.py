"""The geometry of small inline charts, in SVG's units with y pointing down. Pure functions."""

from collections.abc import Sequence

PAD = 3
"""Free space around a sparkline, so that its last point is not cut."""


WHISKER_PAD = 4
"""Free space at both ends of a whisker, so that its dot is not cut."""


def line(values: Sequence[float], width: int, height: int) -> list[tuple[float, float]]:
    """The points of a sparkline from left to right; its lowest value lies at the bottom, its highest at the top."""
    low, span = min(values), (max(values) - min(values)) or 1.0
    step = (width - 2 * PAD) / max(len(values) - 1, 1)
    scale = (height - 2 * PAD) / span
    return [
        (round(PAD + index * step, 1), round(height - PAD - (value - low) * scale, 1))
        for index, value in enumerate(values)
    ]


def bars(counts: Sequence[float], width: int, height: int) -> list[tuple[float, float, float, float]]:
    """The bars of a histogram as (x, y, width, height); empty bins have none, and any other is at least 1 high."""
    step, top = width / len(counts), max(counts) or 1
    tall = [1 + count / top * (height - 3) for count in counts]
    return [
        (round(index * step, 1), round(height - bar, 1), round(step - 1, 1), round(bar, 1))
        for index, (count, bar) in enumerate(zip(counts, tall, strict=True))
        if count > 0
    ]


def whisker(values: Sequence[float], ends: tuple[float, float], width: int) -> list[float]:
    """Where values lie on a line of this width that reaches from one end to the other."""
    start, end = ends
    scale = (width - 2 * WHISKER_PAD) / ((end - start) or 1.0)
    return [round(WHISKER_PAD + (value - start) * scale, 1) for value in values]


def heat(share: float) -> int:
    """The step, 1 to 7, of a heat cell's colour for a share between 0 and 1."""
    return 1 + sum(share >= limit for limit in (0.01, 0.05, 0.1, 0.2, 0.75, 0.85))
