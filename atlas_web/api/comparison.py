"""Benchmarks beside each other."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, QueryDict
from ninja import Query
from pydantic import BaseModel, ConfigDict, Field

from atlas.access import Right
from atlas.api import ComparedHyperparameter, ComparedMetric, Comparison, FieldProblem, PairedTest, Score
from atlas.comparison import MOST_BENCHMARKS
from atlas.comparison import Comparison as Compared
from atlas.paired import Difference
from atlas_web.alchemy import view_of
from atlas_web.api import documents
from atlas_web.api.lists import Key, Words
from atlas_web.api.operations import Operations
from atlas_web.api.problems import RequestError
from atlas_web.comparison import compare
from storage import queries

operations = Operations("side by side")


class Compares(BaseModel):
    """What is compared, with which of them, and by which metric the evidence is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    benchmark: list[Key] = Field(min_length=1, max_length=MOST_BENCHMARKS, description="keys of benchmarks")
    reference: Key | None = Field(None, description="the first one unless it is given")
    metric: Words = Field("", description="the reference's primary one unless it is given")


@operations.declare("GET", "comparison", Right.READ, {200: Comparison})
def get_comparison(request: HttpRequest, asked: Query[Compares]) -> Comparison:  # noqa: ARG001  # ninja's
    """Some benchmarks beside a reference: metrics, hyperparameters, tests, and what the evidence supports.

    All have to be done. Two that answered the same events are tested event by event.
    """
    view = view_of(_as_address(asked))
    if view.problems:
        errors = [_problem(told) for told in view.problems]
        raise RequestError(" ".join(each.message for each in errors), errors)
    return _comparison(compare(view), view.keys)


def _as_address(asked: Compares) -> QueryDict:
    """What is asked for as the workbench's address says it."""
    address = QueryDict(mutable=True)
    address.setlist("b", [str(key) for key in asked.benchmark])
    if asked.reference is not None:
        address["reference"] = str(asked.reference)
    address["metric"] = asked.metric
    return address


def _problem(told: str) -> FieldProblem:
    field, _, message = told.partition(": ")
    return FieldProblem(field="benchmark" if field == "b" else field, message=message)


def _comparison(found: Compared, keys: list[int]) -> Comparison:
    rows = {row.pk: row for row in queries.benchmarks().filter(pk__in=keys)}
    marks = {each.mark: each.benchmark for each in found.benchmarks}
    return Comparison(
        benchmarks=tuple(documents.benchmark_summary(rows[key]) for key in keys if key in rows),
        metrics=tuple(map(_compared_metric, found.metrics)),
        hyperparameters=tuple(map(_compared_hyperparameter, found.hyperparameters)),
        tests=tuple(_tests(found, marks[found.reference])),
        verdict=tuple(text for each in found.evidence for text in (each.sentence, *each.notes)),
    )


def _compared_metric(metric: Any) -> ComparedMetric:
    ends = zip(metric.values, metric.lows, metric.highs, strict=True)
    return ComparedMetric(
        name=metric.name,
        greater_is_better=metric.greater_is_better,
        values=tuple(_score(metric.name, *each) for each in ends),
    )


def _score(metric: str, value: float | None, low: float | None, high: float | None) -> Score | None:
    return None if value is None else Score(metric=metric, value=value, low=low, high=high)


def _compared_hyperparameter(found: Any) -> ComparedHyperparameter:
    differs = found.differs and not found.is_idle
    return ComparedHyperparameter(step=found.step, name=found.name, values=found.values, differs=differs)


def _tests(found: Compared, reference: int) -> Iterator[PairedTest]:
    for metric in found.metrics:
        for other, difference in zip(found.benchmarks, metric.differences, strict=True):
            if difference is not None and difference.value is not None:
                yield _test(metric.name, reference, other.benchmark, difference, difference.value)


def _test(metric: str, first: int, second: int, difference: Difference, value: float) -> PairedTest:
    return PairedTest(
        test=difference.method.value,
        metric=metric,
        first=first,
        second=second,
        events=difference.rows,
        difference=value,
        low=difference.low,
        high=difference.high,
        p_value=difference.p if difference.adjusted_p is None else difference.adjusted_p,
    )
