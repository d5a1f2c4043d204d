"""The view behind every list page."""

from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django_filters.views import FilterView
from django_htmx.http import push_url, reswap
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

    @property
    def misread(self) -> bool:
        """Whether htmx asks for rows by a search that cannot be read: those that are shown stay."""
        return bool(getattr(self.request, "htmx", False)) and "q" in self.filterset.form.errors

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        """The page, or the table, or what is wrong with the search."""
        response: HttpResponse = super().render_to_response(context, **options)
        if self.misread:
            reswap(response, "none")
            push_url(response, False)
        return response

    def get_template_names(self) -> list[str]:
        """The page's template, or the table's if htmx asks for it."""
        if getattr(self.request, "htmx", False):
            return ["ui/misread.html" if self.misread else "ui/table.html"]
        names: list[str] = super().get_template_names()
        return names
