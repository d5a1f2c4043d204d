"""The rules that alerts come from: their list, the form of one, and the buttons of both."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from atlas.access import Right, Via
from atlas.errors import WatchNameTakenError
from atlas_web import alert_words
from atlas_web.alert_forms import RuleForm, said_of_rule
from storage import queries, records
from ui.access import requires


def alert_rules(request: HttpRequest) -> HttpResponse:
    """All rules, each in a sentence."""
    rules = [(rule, alert_words.KINDS[rule.kind], alert_words.sentence(rule)) for rule in queries.alert_rules()]
    return render(request, "pages/alert_rules.html", {"rules": rules, "crumbs": _crumbs()[:1]})


@requires(Right.WRITE)
@require_http_methods(["GET", "POST"])
def new_alert_rule(request: HttpRequest) -> HttpResponseBase:
    """The form of a new rule; `?kind=` and other fields in the address fill it in."""
    form = RuleForm(request.POST) if request.method == "POST" else RuleForm(initial=_filled(request, {}))
    if form.is_bound and form.is_valid() and _made(request, form):
        return redirect("alert-rules")
    return _form(request, form, "A new rule")


@requires(Right.WRITE)
@require_http_methods(["GET", "POST"])
def alert_rule(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The form of a rule that there is."""
    rule = _found(pk)
    initial = _filled(request, said_of_rule(rule))
    form = RuleForm(request.POST) if request.method == "POST" else RuleForm(initial=initial)
    if form.is_bound and form.is_valid() and _changed(request, rule, form):
        return redirect("alert-rules")
    return _form(request, form, rule.name, rule=rule)


@requires(Right.WRITE)
@require_POST
def switch_alert_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a rule count, or not."""
    enabled = request.POST.get("enabled") == "yes"
    name = records.switch_rule(pk, enabled=enabled, by=str(request.user), via=Via.PAGE, now=timezone.now())
    if name is None:
        raise Http404
    messages.success(request, f"The rule {name} is {'enabled' if enabled else 'disabled'}.")
    return redirect("alert-rules")


@requires(Right.WRITE)
@require_http_methods(["GET", "POST"])
def delete_alert_rule(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What goes with a rule, and its deletion."""
    rule = _found(pk)
    if request.method == "POST":
        records.delete_rule(pk, by=str(request.user), via=Via.PAGE, now=timezone.now())
        messages.success(request, f"The rule {rule.name} is deleted.")
        return redirect("alert-rules")
    context = {
        "title": f"Delete {rule.name}?",
        "crumbs": _crumbs(),
        "sentence": alert_words.sentence(rule),
        "rule": rule,
    }
    return render(request, "pages/delete_alert_rule.html", context)


def _found(pk: int) -> Any:
    rule = queries.alert_rule(pk)
    if rule is None:
        raise Http404
    return rule


def _filled(request: HttpRequest, before: dict[str, Any]) -> dict[str, Any]:
    """What the form starts with: what is known, and what the address says otherwise."""
    sent = request.GET
    chosen = {"channels": [int(key) for key in sent.getlist("channels") if key.isdecimal()]} if sent else {}
    return before | sent.dict() | chosen


def _made(request: HttpRequest, form: RuleForm) -> bool:
    """Whether the rule could be made; if not, the form says why."""
    fields = form.fields_of_rule(enabled=True)
    try:
        records.make_rule(fields, by=str(request.user), via=Via.PAGE, now=timezone.now())
    except WatchNameTakenError as error:
        form.add_error("name", str(error))
        return False
    messages.success(request, f"The rule {fields.name} counts from now on.")
    return True


def _changed(request: HttpRequest, rule: Any, form: RuleForm) -> bool:
    fields = form.fields_of_rule(enabled=rule.enabled)
    try:
        if not records.change_rule(rule.pk, fields, by=str(request.user), via=Via.PAGE, now=timezone.now()):
            raise Http404
    except WatchNameTakenError as error:
        form.add_error("name", str(error))
        return False
    messages.success(request, f"The rule {fields.name} is changed.")
    return True


def _form(request: HttpRequest, form: RuleForm, title: str, *, rule: Any = None) -> HttpResponse:
    context = {"form": form, "title": title, "rule": rule, "crumbs": _crumbs(), "models": queries.newest_names()}
    return render(request, "pages/alert_rule.html", context, status=422 if form.errors else 200)


def _crumbs() -> list[tuple[str, str]]:
    return [("Alerts", reverse("alerts")), ("Rules", reverse("alert-rules"))]
