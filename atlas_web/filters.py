"""The search box of the lists that have a search language."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.forms import CharField, TextInput, ValidationError
from django.urls import reverse_lazy

from storage import queries


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
