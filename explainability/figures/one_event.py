"""Figures of one event: why it was predicted so."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explainability.explained import Explained
from explainability.figures import words
from explainability.figures.numbers import parts, plain, strongest

_TOLD = 3


@dataclass(frozen=True)
class Waterfall:
    """A bar for each feature's effect, from the average at the bottom to what the model answers at the top.

    Attributes:
        axis: what a bar's ends mean.
        note: what the word for it means.
        event: its id.
        features: their names, the strongest first; the last may sum up others.
        given: the event's values of them as text; empty for the sum.
        hidden: how many features the last one sums up.
        effects: what each adds or takes.
        base: the average.
        answer: what the model answers for the event.
    """

    kind: ClassVar[str] = "waterfall"

    axis: str
    note: str
    event: str
    features: Sequence[str]
    given: Sequence[str]
    hidden: int
    effects: Sequence[float]
    base: float
    answer: float

    @property
    def label(self) -> str:
        """Where it begins and ends, and the strongest effects, in words."""
        told = [
            f"{name} = {value} {words.signed(effect)}"
            for name, value, effect in zip(self.features, self.given, self.effects, strict=True)
            if value
        ][:_TOLD]
        ends = f"from {words.number(self.base)}, the average, to {words.number(self.answer)}"
        return f"Waterfall of event {self.event} {ends}: {words.listed(told)}"


def waterfall(explained: Explained, event: int, output: int, *, most: int = 9) -> Waterfall:
    """What leads from the average to the model's answer for one event.

    Args:
        explained: events.
        event: number of the event.
        output: number of the output.
        most: how many features have a bar of their own.
    """
    findings = explained.findings
    values = findings.values[event, :, output]
    chosen = strongest(np.abs(values), most)
    shown = parts(findings.features, values[None], chosen)
    given = [words.number(float(value)) for value in findings.rows[event, chosen]]
    return Waterfall(
        axis=words.answer_axis(findings.output, findings.outputs[output]),
        note=words.note(findings.output),
        event=str(explained.ids[event]),
        features=shown.names,
        given=[*given, *([""] if shown.hidden else [])],
        hidden=shown.hidden,
        effects=plain(shown.values[0]),
        base=float(findings.base_values[output]),
        answer=float(findings.base_values[output] + values.sum(dtype=float)),
    )


@dataclass(frozen=True)
class Opinions:
    """What two ways of explaining say of one event: SHAP values, and LIME's linear model around it.

    Attributes:
        axis: what a bar's length means.
        note: what the word for it means.
        event: its id.
        features: their names, the strongest for either way first.
        given: the event's values of them as text.
        hidden: how many other features there are.
        shap: the SHAP values.
        lime: LIME's.
    """

    kind: ClassVar[str] = "opinions"

    axis: str
    note: str
    event: str
    features: Sequence[str]
    given: Sequence[str]
    hidden: int
    shap: Sequence[float]
    lime: Sequence[float]

    @property
    def label(self) -> str:
        """In how many of the features both agree which way they push, in words."""
        alike = sum(one * other > 0 for one, other in zip(self.shap, self.lime, strict=True))
        return (
            f"Bars of SHAP and LIME for event {self.event}: both push the same way in {alike} of "
            f"{len(self.features)} features"
        )


def opinions(explained: Explained, event: int, output: int, *, most: int = 8) -> Opinions | None:
    """SHAP values beside LIME's for one event; None if it has no second opinion.

    Args:
        explained: events.
        event: number of the event.
        output: number of the output.
        most: how many features are shown.
    """
    findings = explained.findings
    if findings.local is None or event >= len(findings.local):
        return None
    own, other = findings.values[event, :, output], findings.local[event, :, output]
    chosen = strongest(np.maximum(np.abs(own), np.abs(other)), most)
    return Opinions(
        axis=words.effect_axis(findings.output, findings.outputs[output]),
        note=words.note(findings.output),
        event=str(explained.ids[event]),
        features=[findings.features[place] for place in chosen],
        given=[words.number(float(value)) for value in findings.rows[event, chosen]],
        hidden=len(findings.features) - len(chosen),
        shap=plain(own[chosen]),
        lime=plain(other[chosen]),
    )
