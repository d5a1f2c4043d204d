"""The view behind every list page."""

from django.http import HttpRequest
from django_filters.views import FilterView
from django_tables2.views import SingleTableMixin


class TableView(SingleTableMixin, FilterView):  # type: ignore[misc]  # untyped packages
    """A list with search, filters, order and pages. htmx gets the table alone, a browser the whole page.

    Set `template_name`, `table_class`, `filterset_class` and `queryset`; the page shows `{% toolbar filter.form %}`
    and `{% render_table table %}`.
    """

    request: HttpRequest

    def get_template_names(self) -> list[str]:
        """The page's template, or the table's if htmx asks for it."""
        if getattr(self.request, "htmx", False):
            return ["ui/table.html"]
        names: list[str] = super().get_template_names()
        return names
