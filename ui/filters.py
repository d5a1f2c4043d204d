"""The searches and selects above lists."""

from collections.abc import Callable, Iterable
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.forms import Field, TextInput


def matching(queryset: QuerySet[Any], words: str, columns: Iterable[str]) -> QuerySet[Any]:
    """The rows in which each word occurs in one of some columns."""
    searched = tuple(columns)
    for word in words.split():
        found = Q()
        for column in searched:
            found |= Q(**{f"{column}__icontains": word})
        queryset = queryset.filter(found)
    return queryset


class SearchFilter(django_filters.CharFilter):  # type: ignore[misc]  # an untyped package
    """A search box: rows in which each word occurs in one of some columns."""

    def __init__(self, label: str, hint: str, columns: Iterable[str]) -> None:
        self.columns = tuple(columns)
        super().__init__(label=label, widget=TextInput(attrs={"type": "search", "placeholder": hint}))

    def filter(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        """The rows that match."""
        return matching(queryset, value, self.columns)


class OptionFilter(django_filters.ChoiceFilter):  # type: ignore[misc]  # an untyped package
    """A select of what `options` finds in the database, once per request; rows in which the column has this value."""

    def __init__(self, label: str, everything: str, options: Callable[[], Iterable[str]], column: str) -> None:
        self.options = options
        super().__init__(label=label, empty_label=everything, field_name=column)

    @property
    def field(self) -> Field:
        """The form's field, with the options that there are now."""
        if "choices" not in self.extra:
            self.extra["choices"] = [(option, option) for option in self.options()]
        field: Field = super().field
        return field
