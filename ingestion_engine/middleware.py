"""What surrounds every request to the engine."""

from collections.abc import Callable

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from atlas.vocabulary import Document
from ui.faults import FaultResponse

PROGRAMS = ("/api/", "/healthz")
"""What programs ask for; all other addresses are pages."""


class Fault(Document):
    """The answer to a request that failed: what was wrong, where, and what to do.

    Of a query that is wrong, `line` and `column`, from 1, say where; of any other fault they are not there.
    """

    detail: str
    line: int | None = None
    column: int | None = None

    def document(self) -> dict[str, object]:
        """What is sent of it."""
        return self.model_dump(exclude_none=True)


FAULTS = dict.fromkeys((400, 401, 403, 404, 409, 422, 503), Fault)
"""How any request to the API may be answered that fails, by its status."""


def faults_as_json(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware that turns Django's own pages for faults into the API's form, where programs ask."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.status_code < 400 or not request.path.startswith(PROGRAMS):
            return response
        if response.headers.get("Content-Type", "").startswith("application/json"):
            return response
        fault = Fault(detail=_why(request, response))
        headers = {name: response.headers[name] for name in ("Allow", "Retry-After") if name in response.headers}
        return JsonResponse(fault.document(), status=response.status_code, headers=headers)

    return respond


def _why(request: HttpRequest, response: HttpResponseBase) -> str:
    if isinstance(response, FaultResponse):
        return response.fault.said
    return f"{request.method} {request.path}: {response.reason_phrase}"
