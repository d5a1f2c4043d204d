"""The list of tags, and making one: its query is completed, counted and checked while one types."""

from typing import Any

import django_filters
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.views.decorators.http import require_http_methods, require_POST

from atlas.access import Right
from atlas.errors import AtlasError
from ingestion_engine import versions
from ingestion_engine.errors import ConflictError, QueryError, RefusedError
from ingestion_engine.models import Tag, Version
from ingestion_engine.pages.tag_forms import TagForm, pointed, schedule
from ingestion_engine.places import object_store
from ingestion_engine.preview import preview
from ui import components, formats
from ui.access import requires, rights_of
from ui.filters import SearchFilter
from ui.tables import AtlasTable, Column
from ui.views import TableView

LONGEST = 140
MOST_LABELS = 12


class TagFilter(django_filters.FilterSet):  # type: ignore[misc]  # an untyped package
    """The search above the list of tags."""

    q = SearchFilter("Search tags", "Find by name or query", ("name", "query"))


class TagTable(AtlasTable):
    """One row a tag."""

    noun = ("tag", "tags")
    glyph = "tag"

    name = Column("Tag", by=["name"])
    newest = Column("Newest", "num", by=["newest"])
    rows = Column("Rows", "num", by=["rows"])
    versions = Column("Versions", "num", by=["number_of_versions"], above="md")
    schedule = Column("New versions", by=["every_seconds"], above="lg")
    made = Column("Newest made", "num", by=["made"], above="sm")

    class Meta(AtlasTable.Meta):
        empty_text = "A tag names a query over events. What it selects is a dataset; new data make a new version of it."

    @property
    def remedy(self) -> SafeString:
        """The way to the form that makes one, for those who may."""
        link = format_html('<a class="btn btn-primary" href="{}">New tag</a>', reverse("new-tag"))
        return link if Right.WRITE in rights_of(self.request.user) else SafeString("")

    def render_name(self, record: Any) -> SafeString:
        """The name, and below it its query, or why there is no new version."""
        below = Truncator(record.problem or record.query or "all events with a label").chars(LONGEST)
        mark = format_html("{} ", components.state("error", "No new version")) if record.problem else ""
        href = reverse("tag", args=[record.name])
        return format_html('<a class="model" href="{}">{}</a><small>{}{}</small>', href, record.name, mark, below)

    def render_newest(self, record: Any) -> SafeString | str:
        """The number of the newest version, which leads to it."""
        if record.newest is None:
            return components.nothing()
        return format_html('<a href="{}">v{}</a>', reverse("version", args=[record.query_id]), record.newest)

    def render_rows(self, record: Any) -> SafeString | str:
        """The rows of the newest version."""
        return components.nothing() if record.rows is None else formats.num(record.rows, 0)

    def render_versions(self, record: Any) -> str:
        """How many versions there are."""
        return formats.num(record.number_of_versions, 0)

    def render_schedule(self, record: Any) -> str:
        """How often it looks for a new version."""
        return schedule(record.every_seconds)

    def render_made(self, record: Any) -> SafeString:
        """When the newest version was made."""
        return components.when_short(record.made)


class TagList(TableView):
    """Every tag."""

    template_name = "ingestion_engine/tags.html"
    table_class = TagTable
    filterset_class = TagFilter

    def get_queryset(self) -> QuerySet[Any]:
        """All tags, with their newest versions."""
        newest = Version.objects.filter(tag=OuterRef("pk")).order_by("-number")
        found = {"newest": "number", "rows": "rows", "made": "created", "query_id": "query_id"}
        columns = {name: Subquery(newest.values(field)[:1]) for name, field in found.items()}
        return Tag.objects.annotate(number_of_versions=Count("versions"), **columns).order_by("name")


tags = requires(Right.READ)(TagList.as_view())


@requires(Right.WRITE)
@require_http_methods(["GET", "POST"])
def new_tag(request: HttpRequest) -> HttpResponseBase:
    """The form for a new tag; what is wrong with its query is told at the column of the text."""
    form = TagForm(request.POST) if request.method == "POST" else TagForm()
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("tag", _made(request, form).name)
        except QueryError as error:
            form.refuse_query(error)
        except ConflictError as error:
            form.add_error("name", str(error))
        except RefusedError as error:
            form.add_error(None, str(error))
    context = {"form": form, "crumbs": [("Tags", reverse("tags"))]}
    return render(request, "ingestion_engine/new_tag.html", context, status=422 if form.errors else 200)


def _made(request: HttpRequest, form: TagForm) -> Tag:
    """The tag, which has its first version if the query selects anything."""
    now, given = timezone.now(), form.values
    tag = versions.create_tag(given["name"], given["query"], now=now)
    about = {"every_seconds": given["every_seconds"], "created_by": request.user.get_username()}
    Tag.objects.filter(pk=tag.pk, created_by="", created=now).update(**about)
    try:
        versions.refresh_in_turn(versions.tag_named(tag.name), object_store(), now=now)
    except RefusedError as error:
        Tag.objects.filter(pk=tag.pk).update(problem=str(error))
    return tag


@requires(Right.READ)
@require_POST
def preview_query(request: HttpRequest) -> HttpResponseBase:
    """What a query would select now, to be put below the text in which it is written."""
    query = request.POST.get("query", "")
    context: dict[str, Any] = {}
    try:
        found = preview(query, now=timezone.now())
        labels = sorted(found.labels.items(), key=lambda each: (-each[1], each[0]))
        context = {"found": found, "labels": labels[:MOST_LABELS], "left": len(labels[MOST_LABELS:])}
    except QueryError as error:
        context = {"problem": str(error), "pointed": pointed(query, error)}
    except AtlasError as error:
        context = {"problem": str(error)}
    return render(request, "ingestion_engine/parts/preview.html", context)
