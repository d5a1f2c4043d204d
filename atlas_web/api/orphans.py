"""Objects of the store that nothing refers to."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query

from atlas.access import Right, Via
from atlas.api import CleanUpRequest, CleanUpResult, OrphanObject, Page
from atlas_web.api.authentication import caller_of
from atlas_web.api.lists import Paging, page_of
from atlas_web.api.operations import Operations
from storage import queries, records

operations = Operations("object store")


@operations.declare("GET", "orphans", Right.READ, {200: Page[OrphanObject]})
def list_orphans(request: HttpRequest, response: HttpResponse, asked: Query[Paging]) -> Page[OrphanObject]:
    """The objects that nothing refers to, as the engine found them last, by key."""
    return page_of(request, response, queries.orphans(), asked, _orphan, Page[OrphanObject])


@operations.declare("POST", "orphans/clean-up", Right.ADMINISTER, {200: CleanUpResult})
def clean_up_orphans(request: HttpRequest, asked: CleanUpRequest) -> CleanUpResult:
    """Have an engine delete objects that nothing refers to: some, or all of them."""
    caller, now = caller_of(request), timezone.now()
    number = records.clean_up_orphans(caller.name, Via.API, now, asked.keys)
    if number:
        records.log("dashboard", f"Clean-up of {number:,} objects asked for by {caller.name}.", now=now)
    return CleanUpResult(objects=number)


def _orphan(row: Any) -> OrphanObject:
    return OrphanObject(key=row.key, size_bytes=row.size_bytes, modified=row.modified, found=row.found, why=row.why)
