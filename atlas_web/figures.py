"""The figures of an explanation as pages show them: what each is called, what can be chosen, and how it is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np

from atlas.errors import AtlasError
from atlas.results import Explanation
from atlas_web import evidence, words
from explainability import figures
from explainability.explained import Explained
from explainability.figures.events import is_wrong
from explainability.figures.numbers import fair, strength, strongest
from storage import queries
from ui import formats

MOST_BARS = 12
"""As many features as the other figures show."""
MOST_PATHS = 30
"""More lines than that hide each other."""
MOST_OFFERED = 100
"""Of more features, only the strongest can be chosen."""
MOST_TOLD = 12
"""How many choices a message names."""
SEED = 0

Option = tuple[str, str]
"""A choice in an address, and its words."""


class NoFigureError(AtlasError):
    """There is nothing that this figure could show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What figures are made of.

    Attributes:
        whose: the page of the benchmark that is explained; None if it is no benchmark that is.
        explanation: what the database has of its explanation.
        output: the number of the output that the figures are about.
        read: gives the explained events, and reads them but once.
    """

    whose: queries.BenchmarkPage | None
    explanation: Explanation
    output: int
    read: Callable[[], Explained]

    @classmethod
    def of(cls, page: queries.BenchmarkPage, explanation: Explanation, output: int = 0) -> "Subject":
        """A benchmark's explanation, whose events are read from the object store when they are first needed."""
        return cls(
            whose=page, explanation=explanation, output=output, read=cache(lambda: evidence.explained_events(page))
        )

    @property
    def page(self) -> queries.BenchmarkPage:
        """Of the benchmark.

        Raises:
            NoFigureError: it is none's explanation.
        """
        if self.whose is None:
            raise NoFigureError("There is such a figure of benchmarks alone.")
        return self.whose

    @property
    def explained(self) -> Explained:
        """The explained events.

        Raises:
            AtlasError: they cannot be read, as `evidence.explained_events` says.
        """
        return self.read()

    def about(self, output: int) -> "Subject":
        """The same of another output."""
        return replace(self, output=output)

    def event(self, name: str) -> int:
        """The number of an explained event.

        Raises:
            NoFigureError: there is none with this id.
        """
        if name not in self.explained.place:
            raise NoFigureError(f"The event {name} was not explained.")
        return self.explained.place[name]


@dataclass(frozen=True, kw_only=True)
class Card:
    """A figure's place on a page.

    Attributes:
        title: its heading.
        text: how to read it.
        make: what makes it of a subject and a choice.
        needs: what it is made of: the summary in the database, the events in the object store, or neither if it is no
            card of the explanation's page.
        choice: the name of its choice in addresses; empty if it has none.
        question: what is chosen, for those who cannot see it.
        options: what can be chosen, the first one where nothing is; without it, whatever `make` takes.
        is_approximate: whether it shows something that only resembles the model.
        is_wide: whether it takes the whole width of a page.
    """

    title: str
    text: str
    make: Callable[[Subject, str], figures.Figure]
    needs: Literal["summary", "events", ""] = "events"
    choice: str = ""
    question: str = ""
    options: Callable[[Subject], Sequence[Option]] | None = None
    is_approximate: bool = False
    is_wide: bool = False

    def offered(self, subject: Subject) -> Sequence[Option]:
        """What can be chosen."""
        return self.options(subject) if self.options else ()

    def chosen(self, subject: Subject, asked: str) -> str:
        """The choice that is asked for, or the first one if none is.

        Raises:
            NoFigureError: there is no such choice, or nothing to choose from.
        """
        if self.options is None:
            return asked
        offered = [value for value, _ in self.offered(subject)]
        if not offered:
            raise NoFigureError("There is nothing that this figure could show of this model.")
        if asked and asked not in offered:
            raise NoFigureError(f"{self.question}: there is no {asked}. There are {', '.join(offered[:MOST_TOLD])}.")
        return asked or offered[0]


# Of the summary -----------------------------------------------------------------------------------------------------


def _importance(subject: Subject, choice: str) -> figures.Figure:
    return figures.importance(subject.explanation, most=MOST_BARS, of_columns=choice == "columns")


def _parts(subject: Subject) -> Sequence[Option]:
    features = ("features", "Features of the model")
    return (features, ("columns", "Columns of the dataset")) if subject.explanation.column_importances else (features,)


def _history(subject: Subject, _choice: str) -> figures.Figure:
    versions = subject.page.explained_versions
    found = queries.explanations(each.benchmark for each in versions)
    names = [f"v{each.version}" for each in versions]
    return figures.importance_history(names, [found.get(each.benchmark) for each in versions])


def _comparison(subject: Subject, choice: str) -> figures.Figure:
    other = next(each for each in subject.page.explained_rivals if str(each.benchmark) == choice)
    second = queries.explanations([other.benchmark]).get(other.benchmark)
    if second is None:
        raise NoFigureError(f"{other.model} has no explanation any more.")
    own = subject.page.benchmark.model.name
    names = words.short_name(own), words.short_name(other.model)
    return figures.comparison(subject.explanation, second, names if names[0] != names[1] else (own, other.model))


def _rivals(subject: Subject) -> Sequence[Option]:
    return [(str(each.benchmark), each.model) for each in subject.page.explained_rivals]


def _surrogate(subject: Subject, _choice: str) -> figures.Figure:
    found = subject.explanation
    if found.tree is None:
        raise NoFigureError("No tree was fitted to this model.")
    return figures.surrogate(found.tree, found.outputs, subject.output, meaning=found.output)


# Of the events ------------------------------------------------------------------------------------------------------


def _swarm(subject: Subject, _choice: str) -> figures.Figure:
    return figures.swarm(subject.explained, subject.output)


def _heat(subject: Subject, _choice: str) -> figures.Figure:
    return figures.heat(subject.explained, subject.output)


def _decision(subject: Subject, choice: str) -> figures.Figure:
    events = chosen_events(subject.explained, choice)
    if not events:
        raise NoFigureError("No explained event is predicted wrong.")
    return figures.decision(subject.explained, subject.output, events=events)


def _kinds_of_events(subject: Subject) -> Sequence[Option]:
    anything = ("random", "Random events")
    if subject.explained.findings.output == "value":
        return (anything, ("wrong", "Furthest off"))
    if np.isnan(subject.explained.confidence).all():
        return (anything, ("wrong", "Wrong events"))
    return (anything, ("wrong", "Wrong events"), ("unsure", "Least sure events"))


def chosen_events(explained: Explained, kind: str, most: int = MOST_PATHS) -> list[int]:
    """The numbers of some events: `random` ones of the fair sample, always the same; `wrong` ones, the most confident
    first, of a regression those that are furthest off; or those that the model is least `unsure` of last."""
    if kind == "random":
        sample = fair(explained)
        return sorted(np.random.default_rng(SEED).permutation(sample)[:most].tolist())
    if kind == "unsure":
        known = int(np.isfinite(explained.confidence).sum())
        return [int(place) for place in np.argsort(explained.confidence, kind="stable")[: min(most, known)]]
    if explained.findings.output == "value":
        off = np.abs(explained.predicted.astype(float) - explained.truth.astype(float))
        return [int(place) for place in np.argsort(-off, kind="stable")[:most]]
    sure = np.nan_to_num(explained.confidence)
    wrong = np.flatnonzero(is_wrong(explained))
    return [int(place) for place in wrong[np.argsort(-sure[wrong], kind="stable")][:most]]


def _dependence(subject: Subject, choice: str) -> figures.Figure:
    feature = subject.explained.findings.features.index(choice)
    return figures.dependence(subject.explained, feature, subject.output)


def _features(subject: Subject) -> Sequence[Option]:
    names = subject.explained.findings.features
    return [(names[place],) * 2 for place in strongest(strength(subject.explained, subject.output), MOST_OFFERED)]


def _effect(subject: Subject, choice: str) -> figures.Figure:
    findings = subject.explained.findings
    effect = next(each for each in findings.effects if each.feature == choice)
    return figures.effect(effect, findings.outputs, subject.output, meaning=findings.output)


def _effects(subject: Subject) -> Sequence[Option]:
    return [(each.feature, each.feature) for each in subject.explained.findings.effects]


# Of one event -------------------------------------------------------------------------------------------------------


def _waterfall(subject: Subject, choice: str) -> figures.Figure:
    return figures.waterfall(subject.explained, subject.event(choice), subject.output)


def _opinions(subject: Subject, choice: str) -> figures.Figure:
    found = figures.opinions(subject.explained, subject.event(choice), subject.output)
    if found is None:
        raise NoFigureError(f"The event {choice} has no second opinion.")
    return found


CARDS: dict[str, Card] = {
    "importance": Card(
        title="Importance",
        text="How strongly each one moves the output: the mean of its effects' sizes.",
        make=_importance,
        needs="summary",
        choice="of",
        question="Importance of",
        options=_parts,
    ),
    "swarm": Card(
        title="Effects by value",
        text="A point is an event: to the right, its value pushes the answer up. Click one to see why.",
        make=_swarm,
    ),
    "decision": Card(
        title="Decision paths",
        text="From the average, bottom, to the model's answer, top. Dashed paths end wrong. Click one to see why.",
        make=_decision,
        choice="events",
        question="Events",
        options=_kinds_of_events,
    ),
    "dependence": Card(
        title="Dependence",
        text="How a feature's value goes with its effect, coloured by the feature that changes it most.",
        make=_dependence,
        choice="feature",
        question="Feature",
        options=_features,
    ),
    "heat": Card(
        title="Events side by side",
        text="A column is an event; those that are alike stand together. Above them, the model's answer.",
        make=_heat,
        is_wide=True,
    ),
    "effect": Card(
        title="Answer as one feature moves",
        text="Thin lines are events with all else left as it is (ICE), the thick one their mean (partial dependence). "
        "Where features go together, they lead to events that never happen.",
        make=_effect,
        choice="moved",
        question="Feature that moves",
        options=_effects,
        is_approximate=True,
    ),
    "surrogate": Card(
        title="The model as a shallow tree",
        text="A tree that was fitted to the model's answers.",
        make=_surrogate,
        needs="summary",
        is_approximate=True,
    ),
    "history": Card(
        title="Importance over dataset versions",
        text="Shares of all effects, of this model on each version.",
        make=_history,
        needs="summary",
    ),
    "comparison": Card(
        title="Beside another model",
        text="Shares of all effects, on the same dataset version.",
        make=_comparison,
        needs="summary",
        choice="with",
        question="Other model",
        options=_rivals,
    ),
    "waterfall": Card(
        title="Why it was predicted so",
        text="What each value adds to or takes from the average.",
        make=_waterfall,
        needs="",
        choice="event",
    ),
    "opinions": Card(
        title="Second opinion",
        text="SHAP values beside LIME's: the slopes of a linear model that was fitted around this event.",
        make=_opinions,
        needs="",
        choice="event",
        is_approximate=True,
    ),
}
"""All figures, by their names in addresses, in the order of the page."""


def on_page(subject: Subject) -> list[str]:
    """The names of the figures that the explanation's page has a card for: those that there is something to make of."""
    found, page = subject.explanation, subject.page
    absent = {
        "surrogate": found.tree is None,
        "history": len(page.explained_versions) < 2,
        "comparison": not page.explained_rivals,
    }
    return [
        name
        for name, card in CARDS.items()
        if card.needs and not absent.get(name) and (card.needs == "summary" or found.values_key)
    ]


def card(name: str, found: Explanation) -> Card:
    """The card of a figure; that of the tree says how much of the model the tree tells."""
    if name != "surrogate" or found.tree is None:
        return CARDS[name]
    told = formats.share(max(found.tree.fidelity, 0.0), 0)
    text = f"A tree that was fitted to the model's answers: it tells {told} of how they vary, on events it never saw."
    return replace(CARDS[name], text=text)
