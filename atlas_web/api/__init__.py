"""The REST API `/api/v1`: everything that the pages show or do, for scripts. Its documents are in `atlas.api`."""

from typing import Any

from django.http import Http404, HttpRequest
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.renderers import BaseRenderer
from pydantic_core import to_json

from atlas.errors import AtlasError
from atlas_web.api import (
    alerts,
    benchmarks,
    beside,
    bulk,
    comparison,
    datasets,
    faults,
    gates,
    live,
    models,
    orphans,
    people,
    predictions,
    running,
    uploads,
)
from atlas_web.api.description import TEXT, completed
from atlas_web.api.problems import RequestError
from storage.parts import WrongPlaceError
from storage.ranges import RangeError


class _Renderer(BaseRenderer):
    """Writes documents as JSON, times as they are kept; a number that JSON cannot tell is null."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:  # noqa: ARG002  # ninja's
        """The document as bytes."""
        return to_json(data, inf_nan_mode="null")


class _Api(NinjaAPI):
    """Ninja's API with an OpenAPI document that leaves nothing out."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """The OpenAPI document."""
        document = super().get_openapi_schema(**options)
        completed(document)
        return document


def _made() -> NinjaAPI:
    made = _Api(title="Atlas", version="1", description=TEXT, urls_namespace="api", renderer=_Renderer())
    for subject in (
        people, models, live, gates, benchmarks, beside, comparison, datasets, alerts, running, predictions,
        orphans, uploads, bulk,
    ):  # fmt: skip
        made.add_router("", subject.operations.router)
    made.exception_handler(AtlasError)(faults.of_atlas)
    made.exception_handler(RequestError)(faults.of_request)
    made.exception_handler(RangeError)(faults.of_range)
    made.exception_handler(WrongPlaceError)(faults.of_place)
    made.exception_handler(HttpError)(faults.of_http)
    made.exception_handler(Http404)(faults.of_missing)
    made.exception_handler(ValidationError)(faults.of_values)
    return made


def _open_to_tokens(urls: tuple[list[Any], str, str]) -> tuple[list[Any], str, str]:
    """The addresses, at which each operation asks by itself who calls: the login page is of no use to a script.

    What is told about the operations stays behind it.
    """
    for pattern in urls[0]:
        if pattern.name not in ("openapi-json", "openapi-view"):
            pattern.callback.login_required = False
    return urls


api = _made()
urls = _open_to_tokens(api.urls)
