"""Sending a model by hand: choosing files, describing those that are no bundles, and what became of them."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from atlas.access import Right
from atlas.bundle import SUFFIX
from atlas.errors import BundleError, ObjectStoreError
from atlas.formats import format_named, format_names
from atlas_web.arrivals import take_in
from atlas_web.files import store
from atlas_web.pages import describing, trouble
from atlas_web.upload_limit import is_too_large
from storage import queries, uploads
from storage.parts import UploadError
from ui import formats
from ui.access import requires

POLL_SECONDS = 2
"""How often the page of a file asks whether the engine has taken it in."""


def suffixes() -> list[str]:
    """What the names of files may end in: bundles first."""
    known = {f".{suffix}" for name in format_names() for suffix in format_named(name).suffixes}
    return [SUFFIX, *sorted(known)]


def too_large(size_bytes: int) -> str:
    """What is said of a file that is larger than allowed."""
    most = formats.size(settings.ATLAS_MAX_UPLOAD_BYTES)
    return f"The file has {formats.size(size_bytes)}; {most} are allowed. An administrator can allow more."


class FileForm(forms.Form):
    """One file, for browsers without scripts."""

    file = forms.FileField(
        label="Model file", error_messages={"required": "Choose a file.", "empty": "The file is empty."}
    )

    def clean_file(self) -> "UploadedFile[bytes]":
        """The file, if it may be a model."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if Path(str(file.name)).suffix not in suffixes():
            raise forms.ValidationError(f"{file.name}: a file that ends in {' or '.join(suffixes())} is wanted.")
        return file


@requires(Right.WRITE)
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponseBase:
    """The page on which files are chosen; without scripts it sends one of them."""
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    if form.is_bound:
        if is_too_large(request):
            form.errors["file"] = form.error_class([too_large(int(request.META["CONTENT_LENGTH"]))])
        elif form.is_valid():
            try:
                return redirect("upload-file", take_in(form.cleaned_data["file"], request.user).pk)
            except (BundleError, UploadError, ObjectStoreError) as error:
                form.add_error("file", trouble.reason(error))
    return render(request, "pages/upload.html", _choosing(request, form), status=422 if form.errors else 200)


def _choosing(request: HttpRequest, form: FileForm) -> dict[str, Any]:
    unfinished = queries.uploads_to_go_on_with(int(request.user.pk or 0))
    return {
        "form": form,
        "crumbs": [("Models", reverse("models"))],
        "accept": ",".join(suffixes()),
        "suffixes": [suffix for suffix in suffixes() if suffix != SUFFIX],
        "most": settings.ATLAS_MAX_UPLOAD_BYTES,
        "unfinished": unfinished,
        "origin": request.build_absolute_uri("/").rstrip("/"),
        "configuration": {
            "uploads": reverse("api:start_upload"),
            "page": reverse("upload"),
            "most_bytes": settings.ATLAS_MAX_UPLOAD_BYTES,
            "bundle": SUFFIX,
            "suffixes": suffixes(),
            "known": {each.sha256: str(each.pk) for each in unfinished},
        },
    }


@requires(Right.WRITE)
@require_http_methods(["GET", "POST"])
def upload_file(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """One file on its way in: how far it is, the form that describes it, or what became of it."""
    found = queries.upload_of(int(request.user.pk or 0), pk)
    if found is None:
        raise Http404
    try:
        return _page(request, found)
    except ObjectStoreError as error:
        messages.error(request, trouble.reason(error))
        return redirect("upload")


def _page(request: HttpRequest, found: Any) -> HttpResponseBase:
    arrived = uploads.result(store(), found)
    if arrived is not None:
        context = {"upload": found, "arrived": arrived, "model": queries.model_at(arrived.key), "poll": POLL_SECONDS}
        return render(request, "pages/arrival.html", context | {"crumbs": _crumbs()})
    if found.received_bytes < found.size_bytes or found.name.endswith(SUFFIX):
        messages.info(
            request, f"{found.name} is not whole yet. Choose the same file again: it goes on where it stopped."
        )
        return redirect("upload")
    return describing.describe(request, found, _crumbs())


def _crumbs() -> list[tuple[str, str]]:
    return [("Models", reverse("models")), ("Send a model", reverse("upload"))]


@requires(Right.WRITE)
@require_POST
def give_up_upload(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Forget a file that is on its way in."""
    found = queries.upload_of(int(request.user.pk or 0), pk)
    if found is None:
        raise Http404
    try:
        uploads.give_up(store(), pk)
        messages.success(request, f"{found.name} is forgotten.")
    except ObjectStoreError as error:
        messages.error(request, trouble.reason(error))
    return redirect("upload")
