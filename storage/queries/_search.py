"""The search language of the lists of models and of benchmarks: their fields, under names that are no tables' columns.

docs/reference/search.md describes it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import reduce
from operator import and_, or_
from types import MappingProxyType
from typing import Any

from django.db.models import Exists, OuterRef, Q

from atlas.metrics import REGISTRY
from atlas.states import FailureClass, ModelState, State
from atlas.vocabulary import Task
from storage.models import Metric, Model
from storage.queries._fields import Field, NumberField, TextField, TimeField, WordField, unheld
from storage.queries._language import Comparison, Condition, SearchError, read

LONGEST = 500
"""So many characters a search may have."""
MIB = 2**20
STANDINGS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "benchmarked": {"done__gt": 0},
        "waiting": {"unfinished__gt": 0},
        "failed": {"failed__gt": 0},
        "invalid": {"state": ModelState.INVALID},
    }
)
"""How a model can stand, each word with its condition on `queries.models()`."""

_QUOTED = re.compile(r'"[^"]*"|\'[^\']*\'')
_SIGN = re.compile(r"[=<>~]|\b(?:starts|ends)with\b|\bin\s*\(", re.IGNORECASE)
_PHRASE = re.compile(r'"([^"]+)"|(\S+)')


def is_query(text: str) -> bool:
    """Whether a text is written in the search language rather than plain words.

    It is if there is one of `=`, `<`, `>`, `~`, `startswith`, `endswith` or `in (` in it, but for what is in quotes.
    """
    return bool(_SIGN.search(_QUOTED.sub('""', text)))


def quoted(text: str) -> str:
    """A text as the search language writes it."""
    return '"{}"'.format(re.sub(r'(["\\])', r"\\\1", re.sub(r"[\n\r\u2028\u2029]", " ", text)))


def phrases(text: str) -> list[str]:
    """The words of a plain text, what is in double quotes as one."""
    return [phrase or word for phrase, word in _PHRASE.findall(text)]


@dataclass(frozen=True, kw_only=True)
class Language:
    """What can be searched in one list.

    Args:
        fields: by name; every metric is one besides.
        plain: the columns in which plain words are looked for.
        benchmark: the column with the key of the benchmark whose metrics count.
        examples: some searches, each with what it finds.
    """

    fields: Mapping[str, Field]
    plain: tuple[str, ...]
    benchmark: str
    examples: tuple[tuple[str, str], ...]

    def condition(self, text: str) -> Q:
        """Which rows a text asks for: those that it describes, or in which each of its plain words occurs.

        Raises:
            SearchError: the text is a query that cannot be read, or is too long.
        """
        _check(text)
        if is_query(text):
            return self._meaning(read(text))
        return reduce(and_, (self._occurs(phrase) for phrase in phrases(text)), Q())

    def metric(self, name: str) -> Field:
        """The field of a metric."""
        return NumberField(
            name=name,
            about="a metric on the newest version" if self.benchmark == "result" else "a metric",
            example="0.9",
            column="value",
            within=lambda found: Q(Exists(Metric.objects.filter(found, benchmark=OuterRef(self.benchmark), name=name))),
        )

    def _occurs(self, phrase: str) -> Q:
        return reduce(or_, (Q(**{f"{column}__icontains": phrase}) for column in self.plain))

    def _meaning(self, condition: Condition) -> Q:
        if isinstance(condition, Comparison):
            return self._field(condition).condition(condition)
        left, right = self._meaning(condition.left), self._meaning(condition.right)
        return left | right if condition.either else left & right

    def _field(self, comparison: Comparison) -> Field:
        name = comparison.field
        if name in self.fields:
            return self.fields[name]
        if name in REGISTRY or Metric.objects.filter(name=name).exists():
            return self.metric(name)
        near = get_close_matches(name, [*self.fields, *REGISTRY], n=3)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"Fields: {', '.join(self.fields)}, and every metric."
        raise SearchError(f"There is no field {name}. {hint}", comparison.column)


def _check(text: str) -> None:
    if len(text) > LONGEST:
        raise SearchError(f"A search has at most {LONGEST} characters.", LONGEST + 1)
    place = unheld(text)
    if place is not None:
        raise SearchError("No database holds this character.", place + 1)


def _tagged(found: Q) -> Q:
    return Q(Exists(Model.tags.through.objects.filter(found, model=OuterRef("pk"))))


def _words(column: str, words: type[StrEnum]) -> dict[str, Q]:
    return {word.value: Q(**{column: word.value}) for word in words}


def _named(*fields: Field) -> Mapping[str, Field]:
    return MappingProxyType({each.name: each for each in fields})


MODELS = Language(
    fields=_named(
        TextField(name="name", about="the model's name", example="Forest-1.0.0", column="name"),
        TextField(name="use_case", about="what it is for", example="damage detector", column="use_case"),
        WordField(name="task", about="what it predicts", example="binary", words=_words("task", Task)),
        TextField(name="author", about="who made it", example="Silva", column="author__name"),
        TextField(
            name="tag", about="a dataset tag of it", example="impacts", column="datasettag__name", within=_tagged
        ),
        TextField(name="version", about="its author's version", example="1.0.0", column="version"),
        TimeField(name="created", about="when its author made it", example="2026-03-02", column="created"),
        TimeField(name="arrived", about="when Atlas found it", example="2026-03-02", column="arrived"),
        WordField(
            name="state",
            about="how it stands",
            example="benchmarked",
            words={word: Q(**condition) for word, condition in STANDINGS.items()},
        ),
        NumberField(name="score", about="primary metric on the newest version", example="0.9", column="score"),
        NumberField(name="done", about="benchmarks that are done", example="3", column="done", whole=True),
        NumberField(name="failed", about="benchmarks that failed", example="0", column="failed", whole=True),
        NumberField(name="size_mb", about="its file, in MiB", example="10", column="size_bytes", unit=MIB),
    ),
    plain=("name", "use_case", "author__name"),
    benchmark="result",
    examples=(
        ("forest silva", "both words occur in the name, the use case or the author"),
        ('use_case = "damage detector" and f1_macro > 0.9', "the good ones of a use case"),
        ('author ~ "silva" or author ~ "prado"', "of either author"),
        ('tag in ("impacts", "winter") and created >= "2026-03-01"', "made since March for one of two tags"),
        ("failed > 0 and score != None", "some benchmarks failed, others have a score"),
    ),
)
"""Of the list of models."""

BENCHMARKS = Language(
    fields=_named(
        TextField(name="model", about="the model's name", example="Forest-1.0.0", column="model__name"),
        TextField(name="use_case", about="what the model is for", example="damage detector", column="model__use_case"),
        TextField(name="author", about="who made the model", example="Silva", column="model__author__name"),
        TextField(name="tag", about="the dataset tag", example="impacts", column="dataset_version__tag__name"),
        NumberField(
            name="version",
            about="the dataset version's number",
            example="3",
            column="dataset_version__number",
            whole=True,
        ),
        WordField(name="state", about="where it stands", example="done", words=_words("state", State)),
        TextField(name="reason", about="why it failed or cannot run", example="memory", column="reason"),
        WordField(
            name="failure_class",
            about="the kind of failure",
            example="timeout",
            words=_words("failure_class", FailureClass),
        ),
        TimeField(name="finished", about="when it ended", example="2026-03-02", column="finished"),
        TimeField(name="queued", about="when it was queued", example="2026-03-02", column="queued"),
        NumberField(name="wall_seconds", about="how long it ran, in seconds", example="60", column="wall_seconds"),
        NumberField(
            name="latency_p50_ms",
            about="median time to predict one event, in ms",
            example="5",
            column="latency_p50_seconds",
            unit=0.001,
        ),
        NumberField(name="memory_mb", about="peak memory, in MiB", example="500", column="peak_memory_bytes", unit=MIB),
        NumberField(name="score", about="the primary metric", example="0.9", column="score"),
    ),
    plain=("model__name", "model__author__name", "dataset_version__tag__name", "reason"),
    benchmark="pk",
    examples=(
        ("forest memory", "both words occur in the model, the author, the tag or the reason"),
        ('model startswith "Forest" and tag = "impacts" and version >= 3', "of some models on some versions"),
        ('state = "failed" and finished = "2026-03-02"', "what failed on one day"),
        ("f1_macro > 0.9 and latency_p50_ms < 5", "good and fast"),
        ('failure_class in ("timeout", "out of memory")', "what took too much"),
    ),
)
"""Of the list of benchmarks."""

LANGUAGES: Mapping[str, Language] = MappingProxyType({"models": MODELS, "benchmarks": BENCHMARKS})
"""By the name of the list."""
