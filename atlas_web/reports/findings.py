"""The findings of a report in words: how good the model is, whether it gets better or worse, and its place. Pure.

Words follow the rules of `atlas.ranking`: two scores differ by more than noise where their 95 % intervals have no value
in common, and where an interval is not known, nobody says so.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from atlas.ranking import Place, Score, is_worse, ranked, tied, within_noise
from atlas.states import State
from atlas_web import words
from atlas_web.reports.document import Tone, Verdict
from storage.queries import Measured, ModelReport
from ui import formats

_NOT_DONE = {
    State.QUEUED: "waits to be measured",
    State.RUNNING: "is being measured",
    State.FAILED: "could not be measured",
    State.INCOMPATIBLE: "cannot be measured, as the data do not fit the model",
    State.CANCELLED: "was not measured, as somebody cancelled it",
}


def number(value: float | None, *, sign: bool = False) -> str:
    """A metric's value, or a difference of two: three decimals, of large numbers four digits."""
    if value is None or abs(value) < 100:
        return formats.num(value, sign=sign)
    return ("+" if sign and value > 0 else "") + formats.figure(value)


def interval(low: float | None, high: float | None) -> str:
    """A 95 % interval: `0.83 to 0.85`."""
    return formats.NOTHING if low is None or high is None else f"{number(low)} to {number(high)}"


def score(metric: Any) -> Score:
    """A metric with its interval."""
    return Score(metric.value, metric.low, metric.high) if metric else Score(None)


def verdicts(found: ModelReport) -> list[Verdict]:
    """All findings, the most important first."""
    newest = found.newest
    later = [_later(found.later)] if found.later else []
    if newest is None:
        return later or [_unmeasured(found)]
    said = [_level(found, newest)]
    if newest.primary and score(newest.primary).is_ranked:
        said += [*_trend(found, newest), *_standing(found, newest)]
    return said + later


def _unmeasured(found: ModelReport) -> Verdict:
    return Verdict("info", f"It has not been measured on {found.tag} yet, so this report says only what the model is.")


def _later(later: Any) -> Verdict:
    """What became of the benchmark on a version that is newer than all results."""
    reason = f": {later.reason}" if later.reason else "."
    tone: Tone = "warn" if later.state in (State.FAILED, State.INCOMPATIBLE) else "info"
    return Verdict(tone, f"On {later.dataset_version}, the newest version, it {_NOT_DONE[State(later.state)]}{reason}")


def _level(found: ModelReport, newest: Measured) -> Verdict:
    """How good it is on the newest version."""
    version = newest.benchmark.dataset_version
    on = f"on {found.tag} v{version.number}, over {words.plural(version.evaluation_rows, 'test event')}"
    primary = newest.primary
    if primary is None or primary.value is None:
        why = f": {primary.reason}" if primary and primary.reason else "."
        return Verdict("warn", f"{words.metric_title(found.model.primary_metric)} has no value {on}{why}")
    sure = f" (95 % interval {interval(primary.low, primary.high)})" if primary.low is not None else ""
    title = words.metric_title(primary.name)
    return Verdict("info", f"{title} is {number(primary.value)}{sure} {on}.{_right(newest)}")


def _right(newest: Measured) -> str:
    """How many events were predicted rightly, where each has one class."""
    if newest.confusion_matrix is None:
        return ""
    _, counts = newest.confusion_matrix
    total, right = sum(map(sum, counts)), sum(row[place] for place, row in enumerate(counts))
    share = formats.share(right / total if total else None)
    return f" It predicted {right:,} of {total:,} events right, {share}."


def _trend(found: ModelReport, newest: Measured) -> Iterator[Verdict]:
    """How that differs from the earliest version of the report, and from the version before."""
    known = [each for each in found.measured[:-1] if score(each.primary).is_ranked]
    if not known:
        yield Verdict("info", "It is measured on one version, so nothing can be said of how it changes.")
        return
    first, before = known[0], known[-1]
    tone, text = _change(newest, first)
    if first is not before:
        text += f" {_change(newest, before)[1]}"
    yield Verdict(tone, text)


def _change(newest: Measured, earlier: Measured) -> tuple[Tone, str]:
    now, then = score(newest.primary), score(earlier.primary)
    moved = f"{number(then.value)} to {number(now.value)}"
    if tied(_value(now), _value(then)):
        return "info", f"It is as good as on v{earlier.number}."
    worse = is_worse(_value(now), _value(then), greater_is_better=newest.greater_is_better)
    word = "worse" if worse else "better"
    noise = within_noise(now, then)
    if noise is None:
        return "info", f"It is {word} than on v{earlier.number} ({moved}); no interval says whether that is noise."
    if noise:
        return "info", f"Since v{earlier.number} it did not change by more than noise ({moved})."
    return "bad" if worse else "good", f"It is {word} than on v{earlier.number} by more than noise ({moved})."


def _value(of: Score) -> float:
    return math.nan if of.value is None else of.value


def places(found: ModelReport) -> list[Place[tuple[int, str]]]:
    """The places of all models of the use case on the newest version."""
    primary = found.newest.primary if found.newest else None
    return ranked(found.rivals, greater_is_better=primary.greater_is_better) if primary else []


def own_place(found: ModelReport) -> Place[tuple[int, str]] | None:
    """The place of the model among them."""
    return next((place for place in places(found) if place.key[0] == found.model.pk), None)


def _standing(found: ModelReport, newest: Measured) -> Iterator[Verdict]:
    ranks, own = places(found), own_place(found)
    if own is None:
        return
    use_case = f"“{found.model.use_case}”"
    if len(ranks) == 1:
        yield Verdict("info", f"No other model of {use_case} is measured on v{newest.number}.")
        return
    among = f"{_rank(own)} of {len(ranks):,} models of {use_case} on v{newest.number}"
    if own.rank == 1:
        yield Verdict("good", f"It is the {among}; {_beside(ranks, own)} within noise of it.")
        return
    yield _behind(found, own, ranks[0], f"It is {among}")


def _beside(ranks: Sequence[Place[Any]], own: Place[Any]) -> str:
    """How many others are within noise of the best."""
    others = sum(1 for place in ranks if place.key != own.key and place.within_noise)
    return words.plural(others, "other model is", "other models are") if others else "no other is known to be"


def _rank(own: Place[Any]) -> str:
    name = "best" if own.rank == 1 else words.ordinal(own.rank)
    return f"joint {name}" if own.tied else name


def _behind(found: ModelReport, own: Place[Any], best: Place[Any], start: str) -> Verdict:
    leader = f"{words.short_name(best.key[1])} with {number(found.rivals[best.key].value)}"
    if own.within_noise is None:
        return Verdict("info", f"{start}. The best is {leader}; no interval says whether the difference is noise.")
    if own.within_noise:
        return Verdict("info", f"{start}, within noise of the best, {leader}.")
    return Verdict("warn", f"{start}, behind the best, {leader}, by more than noise.")
