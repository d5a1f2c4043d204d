"""Home: what needs attention, how much there is, how the pipeline is, and what came last."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from atlas.states import ComponentState
from atlas.watching import AlertState
from atlas_web import alert_words, words
from storage import queries
from ui import formats
from ui.components import Tone

RECENT = timedelta(days=7)
"""An invalid file needs attention for so long."""
MOST = 5
"""How many of a kind the page shows."""
MOST_ALERTS = 10
"""How many alerts the page shows."""
ENGINE = "engine"
BUSY_SECONDS, IDLE_SECONDS = 5, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that a person should look at, and where. `alert` is the key of an alert that they can acknowledge;
    `known` says who has."""

    tone: Tone
    glyph: str
    text: str
    why: str
    when: datetime | None
    href: str
    action: str
    alert: int | None = None
    known: str = ""


def home(request: HttpRequest) -> HttpResponse:
    """The first page. It asks for itself again, sooner while benchmarks wait or run."""
    now = timezone.now()
    counters = queries.counters()
    components = queries.components(now, queued=counters.queued)
    alerts = list(queries.alerts_now()[: MOST_ALERTS + 1])
    context = {
        "counters": counters,
        "notices": list(_notices(alerts[:MOST_ALERTS], components, now)),
        "more": len(alerts) > MOST_ALERTS,
        "components": components,
        "pause": queries.pause(),
        "models": queries.latest_models(MOST),
        "benchmarks": queries.benchmarks_as_they_stand()[:MOST],
        "seconds": BUSY_SECONDS if counters.running or counters.queued else IDLE_SECONDS,
    }
    return render(request, "pages/home.html", context)


def _notices(alerts: list[Any], components: list[queries.Component], now: datetime) -> Iterator[Notice]:
    """What nobody has acknowledged first, then what rules are not about, then what somebody knows of."""
    yield from (_notice(alert) for alert in alerts if alert.state is AlertState.OPEN)
    yield from _silent_engine(alerts, components, now)
    yield from _troubled_tags()
    yield from _invalid_files(now)
    yield from (_notice(alert) for alert in alerts if alert.state is AlertState.ACKNOWLEDGED)
    if not alerts and not queries.is_watched():
        yield _unwatched()


def _notice(alert: Any) -> Notice:
    href, action = alert_words.place(alert)
    return Notice(
        tone=alert_words.tone(alert),
        glyph=alert_words.KINDS[alert.kind].glyph,
        text=alert.text,
        why=alert.why,
        when=alert.opened,
        href=href,
        action=action,
        alert=None if alert.acknowledged else alert.pk,
        known=alert_words.known(alert),
    )


def _unwatched() -> Notice:
    return Notice(
        tone="warn",
        glyph="bell-slash",
        text="No rule is enabled",
        why="Nobody is told when a model gets worse, data move, a benchmark fails or a component is down.",
        when=None,
        href=reverse("alert-rules"),
        action="See the rules",
    )


def _silent_engine(alerts: list[Any], components: list[queries.Component], now: datetime) -> Iterator[Notice]:
    """The engine if it is down: it is what looks after the rules, so that none of them can tell of it."""
    told = any(alert.component == ENGINE for alert in alerts)
    for component in components:
        if component.name == ENGINE and component.state is ComponentState.DOWN and not told:
            yield Notice(
                tone="bad",
                glyph="x-circle",
                text="Engine is down: nothing is benchmarked, and no alert is raised",
                why=_why_down(component, now),
                when=component.seen,
                href=f"{reverse('logs')}?component={ENGINE}",
                action="Read the log",
            )


def _why_down(component: queries.Component, now: datetime) -> str:
    waiting = words.plural(component.waiting, "benchmark waits", "benchmarks wait")
    wait = f"{waiting} for it. " if component.waiting else ""
    if component.seen is None:
        return f"{wait}It has never given a sign of life. Start it with manage.py run_{component.name}."
    if component.silent:
        seen = formats.when_short(component.seen, now)
        return f"{wait}No sign of life since {seen}. It last said: {component.message}"
    return component.message


def _troubled_tags() -> Iterator[Notice]:
    for tag in queries.troubled_tags()[:MOST]:
        yield Notice(
            tone="bad",
            glyph="circle-stack",
            text=f"Dataset {tag.name} gets no new versions",
            why=tag.problem,
            when=tag.checked,
            href=reverse("dataset", args=[tag.name]),
            action="Open dataset",
        )


def _invalid_files(now: datetime) -> Iterator[Notice]:
    for file in queries.invalid_files_since(now - RECENT)[:MOST]:
        yield Notice(
            tone="bad",
            glyph="document-minus",
            text=f"{file.name} is not a usable model file",
            why=file.reason,
            when=file.arrived,
            href=reverse("model", args=[file.pk]),
            action="Open model",
        )
