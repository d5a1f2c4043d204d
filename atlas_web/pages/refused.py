"""What those see who may not do what they asked for."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from storage import queries

NAMED_ADMINISTRATORS = 5


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Which right is missing, and whom to ask for it."""
    context = {"why": str(exception), "administrators": _whom_to_ask()}
    return render(request, "403.html", context, status=403)


def _whom_to_ask() -> list[str]:
    return [
        person.get_full_name() or person.get_username() for person in queries.administrators()[:NAMED_ADMINISTRATORS]
    ]
