"""Sending a recording from a page."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from atlas.access import Right
from atlas.errors import AtlasError
from ingestion_engine import label_files, sidecar
from ingestion_engine.api_recordings import on_disk
from ingestion_engine.pages.forms import RecordingForm
from ingestion_engine.places import object_store
from ingestion_engine.receiving import receive
from ui.access import requires


@requires(Right.WRITE)
@require_http_methods(["GET", "POST"])
def send_recording(request: HttpRequest) -> HttpResponseBase:
    """The form for a file, its labels and its settings; what is wrong is told beside the field."""
    form = RecordingForm(request.POST, request.FILES) if request.method == "POST" else RecordingForm()
    if form.is_bound and form.is_valid() and (name := _taken_in(request, form)):
        return redirect("recording", name)
    context = {"form": form, "crumbs": [("Recordings", reverse("recordings"))]}
    return render(request, "ingestion_engine/send_recording.html", context, status=422 if form.errors else 200)


def _taken_in(request: HttpRequest, form: RecordingForm) -> str:
    """Keep the file as a recording, and its labels; its name, or nothing and what is wrong in the form.

    Labels that cannot be read are told before anything is kept.
    """
    given, field = form.cleaned_data, "labels"
    labels = given["labels"].read() if given["labels"] else b""
    try:
        if labels:
            sidecar.read(labels)
        field = "file"
        name = _kept(given)
        field = "labels"
        if labels:
            label_files.keep(object_store(), name, labels, who=request.user.get_username(), now=timezone.now())
    except AtlasError as error:
        form.add_error(field, str(error))
        return ""
    return name


def _kept(given: dict[str, Any]) -> str:
    about = {"name": given["name"], "filename": given["file"].name or "", "settings": given["settings"]}
    with TemporaryDirectory(prefix="atlas-upload-") as folder:
        path = on_disk(given["file"], Path(folder))
        return receive(object_store(), path, **about, now=timezone.now()).name
