"""Prints figures: the page that each gets, and the file that it becomes."""

import re
from collections.abc import Callable
from functools import partial
from io import BytesIO
from threading import Lock
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure as Page

from explainability.figures import Figure
from explainability.plots import Format, events, importances, models, style

DOTS = 100
"""Pixels of an inch."""
ROW, MARGINS, USUAL = 26, 110, 420
"""How high a row is, what is above and below all rows, and how high a figure without rows is; in pixels."""

_DRAW: dict[str, Callable[[Any, Any], None]] = {
    "importance": importances.importance,
    "importance_history": importances.importance_history,
    "comparison": importances.comparison,
    "swarm": events.swarm,
    "paths": events.paths,
    "heat": events.heat,
    "waterfall": events.waterfall,
    "opinions": events.opinions,
    "dependence": events.dependence,
    "effect_lines": models.effect_lines,
    "tree": models.tree,
}
_ROWS: dict[str, float] = {"heat": 1.6, "opinions": 1.4, "swarm": 1.3}
"""How many times as high as usual some figures' rows are."""
_UNDATED = {"png": {"Software": None}, "svg": {"Date": None}}
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]|\ufffe|\uffff".encode())
"""What a name may hold and no XML may, in UTF-8."""
_one_at_a_time = Lock()
"""matplotlib's settings belong to the whole process."""


def printed(figure: Figure, *, format: Format, width: int, scale: float) -> bytes:  # noqa: A002
    """The figure as a file; see `explainability.plots.draw`."""
    return drawn(partial(_DRAW[figure.kind], figure), width=width, height=_height(figure), format=format, scale=scale)


def drawn(
    draw: Callable[[Any], None],
    *,
    width: float,
    height: float,
    format: Format,  # noqa: A002
    scale: float,
) -> bytes:
    """A page as a file; see `explainability.plots.draw_page`."""
    file = BytesIO()
    with _one_at_a_time, mpl.rc_context(style.RC):
        page = Page(figsize=(width / DOTS, height / DOTS), dpi=DOTS * scale, layout="constrained")
        draw(page)
        page.savefig(file, format=format, metadata=_UNDATED[format])
    return _NO_XML.sub(b"", file.getvalue()) if format == "svg" else file.getvalue()


def _height(figure: Figure) -> float:
    rows = getattr(figure, "leaves", 0) or len(getattr(figure, "features", ()))
    return max(MARGINS + ROW * rows * _ROWS.get(figure.kind, 1.0), 200) if rows else USUAL
