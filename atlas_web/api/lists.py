"""Lists: narrowed, ordered and cut in the database, a page at a time."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.request import QueryDict
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from atlas.api import Page
from atlas_web.api.problems import FieldError
from storage import queries

PAGE_SIZE, LARGEST_PAGE = 50, 200
LAST_KEY = 2**63 - 1
_TIME = re.compile(r"\d{4}-\d\d-\d\dT", re.ASCII | re.IGNORECASE)
Answered = TypeVar("Answered", bound=BaseModel)

Words = Annotated[str, Field(max_length=500, pattern="^[^\\x00]*$")]
"""What a text is compared with. No database holds a zero character."""
Search = Annotated[Words, Field(description="words that all occur, each in one of the columns that are searched")]
"""What texts are searched for."""
Sought = Annotated[Words, Field(description="words that all occur, or a query of the search language: f1_macro > 0.9")]
"""What models and benchmarks are searched for."""
Key = Annotated[int, Field(ge=1, le=LAST_KEY)]
"""The key of a row."""


def _in_range(moment: datetime) -> datetime:
    """The moment in UTC; one beyond what databases hold is the nearest that they do."""
    first, last = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
    return min(max(moment, first), last).astimezone(UTC)


def _is_written_as_time(given: Any) -> Any:
    """What is given, unless it is a bare number, which pydantic would take for seconds."""
    if isinstance(given, str) and not _TIME.match(given):
        raise ValueError("a time is written like 2026-03-02T12:00:00Z, with its offset from UTC")
    return given


Moment = Annotated[AwareDatetime, BeforeValidator(_is_written_as_time), AfterValidator(_in_range)]
"""A time with its offset from UTC."""
Since = Annotated[Moment, Field(description="not before this time, such as 2026-03-02T12:00:00Z")]
Until = Annotated[Moment, Field(description="not after this time")]


class Paging(BaseModel):
    """Which part of a list is asked for. Subclasses add what the list is narrowed by."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: int = Field(1, ge=1, le=1_000_000, description="counts from 1")
    page_size: int = Field(PAGE_SIZE, ge=1, le=LARGEST_PAGE, description="items on a page")


def narrowed(rows: QuerySet[Any], **conditions: Any) -> QuerySet[Any]:
    """The rows that meet those conditions which somebody asked for: those that are neither None nor empty."""
    return rows.filter(**{name: value for name, value in conditions.items() if value not in (None, "")})


def searched(text: str, language: queries.Language) -> Q:
    """Which rows a search asks for.

    Raises:
        FieldError: it cannot be read.
    """
    try:
        return language.condition(text)
    except queries.SearchError as error:
        raise FieldError("q", str(error)) from error


def ordered(rows: QuerySet[Any], order: str | None, columns: dict[str, str]) -> QuerySet[Any]:
    """The rows by a column, `-` before its name for the other direction; rows without a value come last.

    `columns` says what each name that may be asked for is called in the tables.
    """
    if order is None:
        return rows
    column = F(columns[order.removeprefix("-")])
    down = order.startswith("-")
    first = column.desc(nulls_last=True) if down else column.asc(nulls_last=True)
    return rows.order_by(first, "-pk" if down else "pk")


def page_of(
    request: HttpRequest,
    response: HttpResponse,
    rows: QuerySet[Any] | Sequence[Any],
    paging: Paging,
    document: Callable[[Any], Answered],
    kind: type[Page[Answered]],
) -> Page[Answered]:
    """The part of a list that is asked for, and its neighbours' addresses in the header Link."""
    begins = (paging.page - 1) * paging.page_size
    total = rows.count() if isinstance(rows, QuerySet) else len(rows)
    pages = _neighbours(request, paging, total)
    response.headers["Link"] = ", ".join(f'<{address}>; rel="{name}"' for name, address in pages.items())
    items = tuple(document(row) for row in rows[begins : begins + paging.page_size])
    return kind(items=items, total=total, next=pages.get("next"))


def whole(items: Iterable[Answered], kind: type[Page[Answered]]) -> Page[Answered]:
    """A list that is never long, all of it."""
    found = tuple(items)
    return kind(items=found, total=len(found))


def _neighbours(request: HttpRequest, paging: Paging, total: int) -> dict[str, str]:
    last = max(1, -(-total // paging.page_size))
    numbers = {"first": 1, "last": last}
    if paging.page > 1:
        numbers["prev"] = min(paging.page - 1, last)
    if paging.page < last:
        numbers["next"] = paging.page + 1
    return {name: _address(request.GET, request, number) for name, number in numbers.items()}


def _address(asked: QueryDict, request: HttpRequest, page: int) -> str:
    query = asked.copy()
    query["page"] = str(page)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
