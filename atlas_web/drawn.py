"""Figures on their cards, as templates show them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.urls import reverse

from atlas.errors import AtlasError
from atlas_web import figures
from atlas_web.figures import CARDS, Card, Subject
from atlas_web.pages import trouble
from explainability.figures import Figure

OUTPUT = "output"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A card with its figure, or with why there is none, or with neither as long as nobody has asked for it.

    Attributes:
        id: of its elements.
        name: of the figure, in addresses.
        card: what it is called and how it is read.
        benchmark: whose it is; None if it is no benchmark's, and so has no address of its own.
        output: the name of the output that it is about; empty if the model has one alone.
        chosen: the choice that it shows.
        options: what else can be chosen, if there is more than one thing.
        figure: what is drawn.
        problem: why nothing is.
    """

    id: str
    name: str
    card: Card
    benchmark: int | None
    output: str
    chosen: str
    options: Sequence[figures.Option] = ()
    figure: Figure | None = None
    problem: str = ""

    @property
    def query(self) -> str:
        """What is asked of the figure, as the end of an address."""
        asked = ((OUTPUT, self.output), (self.card.choice, self.chosen))
        return urlencode([(name, value) for name, value in asked if name and value])

    @property
    def address(self) -> str:
        """Where the card comes from."""
        return "" if self.benchmark is None else reverse("figure", args=[self.benchmark, self.name])

    @property
    def pictures(self) -> list[tuple[str, str]]:
        """Formats for reports, and where the figure is in each; none of a figure without an address."""
        if self.benchmark is None:
            return []
        return [
            (kind.upper(), f"{reverse('picture', args=[self.benchmark, self.name, kind])}?{self.query}")
            for kind in ("png", "svg")
        ]


def blank(subject: Subject, name: str, asked: str) -> Drawn:
    """The card of a figure without it."""
    outputs = subject.explanation.outputs
    return Drawn(
        id=name,
        name=name,
        card=figures.card(name, subject.explanation),
        benchmark=subject.whose.benchmark.pk if subject.whose else None,
        output=outputs[subject.output] if len(outputs) > 1 else "",
        chosen=asked,
    )


def drawn(subject: Subject, name: str, asked: str) -> Drawn:
    """The card of a figure with what is asked of it, or with why there is nothing."""
    card, empty = CARDS[name], blank(subject, name, asked)
    try:
        options = card.offered(subject)
        chosen = card.chosen(subject, asked)
        return replace(
            empty, figure=card.make(subject, chosen), chosen=chosen, options=options if len(options) > 1 else ()
        )
    except AtlasError as error:
        return replace(empty, problem=trouble.reason(error))
