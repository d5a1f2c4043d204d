"""The side menu. A page is listed once its address has the name given here: a process shows the pages it serves."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from atlas.access import Right


@dataclass(frozen=True)
class Entry:
    """One line of the menu: the name of the page's URL, its text and icon; `apart` starts a new
    group, and only those who have the right that it needs see it.

    A page of another process has no such name, but a `setting` that says where it is; it is listed if that says so.
    """

    url_name: str
    text: str
    glyph: str
    apart: bool = False
    needs: Right | None = None
    setting: str = ""


MENU = (
    Entry("home", "Home", "home"),
    Entry("models", "Models", "cube"),
    Entry("benchmarks", "Benchmarks", "chart-bar"),
    Entry("datasets", "Datasets", "circle-stack"),
    Entry("matrix", "Matrix", "table-cells"),
    Entry("leaderboard", "Leaderboard", "trophy"),
    Entry("alchemy", "Alchemy", "beaker"),
    Entry("predict", "Predict", "sparkles"),
    Entry("gates", "Gates", "shield-check"),
    Entry("alerts", "Alerts", "bell"),
    Entry("recordings", "Recordings", "signal"),
    Entry("viewer", "Signals", "signal"),
    Entry("tags", "Tags", "tag"),
    Entry("", "Recordings", "signal", setting="ATLAS_INGESTION_PAGES"),
    Entry("logs", "Logs", "document-text", apart=True),
    Entry("audit", "Audit log", "clipboard-document-list", needs=Right.ADMINISTER),
    Entry("administration", "Administration", "cog-6-tooth"),
    Entry("api-v1:openapi-view", "API", "code-bracket"),
    Entry("", "Dashboard", "presentation-chart-line", apart=True, setting="ATLAS_DASHBOARD_URL"),
)


@dataclass(frozen=True)
class Link:
    """An entry on a page: where it leads, whether the page lies there, and how much there is to look at."""

    entry: Entry
    href: str
    here: bool
    count: int = 0


def links(
    request: HttpRequest,
    may: Mapping[str, bool],
    menu: tuple[Entry, ...] = MENU,
    counts: Mapping[str, Callable[[], int]] | None = None,
) -> Iterator[Link]:
    """The entries that exist in this process and that whoever has these rights may open.

    `counts` has what finds out how much there is to look at behind an entry, by the name of its URL.
    """
    for entry in menu:
        href = _address(entry)
        if href and (entry.needs is None or may.get(entry.needs, False)):
            count = (counts or {}).get(entry.url_name)
            yield Link(entry, href, _lies_below(request.path, entry, href), count() if count else 0)


def _address(entry: Entry) -> str | None:
    if entry.setting:
        return getattr(settings, entry.setting, "") or None
    try:
        return reverse(entry.url_name)
    except NoReverseMatch:
        return None


def _lies_below(path: str, entry: Entry, href: str) -> bool:
    """Whether a page is the entry's own or one of its details. Home lies above every page and has no details."""
    return path == href or (entry.url_name != "home" and path.startswith(href))
