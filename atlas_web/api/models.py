"""Models: found, downloaded, followed over dataset versions, deleted."""

from typing import Any, Literal

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from ninja import Query
from ninja.responses import Status
from pydantic import BaseModel, ConfigDict

from atlas.access import Right, Via
from atlas.api import HistoryPoint, ModelDetail, ModelSummary, Page
from atlas.states import ModelState
from atlas.watching import Stage
from atlas_web import files
from atlas_web.api import documents
from atlas_web.api.authentication import caller_of
from atlas_web.api.files import answers_with, answers_with_one_of
from atlas_web.api.lists import LAST_KEY, Paging, Sought, Words, narrowed, ordered, page_of, searched
from atlas_web.api.operations import STORE_FAULT, Operations
from atlas_web.api.problems import UnknownError
from atlas_web.pages.report import HTML, PDF, html_file, pdf_file
from storage import queries, records

operations = Operations("models")
COLUMNS = {
    "arrived": "arrived",
    "created": "created",
    "name": "name",
    "use_case": "use_case",
    "score": "score",
    "size_bytes": "size_bytes",
}
Order = Literal[
    "arrived", "-arrived", "created", "-created", "name", "-name", "use_case", "-use_case", "score", "-score",
    "size_bytes", "-size_bytes",
]  # fmt: skip


class ModelFilters(Paging):
    """What the list of models is narrowed and ordered by; `state` is how a model stands, as on the dashboard."""

    q: Sought = ""
    use_case: Words = ""
    tag: Words = ""
    author: Words = ""
    state: Literal["benchmarked", "waiting", "failed", "invalid"] | None = None
    stage: Stage | None = None
    order: Order | None = None


class HistoryFilters(Paging):
    """What a history is narrowed by."""

    tag: Words = ""
    metric: Words = ""


class ReportChoice(BaseModel):
    """What a report is of, and what kind of file; without a tag, the one with the latest results."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tag: Words = ""
    format: Literal["pdf", "html"] = "pdf"


@operations.declare("GET", "models", Right.READ, {200: Page[ModelSummary]})
def list_models(request: HttpRequest, response: HttpResponse, asked: Query[ModelFilters]) -> Page[ModelSummary]:
    """All model files but duplicates, the latest first; the state says how their benchmarks stand."""
    rows = queries.models().filter(searched(asked.q, queries.MODELS))
    rows = narrowed(
        rows, use_case=asked.use_case, tags__name=asked.tag, author__name=asked.author, stage__stage=asked.stage
    )
    if asked.state:
        rows = rows.filter(**queries.STANDINGS[asked.state])
    return page_of(
        request, response, ordered(rows, asked.order, COLUMNS), asked, documents.model_summary, Page[ModelSummary]
    )


@operations.declare("GET", "models/{model}", Right.READ, {200: ModelDetail})
def get_model(request: HttpRequest, model: str) -> ModelDetail:  # noqa: ARG001  # ninja finds it by its name
    """A model, by its key or its name, with all that is known of it."""
    row = model_called(model)
    page = queries.model_page(row.pk)
    if page is None:
        raise UnknownError(f"The model {model} was deleted.")
    return documents.model_detail(row, page)


@operations.declare(
    "GET", "models/{model}/file", Right.READ, {200: None, 206: None}, 416, STORE_FAULT,
    extra=answers_with(files.BUNDLE),
)  # fmt: skip
def download_model(request: HttpRequest, model: str) -> StreamingHttpResponse:
    """The bundle. Its ETag is the sha256 of its content; one range of bytes can be asked for."""
    row = model_called(model)
    filename = row.name if row.name.endswith(".atlas") else f"{row.name}.atlas"
    return files.download(request, row.key, filename=filename, media_type=files.BUNDLE, sha256=row.digest)


@operations.declare("GET", "models/{model}/history", Right.READ, {200: Page[HistoryPoint]})
def model_history(
    request: HttpRequest, response: HttpResponse, model: str, asked: Query[HistoryFilters]
) -> Page[HistoryPoint]:
    """All metrics of a model over the versions of its tags, or one metric, or on one tag; the oldest first."""
    points = queries.history([model_called(model).pk], tag=asked.tag, metric=asked.metric)
    return page_of(request, response, points, asked, documents.history_point, Page[HistoryPoint])


@operations.declare(
    "GET", "models/{model}/report", Right.READ, {200: None}, extra=answers_with_one_of(PDF, HTML)
)  # fmt: skip
def model_report(request: HttpRequest, model: str, asked: Query[ReportChoice]) -> HttpResponse:  # noqa: ARG001  # ninja
    """A report of a model over the versions of one of its dataset tags, to hand to others."""
    found = queries.model_report(model_called(model).pk, asked.tag)
    if found is None:
        raise UnknownError(f"There is no report of {model}: it cannot be used, or has nothing to do with the tag.")
    return html_file(found) if asked.format == "html" else pdf_file(found)


@operations.declare("DELETE", "models/{model}", Right.DELETE, {204: None})
def delete_model(request: HttpRequest, model: str) -> Status[None]:
    """Delete a model with its benchmarks and results; an engine then deletes its objects."""
    records.delete_models([model_called(model).pk], caller_of(request).name, Via.API, timezone.now())
    return Status(204, None)


def model_called(name: str) -> Any:
    """The row of `queries.models()` with this key or this name; of several of a name, the one that is ready.

    Raises:
        UnknownError: there is none.
    """
    found = None
    if "\0" not in name:
        if name.isascii() and name.isdigit() and int(name) <= LAST_KEY:
            found = queries.models().filter(pk=int(name)).first()
        named = queries.models().filter(name=name)
        found = found or named.filter(state=ModelState.READY).first() or named.first()
    if found is None:
        raise UnknownError(f"There is no model with the key or the name {name}.")
    return found
