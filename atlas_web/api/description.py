"""The OpenAPI document of the API."""

from typing import Any

from atlas.api import PROBLEM_MEDIA_TYPE, UploadProblem
from atlas_web.api.problems import ROOT

TAGS = {
    "people": "Who asks, their tokens, and what people did.",
    "models": "Models: found, downloaded, followed over dataset versions, deleted.",
    "benchmarks": "Benchmarks: found, read, run again, cancelled.",
    "datasets": "Dataset tags and their versions.",
    "running": "How Atlas is doing: queue, components, counters, log.",
    "many at once": "What administrators do to many things at once.",
    "uploads": "Sending a model in parts, resumable and verified.",
}
TEXT = (
    "Everything that the dashboard shows or does, for scripts. Times are in UTC, units stand in the names, and what is "
    "not known is null. Faults are problem details (RFC 9457)."
)
EXAMPLE = {
    "type": "about:blank",
    "title": "Not Found",
    "status": 404,
    "detail": "There is no model with the key or the name Forest.",
    "errors": [],
}


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """The document that ninja makes, with what it leaves out: media types of faults, headers, descriptions of tags."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, response in operation["responses"].items():
                _complete_response(int(status), response, method)
            if path == f"{ROOT}uploads/{{upload}}" and method == "put":
                content = operation["responses"][409]["content"][PROBLEM_MEDIA_TYPE]
                content["schema"] = UploadProblem.model_json_schema(ref_template="#/components/schemas/{model}")
                content["schema"].pop("$defs", None)
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    document["components"]["securitySchemes"] = {
        "Bearer": {"type": "http", "scheme": "bearer", "description": "An API token, made on the dashboard."},
        "Session": {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "Who is signed in there."},
    }
    return document


def _complete_response(status: int, response: dict[str, Any], method: str) -> None:
    if status >= 400:
        schema = response.pop("content")["application/json"]["schema"]
        response["content"] = {PROBLEM_MEDIA_TYPE: {"schema": schema, "example": EXAMPLE | {"status": status}}}
    if method == "get" and status in (200, 206, 304):
        text = "Send it back in If-None-Match: while nothing has changed, the answer is 304."
        response["headers"] = {"ETag": {"schema": {"type": "string"}, "description": text}}
