"""The buttons that pause the queue and let it go on, for administrators."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from atlas.access import Right, Verb
from storage import records
from ui.access import requires

LONGEST_REASON = 500
_SHOWN_ON = ("home", "benchmarks", "administration", "queue")


@requires(Right.ADMINISTER)
@require_POST
def pause(request: HttpRequest) -> HttpResponse:
    """Let no engine start a benchmark; what runs goes on."""
    reason = request.POST.get("reason", "").strip()[:LONGEST_REASON]
    by, now = str(request.user), timezone.now()
    if records.pause(by=by, reason=reason, now=now):
        records.log("dashboard", f"Queue paused by {by}{f': {reason}' if reason else ''}.", now=now)
        records.record_action(by, Verb.PAUSED, "queue", "", detail=reason, now=now)
        messages.success(request, "The queue is paused.")
    else:
        messages.warning(request, "The queue is paused already.")
    return _back(request)


@requires(Right.ADMINISTER)
@require_POST
def resume(request: HttpRequest) -> HttpResponse:
    """Let engines start benchmarks again."""
    by, now = str(request.user), timezone.now()
    if records.resume():
        records.log("dashboard", f"Queue resumed by {by}.", now=now)
        records.record_action(by, Verb.RESUMED, "queue", "", now=now)
        messages.success(request, "The queue goes on.")
    else:
        messages.warning(request, "The queue is not paused.")
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    asked = request.POST.get("page", "")
    return redirect(asked if asked in _SHOWN_ON else "home")
