"""Slices and classes that fell, and how much of the whole change each explains."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from atlas.paired import Finding
from atlas.results import BenchmarkResult
from atlas_web.drops import card
from atlas_web.drops.asked import Asked
from atlas_web.drops.card import Reason
from monitoring.slices import Fall, Part, fallen_classes, fallen_slices
from ui import components, formats

MOST_ROWS = 8
ENOUGH = 0.2
"""A part explains something of its own if its share of the change is larger than its share of the events by this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A slice or a class, as its row shows it. `rows` are its events before and now."""

    name: str
    before: SafeString
    now: SafeString
    change: SafeString
    within: str
    mixture: str
    explained: str
    rows: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A card of slices or of classes.

    Attributes:
        id: of its element.
        finding: what it says, in a sentence.
        measure: what the rows are measured by.
        rows: the ones that fell most first.
        hidden: how many more there are.
        adds_up: whether it is known what each part explains.
        reason: what it says of why the metric changed, if anything.
    """

    id: str
    finding: str
    measure: str
    rows: Sequence[Row]
    hidden: int
    adds_up: bool
    reason: Reason | None


def slices(asked: Asked, before: BenchmarkResult, now: BenchmarkResult) -> Parts | None:
    """The slices of all columns by the metric that is asked for; None if none were measured of both."""
    falls = fallen_slices(before, now, asked.now.name)
    found = [fall for fall in falls if fall.before or fall.after]
    if not found:
        return None
    return _parts("slices", asked.title, found, asked.noun, greater_is_better=asked.now.greater_is_better)


def classes(asked: Asked, before: BenchmarkResult, now: BenchmarkResult) -> Parts | None:
    """The classes by their recall, with what they explain of accuracy; None if accuracy was not measured, or of a
    regression."""
    found = fallen_classes(before, now)
    accuracies = [next((each.value for each in of.metrics if each.name == "accuracy"), None) for of in (before, now)]
    if not found or None in accuracies:
        return None
    noun = "fall" if (accuracies[1] or 0.0) < (accuracies[0] or 0.0) else "rise"
    whole = noun if asked.now.name == "accuracy" else f"{noun} of accuracy"
    return _parts("classes", "Recall", found, whole, greater_is_better=True)


def _parts(id: str, measure: str, falls: Sequence[Fall], noun: str, *, greater_is_better: bool) -> Parts:  # noqa: A002
    adds_up = any(fall.explained is not None for fall in falls)
    main = _main(falls)
    reason = Reason(text=_sentence(main, measure, noun), card=id, weight=_excess(main)) if main else None
    return Parts(
        id=id,
        finding=reason.text if reason else _none(id, noun, adds_up=adds_up),
        measure=measure,
        rows=[_row(fall, greater_is_better=greater_is_better) for fall in falls[:MOST_ROWS]],
        hidden=max(len(falls) - MOST_ROWS, 0),
        adds_up=adds_up,
        reason=reason,
    )


def _none(id: str, noun: str, *, adds_up: bool) -> str:  # noqa: A002
    if adds_up:
        return f"None of the {id} explains more of the {noun} than its share of the events."
    return f"None of the {id} does worse than before by more than noise."


def _main(falls: Sequence[Fall]) -> Fall | None:
    """The part that explains most of the change beyond its share of the events; where parts do not add up, the first
    one that fell by more than noise."""
    telling = [fall for fall in falls if _excess(fall) >= ENOUGH and _is_sure(fall)]
    if telling:
        return max(telling, key=_excess)
    unsummed = (fall for fall in falls if fall.explained is None and fall.difference.finding is Finding.WORSE)
    return next(unsummed, None)


def _is_sure(fall: Fall) -> bool:
    """Whether it is no chance: what it explains comes from how many events there are, or it fell by more than noise."""
    return _is_mixture(fall) or fall.difference.finding is Finding.WORSE


def _is_mixture(fall: Fall) -> bool:
    return abs(fall.mixture or 0.0) > abs(fall.within or 0.0)


def _excess(fall: Fall) -> float:
    """The share of the change that it explains, less its share of the events; 0 where the former is not known."""
    if fall.explained is None:
        return 0.0
    return min(fall.explained, 1.0) - sum(_shares(fall)) / 2


def _shares(fall: Fall) -> tuple[float, float]:
    before, now = (part.share if part else 0.0 for part in (fall.before, fall.after))
    return before, now


def name(fall: Fall) -> str:
    """A slice as `car B`, a class as itself."""
    return f"{fall.column} {fall.value}".strip()


def _sentence(fall: Fall, measure: str, noun: str) -> str:
    if fall.explained is None:
        return f"{name(fall)} fell most: {measure} {_moved(fall)}, more than noise."
    part = f"{formats.share(min(fall.explained, 1.0), 0)} of the {noun} comes from {name(fall)}"
    before, now = (formats.share(share, 0) for share in _shares(fall))
    if not _is_mixture(fall):
        return f"{part}, which is {now} of the events: {measure} {_moved(fall)}, more than noise."
    instead = f"instead of {before}" if fall.before else "and had none, or few"
    known = formats.num(_value(fall.after or fall.before))
    return f"{part} ({measure} {known}), which now has {now} of the events {instead}."


def _moved(fall: Fall) -> str:
    return card.moved(_value(fall.before), _value(fall.after))


def _value(part: Part | None) -> float | None:
    return part.metric.value if part else None


def _row(fall: Fall, *, greater_is_better: bool) -> Row:
    return Row(
        name=name(fall),
        before=_score(fall.before),
        now=_score(fall.after),
        change=card.change(fall.difference, greater_is_better=greater_is_better),
        within=formats.num(fall.within, sign=True),
        mixture=formats.num(fall.mixture, sign=True),
        explained=formats.share(fall.explained, 0),
        rows=" → ".join(formats.num(part.rows, 0) if part else formats.NOTHING for part in (fall.before, fall.after)),
    )


def _score(part: Part | None) -> SafeString:
    if part is None:
        return components.nothing()
    return components.interval(part.metric.value, part.metric.low, part.metric.high, above="xl")
