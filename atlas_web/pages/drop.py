"""Why a result is worse than an earlier one of its model: one page for each, and the part of it about events."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import numpy as np
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from atlas.errors import AtlasError
from atlas_web import evidence, histories
from atlas_web.drops import answers, card, columns, importances, parts
from atlas_web.drops.asked import Asked, asked
from atlas_web.drops.examples import Sides, examples
from atlas_web.drops.verdict import sureness, verdict
from atlas_web.intervals import Interval
from atlas_web.pages import events, trouble
from atlas_web.pages.benchmarks import dataset_link
from atlas_web.predicted import Predicted
from storage import queries
from storage.queries import StoredResult
from ui import components, formats

TITLE = "Why did it drop?"
NO_RESULT = "This benchmark has no result that could be compared with an earlier one."
NO_VALUE = "None of its metrics has a value that could be compared with an earlier one."
NOTHING_KEPT = (
    "The predictions on v{} were not kept: the retention policy removed them, so no event can be looked up. "
    "Run that benchmark again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number of the verdict, as its card shows it."""

    label: str
    value: SafeString
    interval: SafeString | str = ""
    foot: str = ""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A result, what is asked of it, and the earlier result that it is compared with, if there is one."""

    now: StoredResult
    asked: Asked
    then: StoredResult | None
    points: list[queries.HistoryPoint]

    @property
    def query(self) -> str:
        """What was asked for, for addresses."""
        against = self.asked.reference.benchmark if self.asked.reference else ""
        return urlencode({"metric": self.asked.now.name, "against": against})


def why(request: HttpRequest, pk: int) -> HttpResponse:
    """Why a metric changed. `?metric=` chooses it, `?against=` an earlier result, `?wait=1` shows events at once."""
    now = queries.stored_results([pk]).get(pk)
    if now is None:
        return _nothing(request, pk, NO_RESULT)
    subject = _subject(now, request)
    if subject is None:
        return _nothing(request, pk, NO_VALUE)
    return render(request, "pages/drop.html", _context(subject, wait="wait" in request.GET))


def why_events(request: HttpRequest, pk: int) -> HttpResponse:
    """The part about events: what became wrong, what is new and wrong, what has another label."""
    now = queries.stored_results([pk]).get(pk)
    subject = _subject(now, request) if now else None
    if subject is None or subject.then is None:
        raise Http404
    context = {"benchmark": subject.now.benchmark, **_events(subject, subject.then)}
    return render(request, "pages/parts/drop_events.html", context)


def _nothing(request: HttpRequest, pk: int, reason: str) -> HttpResponse:
    """The page of a benchmark without a result, or without a value."""
    page = queries.benchmark_page(pk)
    if page is None:
        raise Http404
    context = {"title": TITLE, "benchmark": page.benchmark, "crumbs": trouble.crumbs(page), "reason": reason}
    return render(request, "pages/trouble.html", context)


def _subject(now: StoredResult, request: HttpRequest) -> Subject | None:
    benchmark = now.benchmark
    points = queries.history([benchmark.model_id], tag=benchmark.dataset_version.tag.name)
    found = asked(now, points, request.GET.get("metric", ""), request.GET.get("against", ""))
    if found is None:
        return None
    key = found.reference.benchmark if found.reference else None
    then = queries.stored_results([key]).get(key) if key is not None else None
    return Subject(now=now, asked=found, then=then, points=points)


def _context(subject: Subject, *, wait: bool) -> dict[str, object]:
    now, then, found = subject.now, subject.then, subject.asked
    moved = columns.columns(now, then)
    cards = _compared(found, now, then) if then else {}
    reasons = [getattr(each, "reason", None) for each in _in_order(cards, moved)]
    return {
        "benchmark": now.benchmark,
        "title": TITLE,
        "crumbs": trouble.crumbs(now),
        "facts": _facts(subject),
        "asked": found,
        "metrics": [name for name, metric in now.metrics.items() if metric.value is not None],
        "options": list(found.options()),
        "verdict": verdict(found, reasons),
        "figures": list(_figures(found)),
        "history": _history(subject),
        "columns": moved,
        **cards,
        "events_query": subject.query if then else "",
        "events": _events(subject, then) if then and wait else None,
    }


def _compared(found: Asked, now: StoredResult, then: StoredResult) -> dict[str, object]:
    """The cards that need both results, by their names in the template."""
    classes = parts.classes(found, then.document, now.document)
    return {
        "slices": parts.slices(found, then.document, now.document),
        "classes": classes,
        "labels": None if classes else answers.labels(then, now),
        "confusion": answers.confusion(then, now),
        "residuals": answers.residuals(then, now),
        "importances": importances.importances(then, now),
    }


def _in_order(cards: dict[str, object], moved: columns.Columns) -> Iterator[object]:
    """The cards in the order in which their reasons count, if nothing tells how much each explains."""
    yield from (cards.get(name) for name in ("slices", "classes", "labels"))
    yield moved
    yield from (cards.get(name) for name in ("confusion", "residuals", "importances"))


def _facts(subject: Subject) -> list[tuple[str, object]]:
    shown = subject.now.benchmark
    model = format_html('<a href="{}">{}</a>', reverse("model", args=[shown.model_id]), shown.model.name)
    facts: list[tuple[str, object]] = [("Model", model), ("Dataset", dataset_link(shown))]
    if subject.then:
        earlier = subject.then.benchmark
        href = reverse("benchmark", args=[earlier.pk])
        facts.append(("Compared with", format_html('<a href="{}">{}</a>', href, earlier.dataset_version)))
    return facts


def _figures(found: Asked) -> Iterator[Figure]:
    reference = found.reference
    if reference:
        yield _value(f"{found.title} on v{reference.version}", reference)
    yield _value(f"{found.title} on v{found.version}", found.now)
    if reference:
        yield Figure(
            label="Change",
            value=card.change(found.change, greater_is_better=found.now.greater_is_better),
            interval=components.ci(found.change.low, found.change.high),
            foot=sureness(found).removeprefix("and "),
        )
        yield Figure(
            label="Events of both",
            value=SafeString(formats.NOTHING if found.shared is None else formats.num(found.shared, 0)),
            foot="not counted" if found.shared is None else f"unchanged since v{reference.version}",
        )


def _value(label: str, of: Interval) -> Figure:
    return Figure(label=label, value=components.score(of.value), interval=components.ci(of.low, of.high))


def _history(subject: Subject) -> dict[str, object]:
    found = subject.asked
    points = [point for point in subject.points if point.metric == found.now.name]
    marked = [found.reference.version] if found.reference else []
    chart = histories.chart(found.now.name, subject.now.benchmark.model.name, points, [*marked, found.version])
    return {"chart": chart, "label": histories.described(chart)}


# Events -------------------------------------------------------------------------------------------------------------


def _events(subject: Subject, then: StoredResult) -> dict[str, object]:
    """The tables of events, or why there are none."""
    try:
        return {"examples": _examples(subject.now, then)}
    except AtlasError as error:
        return {"problem": trouble.reason(error)}


def _examples(now: StoredResult, then: StoredResult) -> object:
    for each in (now, then):
        if not each.benchmark.predictions_key:
            raise evidence.NoEvidenceError(NOTHING_KEPT.format(each.version))
    newer = evidence.predictions(now)
    return examples(
        Sides(
            then=evidence.predictions(then),
            now=newer,
            explained=_is_explained(now, newer),
            benchmark=now.benchmark.pk,
            versions=(then.version, now.version),
        )
    )


def _is_explained(of: StoredResult, predicted: Predicted) -> np.ndarray:
    """(n,) which events have a page of their own; none if the file of explained events cannot be read."""
    try:
        found = evidence.explained_events(of)
    except AtlasError:
        found = None
    return events.of_benchmark(predicted, found).explained
