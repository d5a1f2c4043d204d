"""Figures of explanations as pictures, for reports: what pages show, in the same words and colours."""

from collections.abc import Callable
from typing import Any, Literal

from explainability.figures import Figure

Format = Literal["png", "svg"]


def draw(figure: Figure, *, format: Format = "png", width: int = 900, scale: float = 2.0) -> bytes:  # noqa: A002
    """A figure as a picture; the same figure gives the same bytes.

    Args:
        figure: of `explainability.figures`.
        format: `png` or `svg`; in the latter, texts stay texts.
        width: in pixels, of which 100 are an inch. The height follows from what is shown.
        scale: how many pixels of a PNG stand for each of these, so that it is sharp on paper.
    """
    # matplotlib takes longer to load than a page to answer: only who wants pictures pays for it.
    from explainability.plots.paper import printed

    return printed(figure, format=format, width=width, scale=scale)


def draw_page(
    draw: Callable[[Any], None],
    *,
    width: int = 900,
    height: int = 420,
    format: Format = "svg",  # noqa: A002
    scale: float = 2.0,
) -> bytes:
    """A picture of one's own in the look of all figures, for instance with the colours of `plots.style`.

    Args:
        draw: gets the empty page, a `matplotlib.figure.Figure`, and puts on it what is to be seen.
        width: in pixels, of which 100 are an inch.
        height: likewise.
        format: as that of `draw`.
        scale: likewise.
    """
    from explainability.plots.paper import drawn

    return drawn(draw, width=width, height=height, format=format, scale=scale)
