"""Response headers that Django does not set itself."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in ("camera", "display-capture", "geolocation", "microphone", "midi", "payment", "serial", "usb")
)
"""What no page may ask of the browser, as Atlas needs none of it."""


class HeadersMiddleware:
    """Keeps pages from using devices, other sites from embedding what Atlas answers, and browsers from keeping it.

    On a computer that people share, going back then shows nothing of who has signed out. Static files have gone their
    own way before, and what a browser may keep says so itself.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer with the headers."""
        response = self._get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if "ETag" not in response.headers:
            response.headers.setdefault("Cache-Control", "no-store")
        return response
