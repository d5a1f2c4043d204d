"""Figures of importances: of one explanation, over dataset versions, and of two models."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from atlas.results import Explanation, Importance
from explainability.figures import words
from explainability.figures.numbers import plain, table

SURE = 1.96
"""Standard errors on either side of a 95 % interval."""
MOST_OUTPUTS = 5
"""More stacks than that cannot be told apart."""
SHARES = "Share of the effects of all features"
_TOLD = 3


@dataclass(frozen=True)
class Importances:
    """A bar for each feature, the most important first, in a part for each output.

    Attributes:
        axis: what a bar's length means.
        note: what the word for it means.
        features: their names; the last may sum up others.
        hidden: how many it sums up.
        outputs: names of the parts; the last may sum up others.
        values: for each output, and in it for each feature, the mean of |SHAP value|.
        totals: for each feature, over all outputs.
        whiskers: half of the 95 % interval of each total, None where nobody knows. Of several outputs the standard
            errors are added up, as if their errors went together, which makes a whisker rather too long.
    """

    kind: ClassVar[str] = "importance"

    axis: str
    note: str
    features: Sequence[str]
    hidden: int
    outputs: Sequence[str]
    values: Sequence[Sequence[float]]
    totals: Sequence[float]
    whiskers: Sequence[float | None]

    @property
    def label(self) -> str:
        """The longest bars in words."""
        own = len(self.features) - bool(self.hidden)
        told = [
            f"{name} {words.number(total)}"
            for name, total in zip(self.features[: min(own, _TOLD)], self.totals, strict=False)
        ]
        smaller = own + self.hidden - len(told)
        rest = [words.count(smaller, "smaller feature")] if smaller else []
        return f"Bar chart: {words.listed([*told, *rest]) or 'no features'}"

    @property
    def table(self) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        """The heads of columns, and a row of texts for each feature."""
        several = len(self.outputs) > 1
        head = ("Feature", *self.outputs, *(["Together"] if several else []))
        by_feature = zip(self.features, zip(*self.values, strict=True), self.totals, strict=True)
        rows = [
            (name, *map(words.number, parts), *([words.number(total)] if several else []))
            for name, parts, total in by_feature
        ]
        return head, rows


def importance(explanation: Explanation, *, most: int = 20, of_columns: bool = False) -> Importances:
    """The importances of an explanation.

    Args:
        explanation: one that is available.
        most: how many features have a bar of their own.
        of_columns: whether to show the dataset's columns instead of the model's features, where they differ.
    """
    found = (explanation.column_importances if of_columns else ()) or explanation.importances
    shown, left_out = found[:most], found[most:]
    names = [each.feature for each in shown] + ([words.others(len(left_out))] if left_out else [])
    rows = [*(each.mean_absolute for each in shown), *([_sums(left_out)] if left_out else [])]
    by_output = np.array(rows, dtype=float).reshape(len(rows), len(explanation.outputs)).T
    outputs, values = _stacked(explanation.outputs, by_output)
    return Importances(
        axis=words.importance_axis(explanation.output, explanation.outputs),
        note=words.note(explanation.output),
        features=names,
        hidden=len(left_out),
        outputs=outputs,
        values=table(values),
        totals=plain(by_output.sum(axis=0)),
        whiskers=[*map(_whisker, shown), *([None] if left_out else [])],
    )


def _sums(importances: Sequence[Importance]) -> tuple[float, ...]:
    return tuple(np.sum([each.mean_absolute for each in importances], axis=0).tolist())


def _whisker(importance: Importance) -> float | None:
    error = importance.standard_error
    return float(f"{SURE * sum(error):.7g}") if error else None


def _stacked(outputs: Sequence[str], values: np.ndarray) -> tuple[list[str], np.ndarray]:
    """The outputs that matter most, in their own order, and the sum of the others."""
    if len(outputs) <= MOST_OUTPUTS or not values.size:
        return list(outputs), values
    strongest = np.sort(np.argsort(-values.sum(axis=1), kind="stable")[: MOST_OUTPUTS - 1])
    rest = values.sum(axis=0) - values[strongest].sum(axis=0)
    names = [outputs[place] for place in strongest] + [f"{len(outputs) - len(strongest)} others"]
    return names, np.vstack([values[strongest], rest])


@dataclass(frozen=True)
class ShareLine:
    """One feature's share of all effects, for each version None where it is not known, and its 95 % interval."""

    name: str
    values: Sequence[float | None]
    low: Sequence[float | None]
    high: Sequence[float | None]


@dataclass(frozen=True)
class ImportanceHistory:
    """How the features' shares of all effects moved over dataset versions, oldest first.

    Shares can be compared even where one version is explained by its probability and another by its margin.

    Attributes:
        axis: what the lines' height means.
        versions: names of the dataset's versions.
        lines: of the features that matter most over all versions, the most important first.
        hidden: how many other features there are.
    """

    kind: ClassVar[str] = "importance_history"

    axis: str
    versions: Sequence[str]
    lines: Sequence[ShareLine]
    hidden: int

    @property
    def label(self) -> str:
        """How the first lines begin and end, in words."""
        told = [text for text in map(self._told, self.lines[:_TOLD]) if text]
        return f"Line chart: {words.listed(told) or 'no version is explained'}"

    def _told(self, line: ShareLine) -> str:
        known = [
            (version, value) for version, value in zip(self.versions, line.values, strict=True) if value is not None
        ]
        if not known:
            return ""
        (first, start), (last, end) = known[0], known[-1]
        if first == last:
            return f"{line.name} {words.share(start)} on {first}"
        return f"{line.name} from {words.share(start)} on {first} to {words.share(end)} on {last}"


def importance_history(
    versions: Sequence[str], explanations: Sequence[Explanation | None], *, most: int = 8
) -> ImportanceHistory:
    """Importances of one model over dataset versions.

    Args:
        versions: their names, oldest first.
        explanations: one for each version, None where there is none.
        most: how many features have a line.
    """
    known = [_shares(each) if each is not None and each.available else {} for each in explanations]
    sums: dict[str, float] = {}
    for shares in known:
        for name, (share, _) in shares.items():
            sums[name] = sums.get(name, 0.0) + share
    names = sorted(sums, key=lambda name: -sums[name])
    lines = [_line(name, [shares.get(name) for shares in known]) for name in names[:most]]
    return ImportanceHistory(axis=SHARES, versions=list(versions), lines=lines, hidden=max(len(names) - most, 0))


def _shares(explanation: Explanation, of_columns: bool = False) -> dict[str, tuple[float, float | None]]:
    """Each feature's share of all effects, and half of that share's 95 % interval."""
    found = (explanation.column_importances if of_columns else ()) or explanation.importances
    whole = sum(each.total for each in found) or 1.0
    return {each.feature: (each.total / whole, _part(_whisker(each), whole)) for each in found}


def _part(whisker: float | None, whole: float) -> float | None:
    return None if whisker is None else whisker / whole


def _line(name: str, shares: Iterable[tuple[float, float | None] | None]) -> ShareLine:
    pairs = [pair or (None, None) for pair in shares]
    ends = [
        (None, None) if share is None or half is None else (max(share - half, 0.0), share + half)
        for share, half in pairs
    ]
    return ShareLine(name, [share for share, _ in pairs], [low for low, _ in ends], [high for _, high in ends])


@dataclass(frozen=True)
class Comparison:
    """Two models' importances side by side, as shares of all effects of each.

    Attributes:
        axis: what a mark's place means.
        names: of the two models.
        features: the most important first, for either model.
        first: the first model's shares; None where it has no such feature.
        second: the second model's.
        first_whiskers: half of the 95 % intervals; None where nobody knows.
        second_whiskers: likewise.
        hidden: how many other features there are.
        only_first: features that only the first model has, shown or not.
        only_second: features that only the second model has.
    """

    kind: ClassVar[str] = "comparison"

    axis: str
    names: tuple[str, str]
    features: Sequence[str]
    first: Sequence[float | None]
    second: Sequence[float | None]
    first_whiskers: Sequence[float | None]
    second_whiskers: Sequence[float | None]
    hidden: int
    only_first: Sequence[str]
    only_second: Sequence[str]

    @property
    def label(self) -> str:
        """Where the models differ most, and what only one of them has, in words."""
        both = [
            (abs(one - other), name, one, other)
            for name, one, other in zip(self.features, self.first, self.second, strict=True)
            if one is not None and other is not None
        ]
        return f"Dot chart of {self.names[0]} and {self.names[1]}: {self._most_unlike(both)}{self._alone()}"

    def _most_unlike(self, both: Sequence[tuple[float, str, float, float]]) -> str:
        if not both:
            return "no feature in common"
        _, name, one, other = max(both, key=lambda each: each[0])
        return f"they differ most in {name}, {words.share(one)} against {words.share(other)}"

    def _alone(self) -> str:
        told = [
            f"; only {name} has {words.count(len(features), 'feature')}: {words.listed(features[:_TOLD])}"
            for name, features in zip(self.names, (self.only_first, self.only_second), strict=True)
            if features
        ]
        return "".join(told)


def comparison(first: Explanation, second: Explanation, names: tuple[str, str], *, most: int = 15) -> Comparison:
    """The importances of two models as shares, so that a probability can be compared with a margin.

    Models that get the same features are compared by them, others by the dataset's columns that these are made of.

    Args:
        first: the explanation of one model, an available one.
        second: that of the other.
        names: of the models.
        most: how many features are shown.
    """
    columns = {each.feature for each in first.importances} != {each.feature for each in second.importances}
    one, other = _shares(first, columns), _shares(second, columns)
    nothing = (0.0, None)
    ranked = sorted({**one, **other}, key=lambda name: -max(one.get(name, nothing)[0], other.get(name, nothing)[0]))
    lines = [[shares.get(name, (None, None)) for name in ranked[:most]] for shares in (one, other)]
    return Comparison(
        axis=SHARES,
        names=names,
        features=ranked[:most],
        first=[share for share, _ in lines[0]],
        second=[share for share, _ in lines[1]],
        first_whiskers=[half for _, half in lines[0]],
        second_whiskers=[half for _, half in lines[1]],
        hidden=max(len(ranked) - most, 0),
        only_first=[name for name in ranked if name not in other],
        only_second=[name for name in ranked if name not in one],
    )
