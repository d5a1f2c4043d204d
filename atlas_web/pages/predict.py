"""Asking a model for predictions: which model, of what, and what may be wrong with that."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from atlas.access import Right, Via
from atlas.errors import ObjectStoreError
from atlas_web import asking
from atlas_web.asking import AskError
from atlas_web.pages import trouble
from atlas_web.upload_limit import is_too_large
from storage import queries, records
from storage.records import Wanted
from ui import formats
from ui.access import refusal, requires, rights_of

FIRST = 100
"""How many of a version's events are predicted where nothing else is asked for."""
SOURCES = (
    ("dataset", "Events of a dataset version"),
    ("file", "Rows of a file"),
    ("recording", "A recording"),
)
MOST_TEXT = 2_000_000
CHOSEN = ("model", "source", "dataset", "events", "recording")
"""What another page may choose beforehand."""


class PredictForm(forms.Form):
    """A model, and what it is to predict."""

    model = forms.CharField(
        label="Model",
        max_length=500,
        widget=forms.TextInput(attrs={"list": "known-models", "autocomplete": "off", "placeholder": "Type to search"}),
        error_messages={"required": "Choose a model."},
    )
    source = forms.ChoiceField(
        label="What to predict", choices=SOURCES, initial="dataset", widget=forms.RadioSelect, required=False
    )
    dataset = forms.CharField(
        label="Dataset version",
        required=False,
        max_length=200,
        help_text="Such as impacts:3, or impacts alone for the newest.",
        widget=forms.TextInput(attrs={"list": "known-versions", "autocomplete": "off"}),
    )
    events = forms.CharField(
        label="Events",
        required=False,
        max_length=MOST_TEXT,
        help_text="Their ids, one a line.",
        widget=forms.Textarea(attrs={"rows": 4, "class": "mono"}),
    )
    most = forms.IntegerField(
        label="How many, without ids",
        required=False,
        min_value=1,
        max_value=asking.MOST_ROWS,
        initial=FIRST,
        help_text="The first ones by their ids, of both splits.",
    )
    file = forms.FileField(
        label="File",
        required=False,
        help_text="CSV or Parquet with a column for each that the model needs.",
        widget=forms.FileInput(attrs={"accept": ",".join(asking.SUFFIXES)}),
        error_messages={"empty": "The file is empty."},
    )
    recording = forms.CharField(
        label="Recording",
        required=False,
        max_length=200,
        help_text="The name of a recording that the ingestion engine has.",
    )
    explains = forms.BooleanField(
        label="Explain the first 100 rows",
        required=False,
        initial=True,
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )

    def wanted(self) -> Wanted:
        """What is to be predicted; a file that was sent is stored.

        Raises:
            AskError: it cannot be.
            ObjectStoreError: the store does not answer.
        """
        given = self.cleaned_data
        if given["source"] == "file":
            return self._rows(given["file"])
        if given["source"] == "recording":
            if not given["recording"]:
                raise AskError("recording", "Name a recording.")
            return Wanted(recording=given["recording"])
        if not given["dataset"]:
            raise AskError("dataset", "Choose a dataset version.")
        return asking.events_of_version(given["dataset"], _lines(given["events"]), given["most"] or FIRST)

    @staticmethod
    def _rows(file: "UploadedFile[bytes] | None") -> Wanted:
        if file is None:
            raise AskError("file", "Choose a file.")
        return asking.sent_rows(file, str(file.name), file.size)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


@requires(Right.READ)
@require_http_methods(["GET", "POST"])
def predict(request: HttpRequest) -> HttpResponse:
    """The page on which a model and events or rows are chosen. Everybody may see it; who may write can ask."""
    if request.method == "GET":
        return render(request, "pages/predict.html", _context(PredictForm(initial=_chosen(request))))
    if Right.WRITE not in rights_of(request.user):
        raise PermissionDenied(refusal(Right.WRITE))
    form = PredictForm(request.POST, request.FILES)
    if is_too_large(request):
        form.add_error("file", f"The file is larger than {formats.size(asking.MOST_BYTES)}.")
    elif form.is_valid():
        asked = _asked(request, form)
        if asked is not None:
            return redirect("inference", asked)
    return render(request, "pages/predict.html", _context(form), status=422)


def _asked(request: HttpRequest, form: PredictForm) -> int | None:
    """The key of what was asked for; None where the form says what is wrong with it."""
    try:
        model = asking.model_named(form.cleaned_data["model"])
        return records.ask_inference(
            model,
            form.wanted(),
            by=request.user.get_username(),
            via=Via.PAGE,
            explains=form.cleaned_data["explains"],
            now=timezone.now(),
        )
    except AskError as error:
        form.add_error(error.field, str(error))
    except ObjectStoreError as error:
        form.add_error("file", trouble.reason(error))
    return None


def _chosen(request: HttpRequest) -> dict[str, str]:
    """What the page that led here chose already."""
    given = {
        name: request.GET[name] for name in ("model", "dataset", "events", "source", "recording") if name in request.GET
    }
    return {"source": "dataset", **given}


def _context(form: PredictForm) -> dict[str, Any]:
    return {
        "form": form,
        "models": queries.models_to_predict_with(),
        "versions": queries.versions_to_predict(),
        "source": form["source"].value(),
        "most_rows": asking.MOST_ROWS,
        "most_bytes": asking.MOST_BYTES,
    }


@requires(Right.WRITE)
@require_POST
def cancel_inference(request: HttpRequest, pk: int) -> HttpResponse:
    """Take predictions out of the queue, or from the engine that makes them."""
    if queries.inference_page(pk) is None:
        raise Http404
    if records.cancel_inference(pk, by=request.user.get_username(), via=Via.PAGE, now=timezone.now()):
        messages.success(request, "Cancelled.")
    else:
        messages.warning(request, "It had ended already.")
    return redirect("inference", pk)
