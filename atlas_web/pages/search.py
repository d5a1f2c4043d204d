"""The search for everything, and what the search boxes of lists offer while one types."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from atlas.access import Right
from atlas_web import searching
from storage import queries
from ui import menu
from ui.access import requires, rights

FEW, SOME = 4, 10
"""So many of each kind are shown while one types, and on the page."""
KEPT_SECONDS = 60
"""So long a browser keeps what is offered."""


@require_GET
@requires(Right.READ)
def search(request: HttpRequest) -> HttpResponse:
    """What `?q=` finds, of every kind; for htmx the first few, as a list to choose from."""
    text, typing = request.GET.get("q", ""), bool(getattr(request, "htmx", False))
    most = FEW if typing else SOME
    groups, problems = searching.groups(text, menu.links(request, rights(request)["may"]), most, counted=not typing)
    context = {"q": text, "groups": groups, "problems": problems, "languages": queries.LANGUAGES}
    return render(request, "pages/parts/found.html" if typing else "pages/search.html", context)


@require_GET
@requires(Right.READ)
@cache_control(private=True, max_age=KEPT_SECONDS)
def fields(request: HttpRequest, name: str) -> JsonResponse:  # noqa: ARG001  # every view takes it
    """The fields of a list's search language, with values to choose from."""
    if name not in queries.LANGUAGES:
        raise Http404
    return JsonResponse({"fields": searching.fields(queries.LANGUAGES[name])})
