"""Events to look at: those that became wrong, that are new and wrong, or that have another label, as tables."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from atlas_web import words
from atlas_web.drops.newly_wrong import Compared, Group, compared
from atlas_web.predicted import Predicted
from atlas_web.selection import Event, Selection
from explainability.figures.words import listed
from ui import formats

MOST_ROWS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An event; its id is a link if it was explained."""

    id: SafeString
    truth: str
    predicted: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A group of events: what it is, how often the model errs on it, and the first of those to look at."""

    id: str
    title: str
    text: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """The part of the page about events.

    Attributes:
        finding: what it says, in a sentence.
        last: the head of the tables' last column; empty if there is none.
        tables: of the groups that have events to look at.
        others: what is said of the other groups.
    """

    finding: str
    last: str
    tables: Sequence[Table]
    others: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The predictions of both results, with the newer one's key, which of its events were explained, and versions."""

    then: Predicted
    now: Predicted
    explained: np.ndarray
    benchmark: int
    versions: tuple[int, int]


def examples(sides: Sides) -> Examples:
    """What both results say event by event.

    Raises:
        CannotCompareError: events cannot be told apart, or are too many.
    """
    found = compared(sides.then, sides.now)
    before, numbers = f"v{sides.versions[0]}", sides.now.is_regression
    broken, new = ("Farther off", "New, and farthest off") if numbers else ("Newly wrong", "New, and wrong")
    groups = (
        ("shared", found.shared, broken, f"Also in {before}, with the same truth"),
        ("added", found.added, new, f"Not in {before}"),
        ("relabelled", found.relabelled, "With another truth", f"In {before} with another truth"),
    )
    tables = [_table(sides, *each) for each in groups if each[1].rows]
    return Examples(
        finding=_finding(found, sides),
        last=_last(sides.now),
        tables=[table for table in tables if table.rows],
        others=[table.text for table in tables if not table.rows],
    )


def _table(sides: Sides, name: str, group: Group, title: str, what: str) -> Table:
    everything = Selection(of=sides.now, explained=sides.explained, places=group.worst)
    return Table(
        id=f"events-{name}",
        title=title,
        text=f"{what}: {words.plural(group.rows, 'event')}{_rates(group, sides)}.{_cut(group)}",
        rows=[_row(event, sides) for event in everything[:MOST_ROWS]],
    )


def _last(now: Predicted) -> str:
    """What is told of each event besides its truth and its prediction."""
    if now.is_regression:
        return "Off by"
    return "" if np.isnan(now.confidence).all() else "Confidence"


def _cut(group: Group) -> str:
    return f" The {MOST_ROWS} worst of {len(group.worst):,} to look at." if len(group.worst) > MOST_ROWS else ""


def _rates(group: Group, sides: Sides) -> str:
    """How often the model errs on a group, and erred before if that is known."""
    if sides.now.is_regression:
        then = "" if group.was_wrong is None else f", {formats.figure(group.was_wrong)} before"
        return f", {formats.figure(group.wrong)} off on average{then}"
    then = "" if group.was_wrong is None else f", {formats.share(group.was_wrong)} before"
    return f", {formats.share(group.wrong)} of them wrong{then}"


def _row(event: Event, sides: Sides) -> Row:
    mono = format_html('<span class="mono">{}</span>', event.id)
    href = reverse("event", args=[sides.benchmark, event.id]) if event.is_explained else ""
    return Row(
        id=format_html('<a class="mono" href="{}">{}</a>', href, event.id) if href else mono,
        truth=words.told(event.truth),
        predicted=words.told(event.predicted),
        confidence=formats.figure(event.error) if sides.now.is_regression else formats.share(event.confidence),
    )


def _finding(found: Compared, sides: Sides) -> str:
    """Whether it is the events of before, those that are new, or those with another label that went wrong."""
    before, _ = sides.versions
    if not found.shared.rows and not found.relabelled.rows:
        return f"No event is in v{before} too, so the events are others altogether."
    broken = len(found.shared.worst)
    if broken:
        verb = "is" if broken == 1 else "are"
        became = f"{verb} farther from the truth than before" if sides.now.is_regression else "became wrong"
        more = f"{words.plural(broken, 'event')} of v{before} {became}, {found.mended:,} the other way: "
        return f"{more}the model is the same, so the data of these events changed, or the way to the model."
    return f"The events of v{before} are answered as before: {_by_others(found)}."


def _by_others(found: Compared) -> str:
    """What changed the metric, if no event did that both have."""
    parts = [
        (found.added.rows, words.plural(found.added.rows, "new event")),
        (found.relabelled.rows, f"{words.plural(found.relabelled.rows, 'event')} with another truth"),
        (found.gone, f"{words.plural(found.gone, 'event')} that went"),
    ]
    told = [text for rows, text in parts if rows]
    return f"what changed comes from {listed(told)}" if told else "nothing changed"
