"""Alchemy, the comparison workbench: benchmarks beside each other, and what that says of which is better."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from atlas.access import Right
from atlas.comparison import ComparedMetric, Comparison, Evidence
from atlas.paired import Finding, Method
from atlas_web import alchemy_charts, pairs
from atlas_web.alchemy import View, of_benchmarks, view_of
from atlas_web.alchemy_table import table
from atlas_web.chosen import picked
from atlas_web.comparison import compare
from atlas_web.downloads import csv_file
from storage import queries
from ui.access import requires

LOOKS = {
    Finding.BETTER: ("ok", "check-circle"),
    Finding.WORSE: ("bad", "arrow-down-circle"),
    Finding.WITHIN_NOISE: ("idle", "minus-circle"),
    Finding.CANNOT_TELL: ("idle", "question-mark-circle"),
}
"""The tone and icon of each finding."""
UNPROCESSABLE = 422


@requires(Right.READ)
@require_safe
def alchemy(request: HttpRequest) -> HttpResponse:
    """The chosen benchmarks beside each other. The address holds the whole view: see `atlas_web.alchemy.view_of`.

    What compares events one by one follows by itself, unless it is known already or `?wait=1` asks for all at once.
    """
    view = view_of(request.GET)
    if getattr(request, "htmx", None) and request.htmx.target == "candidates":  # type: ignore[attr-defined]
        return render(request, "pages/parts/alchemy_candidates.html", _adding(request, view))
    context: dict[str, Any] = {"view": view, **_adding(request, view), **_chosen(view)}
    if view.reference is None:
        context["suggestions"] = [(each, of_benchmarks(each.benchmarks)) for each in queries.suggestions()]
    elif request.GET.get("wait") or pairs.are_known(view.reference, view.others):
        context |= _compared(view)
    return render(request, "pages/alchemy.html", context)


@requires(Right.READ)
@require_POST
def compare_chosen(request: HttpRequest) -> HttpResponse:
    """Lead to the view of the benchmarks that were chosen in their list."""
    return redirect(of_benchmarks(picked(request)))


@requires(Right.READ)
@require_safe
def evidence(request: HttpRequest) -> HttpResponse:
    """The part of the page that compares events one by one, which takes longer than all else."""
    view = view_of(request.GET)
    context = {"view": view, **(_compared(view) if view.reference else {})}
    return render(request, "pages/parts/alchemy_evidence.html", context)


def _adding(request: HttpRequest, view: View) -> dict[str, Any]:
    """Benchmarks that may be added, with the address of the view that has them."""
    text = request.GET.get("add", "")[:200]
    found = []
    if text or view.chosen:
        beside = view.reference.benchmark if view.reference else None
        found = queries.candidates(text, beside=beside, without=view.keys)
    return {"add": text, "candidates": [(each, view.beside(each.pk)) for each in found]}


def _chosen(view: View) -> dict[str, Any]:
    if view.reference is None:
        return {}
    return {
        "chips": [
            (
                view.mark(each),
                each.benchmark,
                f"{each.benchmark.model.name} on {each.benchmark.dataset_version}",
                view.without(each),
            )
            for each in view.chosen
        ],
        "on": _where(view),
        "histories": alchemy_charts.over_versions(view),
        "matrices": alchemy_charts.matrices(view),
        "reference_mark": view.mark(view.reference),
        "quality": alchemy_charts.quality(view),
        "costs": [(cost, axis.title) for cost, axis in alchemy_charts.AXES.items()],
        "files": [(kind, f"{reverse(f'alchemy-{kind}')}?{view.query}") for kind in ("csv", "json")],
    }


def _where(view: View) -> Any:
    """The dataset version that all are on, if it is one."""
    versions = {each.benchmark.dataset_version_id: each.benchmark.dataset_version for each in view.chosen}
    return next(iter(versions.values())) if len(versions) == 1 else None


def _compared(view: View) -> dict[str, Any]:
    comparison = compare(view)
    return {
        "comparison": comparison,
        "evidence": [(*LOOKS[each.finding], each) for each in comparison.evidence],
        "how": _how(comparison.evidence),
        "table": table(comparison, differences_only=view.differences_only),
    }


def _how(found: tuple[Evidence, ...]) -> str:
    """How the differences were tested, in a line."""
    methods = {each.difference.method for each in found}
    how = {
        frozenset({Method.PAIRED}): "Paired on the same events",
        frozenset({Method.UNPAIRED}): "Not paired: the intervals of both are compared",
    }.get(frozenset(methods), "Paired where the events are the same")
    tests = sum(each.difference.p is not None for each in found)
    return f"{how}; p values corrected by Holm's method for {tests} comparisons" if tests > 1 else how


# Files --------------------------------------------------------------------------------------------------------------


@requires(Right.READ)
@require_safe
def as_json(request: HttpRequest) -> HttpResponse:
    """The whole view as an `atlas.comparison.Comparison`; 422 with the problems if the address asks for what is not."""
    view = view_of(request.GET)
    if view.problems or view.reference is None:
        return JsonResponse({"problems": _problems(view)}, status=UNPROCESSABLE)
    return HttpResponse(compare(view).model_dump_json(), content_type="application/json")


@requires(Right.READ)
@require_safe
def as_csv(request: HttpRequest) -> HttpResponseBase:
    """The whole view as a table with a line for each value of each benchmark; 422 as of `as_json`."""
    view = view_of(request.GET)
    if view.problems or view.reference is None:
        return HttpResponse("\n".join(_problems(view)), content_type="text/plain", status=UNPROCESSABLE)
    return csv_file("comparison.csv", HEAD, _lines(compare(view)))


def _problems(view: View) -> list[str]:
    return list(view.problems) or ["b: choose at least one benchmark."]


HEAD = (
    "benchmark",
    "mark",
    "model",
    "dataset",
    "version",
    "reference",
    "kind",
    "step",
    "name",
    "value",
    "low",
    "high",
    "difference",
    "difference low",
    "difference high",
    "p",
    "adjusted p",
    "method",
    "finding",
)
_NO_DIFFERENCE = ("",) * 7
COSTS = ("latency_p50_seconds", "latency_p95_seconds", "peak_memory_bytes", "size_bytes")


def _lines(of: Comparison) -> Iterator[tuple[object, ...]]:
    """A line for each metric, cost and hyperparameter of each benchmark."""
    for place, each in enumerate(of.benchmarks):
        known = (each.benchmark, each.mark, each.model, each.dataset, each.version, of.reference)
        for metric in of.metrics:
            value = (metric.values[place], metric.lows[place], metric.highs[place])
            yield (*known, "metric", "", metric.name, *value, *_difference(metric, place))
        for cost in COSTS:
            yield (*known, "cost", "", cost, getattr(each, cost), "", "", *_NO_DIFFERENCE)
        for own in of.hyperparameters:
            yield (*known, "hyperparameter", own.step, own.name, own.values[place], "", "", *_NO_DIFFERENCE)


def _difference(metric: ComparedMetric, place: int) -> tuple[object, ...]:
    difference = metric.differences[place]
    if difference is None:
        return _NO_DIFFERENCE
    numbers = (difference.value, difference.low, difference.high, difference.p, difference.adjusted_p)
    return (*numbers, difference.method, difference.finding)
