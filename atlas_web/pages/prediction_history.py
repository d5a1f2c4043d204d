"""The list of the predictions that people asked for."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from atlas.states import State
from atlas_web import words
from storage import queries
from ui import components, formats
from ui.filters import SearchFilter
from ui.tables import AtlasTable, Column
from ui.views import TableView

STATES = (State.QUEUED, State.RUNNING, State.DONE, State.FAILED, State.CANCELLED)


class InferenceFilter(django_filters.FilterSet):  # type: ignore[misc]  # an untyped package
    """The search and the select above the list."""

    q = SearchFilter(
        "Search predictions",
        "Find by model, file, recording or person",
        ("model__name", "rows_name", "recording", "by"),
    )
    state = django_filters.ChoiceFilter(
        label="State",
        empty_label="Any state",
        choices=[(state.value, components.STATES[state].text) for state in STATES],
    )


class InferenceTable(AtlasTable):
    """One row for each time that somebody asked."""

    noun = ("prediction", "predictions")
    glyph = "sparkles"

    model = Column("Model", by=["model__name"])
    of = Column("Of", above="sm")
    state = Column("State", by=["state"])
    rows = Column("Rows", "num", by=["rows"], above="md")
    by = Column("Asked by", by=["by"], above="md")
    asked = Column("Asked", "num", by=["asked"])

    class Meta(AtlasTable.Meta):
        empty_text = "What people ask models to predict is kept here."

    def render_model(self, record: Any) -> SafeString:
        """The model, and below it why there are no predictions, if there are none; on phones, with what it predicts."""
        why = words.clipped(record.reason) if record.reason else ""
        sub = format_html('<span class="d-sm-none">{}{} </span>{}', of_what(record), ":" if why else "", why)
        return components.model(record.model.name, reverse("inference", args=[record.pk]), sub)

    def render_of(self, record: Any) -> str:
        """What it predicts."""
        return of_what(record)

    def render_state(self, record: Any) -> SafeString:
        """Where it stands."""
        return components.state(record.state)

    def render_rows(self, record: Any) -> str | SafeString:
        """How many rows were predicted."""
        return components.nothing() if record.rows is None else formats.num(record.rows, 0)

    def render_by(self, record: Any) -> str:
        """Who asked."""
        return str(record.by)

    def render_asked(self, record: Any) -> SafeString:
        """When."""
        return components.when_short(record.asked)


class InferenceList(TableView):
    """Everything that people asked for."""

    template_name = "pages/prediction_history.html"
    table_class = InferenceTable
    filterset_class = InferenceFilter

    def get_queryset(self) -> QuerySet[Any]:
        """What was asked for last first."""
        return queries.plain_inferences()

    def whole(self) -> QuerySet[Any]:
        """The same, with models and versions."""
        return queries.inferences()


def of_what(inference: Any) -> str:
    """What is predicted, in a few words."""
    if inference.dataset_version:
        return str(inference.dataset_version)
    return f"recording {inference.recording}" if inference.recording else str(inference.rows_name)
