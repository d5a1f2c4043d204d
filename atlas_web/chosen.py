"""What a person chose in a list: some rows of the page, or all that match the filter of the list."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from ui.tables import PICK

MOST_PICKED = 1000
"""More rows are never on one page."""


def chosen(
    request: HttpRequest, filterset: type[django_filters.FilterSet], everything: QuerySet[Any]
) -> QuerySet[Any] | None:
    """The keys of the chosen rows, as a query of one column; None if nothing was chosen.

    With `all` in the form, these are the rows that match the list's address in `query`, as the list finds them now.

    Args:
        request: of the form.
        filterset: narrows the list.
        everything: the rows of the list.
    """
    if request.POST.get("all") == "yes":
        narrowed = filterset(QueryDict(request.POST.get("query", "")), queryset=everything)
        return narrowed.qs.order_by().values("pk") if narrowed.is_valid() else None
    keys = picked(request)
    return everything.model._default_manager.filter(pk__in=keys).values("pk") if keys else None


def picked(request: HttpRequest) -> list[int]:
    """The keys of the rows of the page that were chosen one by one."""
    return [int(key) for key in request.POST.getlist(PICK)[:MOST_PICKED] if key.isdecimal() and len(key) < 19]
