"""The log: what components did and met, and what they do now."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from atlas.access import Right
from atlas.states import Level
from atlas_web.downloads import csv_file
from storage import queries
from ui import components
from ui.access import requires
from ui.filters import OptionFilter, SearchFilter

LINES = 100
"""So many lines are on a page."""
MOST_AT_ONCE = 500
"""So many new lines come with one look of the live tail; the rest comes with the next."""
SECONDS = 2
"""How often the live tail looks."""
LARGEST_KEY = (1 << 63) - 1


def _time_filter(label: str, lookup: str) -> django_filters.Filter:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "title": f"{label}, UTC"})
    return django_filters.IsoDateTimeFilter(label=f"{label}, UTC", field_name="time", lookup_expr=lookup, widget=widget)


class LogFilter(django_filters.FilterSet):  # type: ignore[misc]  # an untyped package
    """The search and the selects above the log, and the model or benchmark whose lines are shown."""

    q = SearchFilter("Search the log", "Find in messages and details", ("message", "detail"))
    level = django_filters.ChoiceFilter(
        label="Level",
        empty_label="All levels",
        choices=[(level.value, components.STATES[level].text) for level in Level],
    )
    component = OptionFilter("Component", "All components", queries.log_components, "component")
    since = _time_filter("From", "gte")
    until = _time_filter("Until", "lte")
    model = django_filters.NumberFilter(
        label="Model", method="about_model", widget=forms.HiddenInput, min_value=1, max_value=LARGEST_KEY
    )
    benchmark = django_filters.NumberFilter(
        label="Benchmark", field_name="benchmark", widget=forms.HiddenInput, min_value=1, max_value=LARGEST_KEY
    )

    def about_model(self, found: QuerySet[Any], _name: str, value: int) -> QuerySet[Any]:
        """The lines about a model and those about its benchmarks."""
        return queries.lines_about_model(found, int(value))


Lines = QuerySet[Any]


@requires(Right.READ)
@require_safe
def logs(request: HttpRequest) -> HttpResponseBase:
    """The latest lines that match the filter, or with `?before=` those that were written before that one."""
    filtered = LogFilter(_without(request, "before"), queryset=queries.log())
    before = _key(request, "before")
    newest = queries.newest_log_line()
    lines = list(_matching(filtered).filter(pk__lte=before - 1 if before else newest)[: LINES + 1])
    shown, older = lines[:LINES], lines[LINES:]
    context = {
        "filter": filtered,
        "errors": _errors(filtered),
        "lines": shown[::-1],
        "older": shown[-1].pk if older else None,
        "is_live": before is None,
        "after": newest,
        "seconds": SECONDS,
        "query": _without(request, "before").urlencode(),
        "about": _about(filtered),
    }
    return render(request, "pages/logs.html", context)


@requires(Right.READ)
@require_safe
def tail(request: HttpRequest) -> HttpResponseBase:
    """The lines that were written after the one that `?after=` names, and where the next look begins; nothing if there
    is none."""
    filtered = LogFilter(_without(request, "after"), queryset=queries.log())
    after, newest = _key(request, "after") or 0, queries.newest_log_line()
    if newest <= after:
        return HttpResponse(status=204)
    lines = list(_matching(filtered).filter(pk__gt=after, pk__lte=newest).order_by("pk")[:MOST_AT_ONCE])
    reached = lines[-1].pk if len(lines) == MOST_AT_ONCE else newest
    query = _without(request, "after").urlencode()
    context = {"lines": lines, "after": reached, "query": query, "seconds": SECONDS}
    return render(request, "pages/parts/tail.html", context)


@requires(Right.READ)
@require_safe
def download(request: HttpRequest, kind: str) -> HttpResponseBase:
    """All lines that match the filter, the oldest first: as CSV, or as one JSON object a line."""
    if kind not in _FORMATS:
        raise Http404
    filtered = LogFilter(_without(request, "before"), queryset=queries.log())
    return _FORMATS[kind](_matching(filtered).order_by("pk").iterator(chunk_size=2000))


def _matching(filtered: LogFilter) -> Lines:
    """The lines that match; none if the filter is wrong, as the page says then."""
    found: Lines = filtered.qs if filtered.is_valid() else queries.log().none()
    return found


def _errors(filtered: LogFilter) -> list[tuple[str, str]]:
    """What is wrong with the filter, by the name of the field."""
    form = filtered.form
    return [(form.fields[name].label or name, " ".join(found)) for name, found in form.errors.items()]


def _about(filtered: LogFilter) -> str:
    """What the lines are about, if the filter asks for those of one thing."""
    chosen = filtered.form.cleaned_data if filtered.is_valid() else {}
    if chosen.get("benchmark"):
        page = queries.benchmark_page(int(chosen["benchmark"]))
        return str(page.benchmark) if page else "a benchmark that was deleted"
    if chosen.get("model"):
        found = queries.model_page(int(chosen["model"]))
        return found.model.name if found else "a model that was deleted"
    return ""


def _without(request: HttpRequest, name: str) -> QueryDict:
    """The filter in the address, without the place in the log."""
    left = request.GET.copy()
    left.pop(name, None)
    return left


def _key(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return min(int(text), LARGEST_KEY) if text.isdecimal() and len(text) < 20 else None


_FIELDS = ("time", "level", "component", "message", "detail", "model", "benchmark")


def _fields(line: Any) -> tuple[str, ...]:
    model, benchmark = (line.model, line.benchmark)
    names = (model.name if model else "", str(benchmark) if benchmark else "")
    return (line.time.isoformat(), line.level, line.component, line.message, line.detail, *names)


def _as_csv(lines: Iterator[Any]) -> HttpResponseBase:
    return csv_file("atlas-log.csv", _FIELDS, map(_fields, lines))


def _as_json_lines(lines: Iterator[Any]) -> HttpResponseBase:
    written = (json.dumps(dict(zip(_FIELDS, _fields(line), strict=True)), ensure_ascii=False) + "\n" for line in lines)
    headers = {"Content-Disposition": 'attachment; filename="atlas-log.jsonl"'}
    return StreamingHttpResponse(written, content_type="application/jsonl", headers=headers)


_FORMATS: dict[str, Callable[[Iterator[Any]], HttpResponseBase]] = {"csv": _as_csv, "jsonl": _as_json_lines}
