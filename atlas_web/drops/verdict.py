"""What the page says first: how the metric changed, whether that is more than noise, and what explains most of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from atlas.paired import Finding
from atlas_web.drops.asked import Asked
from atlas_web.drops.card import Reason
from ui import formats
from ui.components import Tone

MOST_REASONS = 3
_SURE = {
    Finding.WORSE: "more than noise",
    Finding.BETTER: "more than noise, for the better",
    Finding.WITHIN_NOISE: "within noise",
}
_LOOKS = {
    Finding.WORSE: ("bad", "arrow-trending-down"),
    Finding.BETTER: ("ok", "arrow-trending-up"),
    Finding.WITHIN_NOISE: ("info", "information-circle"),
    Finding.CANNOT_TELL: ("info", "information-circle"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The conclusion: its first sentence, what follows, and the reasons, the strongest first."""

    tone: Tone
    glyph: str
    first: str
    rest: str
    reasons: list[Reason]


def verdict(asked: Asked, cards: Iterable[Reason | None]) -> Verdict:
    """The conclusion of the page from the reasons that its cards give."""
    tone, glyph = _LOOKS[asked.change.finding]
    reasons = sorted((each for each in cards if each), key=lambda each: -each.weight)
    return Verdict(
        tone=tone,  # type: ignore[arg-type]
        glyph=glyph,
        first=first(asked),
        rest=" ".join(_rest(asked, bool(reasons))),
        reasons=reasons[:MOST_REASONS],
    )


def first(asked: Asked) -> str:
    """How the metric changed."""
    if asked.reference is None:
        return f"{asked.title} is {formats.num(asked.now.value)}, on the first version with a result of this model."
    before = f"{formats.num(asked.reference.value)} on v{asked.reference.version}"
    now = f"{formats.num(asked.now.value)} on v{asked.version}"
    if not asked.change.value:
        return f"{asked.title} is {now}, the same as on v{asked.reference.version}."
    return f"{asked.title} {'fell' if asked.noun == 'fall' else 'rose'} from {before} to {now}, {sureness(asked)}."


def sureness(asked: Asked) -> str:
    """Whether the change is more than noise."""
    return _SURE.get(asked.change.finding, "and nothing tells whether that is more than noise")


def _rest(asked: Asked, is_explained: bool) -> Iterator[str]:
    if asked.reference is None:
        yield "There is nothing to compare it with. Below is how far its data lie from what the model was trained on."
        return
    if asked.is_due and asked.is_checked:
        yield "An earlier result has changed since the engine compared them; it will do so again."
    elif asked.is_due:
        yield "The engine has not compared these results yet: until then both intervals alone tell what is noise."
    elif not asked.is_checked:
        yield "The engine did not compare these two: both intervals alone tell what is noise, for one look at them."
    if asked.change.value and not is_explained:
        yield "Nothing that is stored explains it; the cards below say what is not known."
    if asked.change.finding is Finding.WITHIN_NOISE and is_explained:
        yield "Chance is reason enough for that; what differs all the same:"
