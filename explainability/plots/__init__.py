"""Figures of explanations as pictures, for reports: what pages show, in the same words and colours."""

from typing import Literal

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
