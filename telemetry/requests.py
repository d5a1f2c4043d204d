"""What surrounds every request: its id, and how long its answer took."""

import re
import secrets
import time
from collections.abc import Callable
from http import HTTPMethod

from django.core.signals import request_finished
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from prometheus_client import Counter, Histogram

from atlas.logs import begin_request, end_request

HEADER = "X-Request-ID"
LOOKS_LIKE_AN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
"""What others may call a request: nothing that could mean something to a log, a page or a shell."""
METHODS = frozenset(HTTPMethod)
NOWHERE = "none"
"""The view of a request that reached none, whatever its address was."""
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

REQUESTS = Counter(
    "atlas_http_requests_total", "Requests that were answered, by the class of the status", ("method", "view", "status")
)
SECONDS = Histogram("atlas_http_request_seconds", "Time until the answer began", ("method", "view"), buckets=BUCKETS)

Respond = Callable[[HttpRequest], HttpResponseBase]


def identified(get_response: Respond) -> Respond:
    """Middleware that gives each request an id, the proxy's if it has one, and its answer the same."""

    request_finished.connect(_forget, dispatch_uid=__name__)

    def respond(request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "")
        known = given if LOOKS_LIKE_AN_ID.fullmatch(given) else secrets.token_hex(8)
        begin_request(known)
        response = get_response(request)
        response.headers[HEADER] = known
        return response

    return respond


def _forget(**_signal: object) -> None:
    end_request()


def measured(get_response: Respond) -> Respond:
    """Middleware that counts requests and measures how long they take."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = get_response(request)
        method = request.method if request.method in METHODS else "other"
        view = request.resolver_match.view_name if request.resolver_match else NOWHERE
        REQUESTS.labels(method, view, f"{response.status_code // 100}xx").inc()
        SECONDS.labels(method, view).observe(time.perf_counter() - began)
        return response

    return respond
