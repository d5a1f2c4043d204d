"""The gate before one model: its checks, and the buttons that move it to another stage."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from atlas.access import Right
from atlas.errors import StageError
from atlas.gates import Outcome
from atlas.watching import Stage
from atlas_web.gate_forms import StageForm
from atlas_web.gates import outcome_of
from atlas_web.pages.gates import gates_of
from storage import queries, records
from ui.access import requires

UNPROCESSABLE = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button that moves the model to a stage."""

    stage: Stage
    text: str
    glyph: str
    main: bool = False
    closed: bool = False


@requires(Right.READ)
@require_safe
def model_gate(request: HttpRequest, pk: int) -> HttpResponse:
    """The gate as a page of its own; htmx gets the card alone, which the model's page shows."""
    subject = _subject(pk)
    return _page(request, subject, StageForm(), outcome_of(subject))


@requires(Right.WRITE)
@require_POST
def set_stage(request: HttpRequest, pk: int) -> HttpResponse:
    """Move a model to a stage; the page of its gate says why not, if that is refused."""
    subject, form = _subject(pk), StageForm(request.POST)
    outcome = outcome_of(subject)
    if form.is_valid() and _moved(request, subject, form, outcome):
        return redirect("model", pk=pk)
    return _page(request, subject, form, outcome, status=UNPROCESSABLE)


def _subject(pk: int) -> queries.GateSubject:
    found = queries.gate_subject(pk)
    if found is None:
        raise Http404
    return found


def _moved(request: HttpRequest, subject: queries.GateSubject, form: StageForm, outcome: Outcome) -> bool:
    """Whether the model was moved; if not, the form says why."""
    stage, model, by = form.chosen, subject.model, str(request.user)
    try:
        records.set_stage(model.pk, stage, by=by, why=form.cleaned_data["why"], outcome=outcome, now=timezone.now())
    except StageError as error:
        form.add_error(None, str(error))
        return False
    messages.success(request, f"{model.name} is now {stage} of {model.use_case}.")
    return True


def _page(
    request: HttpRequest, subject: queries.GateSubject, form: StageForm, outcome: Outcome, status: int = 200
) -> HttpResponse:
    model = subject.model
    context: dict[str, Any] = {
        "model": model,
        "outcome": outcome,
        "form": form,
        "stage": queries.stage_of(model),
        "change": queries.stage_changes().filter(model=model.pk).first(),
        "buttons": _buttons(queries.stage_of(model), passed=outcome.passed),
        "gates": gates_of(model.use_case),
        "crumbs": [("Models", reverse("models"))],
    }
    is_part = getattr(request, "htmx", None) and status == 200
    return render(request, "pages/parts/gate.html" if is_part else "pages/gate.html", context, status=status)


def _buttons(stage: Stage | None, *, passed: bool) -> list[Button]:
    """The stages that a model may be moved to, the most wanted first."""
    found = (
        Button(stage=Stage.CHAMPION, text="Promote to champion", glyph="trophy", main=True, closed=not passed),
        Button(stage=Stage.CANDIDATE, text="Mark as candidate", glyph="flag"),
        Button(stage=Stage.RETIRED, text="Retire", glyph="archive-box"),
    )
    return [button for button in found if button.stage is not stage]
