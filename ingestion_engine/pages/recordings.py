"""The list of recordings."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from atlas.access import Right
from ingestion_engine.models import Recording, RecordingState
from ui import components, formats
from ui.access import requires, rights_of
from ui.filters import OptionFilter, SearchFilter
from ui.tables import AtlasTable, Column
from ui.views import TableView

LONGEST_PROBLEM = 140


def cars() -> list[str]:
    """The cars that recordings were made in, as far as their senders said so."""
    found = Recording.objects.exclude(settings__car=None).order_by("settings__car")
    return list(found.values_list("settings__car", flat=True).distinct())


class RecordingFilter(django_filters.FilterSet):  # type: ignore[misc]  # an untyped package
    """The search and the selects above the list of recordings."""

    q = SearchFilter("Search recordings", "Find by name or file name", ("name", "filename"))
    state = django_filters.ChoiceFilter(
        label="State",
        empty_label="Any state",
        choices=[(each.value, each.label.capitalize()) for each in RecordingState],
    )
    car = OptionFilter("Car", "All cars", cars, "settings__car")


class RecordingTable(AtlasTable):
    """One row a recording."""

    noun = ("recording", "recordings")
    glyph = "signal"

    name = Column("Recording", by=["name"])
    state = Column("State", "nowrap", by=["state"])
    car = Column("Car", by=["settings__car"], above="md")
    received = Column("Received", "num", by=["received"], above="sm")
    duration = Column("Duration", "num", by=["duration_seconds"], above="md")
    events = Column("Events", "num", by=["events_count"])
    size = Column("Size", "num", by=["size_bytes"], above="lg")

    class Meta(AtlasTable.Meta):
        empty_text = (
            "Send a bag, an MCAP, WAV, CSV or Parquet file from this page or by a program; what it holds is shown here "
            "and can be labelled."
        )

    @property
    def remedy(self) -> SafeString:
        """The command that sends a file, and the way to the page that does, for those who may."""
        link = format_html('<a class="btn btn-primary" href="{}">Send a recording</a>', reverse("send-recording"))
        address = self.request.build_absolute_uri(reverse("api-v1:post_recording"))
        command = format_html('<code class="code mono">curl -F file=@drive.mcap {}</code>', address)
        return command + link if Right.WRITE in rights_of(self.request.user) else command

    def render_name(self, record: Any) -> SafeString:
        """The name, and below it why it failed, or what its file was called."""
        href = reverse("recording", args=[record.name])
        below = Truncator(record.problem or record.filename).chars(LONGEST_PROBLEM)
        return format_html('<a class="model" href="{}">{}</a><small>{}</small>', href, record.name, below)

    def render_state(self, record: Any) -> SafeString:
        """How far it is, and whether something of it was lost."""
        lost = components.state("lossy", title="; ".join(record.losses)) if record.losses else ""
        return format_html("{} {}", components.state(record.state, title=record.problem), lost)

    def render_car(self, record: Any) -> SafeString | str:
        """The car that its sender named."""
        return record.settings.get("car") or components.nothing()

    def render_received(self, record: Any) -> SafeString:
        """When it came."""
        return components.when_short(record.received)

    def render_duration(self, record: Any) -> str:
        """How long its signals last."""
        return formats.duration(record.duration_seconds)

    def render_events(self, record: Any) -> str:
        """How many events it has."""
        return formats.num(record.events_count, 0)

    def render_size(self, record: Any) -> str:
        """The size of the file."""
        return formats.size(record.size_bytes)


class RecordingList(TableView):
    """Every recording, those that came last first."""

    template_name = "ingestion_engine/recordings.html"
    table_class = RecordingTable
    filterset_class = RecordingFilter

    def get_queryset(self) -> QuerySet[Any]:
        """All recordings."""
        return Recording.objects.order_by("-received", "-pk")


recordings = requires(Right.READ)(RecordingList.as_view())
