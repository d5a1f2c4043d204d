"""The cells of a matrix of scores: a colour, a number or a sign, and more on hover."""

from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString

from ui.icons import icon


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatCell:
    """One cell.

    Attributes:
        text: what stands in it.
        title: what it says on hover.
        css: its classes: `q1` to `q7` from worse to better, `w1` to `w3` for a change to the worse, `b1` to `b3`
            for one to the better, `q0` for neither; `is-best`, `is-drop`, `is-stale`; `glyph` with a tone for a sign.
        href: where it leads, if anywhere.
        glyph: an icon before the text.
        spoken: what a screen reader says where the text does not tell.
    """

    text: str
    title: str
    css: str
    href: str = ""
    glyph: str = ""
    spoken: str = ""

    def render(self) -> SafeString:
        """The cell as HTML: a link if it leads anywhere."""
        sign = icon(self.glyph, "micro") if self.glyph else ""
        spoken = format_html('<span class="visually-hidden">{}</span>', self.spoken) if self.spoken else ""
        inside = format_html("{}{}{}", sign, self.text, spoken)
        if self.href:
            return format_html('<a class="{}" href="{}" title="{}">{}</a>', self.css, self.href, self.title, inside)
        return format_html('<span class="{}" title="{}">{}</span>', self.css, self.title, inside)
