"""The OpenAPI document of the API."""

from http import HTTPStatus
from typing import Any

from atlas.api import PROBLEM_MEDIA_TYPE

TAGS = {
    "people": "Who asks, their tokens, and what people did.",
    "models": "Models: found, downloaded, followed over dataset versions, deleted.",
    "gates": "Champions of use cases, candidates, and the gates before them.",
    "benchmarks": "Benchmarks: found, read, run again, cancelled.",
    "side by side": "Leaderboard, matrix, comparison.",
    "datasets": "Dataset tags and their versions.",
    "alerts": "What rules found, who knows of it, the rules, and the channels that they send by.",
    "running": "How Atlas is doing: queue, components, counters, log.",
    "many at once": "What administrators do to many things at once.",
    "uploads": "Sending a model in parts, resumable and verified.",
}
TEXT = (
    "Everything that the dashboard shows or does, for scripts. Times are in UTC, units stand in the names, and what is "
    "not known is null. Faults are problem details (RFC 9457)."
)
DETAILS = {
    400: "Cannot parse request body",
    401: "Nobody is signed in. Send a token in the header Authorization: Bearer atlas_…, or sign in on the dashboard.",
    403: "The token lacks the right to write; ask an administrator for it.",
    404: "There is no model with the key or the name Forest.",
    409: "It has ended already, so it cannot be cancelled. It is done.",
    412: "What is there now is not what the request supposes.",
    413: "The file has 5,368,709,120 bytes; 4,294,967,296 are allowed.",
    416: "the range 'bytes=9000000-' lies outside the file, which has 52,133 bytes",
    422: "Wrong: page_size.",
    503: "the object store cannot be reached",
}
"""An example of each fault."""
WRONG_FIELD = {"field": "page_size", "message": "Input should be less than or equal to 200"}


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """The document that ninja makes, with what it leaves out: media types of faults, headers, descriptions of tags."""
    for operations in document["paths"].values():
        for method, operation in operations.items():
            for parameter in operation["parameters"]:
                _without_null(parameter["schema"])
            for status, response in operation["responses"].items():
                _complete_response(int(status), response, method)
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    document["components"]["securitySchemes"] = {
        "Bearer": {"type": "http", "scheme": "bearer", "description": "An API token, made on the dashboard."},
        "Session": {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "Who is signed in there."},
    }
    return document


def _without_null(schema: dict[str, Any]) -> None:
    """A parameter is left out rather than null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema.pop("default", None)
        schema.update(kinds[0])


def _complete_response(status: int, response: dict[str, Any], method: str) -> None:
    if status >= 400:
        schema = response.pop("content")["application/json"]["schema"]
        response["content"] = {PROBLEM_MEDIA_TYPE: {"schema": schema, "example": _example(status)}}
    if method == "get" and status in (200, 206, 304):
        text = "Send it back in If-None-Match: while nothing has changed, the answer is 304."
        response["headers"] = {"ETag": {"schema": {"type": "string"}, "description": text}}


def _example(status: int) -> dict[str, Any]:
    errors = [WRONG_FIELD] if status == HTTPStatus.UNPROCESSABLE_ENTITY else []
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": DETAILS[status], "errors": errors}
