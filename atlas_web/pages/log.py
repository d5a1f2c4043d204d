"""The log: what components did and met."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from atlas.states import Level
from atlas_web.filters import OptionFilter, SearchFilter
from atlas_web.remembered import RememberedView
from storage import queries
from ui import components
from ui.tables import AtlasTable, Column


class LogFilter(django_filters.FilterSet):  # type: ignore[misc]  # an untyped package
    """The search and the selects above the log."""

    q = SearchFilter("Search the log", "Find in messages and details", ("message", "detail"))
    level = django_filters.ChoiceFilter(
        label="Level",
        empty_label="All levels",
        choices=[(level.value, components.STATES[level].text) for level in Level],
    )
    component = OptionFilter("Component", "All components", queries.log_components, "component")


class LogTable(AtlasTable):
    """One row a line of the log."""

    noun = ("log entry", "log entries")
    glyph = "document-text"
    sizes = (50, 100, 200)

    time = Column("Time", "muted", by=["time"])
    level = Column("Level", by=["level"], above="sm")
    component = Column("Component", by=["component"], above="md")
    message = Column("Message")

    class Meta(AtlasTable.Meta):
        empty_text = "Components write here what they did and what went wrong, as soon as they run."

    def render_time(self, record: Any) -> SafeString:
        """When it happened, to the second; on phones also how serious it is."""
        level = format_html('<span class="d-sm-none d-block">{}</span>', components.state(record.level))
        return format_html("{}{}", components.when_short(record.time, seconds=True), level)

    def render_level(self, record: Any) -> SafeString:
        """How serious it is."""
        return components.state(record.level)

    def render_component(self, record: Any) -> str:
        """Who wrote it."""
        return str(record.component)

    def render_message(self, record: Any) -> SafeString:
        """What happened, what it is about, and the whole story to open."""
        detail = '<details><summary>Details</summary><pre class="log mono">{}</pre></details>'
        return format_html(
            "{} {}{}", record.message, _link(record), format_html(detail, record.detail) if record.detail else ""
        )


def _link(entry: Any) -> SafeString | str:
    """A link to what a line is about, which the message names."""
    form = '<a class="small nowrap" href="{}" title="{}">Open {}</a>'
    if entry.benchmark:
        return format_html(form, reverse("benchmark", args=[entry.benchmark.pk]), entry.benchmark, "benchmark")
    if entry.model:
        return format_html(form, reverse("model", args=[entry.model.pk]), entry.model, "model")
    return ""


class Log(RememberedView):
    """Every line of the log."""

    template_name = "pages/log.html"
    table_class = LogTable
    filterset_class = LogFilter

    def get_queryset(self) -> QuerySet[Any]:
        """All lines, the latest first."""
        return queries.log()
