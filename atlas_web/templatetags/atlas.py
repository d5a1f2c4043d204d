"""The words of `atlas_web.words` as template filters."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.template import Library
from django.utils.safestring import SafeString

from atlas_web import words
from ui import components, formats

register = Library()

for _filter in (
    words.aim,
    words.change,
    words.clipped,
    words.less_is_better,
    words.measured,
    words.metric_title,
    words.noise,
    words.plural,
    words.told,
):
    register.filter(_filter)


@register.filter
def progress(model: Any) -> SafeString:
    """How far the benchmarks of a row of `queries.models()` are."""
    return components.state(*words.progress(model))


@register.filter
def standing(benchmark: Any) -> SafeString:
    """Where a benchmark stands, and what it is doing while it runs."""
    return components.state(benchmark.state, *words.phase(benchmark))


@register.filter
def descending(numbers: Iterable[int]) -> list[int]:
    """The numbers, the largest first."""
    return sorted(numbers, reverse=True)


@register.filter
def whole(number: int) -> str:
    """A count, with a comma between thousands."""
    return formats.num(number, 0)


@register.filter
def at(entries: Mapping[str, Any], name: str) -> Any:
    """What a mapping holds under a name that is known only on the page; None if it holds nothing there."""
    return entries.get(name)
