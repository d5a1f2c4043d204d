"""The list of a benchmark's events: what was predicted for each, the worst first."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import numpy as np
from django import forms
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_tables2 import RequestConfig
from django_tables2.data import TableData

from atlas.errors import AtlasError
from atlas_web import evidence, words
from atlas_web.pages import trouble
from atlas_web.predicted import Predicted
from atlas_web.selection import KEYS, Event, Selection
from explainability.explained import Explained
from storage import queries
from ui import components, formats
from ui.tables import AtlasTable, Column

SORT = "sort"


class EventFilter(forms.Form):
    """The search and the selects above the list of events."""

    q = forms.CharField(
        required=False,
        label="Search events",
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Find by id"}),
    )
    truth = forms.ChoiceField(required=False, label="Truth")
    predicted = forms.ChoiceField(required=False, label="Prediction")
    judged = forms.ChoiceField(
        required=False,
        label="Right or wrong",
        choices=[("", "Right and wrong"), ("wrong", "Wrong only"), ("right", "Right only")],
        error_messages={"invalid_choice": "Events are right or wrong, not %(value)s."},
    )
    explained = forms.ChoiceField(
        required=False,
        label="Explained or not",
        choices=[("", "Explained or not"), ("yes", "Explained only")],
        error_messages={"invalid_choice": "Write explained=yes for explained events; %(value)s is unknown."},
    )

    def __init__(self, sent: Mapping[str, Any], predicted: Predicted) -> None:
        super().__init__(sent)
        if predicted.is_regression:
            for name in ("truth", "predicted", "judged"):
                del self.fields[name]
        else:
            self._offer("truth", "Any truth", "No event truly is %(value)s.", predicted.classes)
            self._offer("predicted", "Any prediction", "No event was predicted as %(value)s.", predicted.classes)

    def _offer(self, name: str, everything: str, otherwise: str, classes: Iterable[str]) -> None:
        field: Any = self.fields[name]
        field.choices = [("", everything), *((label, label) for label in classes)]
        field.error_messages["invalid_choice"] = otherwise

    @property
    def problems(self) -> list[str]:
        """What is wrong with what was asked for, in sentences."""
        return [str(message) for messages in self.errors.values() for message in messages]

    def chosen(self, selection: Selection) -> Selection:
        """The events that were asked for; none if nobody can be."""
        return selection.narrowed(**self.cleaned_data) if self.is_valid() else selection.none()


class EventData(TableData):  # type: ignore[misc]  # an untyped package
    """A selection of events as the rows of a table."""

    data: Selection

    def __len__(self) -> int:
        return len(self.data)

    def order_by(self, aliases: Iterable[str]) -> None:
        """Sort the events as the head of the table says."""
        self.data = self.data.order_by(*aliases)


class EventTable(AtlasTable):
    """One row an event."""

    noun = ("event", "events")
    glyph = "table-cells"

    id = Column("Event", by=["id"])
    truth = Column("Truth", by=["truth"])
    predicted = Column("Prediction", by=["predicted"])
    confidence = Column("Confidence", "num", by=["confidence"])
    judged = Column("Judged", above="sm")
    explained = Column("Explained", by=["explained"], above="md")

    class Meta(AtlasTable.Meta):
        empty_text = "The benchmark predicted nothing."

    def __init__(self, selection: Selection, benchmark: int, query: str) -> None:
        self.benchmark, self.query = benchmark, query
        super().__init__(EventData(selection))

    def render_id(self, record: Event) -> SafeString | str:
        """The id; a link to why it was predicted so, if that is known."""
        if not record.is_explained:
            return format_html('<span class="mono">{}</span>', record.id)
        href = reverse("event", args=[self.benchmark, record.id]) + self.query
        return format_html('<a class="mono" href="{}">{}</a>', href, record.id)

    def render_truth(self, record: Event) -> str:
        """What it truly is."""
        return words.told(record.truth)

    def render_predicted(self, record: Event) -> str:
        """What the model said."""
        return words.told(record.predicted)

    def render_confidence(self, record: Event) -> str:
        """The probability of what the model said."""
        return formats.share(record.confidence)

    def render_judged(self, record: Event) -> SafeString:
        """Whether the prediction is right."""
        return judged(record.error)

    def render_explained(self, record: Event) -> SafeString:
        """Whether its explanation is known."""
        return SafeString("yes") if record.is_explained else components.nothing()


class NumberTable(EventTable):
    """One row an event of a regression."""

    truth = Column("Truth", "num", by=["truth"])
    predicted = Column("Prediction", "num", by=["predicted"])
    error = Column("Off by", "num", by=["error"])

    class Meta(EventTable.Meta):
        exclude = ("confidence", "judged")
        sequence = ("id", "truth", "predicted", "error", "explained")

    def render_error(self, record: Event) -> str:
        """How far the prediction is off."""
        return formats.figure(record.error)


def judged(error: float) -> SafeString:
    """Whether a prediction is right, as a badge."""
    return components.state("wrong" if error else "right")


def events(request: HttpRequest, pk: int) -> HttpResponse:
    """All events of a benchmark, or some: `?truth=&predicted=&judged=&explained=&q=`, in the order of `?sort=`."""
    page = queries.benchmark_page(pk)
    if page is None:
        raise Http404
    try:
        predicted = evidence.predictions(page)
    except AtlasError as error:
        return trouble.instead(request, page, "Events", error)
    found, problem = _explained(page)
    form = EventFilter(request.GET, predicted)
    selection = form.chosen(of_benchmark(predicted, found))
    table = (NumberTable if predicted.is_regression else EventTable)(selection, pk, query(request.GET))
    RequestConfig(request).configure(table)
    context = {
        "benchmark": page.benchmark,
        "crumbs": trouble.crumbs(page),
        "form": form,
        "problems": [*form.problems, *problem],
        "table": table,
        "lead": _lead(predicted),
    }
    return render(request, "ui/table.html" if getattr(request, "htmx", False) else "pages/events.html", context)


def of_benchmark(predicted: Predicted, explained: Explained | None) -> Selection:
    """All events, the worst first, with which of them were explained."""
    known = explained.place if explained else {}
    return Selection.everything(predicted, np.array([name in known for name in predicted.ids], dtype=bool))


def asked_for(sent: QueryDict, everything: Selection) -> Selection:
    """The events of the list with this address, in its order; all, if the address asks for none that there can be."""
    form = EventFilter(sent, everything.of)
    keys = [key for key in sent.getlist(SORT) if key.removeprefix("-") in KEYS]
    return (form.chosen(everything) if form.is_valid() else everything).order_by(*keys)


def query(sent: QueryDict) -> str:
    """The part of a list's address that says which events it shows in which order; empty if all."""
    kept = [(name, value) for name in (SORT, *EventFilter.base_fields) for value in sent.getlist(name) if value]
    return f"?{urlencode(kept)}" if kept else ""


def _explained(page: queries.BenchmarkPage) -> tuple[Explained | None, list[str]]:
    """The explained events, or why there are none; nothing is said of an explanation that was never made."""
    try:
        return evidence.explained_events(page), []
    except evidence.NoEvidenceError:
        return None, []
    except AtlasError as error:
        return None, [f"No event can be opened. {trouble.reason(error)}"]


def _lead(predicted: Predicted) -> str:
    if predicted.is_regression:
        return f"{words.plural(len(predicted), 'event')}, those first whose prediction is furthest off."
    wrong = int((predicted.mistakes > 0).sum())
    return (
        f"{words.plural(len(predicted), 'event')}, {wrong:,} of them wrong: those first that are wrong and confident."
    )
