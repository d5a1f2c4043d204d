"""Gates: who is champion of each use case, what is asked of those who may become it, and who promoted whom and why."""

from typing import Any

import django_filters
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from atlas.access import Right
from atlas.gates import Rule
from atlas.metrics import REGISTRY
from atlas.watching import GateKind, Stage
from atlas_web.choices import SIZES, Choices, Part, same, select
from atlas_web.gate_forms import NewRuleForm, RuleForm
from atlas_web.remembered import RememberedView
from atlas_web.words import metric_title
from storage import queries, records
from ui import components, formats
from ui.access import requires
from ui.filters import OptionFilter, SearchFilter
from ui.foot import Foot
from ui.tables import AtlasTable, Column

LATEST = 5
"""So many changes are told of below the gates."""


class GateChoices(Choices):
    """The select above the gates."""

    def __init__(self, data: QueryDict, use_cases: list[str]) -> None:
        super().__init__(data)
        self.fields["use_case"] = select("Use case", "All use cases", same(use_cases))


@requires(Right.READ)
@require_safe
def gates(request: HttpRequest) -> HttpResponse:
    """The use cases, each with its champion, its candidates and its rules."""
    known, part = queries.use_cases_with_gates(), Part(request.GET)
    choices = GateChoices(request.GET, known)
    chosen = choices.chosen("use_case")
    shown = [chosen] if chosen else known
    foot = Foot(len(shown), part.number, SIZES, part.size, ("use case", "use cases"))
    names = [shown[place] for place in foot.page.object_list]
    changes = queries.stage_changes()
    context = {
        "form": choices,
        "several": len(known) > 1,
        "gates": [_gate(each) for each in queries.gate_overviews(names)],
        "foot": foot if len(shown) > SIZES[0] else None,
        "changes": (changes.filter(use_case=chosen) if chosen else changes)[:LATEST],
        "all_changes": f"{reverse('gate-history')}?{urlencode({'use_case': chosen})}" if chosen else "",
    }
    return render(request, "pages/gates.html", context)


def _gate(overview: queries.GateOverview) -> dict[str, Any]:
    return {
        "of": overview,
        "rules": [(row, rule_text(rule_of(row))) for row in overview.rules],
        "add": f"{reverse('add-gate-rule')}?{urlencode({'use_case': overview.use_case})}",
        "more": overview.number_of_candidates - len(overview.candidates),
        "all": f"{reverse('models')}?{urlencode({'use_case': overview.use_case, 'stage': Stage.CANDIDATE})}",
    }


def rule_of(row: Any) -> Rule:
    """The rule that a row of `queries.gate_rules()` keeps."""
    return Rule(kind=row.kind, metric=row.metric, threshold=row.threshold)


def rule_text(rule: Rule) -> str:
    """What a rule asks of a model, in a sentence."""
    metric = metric_title(rule.metric) if rule.metric else "The primary metric"
    match rule.kind:
        case GateKind.BENCHMARKED:
            return "It has a result on the newest version of each of its datasets."
        case GateKind.METRIC:
            return f"{metric} is {_bound(rule.metric)} {rule.threshold:g}."
        case GateKind.NOT_WORSE:
            return f"{metric} is not worse than the champion's by more than noise."
        case GateKind.DRIFT:
            most = f"{100 * (rule.threshold or 0):g}{formats.NARROW_SPACE}%"
            return f"At most {most} of the columns have moved from its training data."
    return "No alert about it is open."


def _bound(metric: str) -> str:
    """How a metric is compared with its threshold; of the primary one, and an author's own, nobody knows beforehand."""
    entry = REGISTRY.get(metric)
    if entry is None:
        return "at least as good as"
    return "at least" if entry.greater_is_better else "at most"


# Rules --------------------------------------------------------------------------------------------------------------


@requires(Right.ADMINISTER)
@require_http_methods(["GET", "POST"])
def add_rule(request: HttpRequest) -> HttpResponse:
    """The form that adds a rule to the gate of a use case, which the address may name."""
    asked = request.GET.get("use_case", "")
    form = NewRuleForm(request.POST if request.method == "POST" else None, initial={"use_case": asked})
    if form.is_valid():
        use_case = form.cleaned_data["use_case"]
        records.add_gate_rule(use_case, form.rule, by=str(request.user), now=timezone.now())
        messages.success(request, f"The gate of {use_case} has a new rule.")
        return redirect(gates_of(use_case))
    return _rule_page(request, form, asked, "New rule", "Add the rule")


@requires(Right.ADMINISTER)
@require_http_methods(["GET", "POST"])
def change_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """The form that changes a rule."""
    row = queries.gate_rule(pk)
    if row is None:
        raise Http404
    known = {"kind": row.kind, "metric": row.metric, "threshold": row.threshold}
    form = RuleForm(request.POST if request.method == "POST" else None, initial=known)
    if form.is_valid():
        if records.change_gate_rule(pk, form.rule, by=str(request.user), now=timezone.now()) is None:
            raise Http404
        messages.success(request, f"A rule of the gate of {row.use_case} is changed.")
        return redirect(gates_of(row.use_case))
    return _rule_page(request, form, row.use_case, f"Rule for {row.use_case}", "Save the rule")


def _rule_page(request: HttpRequest, form: RuleForm, use_case: str, title: str, button: str) -> HttpResponse:
    context = {
        "form": form,
        "title": title,
        "button": button,
        "back": gates_of(use_case) if use_case else reverse("gates"),
        "crumbs": [("Gates", reverse("gates"))],
    }
    return render(request, "pages/gate_rule.html", context, status=422 if form.errors else 200)


@requires(Right.ADMINISTER)
@require_POST
def delete_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a rule out of its gate."""
    row = queries.gate_rule(pk)
    if row is None or not records.delete_gate_rule(pk, by=str(request.user), now=timezone.now()):
        raise Http404
    messages.success(request, f"The gate of {row.use_case} no longer asks: {rule_text(rule_of(row))}")
    return redirect(gates_of(row.use_case))


def gates_of(use_case: str) -> str:
    """The address of the gate of a use case."""
    return f"{reverse('gates')}?{urlencode({'use_case': use_case})}"


# History ------------------------------------------------------------------------------------------------------------


class HistoryFilter(django_filters.FilterSet):  # type: ignore[misc]  # an untyped package
    """The search and the selects above the history."""

    q = SearchFilter("Search the history", "Find a model, a person or a reason", ("name", "by", "why"))
    use_case = OptionFilter("Use case", "All use cases", queries.use_cases_in_history, "use_case")
    after = django_filters.ChoiceFilter(
        label="Stage", empty_label="Any stage", choices=[(stage.value, stage.value.capitalize()) for stage in Stage]
    )


class HistoryTable(AtlasTable):
    """One row a change."""

    noun = ("change", "changes")
    glyph = "shield-check"

    name = Column("Model", by=["name"])
    after = Column("Stage", "nowrap", by=["after"])
    why = Column("Why", above="md")
    by = Column("By", by=["by"], above="md")
    made = Column("When", "num", by=["made"], above="md")

    class Meta(AtlasTable.Meta):
        empty_text = "Who marks a model as candidate, promotes it or retires it is kept here, with the reason."

    def render_name(self, record: Any) -> SafeString:
        """The model; on a phone also all that other columns say."""
        told = f"by {record.by}, {formats.when(record.made)}"
        return format_html('{}<div class="d-md-none mt-2">{}</div>', _named(record), _reason(record, told))

    def render_after(self, record: Any) -> SafeString:
        """Where it went, and where it was before."""
        before = format_html('<small class="d-block muted">before: {}</small>', record.before) if record.before else ""
        return format_html("{}{}", components.state(record.after), before)

    def render_why(self, record: Any) -> SafeString:
        """The reason, and the checks as they stood then."""
        return _reason(record)

    def render_by(self, record: Any) -> str:
        """Who did it."""
        return str(record.by)

    def render_made(self, record: Any) -> SafeString:
        """When."""
        return components.when_short(record.made)


def _named(record: Any) -> SafeString:
    """The model of a change, which may have been deleted, and what it is for."""
    if record.model_id is None:
        return format_html('{}<small class="d-block muted">{}, deleted</small>', record.name, record.use_case)
    return components.model(record.name, reverse("model", args=[record.model_id]), record.use_case)


def _reason(record: Any, told: str = "") -> SafeString:
    return components.checks([(check["passed"], check["sentence"]) for check in record.checks], record.why, told)


class GateHistory(RememberedView):
    """Who moved which model to another stage and why, the latest first."""

    template_name = "pages/gate_history.html"
    table_class = HistoryTable
    filterset_class = HistoryFilter

    def get_queryset(self) -> QuerySet[Any]:
        """All of it."""
        return queries.stage_changes()


history = requires(Right.READ)(GateHistory.as_view())
