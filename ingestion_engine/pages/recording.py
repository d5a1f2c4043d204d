"""The page of a recording, on which its events are labelled."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from atlas.access import Right
from atlas.ingestion import ChannelDescription
from bags.listening import LEAST_SOUND_HZ
from ingestion_engine import histories
from ingestion_engine.models import Event, Recording, RecordingState
from ingestion_engine.pages import shown
from ingestion_engine.pages.event_forms import SpanForm, View
from ui import components, formats
from ui.access import requires, rights_of
from ui.filters import SearchFilter
from ui.tables import AtlasTable, Column
from ui.views import TableView

CHANGES = 20
"""So many of a recording's latest changes are told."""


class EventFilter(django_filters.FilterSet):  # type: ignore[misc]  # an untyped package
    """The search above the events of a recording."""

    q = SearchFilter(
        "Search events", "Find by label, id, car or environment", ("label_text", "event_id", "car", "environment")
    )


class EventTable(AtlasTable):
    """One row an event."""

    noun = ("event", "events")
    glyph = "bookmark"

    id = Column("Event", by=["event_id"], above="md")
    label = Column("Label", by=["label_text", "label_number"])
    time = Column("Start", "num", by=["time"])
    duration = Column("Duration", "num", by=["duration_seconds"], above="sm")
    car = Column("Car", by=["car"], above="lg")
    environment = Column("Environment", by=["environment"], above="lg")
    actions = Column(SafeString('<span class="visually-hidden">Actions</span>'), "num")

    class Meta(AtlasTable.Meta):
        order_by = ("time",)
        empty_text = "Mark one on the chart, or write down where it begins and ends. Labels can also be sent as a file."

    @property
    def recording(self) -> Recording:
        """Whose events these are."""
        found: Recording = self.request.recording
        return found

    def render_id(self, record: Any) -> SafeString:
        """The id within the recording."""
        return format_html('<span class="mono">{}</span>', shown.local_id(record.event_id, self.recording))

    def render_label(self, record: Any) -> SafeString:
        """The label, which leads to the event."""
        text = shown.label(record.label)
        if not text:
            return format_html('<a class="muted" href="{}">{}</a>', self._address(record), shown.UNLABELLED)
        return format_html('<a class="model" href="{}">{}</a>', self._address(record), text)

    def render_time(self, record: Any) -> SafeString | str:
        """Where it begins: in a recording of signals since the start of it, which a click shows on the chart."""
        place = shown.span(record, self.recording)
        if place is None:
            return components.when_short(record.time, seconds=True)
        show = '<button type="button" class="btn btn-sm btn-bare num" data-show="{} {}" title="{}">{}</button>'
        return format_html(show, *map(repr, place), "Show on the chart", shown.offset(place[0]))

    def render_duration(self, record: Any) -> str:
        """How long it lasts."""
        return formats.duration(record.duration_seconds)

    def render_car(self, record: Any) -> SafeString | str:
        """The car that it happened to."""
        return record.car or components.nothing()

    def render_environment(self, record: Any) -> SafeString | str:
        """The conditions in which it happened."""
        return record.environment or components.nothing()

    def render_actions(self, record: Any) -> SafeString | str:
        """The way to the form that changes it, for those who may."""
        word = "Change" if Right.WRITE in rights_of(self.request.user) else "History"
        what = shown.local_id(record.event_id, self.recording)
        return format_html('<a href="{}" aria-label="{} {}">{}</a>', self._address(record), word, what, word)

    def _address(self, record: Event) -> str:
        return reverse("event", args=[self.recording.name, shown.local_id(record.event_id, self.recording)])


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the script that draws the signals is told."""

    duration: float
    channels: list[dict[str, Any]]
    envelope: str
    sound: str
    labels: list[str]
    event: str
    change: str
    may_write: bool


class RecordingPage(TableView):
    """A recording, its signals with the events marked on them, and the table of these."""

    template_name = "ingestion_engine/recording.html"
    table_class = EventTable
    filterset_class = EventFilter

    def setup(self, request: Any, *args: Any, **kwargs: Any) -> None:
        """Find the recording."""
        super().setup(request, *args, **kwargs)
        self.recording = request.recording = get_object_or_404(Recording, name=kwargs["name"])

    def get_queryset(self) -> QuerySet[Any]:
        """The events as they are now."""
        return histories.present_events(self.recording)

    def count(self) -> int:
        """How many events there are, as their recording says."""
        return self.recording.events_count

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What the page says beside the table."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context if self.request.htmx else context | self._about()  # type: ignore[attr-defined]

    @property
    def _may_write(self) -> bool:
        return Right.WRITE in rights_of(self.request.user)

    def _about(self) -> dict[str, Any]:
        recording, view = self.recording, View(self.request.GET)
        form = SpanForm(recording=recording, initial=view.chosen)
        channels = [ChannelDescription.model_validate(each) for each in recording.channels]
        is_ready = recording.state == RecordingState.READY
        return {
            "recording": recording,
            "crumbs": [("Recordings", reverse("recordings"))],
            "facts": facts_of(recording),
            "channels": [(each, shown.gaps(each.gaps)) for each in channels],
            "shown": asdict(_shown(recording, channels, sorted(label for label, _ in form.offered), self._may_write)),
            "has_signals": is_ready and bool(channels),
            "waits": recording.state in (RecordingState.WAITING, RecordingState.DECODING),
            "form": form,
            "view": view,
            "changes": histories.describe_changes(histories.changes(recording)[:CHANGES]),
            "verbs": shown.VERBS,
            "engine": shown.ENGINE,
        }


def _shown(recording: Recording, channels: list[ChannelDescription], labels: list[str], may_write: bool) -> Shown:
    return Shown(
        duration=recording.duration_seconds or 0.0,
        channels=[_channel(each) for each in channels],
        envelope=reverse("envelope", args=[recording.name]),
        sound=reverse("sound", args=[recording.name]),
        labels=labels,
        event=reverse("recording", args=[recording.name]) + "events/",
        change=reverse("recording", args=[recording.name]) + "change/",
        may_write=may_write,
    )


def _channel(channel: ChannelDescription) -> dict[str, Any]:
    is_sound = (channel.rate_hz or 0) >= LEAST_SOUND_HZ
    return {"name": channel.name, "unit": channel.unit, "gaps": channel.gaps, "sound": is_sound}


def facts_of(recording: Recording) -> list[tuple[str, object]]:
    """What is said below its name."""
    facts: Mapping[str, object] = {
        "File": recording.filename,
        "Size": formats.size(recording.size_bytes),
        "Received": components.when(recording.received),
        "Began": components.when(recording.start) if recording.start else "",
        "Duration": formats.duration(recording.duration_seconds) if recording.duration_seconds is not None else "",
        "Car": recording.settings.get("car"),
        "Environment": recording.settings.get("environment"),
        "Events": formats.num(recording.events_count, 0),
    }
    return [(term, value) for term, value in facts.items() if value]


recording = requires(Right.READ)(RecordingPage.as_view())
