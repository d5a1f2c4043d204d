"""The buttons that pause the queue and let it go on, for staff."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from storage import records

LONGEST_REASON = 500
_SHOWN_ON = ("home", "benchmarks", "administration", "queue")


@require_POST
def pause(request: HttpRequest) -> HttpResponse:
    """Let no engine start a benchmark; what runs goes on."""
    reason = request.POST.get("reason", "").strip()[:LONGEST_REASON]
    by, now = _staff(request), timezone.now()
    if records.pause(by=by, reason=reason, now=now):
        records.log("dashboard", f"Queue paused by {by}{f': {reason}' if reason else ''}.", now=now)
        messages.success(request, "The queue is paused.")
    else:
        messages.warning(request, "The queue is paused already.")
    return _back(request)


@require_POST
def resume(request: HttpRequest) -> HttpResponse:
    """Let engines start benchmarks again."""
    by = _staff(request)
    if records.resume():
        records.log("dashboard", f"Queue resumed by {by}.", now=timezone.now())
        messages.success(request, "The queue goes on.")
    else:
        messages.warning(request, "The queue is not paused.")
    return _back(request)


def _staff(request: HttpRequest) -> str:
    """The name of the person who pressed the button.

    Raises:
        PermissionDenied: it is not one of the staff.
    """
    if not (request.user.is_authenticated and request.user.is_staff):
        raise PermissionDenied
    return str(request.user)


def _back(request: HttpRequest) -> HttpResponse:
    asked = request.POST.get("page", "")
    return redirect(asked if asked in _SHOWN_ON else "home")
