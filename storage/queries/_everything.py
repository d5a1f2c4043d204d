"""What the search box at the top of each page finds: something of everything."""

import re
from dataclasses import dataclass
from functools import reduce
from operator import and_

from django.db.models import Exists, OuterRef, Q, QuerySet

from storage.models import Author, Benchmark, DatasetVersion, Model
from storage.queries._language import SearchError
from storage.queries._lists import plain_benchmarks, plain_models, tags
from storage.queries._search import BENCHMARKS, MODELS, is_query, phrases, quoted

_VERSION = re.compile(r"v(0|[1-9][0-9]{0,8})", re.IGNORECASE)
_DIGEST = re.compile(r"[0-9a-f]{6,64}", re.IGNORECASE)
_MOST_MODELS = 50
"""Of so many of the newest models that match, benchmarks are shown: else all benchmarks would have to be looked at."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The first few of each kind that a text finds, and how many models and benchmarks there are of them if counted.

    `model_query` and `benchmark_query` find all of them in the lists. `problems` says of a query of the search language
    why models or benchmarks cannot be searched for it.
    """

    models: list[Model]
    benchmarks: list[Benchmark]
    tags: list[str]
    versions: list[DatasetVersion]
    authors: list[Author]
    model_query: str
    benchmark_query: str
    model_count: int | None = None
    benchmark_count: int | None = None
    problems: tuple[str, ...] = ()


def everything(text: str, most: int, *, counted: bool = False) -> Findings:
    """What a text finds, at most so many of each kind, in a fixed number of queries.

    A query of the search language finds models and benchmarks alone. Plain words find, besides, dataset tags, versions
    by tag, number, query id or digest, and authors. A word that is part of a dataset tag's name, or `v` and a number,
    says on which versions benchmarks are looked for; all others say of which models.

    Raises:
        SearchError: the text is too long, or a query that neither models nor benchmarks can be searched for.
    """
    return _of_query(text, most, counted) if is_query(text) else _of_words(text, most, counted)


def _of_query(text: str, most: int, counted: bool) -> Findings:
    models, benchmarks = plain_models().none(), plain_benchmarks().none()
    problems: list[str] = []
    try:
        models = plain_models().filter(MODELS.condition(text))
    except SearchError as error:
        problems.append(f"Models: {error}")
    try:
        benchmarks = plain_benchmarks().filter(BENCHMARKS.condition(text))
    except SearchError as error:
        if problems:
            raise
        problems.append(f"Benchmarks: {error}")
    return Findings(
        models=_shown_models(models, most),
        benchmarks=_shown_benchmarks(benchmarks, most),
        tags=[],
        versions=[],
        authors=[],
        model_query=text,
        benchmark_query=text,
        model_count=models.count() if counted else None,
        benchmark_count=benchmarks.count() if counted else None,
        problems=tuple(problems),
    )


def _of_words(text: str, most: int, counted: bool) -> Findings:
    models = plain_models().filter(MODELS.condition(text))
    words, names = phrases(text), tags()
    if len(words) == 1 and _DIGEST.fullmatch(words[0]):
        models = plain_models().filter(Q(digest__startswith=words[0].lower()) | MODELS.condition(text))
    query, benchmarks = _benchmarks_of(words, names)
    return Findings(
        models=_shown_models(models, most),
        benchmarks=_shown_benchmarks(benchmarks, most),
        tags=[name for name in names if all(word.lower() in name.lower() for word in words)][:most],
        versions=list(_versions(words)[:most]),
        authors=list(_authors(words)[:most]),
        model_query=text,
        benchmark_query=query,
        model_count=models.count() if counted else None,
        benchmark_count=plain_benchmarks().filter(BENCHMARKS.condition(query)).count() if counted else None,
    )


def _shown_models(found: QuerySet[Model], most: int) -> list[Model]:
    return list(found.select_related("author").defer("manifest")[:most])


def _shown_benchmarks(found: QuerySet[Benchmark], most: int) -> list[Benchmark]:
    fields = ("state", "score", "model__name", "dataset_version__number", "dataset_version__tag__name")
    return list(found.select_related("model", "dataset_version__tag").only(*fields)[:most])


def _benchmarks_of(words: list[str], names: list[str]) -> tuple[str, QuerySet[Benchmark]]:
    """The query that finds benchmarks by plain words, and those of the newest models that match."""
    numbers = [word for word in words if _version(word) is not None]
    of_tags = [word for word in words if word not in numbers and any(word.lower() in name.lower() for name in names)]
    of_models = [word for word in words if word not in {*numbers, *of_tags}]
    conditions = [f"model ~ {quoted(word)}" for word in of_models]
    conditions += [f"tag ~ {quoted(word)}" for word in of_tags]
    conditions += [f"version = {_version(word)}" for word in numbers]
    query = " and ".join(conditions)
    found = plain_benchmarks().filter(BENCHMARKS.condition(query))
    if of_models:
        named = reduce(and_, (Q(name__icontains=word) for word in of_models))
        newest = plain_models().filter(named).values_list("pk", flat=True)[:_MOST_MODELS]
        found = found.filter(model__in=list(newest))
    return query, found


def _version(word: str) -> int | None:
    """The number of a version that a word such as v3 means."""
    found = _VERSION.fullmatch(word)
    return int(found[1]) if found else None


def _versions(words: list[str]) -> QuerySet[DatasetVersion]:
    found = DatasetVersion.objects.select_related("tag").defer("description").order_by("-created", "-pk")
    for word in words:
        column = Q(tag__name__icontains=word) | Q(query_id__icontains=word) | Q(digest__startswith=word.lower())
        number = _version(word)
        found = found.filter(column if number is None else column | Q(number=number))
    return found


def _authors(words: list[str]) -> QuerySet[Author]:
    found = Author.objects.filter(Exists(Model.objects.filter(author=OuterRef("pk"))))
    for word in words:
        found = found.filter(Q(name__icontains=word) | Q(email__icontains=word))
    return found
