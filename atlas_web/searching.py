"""What the search boxes offer and find, for pages and scripts alike."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from atlas.metrics import REGISTRY
from atlas_web import words
from storage import queries
from ui import formats
from ui.menu import Link

VALUES: dict[str, Callable[[], Iterable[str]]] = {
    "use_case": queries.use_cases,
    "author": queries.authors,
    "tag": queries.tags,
}
"""The values that are offered for fields whose values are few."""


@dataclass(frozen=True)
class Hit:
    """Something that was found: its name, what it is in a few words, and its page."""

    text: str
    sub: str
    href: str


@dataclass(frozen=True)
class Group:
    """What was found of one kind, and the text and address of a link to all of it, if there may be more."""

    title: str
    glyph: str
    hits: Sequence[Hit]
    more: tuple[str, str] | None = None


def fields(language: queries.Language) -> list[dict[str, Any]]:
    """All fields of a list's search language: name, what it is, kind, operators, and values that are offered."""
    own = [(field, _values(field)) for field in language.fields.values()]
    names = dict.fromkeys((*queries.metric_names(), *REGISTRY))
    metrics: list[tuple[Any, list[str]]] = [
        (language.metric(name), []) for name in names if name and name not in language.fields
    ]
    return [
        {
            "name": field.name,
            "about": words.metric_title(field.name) if field.name in names else field.about,
            "kind": field.kind,
            "operators": field.operators,
            "values": values,
        }
        for field, values in (*own, *metrics)
    ]


def _values(field: Any) -> list[str]:
    found = VALUES.get(field.name)
    return list(found()) if found else list(getattr(field, "words", ()))


def groups(text: str, links: Iterable[Link], most: int, *, counted: bool = False) -> tuple[list[Group], Sequence[str]]:
    """What a text finds, kind by kind, without those of which there is nothing; and what is wrong with the text.

    Args:
        text: plain words, or a query of the search language.
        links: of the menu, for pages are found as well.
        most: at most so many of each kind.
        counted: whether it is said how many models and benchmarks there are.
    """
    if not text.strip():
        return [], ()
    try:
        found = queries.everything(text, most, counted=counted)
    except queries.SearchError as error:
        return [], (str(error),)
    return [group for group in (_pages(text, links), *_kinds(found, most)) if group.hits], found.problems


def _pages(text: str, links: Iterable[Link]) -> Group:
    asked = text.lower().split()
    named = [link for link in links if all(word in link.entry.text.lower() for word in asked)]
    return Group("Pages", "window", [Hit(link.entry.text, "", link.href) for link in named])


def _kinds(found: queries.Findings, most: int) -> Iterator[Group]:
    models = [Hit(each.name, _about_model(each), reverse("model", args=[each.pk])) for each in found.models]
    yield Group("Models", "cube", models, _all("model", found.model_query, found.model_count, models, most))
    benchmarks = [Hit(each.model.name, _about(each), reverse("benchmark", args=[each.pk])) for each in found.benchmarks]
    more = _all("benchmark", found.benchmark_query, found.benchmark_count, benchmarks, most)
    yield Group("Benchmarks", "chart-bar", benchmarks, more)
    yield Group("Datasets", "circle-stack", [Hit(name, "", reverse("dataset", args=[name])) for name in found.tags])
    yield Group("Dataset versions", "rectangle-stack", [_version(each) for each in found.versions])
    yield Group("Authors", "user", [_author(each) for each in found.authors])


def _all(noun: str, query: str, count: int | None, hits: Sequence[Hit], most: int) -> tuple[str, str] | None:
    if len(hits) < most and count is None:
        return None
    text = f"All {noun}s" if count is None else words.plural(count, noun) if count == 1 else f"All {count:,} {noun}s"
    return text, f"{reverse(f'{noun}s')}?{urlencode({'q': query})}"


def _about_model(model: Any) -> str:
    return f"{model.use_case}, {model.author.name}" if model.author else "invalid file"


def _about(benchmark: Any) -> str:
    score = "" if benchmark.score is None else f", {formats.num(benchmark.score)}"
    return f"{benchmark.dataset_version}, {benchmark.state}{score}"


def _version(version: Any) -> Hit:
    href = f"{reverse('dataset', args=[version.tag.name])}?version={version.number}"
    return Hit(str(version), f"{version.query_id}, {formats.short_digest(version.digest)}", href)


def _author(author: Any) -> Hit:
    return Hit(author.name, author.email, f"{reverse('models')}?{urlencode({'author': author.name})}")
