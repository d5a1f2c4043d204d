"""Whoever fails to sign in too often has to wait, and the audit log keeps who signed in and who could not."""

from datetime import datetime
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from atlas.access import Verb
from storage import records

KIND = "sign-in"
"""What the audit log calls it."""


def address_of(request: HttpRequest) -> str | None:
    """Where a request came from: as the nearest proxy that is trusted says, if there is one."""
    if settings.ATLAS_PROXIES:
        said = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        address = said[-settings.ATLAS_PROXIES] if len(said) >= settings.ATLAS_PROXIES else ""
        return address.strip() or request.META.get("REMOTE_ADDR")
    return request.META.get("REMOTE_ADDR")


def name_of(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str:
    """The name that somebody signs in with. Directories take any case and outer spaces: all of them count as one."""
    given = (credentials or {}).get("username") or (request.POST.get("username") if request else "")
    return str(given or "").strip().lower()


def locked_out(request: HttpRequest, response: HttpResponse, credentials: dict[str, Any] | None) -> HttpResponse:  # noqa: ARG001  # django-axes'
    """The page of those who have to wait: how long, and who can help."""
    context = {"failures": settings.AXES_FAILURE_LIMIT, "until": _until(name_of(request, credentials), request)}
    answer = render(request, "registration/locked_out.html", context, status=429)
    answer["Retry-After"] = str(int(settings.AXES_COOLOFF_TIME.total_seconds()))
    return answer


def _until(name: str, request: HttpRequest) -> datetime:
    attempts = AccessAttempt.objects.filter(username=name, ip_address=address_of(request))
    last: datetime | None = attempts.aggregate(last=Max("attempt_time"))["last"]
    return (last or timezone.now()) + settings.AXES_COOLOFF_TIME


def keep_sign_in(*, request: HttpRequest, user: User, **_: object) -> None:
    """Keep in the audit log that somebody signed in over the network."""
    address = address_of(request)
    if address:
        records.record_action(str(user), Verb.SIGNED_IN, KIND, address, now=timezone.now())


def keep_failure(*, credentials: dict[str, Any], request: HttpRequest | None = None, **_: object) -> None:
    """Keep that somebody could not, and has to wait if so; but not those tries that were not even looked at."""
    if request is None or _was_locked_out_before(request):
        return
    name, address = name_of(request, credentials), address_of(request) or ""
    records.record_action(name, Verb.REFUSED, KIND, address, detail=_why(request), now=timezone.now())


def _why(request: Any) -> str:
    if not request.axes_locked_out:
        return "wrong user name or password"
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    return f"wrong user name or password; locked out for {minutes} minutes after {settings.AXES_FAILURE_LIMIT} failures"


def _was_locked_out_before(request: Any) -> bool:
    """Whether a try came while its person had to wait: django-axes, which is told first, then does not count it."""
    return bool(request.axes_locked_out) and request.axes_failures_since_start is None
