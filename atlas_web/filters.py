"""What the searches and selects above the lists have in common."""

from collections.abc import Callable, Iterable
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.forms import CharField, Field, TextInput, ValidationError
from django.urls import reverse_lazy

from storage import queries


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


class LanguageField(CharField):
    """Plain words or a query of a list's search language; clean, it is the condition on the rows."""

    def __init__(self, *, searched: str, **options: Any) -> None:
        self.searched = searched
        super().__init__(strip=False, **options)

    @property
    def language(self) -> queries.Language:
        """The list's search language. Forms copy their fields, for each request: so it is none of the field's parts."""
        return queries.LANGUAGES[self.searched]

    def clean(self, value: Any) -> Q:
        """Which rows a text asks for."""
        try:
            return self.language.condition(super().clean(value))
        except queries.SearchError as error:
            raise ValidationError(str(error)) from error


class LanguageFilter(django_filters.Filter):  # type: ignore[misc]  # an untyped package
    """A search box that takes plain words and the search language, and completes what one types."""

    field_class = LanguageField

    def __init__(self, label: str, hint: str, name: str) -> None:
        offers = reverse_lazy("search-fields", args=[name])
        attributes = {"type": "search", "placeholder": hint, "data-complete": offers, "maxlength": queries.LONGEST}
        super().__init__(label=label, widget=TextInput(attrs=attributes), searched=name)

    def filter(self, queryset: QuerySet[Any], value: Q) -> QuerySet[Any]:
        """The rows that match."""
        return queryset.filter(value)


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
