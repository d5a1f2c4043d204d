"""Figures of one feature: how its value goes with its effect, and how the model's answer follows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explainability.explained import Effect, Explained
from explainability.figures import words
from explainability.figures.numbers import evenly, fair, plain, ranks, table

ROUNDING = 1e-20
"""Less than this part of a sum of squares is rounding, such as what a straight line leaves of itself."""
BIN_EVENTS = 20
"""Events in each bin in which a feature's effect is taken for a straight line."""
FEWEST_EVENTS = 2 * BIN_EVENTS
SURPRISE = 4.0
"""A partner has to tell more than chance would by so many standard deviations."""
MATTERS = 0.01
"""And at least so much of the variance of the feature's effect: less would not be seen in the figure."""


@dataclass(frozen=True)
class Dependence:
    """A point for each event of the fair sample: a feature's value, and its effect.

    Attributes:
        axis: what a point's height means.
        note: what the word for it means.
        feature: its name, which is also the title of the lower axis.
        events: ids.
        values: the feature's values.
        effects: its SHAP values.
        missing: how many events are left out since the feature is missing in them.
        partner: the feature that changes this one's effect most, by which points are coloured; empty if none does.
        partner_values: its values, NaN where missing; empty if there is none.
        ranks: their places among all, from 0 for the lowest to 1 for the highest.
    """

    kind: ClassVar[str] = "dependence"

    axis: str
    note: str
    feature: str
    events: Sequence[str]
    values: Sequence[float]
    effects: Sequence[float]
    missing: int
    partner: str
    partner_values: Sequence[float]
    ranks: Sequence[float]

    @property
    def label(self) -> str:
        """The effects of the lowest and the highest values, and the partner, in words."""
        title = f"Points of {words.count(len(self.events), 'event')}"
        if not self.events:
            return f"{title}: {self.feature} is missing in all"
        order = np.argsort(self.values, kind="stable")
        tenth = max(len(order) // 10, 1)
        low, high = (words.signed(float(np.mean(np.array(self.effects)[at]))) for at in (order[:tenth], order[-tenth:]))
        partner = f"; its effect depends most on {self.partner}" if self.partner else ""
        return f"{title}: the lowest {self.feature} has an effect of {low}, the highest of {high}{partner}"


def dependence(explained: Explained, feature: int, output: int) -> Dependence:
    """How a feature's value goes with its effect on one output, and what else that effect depends on.

    Args:
        explained: events; only those of the fair sample are shown.
        feature: number of the feature.
        output: number of the output.
    """
    findings, sample = explained.findings, fair(explained)
    known = sample[np.isfinite(findings.rows[sample, feature])]
    partner = strongest_interaction(explained, feature, output)
    other = findings.rows[known, partner] if partner is not None else np.empty(0)
    return Dependence(
        axis=words.effect_axis(findings.output, findings.outputs[output]),
        note=words.note(findings.output),
        feature=findings.features[feature],
        events=explained.ids[known].tolist(),
        values=plain(findings.rows[known, feature]),
        effects=plain(findings.values[known, feature, output]),
        missing=len(sample) - len(known),
        partner=findings.features[partner] if partner is not None else "",
        partner_values=plain(other),
        ranks=np.round(ranks(other), 4).tolist(),
    )


def strongest_interaction(explained: Explained, feature: int, output: int) -> int | None:
    """The feature that changes another one's effect most, as far as the SHAP values tell; None if none stands out.

    Events of like value of the feature are put into bins. In each, a straight line takes away what the feature does by
    itself; what is left can only come from other features. A partner's score is the share of the variance of what is
    left that straight lines of the partner's values tell, over all bins. (shap's `approximate_interactions` is of the
    same kind: it adds up correlations of the effect with other features in such bins.)

    Such a share is not zero by chance either. A partner has to tell clearly more than that, and enough to be seen, and
    there have to be enough events. Missing values count as the partner's mean.

    Args:
        explained: events; only those of the fair sample count.
        feature: number of the feature.
        output: number of the output.
    """
    findings, sample = explained.findings, fair(explained)
    known = sample[np.isfinite(findings.rows[sample, feature])]
    if len(known) < FEWEST_EVENTS:
        return None
    order = known[np.argsort(findings.rows[known, feature], kind="stable")]
    rows = _filled(findings.rows[order].astype(float))
    effects = findings.values[order, feature, output].astype(float)
    left, told = _in_bins(rows[:, feature], effects, rows)
    scores = told.sum(axis=0)
    best = int(scores.argmax())
    enough = max(_by_chance(left), MATTERS * float(((effects - effects.mean()) ** 2).sum()))
    return best if scores[best] > enough else None


def _filled(rows: np.ndarray) -> np.ndarray:
    """Rows whose missing values are the means of their columns, or 0 where all are missing."""
    known = np.isfinite(rows)
    sums = np.where(known, rows, 0.0).sum(axis=0)
    return np.where(known, rows, sums / np.maximum(known.sum(axis=0), 1))


def _in_bins(values: np.ndarray, effects: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each bin of sorted values the sum of squares that the feature leaves of its effect, and how much of that each
    column of rows tells: (bins,) and (bins, features)."""
    bins = np.array_split(np.arange(len(values)), len(values) // BIN_EVENTS)
    left, told = np.zeros(len(bins)), np.zeros((len(bins), rows.shape[1]))
    for number, at in enumerate(bins):
        rest = _without_line(values[at], effects[at, None])[:, 0]
        partners = _without_line(values[at], rows[at])
        power = (partners**2).sum(axis=0)
        moves = power > ROUNDING * (rows[at] ** 2).sum(axis=0)
        left[number] = rest @ rest
        told[number] = np.where(moves, (rest @ partners) ** 2 / np.where(moves, power, 1.0), 0.0)
    return left, told


def _without_line(values: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """What a straight line through `values` leaves of each column."""
    centred, left = values - values.mean(), columns - columns.mean(axis=0)
    power = float(centred @ centred)
    return np.asarray(left - np.outer(centred, centred @ left / power) if power > 0 else left)


def _by_chance(left: np.ndarray) -> float:
    """What a feature that has nothing to do with the effect tells only rarely.

    In a bin of n events it tells about 1 / (n - 2) of what is left, and that varies by the root of 2 times as much.
    """
    return float((left.sum() + SURPRISE * np.sqrt(2 * (left**2).sum())) / (BIN_EVENTS - 2))


@dataclass(frozen=True)
class EffectLines:
    """What the model answers as one feature moves and all else stays: a line for each of some events, and their mean.

    Attributes:
        axis: what a line's height means.
        note: what the word for it means.
        feature: its name, which is also the title of the lower axis.
        grid: the feature's values.
        lines: for each shown event the model's answers (individual conditional expectations).
        mean: over all events (partial dependence).
        events: how many the mean is of.
    """

    kind: ClassVar[str] = "effect_lines"

    axis: str
    note: str
    feature: str
    grid: Sequence[float]
    lines: Sequence[Sequence[float]]
    mean: Sequence[float]
    events: int

    @property
    def label(self) -> str:
        """Where the mean begins and ends, and between what it lies, in words."""
        ends = f"from {words.number(self.mean[0])} at {words.number(self.grid[0])} to {words.number(self.mean[-1])}"
        span = f"between {words.number(min(self.mean))} and {words.number(max(self.mean))}"
        return (
            f"Line chart: as {self.feature} rises, the mean answer goes {ends} at {words.number(self.grid[-1])}, {span}"
        )


def effect(
    effect: Effect, outputs: Sequence[str], output: int, *, most_lines: int = 30, meaning: words.Meaning = ""
) -> EffectLines:
    """How the model's answer follows one feature.

    Args:
        effect: the answers over a grid of the feature's values.
        outputs: names of the outputs.
        output: number of the output.
        most_lines: how many events have a line; they are taken evenly over all.
        meaning: what an answer is, if that is known.
    """
    lines = effect.lines[:, :, output].astype(float)
    return EffectLines(
        axis=words.answer_axis(meaning, outputs[output]),
        note=words.note(meaning),
        feature=effect.feature,
        grid=plain(effect.grid),
        lines=table(lines[evenly(len(lines), most_lines)]),
        mean=plain(lines.mean(axis=0)),
        events=len(lines),
    )
