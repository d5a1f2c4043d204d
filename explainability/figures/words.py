"""The words and numbers on figures."""

import math
from collections.abc import Iterable, Sequence
from typing import Literal

from explainability.explained import Output

MINUS = "\N{MINUS SIGN}"
MISSING = "missing"

Meaning = Output | Literal[""]
"""What an answer is; empty where nobody said."""

_ANSWERS: dict[Meaning, str] = {
    "probability": "probability of {}",
    "margin": "margin of {}",
    "vote": "vote for {}",
    "value": "{}",
    "": "answer for {}",
}
_NOTES: dict[Meaning, str] = {
    "margin": "A margin is what the model turns into its answer: higher is more.",
    "vote": "A vote is 1 for the predicted class and 0 for all others.",
}
_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_MOST_DIGITS, _TINIEST = 6, -4


def answer(meaning: Meaning, name: str) -> str:
    """What the model says: `probability of dent`, `margin of dent`, or `speed_kmh`."""
    return _ANSWERS[meaning].format(name)


def answer_axis(meaning: Meaning, name: str) -> str:
    """The same as the title of an axis; a value's name stays as it is."""
    text = answer(meaning, name)
    return text if meaning == "value" else text[:1].upper() + text[1:]


def effect_axis(meaning: Meaning, name: str) -> str:
    """What one feature does to it: `Effect on the probability of dent`, `Effect on speed_kmh`."""
    return f"Effect on {answer(meaning, name) if meaning == 'value' else 'the ' + answer(meaning, name)}"


def importance_axis(meaning: Meaning, outputs: Sequence[str]) -> str:
    """What an importance is the mean of, of one output or of several."""
    if len(outputs) == 1:
        effect = effect_axis(meaning, outputs[0])
        return f"Mean absolute {effect[:1].lower()}{effect[1:]}"
    what = "values" if meaning == "value" else f"{meaning or 'answer'}"
    return f"Mean absolute effect on the {what}, summed over {'outputs' if meaning == 'value' else 'classes'}"


def note(meaning: Meaning) -> str:
    """What a margin or a vote is; empty for what needs no such words."""
    return _NOTES.get(meaning, "")


def number(value: float) -> str:
    """A number in three digits, with a true minus sign: `0.118`, `12`, `1,204`, `3.40e-07`; or `missing`."""
    if not math.isfinite(value):
        return MISSING
    sign = MINUS if value < 0 else ""
    size = abs(value)
    if size.is_integer() and size < 10**_MOST_DIGITS:
        return f"{sign}{size:,.0f}"
    magnitude = math.floor(math.log10(size))
    if _TINIEST <= magnitude < _MOST_DIGITS:
        return f"{sign}{size:,.{max(2 - magnitude, 0)}f}"
    return f"{sign}{size:.2e}"


def signed(value: float) -> str:
    """A change in three digits: `+0.118`."""
    return ("+" if value > 0 else "") + number(value)


def share(value: float) -> str:
    """A share as per cent, with a narrow space: `63 %`."""
    return f"{100 * value:.0f}\N{NARROW NO-BREAK SPACE}%"


def count(number: int, one: str) -> str:
    """A number and what it counts, small numbers in words: `one feature`, `seven features`, `1,284 features`."""
    written = _COUNTS[number] if number < len(_COUNTS) else f"{number:,}"
    return f"{written} {one if number == 1 else one + 's'}"


def others(number: int, one: str = "feature") -> str:
    """What stands for several that are summed up: `7 other features`."""
    return f"{number:,} other {one if number == 1 else one + 's'}"


def listed(parts: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, last = list(parts) or [""]
    return f"{', '.join(first)} and {last}" if first else last
