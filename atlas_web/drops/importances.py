"""What mattered to the model then and now: the ranking by SHAP values, and which changes are more than noise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString

from atlas.intervals import Z
from atlas.paired import Difference, Finding, judged, unpaired
from atlas.results import Explanation, Importance, MetricValue
from atlas_web.drops import card
from atlas_web.drops.card import Reason
from storage.queries import StoredResult
from ui import formats

MOST_ROWS = 10
CARD = "importances"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A feature: its rank and its mean |SHAP value| then and now."""

    name: str
    rank: str
    before: str
    now: str
    change: SafeString


@dataclass(frozen=True, slots=True, kw_only=True)
class Importances:
    """The card; `unknown` says why there is no ranking of both, `of` what is ranked."""

    finding: str
    unknown: str = ""
    of: str = ""
    rows: Sequence[Row] = ()
    hidden: int = 0
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """A feature that both rank, with its ranks from 1."""

    name: str
    ranks: tuple[int, int]
    values: tuple[MetricValue, MetricValue]
    difference: Difference


def importances(then: StoredResult, now: StoredResult) -> Importances:
    """Both rankings beside each other: of the dataset's columns where both know them, else of the features."""
    unknown = _unknown(then, now)
    if unknown or then.explanation is None or now.explanation is None:
        return Importances(finding="It is not known what mattered more.", unknown=unknown)
    are_columns = bool(then.explanation.column_importances and now.explanation.column_importances)
    pairs = _pairs(*(_ranking(each.explanation, are_columns) for each in (then, now)))
    shown = sorted(pairs, key=lambda pair: min(pair.ranks))[:MOST_ROWS]
    reason = _reason(pairs)
    return Importances(
        finding=reason.text if reason else "No feature matters more or less than before by more than noise.",
        of="Column" if are_columns else "Feature",
        rows=[_row(pair) for pair in sorted(shown, key=lambda pair: pair.ranks[1])],
        hidden=len(pairs) - len(shown),
        reason=reason,
    )


def _unknown(then: StoredResult, now: StoredResult) -> str:
    for each in (now, then):
        found = each.explanation
        if found is None:
            return f"The result on v{each.version} has not been explained."
        if not found.available:
            return found.impossible
    before, after = then.explanation, now.explanation
    if before and after and (before.output, before.outputs) != (after.output, after.outputs):
        return "Both were explained in different units, so their values do not compare."
    return ""


Ranking = Mapping[str, tuple[int, MetricValue]]


def _ranking(found: Explanation | None, are_columns: bool) -> Ranking:
    """By name, the rank and the mean |SHAP value| over all outputs."""
    listed = (found.column_importances if are_columns else found.importances) if found else ()
    ordered = sorted(listed, key=lambda each: -each.total)
    return {each.feature: (rank, _value(each)) for rank, each in enumerate(ordered, start=1)}


def _value(of: Importance) -> MetricValue:
    """With its 95 % interval. Errors of outputs go together at most fully, so their sum is no less than that of all."""
    half = Z * sum(of.standard_error) if of.standard_error else None
    ends = {} if half is None else {"low": of.total - half, "high": of.total + half}
    return MetricValue(name="importance", value=of.total, greater_is_better=True, **ends)


def _pairs(older: Ranking, newer: Ranking) -> list[_Pair]:
    names = [name for name in newer if name in older]
    values = [(older[name][1], newer[name][1]) for name in names]
    differences = judged([unpaired(*pair) for pair in values], greater_is_better=True)
    return [
        _Pair(name=name, ranks=(older[name][0], newer[name][0]), values=pair, difference=difference)
        for name, pair, difference in zip(names, values, differences, strict=True)
    ]


def _row(pair: _Pair) -> Row:
    before, now = pair.ranks
    return Row(
        name=pair.name,
        rank=f"{before} → {now}" if before != now else str(now),
        before=formats.figure(pair.values[0].value),
        now=formats.figure(pair.values[1].value),
        change=_change(pair.difference),
    )


def _change(difference: Difference) -> SafeString:
    """In bold if it is more than noise; without a colour, since neither more nor less importance is better."""
    text, value = formats.figure(difference.value), difference.value or 0.0
    signed = text if value < 0 else f"+{text}" if value else f"±{text}"
    style = "fw-semibold" if card.noise(difference) is False else "muted"
    return format_html('<span class="{}">{}</span>', style, signed)


def _reason(pairs: Sequence[_Pair]) -> Reason | None:
    """The feature whose importance changed most, of those that changed by more than noise."""
    sure = [pair for pair in pairs if pair.difference.finding in (Finding.BETTER, Finding.WORSE)]
    if not sure:
        return None
    most = max(sure, key=lambda pair: abs(pair.difference.value or 0.0))
    before, now = most.ranks
    verb = "more" if (most.difference.value or 0.0) > 0 else "less"
    rank = f"rank {before} before, {now} now" if before != now else f"rank {now} as before"
    return Reason(text=f"{most.name} matters {verb} than before, by more than noise: {rank}.", card=CARD)
