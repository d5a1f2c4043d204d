"""Alerts: the list of all, the page of one, and the buttons of both."""

from typing import Any
from uuid import UUID

import django_filters
from django.contrib import messages
from django.db.models import QuerySet
from django.forms import HiddenInput
from django.http import Http404, HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_POST

from atlas.access import Right, Via
from atlas.watching import AlertKind, AlertState, DeliveryState
from atlas_web import alert_words, words
from atlas_web.alert_forms import NoteForm
from atlas_web.remembered import RememberedView
from storage import queries, records
from ui import components
from ui.access import requires
from ui.filters import OptionFilter, SearchFilter
from ui.tables import AtlasTable, Column


class AlertFilter(django_filters.FilterSet):  # type: ignore[misc]  # an untyped package
    """The search and the selects above the list of alerts."""

    q = SearchFilter("Search alerts", "Find an alert or a model", ("text", "why", "model__name"))
    state = django_filters.ChoiceFilter(
        label="State",
        empty_label="Any state",
        method="in_state",
        choices=[(state.value, components.STATES[state].text) for state in AlertState],
    )
    kind = django_filters.ChoiceFilter(
        label="Kind",
        empty_label="All kinds",
        choices=[(kind.value, alert_words.KINDS[kind].text) for kind in AlertKind],
    )
    rule = OptionFilter("Rule", "All rules", queries.names_of_alert_rules, "rule__name")
    use_case = OptionFilter("Use case", "All use cases", queries.use_cases, "model__use_case")
    model = django_filters.CharFilter(label="Model", field_name="model__name", widget=HiddenInput)

    def in_state(self, found: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Those that stand so."""
        return found.filter(queries.in_state(AlertState(value)))


class AlertTable(AtlasTable):
    """One row an alert."""

    noun = ("alert", "alerts")
    glyph = "bell"

    text = Column("Alert", by=["text"])
    state = Column("State")
    kind = Column("Kind", by=["kind"], above="lg")
    rule = Column("Rule", by=["rule__name"], above="xl")
    opened = Column("Since", "num", by=["opened"], above="sm")
    recovered = Column("Recovered", "num", by=["recovered"], above="lg")

    class Meta(AtlasTable.Meta):
        empty_text = "The engine opens one whenever a rule's cause holds, and says when it is over."

    @property
    def remedy(self) -> SafeString:
        """The way to the rules."""
        return format_html('<a class="btn btn-quiet" href="{}">See the rules</a>', reverse("alert-rules"))

    def render_text(self, record: Any) -> SafeString:
        """What happened, and below it why."""
        link = format_html('<a class="fw-medium" href="{}">{}</a>', reverse("alert", args=[record.pk]), record.text)
        return format_html('{}<small class="d-block muted text-break">{}</small>', link, words.clipped(record.why))

    def render_state(self, record: Any) -> SafeString:
        """Where it stands."""
        return components.state(record.state, title=f"by {record.acknowledged_by}" if record.acknowledged else "")

    def render_kind(self, record: Any) -> str:
        """What kind of alert it is."""
        return alert_words.KINDS[record.kind].text

    def render_rule(self, record: Any) -> SafeString:
        """The rule that opened it, if that is still there."""
        if record.rule is None:
            return components.nothing()
        return format_html('<a href="{}#rule-{}">{}</a>', reverse("alert-rules"), record.rule.pk, record.rule.name)

    def render_opened(self, record: Any) -> SafeString:
        """When it was seen first."""
        return components.when_short(record.opened)

    def render_recovered(self, record: Any) -> SafeString:
        """When its cause was gone."""
        return components.when_short(record.recovered)


class AlertList(RememberedView):
    """Every alert, the latest first."""

    template_name = "pages/alerts.html"
    table_class = AlertTable
    filterset_class = AlertFilter

    def get_queryset(self) -> QuerySet[Any]:
        """All of them, to be narrowed."""
        return queries.plain_alerts()

    def whole(self) -> QuerySet[Any]:
        """All of them with what they are about."""
        return queries.alerts()


def alert(request: HttpRequest, pk: int) -> HttpResponse:
    """One alert: what, why, since when, who knows of it, and which messages told of it."""
    return _page(request, pk, NoteForm())


@requires(Right.WRITE)
@require_http_methods(["GET", "POST"])
def acknowledge(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The form with which a person says that they know of an alert, and what becomes of it."""
    if request.method == "GET":
        form = NoteForm()
        form.fields["note"].widget.attrs["autofocus"] = True
        return render(request, "pages/parts/acknowledge.html", {"alert": _found(pk), "form": form, "page": "home"})
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _page(request, pk, form, status=422)
    note, by, now = form.cleaned_data["note"], str(request.user), timezone.now()
    if records.acknowledge(_found(pk).pk, note, by=by, via=Via.PAGE, now=now):
        messages.success(request, "Acknowledged. It stands below the others until it has recovered.")
    else:
        messages.warning(request, "Somebody acknowledged it before, or it has recovered.")
    return redirect("home") if request.POST.get("page") == "home" else redirect("alert", pk)


@requires(Right.WRITE)
@require_POST
def send_again(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Have a message sent that was given up."""
    message = queries.delivery(pk)
    if message is None:
        raise Http404
    if records.send_again(pk, by=str(request.user), via=Via.PAGE, now=timezone.now()):
        messages.success(request, f"An engine tries again to send it by {message.channel.name}.")
    else:
        messages.warning(request, "It is not given up, so it is not sent again.")
    return redirect("alert", message.alert_id) if message.alert_id else redirect("alerts")


def _found(pk: int) -> Any:
    found = queries.alert(pk)
    if found is None:
        raise Http404
    return found


def _page(request: HttpRequest, pk: int, form: NoteForm, *, status: int = 200) -> HttpResponse:
    found = _found(pk)
    context = {
        "alert": found,
        "kind": alert_words.KINDS[found.kind],
        "metric": alert_words.metric(found),
        "place": alert_words.place(found),
        "rule": alert_words.sentence(found.rule) if found.rule else "",
        "deliveries": queries.deliveries_of(pk),
        "given_up": DeliveryState.GIVEN_UP,
        "form": form,
        "crumbs": [("Alerts", reverse("alerts"))],
    }
    return render(request, "pages/alert.html", context, status=status)
