"""Figures of many events: what each feature does in each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explainability.explained import Explained
from explainability.figures import words
from explainability.figures.numbers import evenly, fair, parts, plain, ranks, strength, strongest, table

BINS = 90
"""Points of a swarm that fall into the same of so many columns are put above each other."""
HALF_ROW = 0.4
"""How far a point may leave the middle of its row."""
POINT = 0.12
"""The distance of two such points, in rows, if there is room."""
MOST_POINTS = 5_000
"""More points than that take a phone long to draw."""
COLOURED = 98
"""The percentile of effects where a heat map's colours end, so that one outlier does not pale all others."""
STEPS = 30
"""Of power iteration: enough to put events that are alike side by side."""
_TOLD = 3


@dataclass(frozen=True)
class Swarm:
    """A row of points for each feature, a point for each event of the fair sample, or for many of them.

    Attributes:
        axis: what a point's place from left to right means.
        note: what the word for it means.
        features: their names, the strongest first.
        hidden: how many others there are.
        events: ids.
        of_events: how many events the fair sample has.
        effects: for each feature, and in it for each event, the SHAP value.
        offsets: how far each point lies from the middle of its row, upwards, in rows.
        values: the feature's value, NaN where it is missing.
        ranks: that value's place among all of the feature, from 0 for the lowest to 1 for the highest.
    """

    kind: ClassVar[str] = "swarm"

    axis: str
    note: str
    features: Sequence[str]
    hidden: int
    events: Sequence[str]
    of_events: int
    effects: Sequence[Sequence[float]]
    offsets: Sequence[Sequence[float]]
    values: Sequence[Sequence[float]]
    ranks: Sequence[Sequence[float]]

    @property
    def label(self) -> str:
        """Which way high values of the strongest features push, in words."""
        told = [self._told(row) for row in range(min(_TOLD, len(self.features)))]
        events = words.count(len(self.events), "event")
        return f"Beeswarm of {words.count(len(self.features), 'feature')} in {events}: {words.listed(told)}"

    def _told(self, row: int) -> str:
        rank, effects = np.array(self.ranks[row]), np.array(self.effects[row])
        known = np.isfinite(rank)
        rank, effects = rank[known] - 0.5, effects[known]
        scale = np.sqrt((rank**2).sum() * ((effects - effects.mean()) ** 2).sum()) if len(rank) else 0.0
        trend = (rank * effects).sum() / scale if scale else 0.0
        way = "both ways" if abs(trend) < 0.5 else "up" if trend > 0 else "down"
        return f"high {self.features[row]} pushes {way}"


def swarm(explained: Explained, output: int, *, most: int = 12) -> Swarm:
    """How values of features go with their effects on one output.

    Args:
        explained: events; only those of the fair sample are shown, evenly chosen where they are too many.
        output: number of the output.
        most: how many features are shown.
    """
    findings, sample = explained.findings, fair(explained)
    events = sample[evenly(len(sample), MOST_POINTS // most)]
    chosen = strongest(strength(explained, output), most)
    effects = findings.values[np.ix_(events, chosen)][:, :, output].T
    values = findings.rows[np.ix_(events, chosen)].T
    return Swarm(
        axis=words.effect_axis(findings.output, findings.outputs[output]),
        note=words.note(findings.output),
        features=[findings.features[place] for place in chosen],
        hidden=len(findings.features) - len(chosen),
        events=explained.ids[events].tolist(),
        of_events=len(sample),
        effects=table(effects),
        offsets=[np.round(row, 3).tolist() for row in _spread(effects)],
        values=table(values),
        ranks=[np.round(ranks(row), 4).tolist() for row in values],
    )


def _spread(effects: np.ndarray) -> list[np.ndarray]:
    """For each row of (features, events) effects how far points lie from its middle, so that few hide others."""
    low, high = (effects.min(), effects.max()) if effects.size else (0.0, 0.0)
    columns = np.floor((effects - low) / ((high - low) or 1.0) * (BINS - 1)).astype(int)
    stacked = [_stacked(row) for row in columns]
    highest = max((np.abs(places).max() for places in stacked if len(places)), default=0)
    step = min(POINT, HALF_ROW / max(highest, 1))
    return [places * step for places in stacked]


def _stacked(columns: np.ndarray) -> np.ndarray:
    """The place of each point in its column, from the middle outwards on both sides: 0, 1, -1, 2, -2."""
    order = np.argsort(columns, kind="stable")
    first = np.searchsorted(columns[order], columns[order], side="left")
    turn = np.arange(len(columns)) - first
    places = np.empty(len(columns), dtype=int)
    places[order] = np.where(turn % 2, (turn + 1) // 2, -(turn // 2))
    return places


@dataclass(frozen=True)
class Paths:
    """A line for each event, from the average at the bottom to what the model answers at the top (decision plot).

    Attributes:
        axis: what a line's place from left to right means.
        note: what the word for it means.
        features: their names from bottom to top, the strongest last; the first may sum up others.
        hidden: how many it sums up.
        base: the average, where each line begins.
        events: ids.
        truth: what is true of each event.
        predicted: what the model predicted.
        wrong: whether that is another class.
        paths: for each event where its line is before the first feature and after each.
    """

    kind: ClassVar[str] = "paths"

    axis: str
    note: str
    features: Sequence[str]
    hidden: int
    base: float
    events: Sequence[str]
    truth: Sequence[str]
    predicted: Sequence[str]
    wrong: Sequence[bool]
    paths: Sequence[Sequence[float]]

    @property
    def label(self) -> str:
        """How many lines there are, how many end wrong, and where they end, in words."""
        title = f"Decision paths of {words.count(len(self.events), 'event')} over the features"
        if not self.events:
            return title
        ends = [path[-1] for path in self.paths]
        low, high = words.number(min(ends)), words.number(max(ends))
        wrong = f"; {words.count(sum(self.wrong), 'event')} predicted wrong" if any(self.wrong) else ""
        return f"{title}, from {words.number(self.base)} to between {low} and {high}{wrong}"


def decision(explained: Explained, output: int, *, events: Sequence[int], most: int = 12) -> Paths:
    """How features lead from the average to what the model answers.

    Args:
        explained: events.
        output: number of the output.
        events: numbers of the events that have a line.
        most: how many features have a step of their own.
    """
    findings, which = explained.findings, np.array(events, dtype=int)
    chosen = strongest(strength(explained, output), most)
    shown = parts(findings.features, findings.values[which, :, output], chosen)
    base = float(findings.base_values[output])
    steps = np.cumsum(shown.values[:, ::-1], axis=1) + base
    return Paths(
        axis=words.answer_axis(findings.output, findings.outputs[output]),
        note=words.note(findings.output),
        features=shown.names[::-1],
        hidden=shown.hidden,
        base=base,
        events=explained.ids[which].tolist(),
        truth=explained.truth[which].tolist(),
        predicted=explained.predicted[which].tolist(),
        wrong=is_wrong(explained)[which].tolist(),
        paths=table(np.column_stack([np.full(len(which), base), steps])),
    )


def is_wrong(explained: Explained) -> np.ndarray:
    """(n,) whether another class is predicted than the true one; never so of a regression, whose output is no class."""
    findings = explained.findings
    said = {name for text in (*explained.truth, *explained.predicted) for name in (text, *text.split(","))}
    of_classes = len(findings.outputs) > 1 or findings.outputs[0] in {name.strip() for name in said}
    wrong = explained.truth != explained.predicted
    return np.asarray(wrong & (findings.output != "value" and of_classes), dtype=bool)


@dataclass(frozen=True)
class Heat:
    """A field for each feature and event, coloured by the effect; above it what the model answers.

    Attributes:
        axis: what a colour means.
        answer_axis: what the line above means.
        note: what the word for it means.
        features: their names, the strongest first; the last may sum up others.
        hidden: how many it sums up.
        events: ids, from left to right: those whose values are alike are neighbours.
        effects: for each feature, and in it for each event.
        answers: what the model answers for each event.
        base: the average, which the line above is compared with.
        limit: where the colours end, on either side of 0.
    """

    kind: ClassVar[str] = "heat"

    axis: str
    answer_axis: str
    note: str
    features: Sequence[str]
    hidden: int
    events: Sequence[str]
    effects: Sequence[Sequence[float]]
    answers: Sequence[float]
    base: float
    limit: float

    @property
    def label(self) -> str:
        """How many events there are, how the answer varies, and what moves it most, in words."""
        title = f"Heat map of {words.count(len(self.events), 'event')}"
        if not self.events or not self.features:
            return title
        low, high = words.number(min(self.answers)), words.number(max(self.answers))
        return f"{title}: the answer lies between {low} and {high}, moved most by {words.listed(self.features[:_TOLD])}"


def heat(explained: Explained, output: int, *, most: int = 12) -> Heat:
    """What each feature does in each event of the fair sample, with events that are alike side by side.

    Args:
        explained: events; only those of the fair sample are shown.
        output: number of the output.
        most: how many features have a row of their own.
    """
    findings, events = explained.findings, fair(explained)
    values = findings.values[events, :, output].astype(float)
    order = _alike(values)
    chosen = strongest(strength(explained, output), most)
    shown = parts(findings.features, values[order], chosen)
    base = float(findings.base_values[output])
    size = np.abs(shown.values)
    return Heat(
        axis=words.effect_axis(findings.output, findings.outputs[output]),
        answer_axis=words.answer_axis(findings.output, findings.outputs[output]),
        note=words.note(findings.output),
        features=shown.names,
        hidden=shown.hidden,
        events=explained.ids[events[order]].tolist(),
        effects=table(shown.values.T),
        answers=plain(base + values[order].sum(axis=1)),
        base=base,
        limit=float(np.percentile(size, COLOURED)) if size.size else 0.0,
    )


def _alike(values: np.ndarray) -> np.ndarray:
    """An order of events along the first principal component of their (events, features) values, the answer rising.

    By power iteration, which takes milliseconds where a decomposition of many features takes seconds. It begins with
    the answers, so that the order rises with them.
    """
    if not len(values):
        return np.arange(0)
    centred = values - values.mean(axis=0)
    along = centred.sum(axis=1)
    for _ in range(STEPS):
        along = centred @ (centred.T @ along)
        along /= np.linalg.norm(along) or 1.0
    return np.argsort(along, kind="stable")
