"""A model on live data: which tags it runs on, and how it does there while labels are missing."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from pydantic import TypeAdapter, ValidationError

from atlas.access import Right
from atlas.states import ModelState
from atlas.vocabulary import Name
from atlas_web import live
from atlas_web.choices import Part, same
from storage import queries, records
from storage.queries import ModelPage, Watched
from ui.access import requires

UNPROCESSABLE = 422
_NAME: TypeAdapter[str] = TypeAdapter(Name)


class LivePart(Part):
    """Which tag is shown, and by which metric."""

    tag = forms.CharField(max_length=128, required=False)
    metric = forms.CharField(max_length=200, required=False)


class WatchForm(forms.Form):
    """The tag that the model shall run on."""

    tag = forms.CharField(
        label="Dataset tag",
        help_text=(
            "Its query should select events without labels too, and reach back as long as labels take to come: "
            "<code>has label or missing label since 14 days ago</code>."
        ),
        widget=forms.TextInput(attrs={"list": "known-tags", "autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Name the tag of the live data."},
    )

    def clean_tag(self) -> str:
        """A name that a tag may have; whether there is such a tag, the ingestion engine says."""
        try:
            return _NAME.validate_python(self.cleaned_data["tag"])
        except ValidationError as error:
            raise forms.ValidationError(
                "A tag's name has at most 128 letters, digits, '.', '_' and '-', and begins with a letter or digit."
            ) from error


@dataclass(frozen=True, slots=True)
class Subject:
    """The model of the page, and the tags that it runs on or ran on."""

    page: ModelPage
    watched: list[Watched]

    @property
    def pk(self) -> int:
        """The model's key."""
        return int(self.page.model.pk)

    @property
    def can_run(self) -> bool:
        """Whether Atlas can use its file."""
        return bool(self.page.model.state == ModelState.READY)


@requires(Right.READ)
@require_safe
def model_live(request: HttpRequest, pk: int) -> HttpResponse:
    """How a model does on a tag of live data, the first that is watched; `?tag=` and `?metric=` choose others."""
    return _page(request, _subject(pk), WatchForm())


@requires(Right.WRITE)
@require_POST
def watch_live(request: HttpRequest, pk: int) -> HttpResponse:
    """Have the model run on each version of a tag."""
    subject, form = _subject(pk), WatchForm(request.POST)
    if not subject.can_run:
        raise Http404
    if not form.is_valid():
        return _page(request, subject, form, status=UNPROCESSABLE)
    tag = form.cleaned_data["tag"]
    if records.watch_live(pk, tag, by=str(request.user), now=timezone.now()):
        messages.success(request, f"The model runs on {tag} from now on.")
    else:
        messages.info(request, f"The model runs on {tag} already.")
    return redirect(address(pk, tag))


@requires(Right.WRITE)
@require_POST
def unwatch_live(request: HttpRequest, pk: int) -> HttpResponse:
    """Run the model no longer on a tag; what it predicted stays."""
    subject, tag = _subject(pk), request.POST.get("tag", "")
    if records.unwatch_live(subject.pk, tag, by=str(request.user), now=timezone.now()):
        messages.success(request, f"The model no longer runs on {tag}. What it predicted stays.")
    return redirect(address(pk, tag))


def address(model: int, tag: str) -> str:
    """The address of this page that shows one tag."""
    return f"{reverse('model-live', args=[model])}?{urlencode({'tag': tag})}"


def _subject(pk: int) -> Subject:
    page = queries.model_page(pk)
    if page is None:
        raise Http404
    return Subject(page, queries.watched_by(pk))


def _page(request: HttpRequest, subject: Subject, form: WatchForm, status: int = 200) -> HttpResponse:
    model, part = subject.page.model, LivePart(request.GET)
    asked = part.chosen("tag")
    chosen = next((each for each in subject.watched if each.tag == asked), next(iter(subject.watched), None))
    context: dict[str, Any] = {
        "title": "Live",
        "crumbs": [("Models", reverse("models")), (model.name, reverse("model", args=[model.pk]))],
        "model": model,
        "can_run": subject.can_run,
        "form": form,
        "known_tags": queries.tags(),
        "tags": same(each.tag for each in subject.watched),
        "watched": chosen,
        **_shown(subject, chosen, part),
    }
    return render(request, "pages/live.html", context, status=status)


def _shown(subject: Subject, chosen: Watched | None, part: LivePart) -> dict[str, Any]:
    """What is shown of the chosen tag."""
    manifest = subject.page.manifest
    if chosen is None or manifest is None:
        return {}
    runs, metrics = queries.live_runs(subject.pk, chosen.tag), live.metrics_of(manifest)
    metric = part.chosen("metric") if part.chosen("metric") in metrics else next(iter(metrics), manifest.primary_metric)
    drawn = live.figures(chosen.tag, runs, metric) if any(run.live for run in runs) else []
    return {
        "runs": runs,
        "verdict": live.verdict(chosen.tag, runs, metric),
        "main": drawn[0] if drawn else None,
        "beside": drawn[1:],
        "distributions": live.distributions(runs),
        "lines": live.lines(runs, metric),
        "metrics": metrics,
        "chosen": metric,
        "own_metrics": live.own_metrics(manifest),
    }
