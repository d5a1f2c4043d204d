"""What somebody outside can see of a site that runs: all that they should not is a finding."""

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx
from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
OPEN = ("/login/", "/healthz", "/static/", "/unavailable.css")
"""Where an answer may be a success: the sign-in, the sign of life, and what pages look like."""
CLOSED = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.LENGTH_REQUIRED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.REQUEST_URI_TOO_LONG,
    HTTPStatus.MISDIRECTED_REQUEST,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    HTTPStatus.NOT_IMPLEMENTED,
}
GUESSED = (
    *("/.env", "/.git/config", "/.git/HEAD", "/.secrets.baseline", "/.well-known/security.txt", "/robots.txt"),
    *("/manage.py", "/pyproject.toml", "/atlas.sqlite3", "/.data/secret-key", "/secrets/secret-key", "/backup/"),
    *("/media/", "/media/x", "/static/", "/static", "/static/ui/", "/static/ui", "/static/admin/", "/static/x.css"),
    *("/static/%2e%2e/%2e%2e/manage.py", "/static/..%2f..%2fmanage.py", "/static/..%5c..%5cmanage.py"),
    *("/static/%00", "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/login/%00", "/login/..%2faccount/"),
    *("/metrics", "/debug/", "/__debug__/", "/server-status", "/nginx_status", "/phpinfo.php", "/wp-login.php"),
    *("/api", "/api/", "/api/v1", "/api/v1/", "/api/v1/docs", "/api/v1/openapi.json", "/api/v1/nothing", "/api/v2/"),
    *("/admin", "/admin/login/", "/admin/login/?next=//evil.example/", "/admin/jsi18n/", "/ADMIN/", "/%61dmin/"),
    *("//evil.example/", "/%2f%2fevil.example/", "/%5c%5cevil.example/", "/models//", "/./models/", "/x" * 2000),
)
UNNORMALIZED = ("/static/../../manage.py", "/static/../atlas_web/settings.py", "/../../etc/passwd", "/models/../admin/")
"""What no well-behaved client sends as it stands."""
ELSEWHERE = "evil.example"
SPOOFED: tuple[Mapping[str, str], ...] = (
    {"Host": ELSEWHERE},
    {"X-Forwarded-Host": ELSEWHERE},
    {"Forwarded": f"for=127.0.0.1;host={ELSEWHERE};proto=https"},
    {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"},
    {"X-Forwarded-Proto": "https", "X-Forwarded-Port": "1"},
    {"X-Original-URL": "/login/", "X-Rewrite-URL": "/login/"},
    {"X-HTTP-Method-Override": "GET", "X-Requested-With": "XMLHttpRequest", "HX-Request": "true"},
    {"Authorization": "Bearer atlas_guess"},
    {"Authorization": "Basic YWRtaW46YWRtaW4="},
    {"Cookie": "sessionid=guess; csrftoken=guess"},
    {"Remote-User": "admin", "X-Remote-User": "admin", "X-Forwarded-User": "admin"},
)
"""What somebody may send to seem to be somebody else, or to come from elsewhere."""
LEAKS = re.compile(
    r"Traceback \(most recent|File \"/|site-packages|DJANGO_SETTINGS|Index of /|SECRET_KEY|root:x:0:0|\[core\]"
)
HEADERS = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin"}
_VALUES = {"int": "1", "uuid": str(uuid.UUID(int=0)), "slug": "csv"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An answer that somebody outside should not get, and what is wrong with it."""

    request: str
    found: str

    def __str__(self) -> str:
        return f"{self.request}: {self.found}"


def addresses(urlconf: str) -> list[str]:
    """An address for each pattern of a site, the administration's with them."""
    return sorted({f"/{path}" for path in _paths(get_resolver(urlconf))})


def scan(http: httpx.Client, known: Sequence[str], *, also_open: tuple[str, ...] = ()) -> list[Finding]:
    """Ask for everything over a network as somebody who has no account.

    Args:
        http: speaks to the site; it follows no redirects.
        known: addresses of the site, as `addresses` finds them.
        also_open: what the addresses begin with that may answer everybody besides `OPEN`.
    """
    allowed = (*OPEN, *also_open)
    pages = [path for path in known if not path.startswith("/admin/")]
    guessed = (*GUESSED, *(_with_the_other_end(path) for path in (*pages, *GUESSED)))
    return [
        *walk(http, known, ("GET",), allowed),
        *walk(http, pages, ("POST",), allowed),
        *walk(http, guessed, ("GET",), allowed),
        *walk(http, ("/", "/login/", "/healthz", "/static/", "/api/v1/tags", "/admin/"), METHODS, allowed),
        *_spoofed(http),
        *_raw(http),
    ]


def walk(
    http: httpx.Client, paths: Iterable[str], methods: Iterable[str], allowed: tuple[str, ...] = OPEN
) -> list[Finding]:
    """Ask for each path with each method."""
    every = list(methods)
    return [found for path in paths for method in every for found in _asked(http, method, path, allowed)]


def _with_the_other_end(path: str) -> str:
    return path.removesuffix("/") if path.endswith("/") else f"{path}/"


def _spoofed(http: httpx.Client) -> Iterator[Finding]:
    """As somebody who seems to be somebody else; nothing is a success then."""
    for headers in SPOOFED:
        for path in ("/", "/admin/", "/api/v1/models", "/api/v1/tags"):
            yield from _asked(http, "GET", path, (), headers=headers)


def _raw(http: httpx.Client) -> Iterator[Finding]:
    """Paths that lead out of folders, just as they stand."""
    for path in UNNORMALIZED:
        yield from _asked(http, "GET", "/", (), shown=path, extensions={"target": path.encode()})


def _asked(
    http: httpx.Client,
    method: str,
    path: str,
    allowed: tuple[str, ...],
    *,
    headers: Mapping[str, str] | None = None,
    shown: str = "",
    **arguments: Any,
) -> Iterator[Finding]:
    url = str(http.base_url).rstrip("/") + path
    answer = http.request(method, url, headers=headers, **arguments)
    request = f"{method} {shown or path[:100]}{f' with {dict(headers)}' if headers else ''}"
    for judge in _JUDGES:
        if wrong := judge(answer, http.base_url, path.startswith(allowed)):
            yield Finding(request=request, found=wrong)


def _is_closed(answer: httpx.Response, base: httpx.URL, may_succeed: bool) -> str:
    if answer.status_code in CLOSED or (may_succeed and answer.status_code == HTTPStatus.OK):
        return ""
    if answer.has_redirect_location:
        return _leads_within(answer, base)
    return f"status {answer.status_code}"


def _leads_within(answer: httpx.Response, base: httpx.URL) -> str:
    """Nothing if a redirect leads to the sign-in, to the same address with a slash, or to https."""
    target = answer.url.join(answer.headers["Location"])
    if target.host != base.host:
        return f"leads to {target}"
    same = target.path.rstrip("/") == answer.url.path.rstrip("/")
    return "" if same or target.path in ("/login/", "/admin/login/") else f"leads to {target.path}"


def _tells_nothing(answer: httpx.Response, _base: httpx.URL, _may_succeed: bool) -> str:
    leak = LEAKS.search(answer.text) if "text" in answer.headers.get("Content-Type", "text") else None
    versions = [name for name in ("Server", "X-Powered-By", "Via") if re.search(r"\d", answer.headers.get(name, ""))]
    return f"tells {leak.group()!r}" if leak else f"tells a version in {versions[0]}" if versions else ""


def _is_guarded(answer: httpx.Response, _base: httpx.URL, _may_succeed: bool) -> str:
    """Nothing if browsers are told to be careful; a server that understands nothing of a request need not tell them."""
    if answer.status_code == HTTPStatus.BAD_REQUEST or answer.status_code >= HTTPStatus.REQUEST_URI_TOO_LONG:
        return ""
    missing = [name for name, value in HEADERS.items() if answer.headers.get(name) != value]
    return f"lacks {', '.join(missing)}" if missing else ""


def _sets_no_careless_cookie(answer: httpx.Response, base: httpx.URL, _may_succeed: bool) -> str:
    for cookie in answer.headers.get_list("Set-Cookie"):
        told = cookie.lower().strip()
        if "max-age=0" in told:
            continue  # takes one away
        if not told.startswith("csrftoken="):
            return f"sets the cookie {cookie.partition('=')[0]}"
        if "samesite" not in told or (base.scheme == "https" and "secure" not in told):
            return f"sets a careless cookie: {cookie}"
    return ""


_JUDGES: tuple[Callable[[httpx.Response, httpx.URL, bool], str], ...] = (
    _is_closed,
    _tells_nothing,
    _is_guarded,
    _sets_no_careless_cookie,
)


def _paths(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for each in resolver.url_patterns:
        path = before + _filled(each)
        if isinstance(each, URLPattern):
            yield path
        else:
            yield from _paths(each, path)


def _filled(each: URLPattern | URLResolver) -> str:
    """A pattern with something in each of its places."""
    told = str(each.pattern).removeprefix("^").removesuffix("$").replace(r"\Z", "")
    filled = re.sub(r"<(?:(\w+):)?\w+>", lambda place: _VALUES.get(place[1], "x"), told)
    return re.sub(r"\(\?P<\w+>(\S+?)\)|\.\*", "x", filled)
