"""The view behind every list page."""

from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpRequest
from django_filters.views import FilterView
from django_tables2.views import SingleTableMixin

from ui.tables import Rows


class TableView(SingleTableMixin, FilterView):  # type: ignore[misc]  # untyped packages
    """A list with search, filters, order and pages. htmx gets the table alone, a browser the whole page.

    Set `template_name`, `table_class`, `filterset_class` and `queryset`; the page shows `{% toolbar filter.form %}`
    and `{% render_table table %}`. Where rows need joins that sorting and counting do not, `whole` adds these.
    """

    request: HttpRequest

    def whole(self) -> QuerySet[Any]:
        """The rows with all that the table shows."""
        return cast(QuerySet[Any], self.get_queryset())

    def count(self) -> int | None:
        """How many rows there are if nothing narrows them, where that is known without counting."""
        return None

    def get_table_data(self) -> Rows:
        """The rows that are asked for."""
        narrowed = any(self.filterset.form[name].value() for name in self.filterset.form.fields)
        return Rows(self.object_list, self.whole(), None if narrowed else self.count())

    def get_template_names(self) -> list[str]:
        """The page's template, or the table's if htmx asks for it."""
        if getattr(self.request, "htmx", False):
            return ["ui/table.html"]
        names: list[str] = super().get_template_names()
        return names
