"""The audit log: who did what, for administrators."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.forms import DateInput
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from atlas.access import Right, Verb
from atlas_web.downloads import csv_file
from atlas_web.remembered import RememberedView
from storage import queries
from ui import components
from ui.access import requires
from ui.filters import OptionFilter, SearchFilter
from ui.tables import AtlasTable, Column

COLUMNS = ("time", "person", "verb", "kind", "thing", "detail", "via")
_ROWS_AT_ONCE = 2000


class DayFilter(django_filters.DateFilter):  # type: ignore[misc]  # an untyped package
    """Rows since the start of a day, or before the start of the next; compared as times, so that the index serves."""

    def __init__(self, label: str, *, last: bool = False) -> None:
        self.last = last
        super().__init__(label=label, widget=DateInput(attrs={"type": "date", "title": label}))

    def filter(self, queryset: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        """The rows of these days."""
        if value is None:
            return queryset
        start = datetime.combine(value, time(), UTC)
        return queryset.filter(time__lt=start + timedelta(days=1)) if self.last else queryset.filter(time__gte=start)


class AuditFilter(django_filters.FilterSet):  # type: ignore[misc]  # an untyped package
    """The search and the selects above the audit log."""

    q = SearchFilter("Search the audit log", "Find a person or a thing", ("person", "kind", "thing", "detail"))
    person = OptionFilter("Person", "Everybody", queries.actors, "person")
    verb = django_filters.ChoiceFilter(
        label="Action", empty_label="All actions", choices=[(verb.value, verb.value.capitalize()) for verb in Verb]
    )
    kind = OptionFilter("Kind", "All kinds", queries.kinds_of_actions, "kind")
    since = DayFilter("From")
    until = DayFilter("To", last=True)


class AuditTable(AtlasTable):
    """One row an action."""

    noun = ("action", "actions")
    glyph = "clipboard-document-list"
    sizes = (50, 100, 200)

    time = Column("Time", "muted", by=["time"])
    person = Column("Person", by=["person"])
    verb = Column("Action", by=["verb"])
    thing = Column("What")
    via = Column("By way of", by=["via"], above="lg")

    class Meta(AtlasTable.Meta):
        empty_text = "What people do is kept here: uploads, deletions, changes, sign-ins."

    def render_time(self, record: Any) -> SafeString:
        """When it was done, to the second."""
        return components.when_short(record.time, seconds=True)

    def render_person(self, record: Any) -> str:
        """The name that they sign in with."""
        return str(record.person)

    def render_verb(self, record: Any) -> str:
        """What they did."""
        return str(record.verb).capitalize()

    def render_thing(self, record: Any) -> SafeString:
        """What they did it to, and more about it below."""
        detail = (
            format_html('<small class="d-block muted text-break">{}</small>', record.detail) if record.detail else ""
        )
        return format_html('<span class="muted">{}</span> {}{}', record.kind, record.thing, detail)

    def render_via(self, record: Any) -> str:
        """By what way."""
        return str(record.via)


class Audit(RememberedView):
    """What people did, the latest first."""

    template_name = "pages/audit.html"
    table_class = AuditTable
    filterset_class = AuditFilter

    def get_queryset(self) -> QuerySet[Any]:
        """All of it."""
        return queries.actions()


audit = requires(Right.ADMINISTER)(Audit.as_view())


@requires(Right.ADMINISTER)
@require_safe
def audit_csv(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The filtered audit log as CSV, sent as it is read."""
    found = AuditFilter(request.GET, queryset=queries.actions())
    if not found.is_valid():
        return HttpResponse("The filters in the address are not understood.", status=400, content_type="text/plain")
    return csv_file(f"atlas-audit-{timezone.now():%Y-%m-%d}.csv", COLUMNS, _lines(found.qs))


def _lines(actions: QuerySet[Any]) -> Iterator[tuple[object, ...]]:
    for moment, *said in actions.values_list(*COLUMNS).iterator(chunk_size=_ROWS_AT_ONCE):
        yield moment.isoformat(), *said
