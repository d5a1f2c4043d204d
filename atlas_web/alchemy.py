"""The view of the comparison workbench that an address holds: what is chosen, and how it is shown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from atlas.comparison import MOST_BENCHMARKS
from atlas.states import State
from storage import queries
from storage.queries import ChosenBenchmark
from ui import components

MOST_DIGITS = 18
"""No key of a table has more."""


class Cost(StrEnum):
    """What quality is plotted against."""

    LATENCY = "latency"
    MEMORY = "memory"
    SIZE = "size"


@dataclass(frozen=True, kw_only=True)
class View:
    """What an address asks for, as far as there is such a thing.

    Attributes:
        chosen: the benchmarks, in the address's order.
        reference: the one that all others are compared with; None if nothing is chosen.
        metric: the name of the metric that the evidence is about; empty if nothing is chosen.
        differences_only: whether the table leaves out what is the same.
        cost: what quality is plotted against.
        problems: what was asked for and there is not, in sentences that name the parameter.
    """

    chosen: Sequence[ChosenBenchmark]
    reference: ChosenBenchmark | None
    metric: str
    differences_only: bool = False
    cost: Cost = Cost.LATENCY
    problems: Sequence[str] = ()

    @property
    def keys(self) -> list[int]:
        """The keys of the chosen benchmarks."""
        return [each.benchmark.pk for each in self.chosen]

    @property
    def others(self) -> list[ChosenBenchmark]:
        """All but the reference."""
        return [each for each in self.chosen if each is not self.reference]

    @property
    def metrics(self) -> list[str]:
        """The metrics of the reference, the primary one first."""
        return [metric.name for metric in self.reference.metrics] if self.reference else []

    @property
    def query(self) -> str:
        """The view as the end of an address."""
        return urlencode(list(self._pairs()))

    def _pairs(self) -> Iterator[tuple[str, object]]:
        for key in self.keys:
            yield "b", key
        if self.reference and self.reference is not self.chosen[0]:
            yield "reference", self.reference.benchmark.pk
        if self.metric in self.metrics[1:]:
            yield "metric", self.metric
        if self.differences_only:
            yield "differences", 1
        if self.cost is not Cost.LATENCY:
            yield "cost", self.cost

    def mark(self, benchmark: ChosenBenchmark) -> str:
        """The letter that stands for a chosen benchmark."""
        return chr(ord("A") + self.keys.index(benchmark.benchmark.pk))

    def without(self, benchmark: ChosenBenchmark) -> str:
        """The address of the view without one benchmark."""
        left = [each for each in self.chosen if each is not benchmark]
        reference = self.reference if self.reference in left else next(iter(left), None)
        return address(replace(self, chosen=left, reference=reference).query)

    def beside(self, key: int) -> str:
        """The address of the view with one more benchmark."""
        query = f"{self.query}&b={key}" if self.chosen else f"b={key}"
        return address(query)


def address(query: str) -> str:
    """The workbench's address with a view."""
    return f"{reverse('alchemy')}?{query}" if query else reverse("alchemy")


def of_benchmarks(keys: Sequence[int], reference: int | None = None) -> str:
    """The address that compares some benchmarks, the first of them being the reference if nothing else is said."""
    pairs = [("b", key) for key in keys[:MOST_BENCHMARKS]]
    return address(urlencode([*pairs, *([("reference", reference)] if reference else [])]))


def view_of(asked: QueryDict) -> View:
    """The view that an address's parameters ask for: `b` a benchmark, as often as there are, `reference`, `metric`,
    `differences` and `cost`."""
    keys, problems = _keys(asked.getlist("b"))
    chosen = queries.chosen_benchmarks(keys)
    problems += _missing(keys, chosen)
    reference, wrong = _reference(asked.get("reference", ""), chosen)
    metric, unknown = _metric(asked.get("metric", ""), reference)
    cost = asked.get("cost", "")
    costs = [each.value for each in Cost]
    unheard = [] if cost in {"", *costs} else [f"cost: “{cost}” is none of {', '.join(costs)}."]
    return View(
        chosen=chosen,
        reference=reference,
        metric=metric,
        differences_only=asked.get("differences", "") not in {"", "0"},
        cost=Cost(cost) if cost in costs else Cost.LATENCY,
        problems=[*problems, *wrong, *unknown, *unheard],
    )


def _keys(texts: Sequence[str]) -> tuple[list[int], list[str]]:
    wrong = [text for text in texts if not _is_key(text)]
    keys = list(dict.fromkeys(int(text) for text in texts if _is_key(text)))
    problems = [f"b: “{text}” is not the number of a benchmark." for text in wrong[:MOST_BENCHMARKS]]
    if len(keys) > MOST_BENCHMARKS:
        problems.append(f"b: {len(keys)} benchmarks are asked for; the first {MOST_BENCHMARKS} are compared.")
    return keys[:MOST_BENCHMARKS], problems


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS


def _missing(keys: Sequence[int], chosen: Sequence[ChosenBenchmark]) -> list[str]:
    missing = set(keys) - {each.benchmark.pk for each in chosen}
    states = queries.states_of(missing) if missing else {}
    return [_why_not(key, states.get(key)) for key in keys if key in missing]


def _why_not(key: int, state: str | None) -> str:
    if state is None:
        return f"b: there is no benchmark {key}."
    return f"b: benchmark {key} has no result to compare: {components.STATES[State(state)].text.lower()}."


def _reference(text: str, chosen: Sequence[ChosenBenchmark]) -> tuple[ChosenBenchmark | None, list[str]]:
    found = next((each for each in chosen if str(each.benchmark.pk) == text), None)
    problems = [] if found or not text else [f"reference: “{text}” is none of the chosen benchmarks."]
    return found or next(iter(chosen), None), problems


def _metric(text: str, reference: ChosenBenchmark | None) -> tuple[str, list[str]]:
    names = [metric.name for metric in reference.metrics] if reference else []
    problems = [] if text in {"", *names} else [f"metric: the reference was not measured by “{text}”."]
    return text if text in names else next(iter(names), ""), problems
