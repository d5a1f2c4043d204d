"""The figures of an explanation one by one, as parts of pages and as files, and the values that they are made of."""

from collections.abc import Iterator

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe
from django_htmx.http import replace_url

from atlas.errors import AtlasError
from atlas_web.downloads import csv_file
from atlas_web.drawn import OUTPUT, drawn
from atlas_web.figures import CARDS, Subject
from atlas_web.files import name_of
from atlas_web.pages import trouble
from atlas_web.pages.explanation import subject_of
from explainability import plots
from explainability.explained import Explained

JUDGED = ("id", "truth", "predicted", "confidence", "sampled", "average", "answer")
"""What the table of values tells of each event, before its columns and their effects."""
PICTURES: dict[plots.Format, str] = {"svg": "image/svg+xml", "png": "image/png"}


def figure(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One figure on its card, to be put into a page. `?output=` and the figure's own choice say what it shows."""
    subject, problem = _asked_for(request, pk, name)
    card = CARDS[name]
    shown = drawn(subject, name, request.GET.get(card.choice, ""))
    answer = render(request, "pages/parts/figure.html", {"drawn": shown, "problem": problem})
    return _said_in_the_address(request, answer) if card.choice in request.GET else answer


def _said_in_the_address(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """Let the address of the page say what was chosen on it, so that it can be sent to a colleague."""
    here = request.htmx.current_url_abs_path  # type: ignore[attr-defined]  # set by the middleware of django-htmx
    if not here:
        return answer
    path, _, query = here.partition("?")
    kept = QueryDict(query, mutable=True)
    for name in request.GET:
        kept[name] = request.GET.get(name, "")
    return replace_url(answer, f"{path}?{kept.urlencode()}")


@require_safe
def picture(request: HttpRequest, pk: int, name: str, kind: plots.Format) -> HttpResponse:
    """One figure as a file for reports, SVG or PNG."""
    subject, problem = _asked_for(request, pk, name)
    if problem or kind not in PICTURES:
        raise Http404(problem)
    card = CARDS[name]
    try:
        made = card.make(subject, card.chosen(subject, request.GET.get(card.choice, "")))
    except AtlasError as error:
        raise Http404(trouble.reason(error)) from error
    headers = _attachment(subject, f"{name}.{kind}")
    return HttpResponse(plots.draw(made, format=kind), content_type=PICTURES[kind], headers=headers)


@require_safe
def values(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The explained events with what the model got of each, and the effects on one output, as CSV."""
    subject, problem = subject_of(pk, request.GET.get(OUTPUT, ""))
    if problem:
        raise Http404(problem)
    try:
        explained = subject.explained
    except AtlasError as error:
        return trouble.instead(request, subject.page, "Values", error)
    head = (*JUDGED, *explained.findings.features, *(f"effect of {name}" for name in explained.findings.features))
    return csv_file(name_of(subject.page, "-values.csv"), head, _lines(explained, subject.output))


def _lines(explained: Explained, output: int) -> Iterator[tuple[object, ...]]:
    """A line for each event."""
    findings = explained.findings
    base, answers = float(findings.base_values[output]), findings.answers[:, output].tolist()
    for place, name in enumerate(explained.ids.tolist()):
        judged = (explained.truth[place], explained.predicted[place], float(explained.confidence[place]))
        row, effect = findings.rows[place].tolist(), findings.values[place, :, output].tolist()
        yield name, *judged, bool(explained.is_sampled[place]), base, answers[place], *row, *effect


def _asked_for(request: HttpRequest, pk: int, name: str) -> tuple[Subject, str]:
    if name not in CARDS:
        raise Http404
    return subject_of(pk, request.GET.get(OUTPUT, ""))


def _attachment(subject: Subject, what: str) -> dict[str, str]:
    name = name_of(subject.page, f"-{what}")
    return {"Content-Disposition": content_disposition_header(as_attachment=True, filename=name) or "attachment"}
