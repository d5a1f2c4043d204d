"""What the cards of the page have in common: a finding in a sentence, and maybe a reason for the verdict."""

from dataclasses import dataclass

from django.utils.safestring import SafeString

from atlas.paired import Difference, Finding
from ui import components, formats


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What a card says of why the metric changed.

    Attributes:
        text: in a sentence.
        card: the id of the card's element.
        weight: from 0 to 1, how much more of the change it explains than its share of the events; what is not known
            to explain a part of it weighs 0.
    """

    text: str
    card: str
    weight: float = 0.0


def noise(difference: Difference) -> bool | None:
    """Whether a difference lies within noise; None if nothing tells."""
    known = {Finding.WITHIN_NOISE: True, Finding.BETTER: False, Finding.WORSE: False}
    return known.get(difference.finding)


def change(difference: Difference, *, greater_is_better: bool, decimals: int = 3) -> SafeString:
    """A difference, in colour if it is more than noise."""
    return components.delta(difference.value, noise(difference), decimals, better_down=not greater_is_better)


def moved(before: float | None, now: float | None) -> str:
    """How a value moved: `fell from 0.900 to 0.800`."""
    if before is None or now is None:
        return f"went from {formats.num(before)} to {formats.num(now)}"
    if now == before:
        return f"stayed at {formats.num(now)}"
    return f"{'fell' if now < before else 'rose'} from {formats.num(before)} to {formats.num(now)}"
