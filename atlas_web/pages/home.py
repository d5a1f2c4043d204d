"""Home: what needs attention, how much there is, how the pipeline is, and what came last."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from atlas.states import ComponentState
from atlas_web import words
from storage import queries
from ui import formats
from ui.components import Tone

RECENT = timedelta(days=7)
"""A failure or an invalid file needs attention for so long."""
MOST = 5
"""How many of a kind the page shows."""
BUSY_SECONDS, IDLE_SECONDS = 5, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing that a person should look at, and where."""

    tone: Tone
    glyph: str
    text: str
    why: str
    when: datetime | None
    href: str
    action: str


def home(request: HttpRequest) -> HttpResponse:
    """The first page. It asks for itself again, sooner while benchmarks wait or run."""
    now = timezone.now()
    counters = queries.counters()
    components = queries.components(now, queued=counters.queued)
    context = {
        "counters": counters,
        "alerts": list(_alerts(components, now)),
        "components": components,
        "pause": queries.pause(),
        "models": queries.latest_models(MOST),
        "benchmarks": queries.benchmarks_as_they_stand()[:MOST],
        "seconds": BUSY_SECONDS if counters.running or counters.queued else IDLE_SECONDS,
    }
    return render(request, "pages/home.html", context)


def _alerts(components: list[queries.Component], now: datetime) -> Iterator[Alert]:
    yield from _regressions(now)
    yield from _failures(now)
    yield from _troubled_components(components, now)
    yield from _troubled_tags()
    yield from _invalid_files(now)


def _troubled_components(components: list[queries.Component], now: datetime) -> Iterator[Alert]:
    for component in components:
        if component.troubled:
            down = component.state is ComponentState.DOWN
            yield Alert(
                tone="bad" if down else "warn",
                glyph="x-circle" if down else "exclamation-triangle",
                text=f"{component.name.capitalize()} is {component.state}",
                why=_why_troubled(component, now),
                when=component.seen,
                href=f"{reverse('logs')}?component={component.name}",
                action="Read the log",
            )


def _why_troubled(component: queries.Component, now: datetime) -> str:
    waiting = words.plural(component.waiting, "benchmark waits", "benchmarks wait")
    wait = f"{waiting} for it. " if component.waiting else ""
    if component.seen is None:
        return f"{wait}It has never given a sign of life. Start it with manage.py run_{component.name}."
    if component.silent:
        seen = formats.when_short(component.seen, now)
        return f"{wait}No sign of life since {seen}. It last said: {component.message}"
    return component.message


def _troubled_tags() -> Iterator[Alert]:
    for tag in queries.troubled_tags()[:MOST]:
        yield Alert(
            tone="bad",
            glyph="circle-stack",
            text=f"Dataset {tag.name} gets no new versions",
            why=tag.problem,
            when=tag.checked,
            href=reverse("dataset", args=[tag.name]),
            action="Open dataset",
        )


def _regressions(now: datetime) -> Iterator[Alert]:
    found: QuerySet[Any] = queries.regressions_since(now - RECENT)
    for benchmark in found[:MOST]:
        metric, change = words.metric_title(benchmark.metric), benchmark.score - benchmark.earlier_score
        moved = f"{'fell' if change < 0 else 'rose'} by {formats.num(abs(change))}"
        yield Alert(
            tone="bad",
            glyph="arrow-trending-down",
            text=f"{metric} of {benchmark.model.name} {moved} on {benchmark.dataset_version}",
            why=f"{_sure(benchmark, 'earlier_')} on the version before, {_sure(benchmark)} now: more than noise.",
            when=benchmark.finished,
            href=reverse("why", args=[benchmark.pk]),
            action="See why",
        )


def _sure(benchmark: Any, when: str = "") -> str:
    score, low, high = (formats.num(getattr(benchmark, f"{when}{part}")) for part in ("score", "low", "high"))
    return f"{score} [{low}, {high}]"


def _failures(now: datetime) -> Iterator[Alert]:
    for benchmark in queries.failures_since(now - RECENT)[:MOST]:
        yield Alert(
            tone="bad",
            glyph="x-circle",
            text=f"{benchmark.model.name} failed on {benchmark.dataset_version}",
            why=f"{benchmark.get_failure_class_display()}: {benchmark.reason}",
            when=benchmark.finished,
            href=reverse("benchmark", args=[benchmark.pk]),
            action="Open benchmark",
        )


def _invalid_files(now: datetime) -> Iterator[Alert]:
    for file in queries.invalid_files_since(now - RECENT)[:MOST]:
        yield Alert(
            tone="bad",
            glyph="document-minus",
            text=f"{file.name} is not a usable model file",
            why=file.reason,
            when=file.arrived,
            href=reverse("model", args=[file.pk]),
            action="Open model",
        )
