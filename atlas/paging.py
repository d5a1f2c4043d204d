"""Lists of the REST API, read page by page."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

import httpx
from pydantic import BaseModel

from atlas.api import Page
from atlas.connection import Connection

PAGE_SIZE = 200
Item = TypeVar("Item", bound=BaseModel)


def all_of(
    connection: Connection, item: type[Item], path: str, filters: Mapping[str, str] | None = None
) -> Iterator[Item]:
    """The items of all pages of a list, each page asked for when it is needed.

    Args:
        connection: to the server.
        item: the kind of its items.
        path: of the list.
        filters: what it is narrowed by; None for a list that is answered whole, which has no pages.
    """
    first = None if filters is None else httpx.QueryParams({**filters, "page_size": str(PAGE_SIZE)})
    page = connection.ask(Page[item], "GET", path, params=first)  # type: ignore[valid-type]
    yield from page.items
    while page.next:
        # of its address only the parameters: behind a proxy the server may take itself to be elsewhere
        page = connection.ask(Page[item], "GET", path, params=httpx.URL(page.next).params)  # type: ignore[valid-type]
        yield from page.items
