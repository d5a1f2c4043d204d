"""Dataset tags and their versions."""

from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Schema
from pydantic import Field

from atlas.access import Right
from atlas.api import Page, TagSummary, VersionDetail, VersionSummary
from atlas.drift import TableDrift
from atlas_web import drifted
from atlas_web.api import documents
from atlas_web.api.lists import Paging, Search, ordered, page_of
from atlas_web.api.operations import Operations
from atlas_web.api.problems import UnknownError
from storage import queries
from ui.filters import matching

operations = Operations("datasets")
COLUMNS = {"name": "name", "rows": "rows", "updated": "updated"}


class DriftFilters(Schema):
    """What a version is compared with: the version before, or the first one of its tag."""

    since: queries.Since = queries.Since.PREVIOUS


class TagFilters(Paging):
    """What the list of tags is narrowed and ordered by."""

    q: Search = ""
    order: Literal["name", "-name", "rows", "-rows", "updated", "-updated"] | None = Field("name")


@operations.declare("GET", "tags", Right.READ, {200: Page[TagSummary]})
def list_tags(request: HttpRequest, response: HttpResponse, asked: Query[TagFilters]) -> Page[TagSummary]:
    """All dataset tags, each with its newest version."""
    rows = ordered(matching(queries.datasets(), asked.q, ("name", "query")), asked.order, COLUMNS)
    return page_of(request, response, rows, asked, documents.tag_summary, Page[TagSummary])


@operations.declare("GET", "tags/{tag}", Right.READ, {200: TagSummary})
def get_tag(request: HttpRequest, tag: str) -> TagSummary:  # noqa: ARG001  # ninja finds it by its name
    """A dataset tag and its newest version."""
    return documents.tag_summary(tag_called(tag))


@operations.declare("GET", "tags/{tag}/versions", Right.READ, {200: Page[VersionSummary]})
def list_versions(request: HttpRequest, response: HttpResponse, tag: str, asked: Query[Paging]) -> Page[VersionSummary]:
    """All versions of a tag, the newest first."""
    rows = queries.versions_of(tag_called(tag).pk)
    return page_of(request, response, rows, asked, documents.version_summary, Page[VersionSummary])


@operations.declare("GET", "tags/{tag}/versions/{number}", Right.READ, {200: VersionDetail})
def get_version(request: HttpRequest, tag: str, number: int) -> VersionDetail:  # noqa: ARG001  # ninja finds it by its name
    """A dataset version with its schema and statistics."""
    page = queries.dataset_page(tag, number) if "\0" not in tag else None
    if page is None or page.version is None or page.description is None:
        raise UnknownError(f"There is no version {number} of a tag {tag}.")
    summary = documents.version_summary(page.version)
    return VersionDetail(**summary.model_dump(), description=page.description)


@operations.declare("GET", "tags/{tag}/versions/{number}/drift", Right.READ, {200: TableDrift})
def get_version_drift(request: HttpRequest, tag: str, number: int, asked: Query[DriftFilters]) -> TableDrift:  # noqa: ARG001  # ninja finds it by its name
    """How far the columns and labels of a dataset version have moved, with the distributions of each."""
    point = queries.version_drift(tag, number, asked.since) if "\0" not in tag else None
    if point is None:
        raise UnknownError(f"There is no version {number} of a tag {tag}.")
    if point.drift is None:
        raise UnknownError(drifted.why_unknown(point))
    return point.drift


def tag_called(name: str) -> Any:
    """The row of `queries.datasets()` with this name.

    Raises:
        UnknownError: there is none.
    """
    found = queries.datasets().filter(name=name).first() if "\0" not in name else None
    if found is None:
        raise UnknownError(f"There is no dataset tag {name}.")
    return found
