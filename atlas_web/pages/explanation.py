"""The page of an explanation."""

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from atlas.results import Explanation
from atlas_web import explanations, figures
from atlas_web.drawn import OUTPUT, Drawn, blank, drawn
from atlas_web.figures import CARDS, Subject
from atlas_web.pages import trouble
from storage import queries
from storage.queries import BenchmarkPage

NEVER = "There is none: the engine explains a model at the end of its benchmark, and this one has not come so far."
SUMMARY_ONLY = "The values of single events were not kept. Run the benchmark again to see more than what is below."
AT_ONCE = "importance"
"""The figure that needs nothing but what the page itself does; all others are loaded as they come in view."""


def explanation(request: HttpRequest, pk: int) -> HttpResponse:
    """Why a model predicts as it does. `?output=` chooses one of its outputs, other parameters what figures show."""
    page = queries.benchmark_page(pk)
    if page is None:
        raise Http404
    found = page.explanation
    if found is None or not found.available:
        return _without(request, page, found)
    output, problem = output_of(found, request.GET.get(OUTPUT, ""))
    subject = Subject.of(page, found, output)
    context = {
        "benchmark": page.benchmark,
        "crumbs": trouble.crumbs(page),
        "facts": explanations.facts(found, output),
        "verdict": explanations.verdict(found),
        "note": explanations.note(found),
        "problems": [text for text in (problem, "" if found.values_key else SUMMARY_ONLY) if text],
        "outputs": found.outputs if len(found.outputs) > 1 else (),
        "output": found.outputs[output] if found.outputs else "",
        "has_values": bool(found.values_key),
        "cards": [_card(subject, name, request.GET) for name in figures.on_page(subject)],
    }
    return render(request, "pages/explanation.html", context)


def subject_of(pk: int, output: str) -> tuple[Subject, str]:
    """A benchmark's explanation with an output, the first one if it has none of this name; and what is wrong then.

    Raises:
        Http404: there is no such benchmark, or it has no explanation.
    """
    page = queries.benchmark_page(pk)
    if page is None or page.explanation is None or not page.explanation.available:
        raise Http404
    place, problem = output_of(page.explanation, output)
    return Subject.of(page, page.explanation, place), problem


def output_of(found: Explanation, asked: str) -> tuple[int, str]:
    """The number of the output that is asked for; the first one, and why, if there is none of this name."""
    if asked in found.outputs:
        return found.outputs.index(asked), ""
    if not asked:
        return 0, ""
    return 0, f"This model has no output {asked}. It has {', '.join(found.outputs)}; the first one is shown."


def _without(request: HttpRequest, page: BenchmarkPage, found: Explanation | None) -> HttpResponse:
    """The page of a benchmark that has no explanation, and why."""
    context = {
        "benchmark": page.benchmark,
        "crumbs": trouble.crumbs(page),
        "title": "No explanation possible" if found else "No explanation yet",
        "reason": found.impossible if found else NEVER,
    }
    return render(request, "pages/no_explanation.html", context)


def _card(subject: Subject, name: str, sent: QueryDict) -> Drawn:
    asked = sent.get(CARDS[name].choice, "")
    return drawn(subject, name, asked) if name == AT_ONCE else blank(subject, name, asked)
