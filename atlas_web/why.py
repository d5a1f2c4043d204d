"""Why one event was predicted so: the figures, the neighbours and the sentences of its page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from atlas.errors import AtlasError
from atlas_web import explanations
from atlas_web.beside import Beside, beside
from atlas_web.drawn import Drawn, drawn
from atlas_web.figures import Subject
from atlas_web.pages import trouble
from explainability.explained import Explained
from explainability.figures import Opinions, Waterfall, words
from storage.queries import BenchmarkPage

MOST_OUTPUTS = 4
"""Of a multilabel model, so many labels have a waterfall."""
MOST_NAMED = 3
UNEXPLAINED = (
    "This event was not explained. An explanation is of a fair sample of events, and of those that are predicted worst."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What is known of why an event was predicted so, or the `problem` that keeps it from being known."""

    problem: str = ""
    explained: Explained | None = None
    waterfalls: Sequence[Drawn] = ()
    told: str = ""
    opinions: Drawn | None = None
    agreement: str = ""
    beside: Beside | None = None


def why(page: BenchmarkPage, event: str) -> Why:
    """All that the explanation of a benchmark says of one event."""
    found = page.explanation
    if found is None or not found.available:
        return Why(problem=f"This model has no explanation. {found.impossible if found else ''}".strip())
    return why_of(Subject.of(page, found), event)


def why_of(subject: Subject, event: str) -> Why:
    """All that an explanation says of one event."""
    try:
        explained = subject.explained
    except AtlasError as error:
        return Why(problem=f"Why it was predicted so is not known. {trouble.reason(error)}")
    if event not in explained.place:
        return Why(problem=UNEXPLAINED, explained=explained)
    return _known(subject, explained, event)


def _known(subject: Subject, explained: Explained, event: str) -> Why:
    place = explained.place[event]
    truth, predicted = str(explained.truth[place]), str(explained.predicted[place])
    outputs = shown_outputs(explained.findings.outputs, truth, predicted)
    waterfalls = [_waterfall(subject.about(output), event, truth) for output in outputs]
    opinions = drawn(subject.about(outputs[0]), "opinions", event)
    opinions = replace(opinions, card=replace(opinions.card, is_wide=len(waterfalls) % 2 == 0))
    return Why(
        explained=explained,
        waterfalls=waterfalls,
        told=_told(subject.about(outputs[0]), waterfalls[0]),
        opinions=opinions if opinions.figure else None,
        agreement=agreement(opinions.figure) if isinstance(opinions.figure, Opinions) else "",
        beside=beside(explained, place, outputs[0]),
    )


def shown_outputs(outputs: Sequence[str], truth: str, predicted: str) -> list[int]:
    """The outputs whose waterfalls tell why: what was predicted, and what is true instead; of sets of labels, those
    that are wrong. There is always one."""
    said, true = (_labels(text, outputs) for text in (predicted, truth))
    wrong = [label for label in (*said, *true) if (label in said) != (label in true)]
    return [outputs.index(label) for label in (wrong or said)[:MOST_OUTPUTS]] or [0]


def _labels(text: str, outputs: Sequence[str]) -> list[str]:
    """The outputs that a prediction names; none if the model has one output alone."""
    if len(outputs) == 1:
        return []
    parts = [text] if text in outputs else [part.strip() for part in text.split(",")]
    return [part for part in parts if part in outputs]


def _waterfall(subject: Subject, event: str, truth: str) -> Drawn:
    made = drawn(subject, "waterfall", event)
    outputs = subject.explanation.outputs
    if len(outputs) == 1:
        return made
    label = outputs[subject.output]
    is_true = label in _labels(truth, outputs)
    title, text = f"What speaks for {label}", f"What each value adds to or takes from {_answer(subject)}"
    judged = f", which is {'true' if is_true else 'not true'}" if truth else ""
    card = replace(made.card, title=title, text=f"{text}{judged}.")
    return replace(made, id=f"waterfall-{subject.output}", card=card)


def _told(subject: Subject, waterfall: Drawn) -> str:
    """What moves the answer most, in a sentence."""
    figure = waterfall.figure
    if not isinstance(figure, Waterfall):
        return ""
    parts = [
        f"{name}\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{value} ({words.signed(effect)})"
        for name, value, effect in zip(figure.features, figure.given, figure.effects, strict=True)
        if value
    ]
    start = "the prediction" if subject.explanation.output == "value" else _answer(subject)
    return f"{start[:1].upper()}{start[1:]} is moved most by {words.listed(parts[:MOST_NAMED])}."


def _answer(subject: Subject) -> str:
    return explanations.adds_up_to(subject.explanation, subject.output)


def agreement(figure: Opinions) -> str:
    """Where both ways of explaining say the opposite of an effect that is worth mentioning."""
    apart = list(_opposed(figure))
    if not apart:
        return "Both say the same of all features that matter."
    return f"They disagree on {words.listed(apart)}: do not trust either of them there."


def _opposed(figure: Opinions, worth: float = 0.1) -> Iterator[str]:
    """The features that both push, opposite ways, each by a tenth of its greatest effect or more."""
    limits = [worth * max(map(abs, effects), default=0.0) for effects in (figure.shap, figure.lime)]
    for name, one, other in zip(figure.features, figure.shap, figure.lime, strict=True):
        if one * other < 0 and abs(one) >= limits[0] and abs(other) >= limits[1]:
            yield name
