"""What an explanation says, in words: how it was made, what its values add up to, and what matters most. Pure."""

from collections.abc import Iterator, Sequence

from atlas.results import Explanation, Importance
from atlas_web import words
from explainability.figures import words as figure_words
from ui import formats

MOST_NAMED = 3
"""How many features a sentence names at most, and never more than half of them."""
_BACKGROUNDS = {
    "reference": "{} of its training data, from the bundle",
    "data": "{} of this dataset",
    "model": "the model's own counts of training rows",
}


def facts(found: Explanation, output: int) -> list[tuple[str, object]]:
    """How the explanation was made, as terms and values; what nobody recorded is left out."""
    said = (
        ("Method", found.method),
        ("Values add up to", adds_up_to(found, output)),
        ("Unknown means", _background(found)),
        ("Explained", _rows(found)),
        ("Error of a value", _error(found)),
        ("Took", formats.duration(found.seconds) if found.seconds else ""),
    )
    return [(term, value) for term, value in said if value]


def adds_up_to(found: Explanation, output: int) -> str:
    """What the values of an event, with the average, add up to: `the probability of dent`, or `speed_kmh`."""
    if not found.outputs:
        return ""
    answer = figure_words.answer(found.output, found.outputs[output])
    return answer if found.output == "value" else f"the {answer}"


def note(found: Explanation) -> str:
    """What a margin or a vote is; empty for what needs no such words."""
    return figure_words.note(found.output)


def _background(found: Explanation) -> str:
    rows = words.plural(found.background_rows, "row") if found.background_rows else "rows"
    return _BACKGROUNDS[found.background].format(rows) if found.background else ""


def _rows(found: Explanation) -> str:
    if found.rows == found.of_rows:
        return f"all {words.plural(found.rows, 'event')}"
    of = f" of {found.of_rows:,}" if found.of_rows else ""
    picked = f", and {found.picked_rows:,} of the worst" if found.picked_rows else ""
    return f"{found.rows:,}{of} events{picked}"


def _error(found: Explanation) -> str:
    return f"{_small(found.value_error)}, one standard deviation" if found.value_error else "none, they are exact"


def _small(value: float) -> str:
    """A number in two digits, which is as much as is known of an error."""
    return figure_words.number(float(f"{value:.1e}")).rstrip("0") if value < 1 else figure_words.number(value)


def verdict(found: Explanation) -> list[str]:
    """What matters most, in sentences, and how sure that is."""
    said = [_most(found.importances, "the model's features" if found.column_importances else "the features")]
    if found.column_importances:
        said.append(_most(found.column_importances, "the dataset's columns"))
    return [sentence for sentence in (*said, *_sureness(found)) if sentence]


def _most(importances: Sequence[Importance], of: str) -> str:
    """The most important ones and their share of all effects."""
    whole = sum(each.total for each in importances)
    first = importances[: min(MOST_NAMED, max(len(importances) // 2, 1))]
    if not whole:
        return f"None of {of} moves the prediction."
    share = formats.share(sum(each.total for each in first) / whole, 0)
    names = figure_words.listed(each.feature for each in first)
    have = "has" if len(first) == 1 else "have"
    return f"Of {of}, {names} {have} {share} of the effects on the prediction."


def _sureness(found: Explanation) -> Iterator[str]:
    if not found.value_error:
        yield "The values are exact."
        return
    yield f"The values are estimates: each has a standard error of about {_small(found.value_error)}."
