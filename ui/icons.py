"""Heroicons as inline SVG: outline for the menu and empty states, mini in rows, micro in buttons and badges."""

from functools import cache
from typing import Any, Literal

from django.utils.safestring import SafeString
from heroicons.templatetags import heroicons

Kind = Literal["outline", "mini", "micro"]

_RENDER = {"outline": heroicons.heroicon_outline, "mini": heroicons.heroicon_mini, "micro": heroicons.heroicon_micro}


@cache
def icon(name: str, kind: Kind = "mini", css: str = "") -> SafeString:
    """The named icon, hidden from screen readers.

    Raises:
        heroicons.IconDoesNotExist: there is no icon of this name.
    """
    attributes: dict[str, Any] = {"class": f"ico ico-{kind} {css}".rstrip(), "aria-hidden": "true"}
    return SafeString(_RENDER[kind](name, **attributes))
