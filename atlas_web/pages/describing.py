"""The page on which a person describes a fitted model whose file is no bundle."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponse
from django.shortcuts import redirect, render

from atlas.access import Via
from atlas.errors import BundleError, ObjectStoreError
from atlas.manifest import Manifest
from atlas.vocabulary import Task
from atlas.wrapping import FittedFile
from atlas_web import estimators, words
from atlas_web.arrivals import noted
from atlas_web.estimator_form import Circumstances, EstimatorForm
from atlas_web.files import store
from atlas_web.pages import trouble
from storage import queries, uploads
from storage.parts import DigestError

PREVIEW, SEND = "preview", "send"
Crumbs = Sequence[tuple[str, str]]


def describe(request: HttpRequest, upload: Any, crumbs: Crumbs) -> HttpResponse:
    """The form, with what was wrong in it or what the manifest will say; or the way on, once the model is sent."""
    given = circumstances(upload, request.POST)
    if given is None:
        return render(request, "pages/describe.html", {"upload": upload, "crumbs": crumbs})
    action = request.POST.get("action")
    if action not in (PREVIEW, SEND):
        form = EstimatorForm(initial=_initial(request, given), given=given)
        return _page(request, upload, form, crumbs)
    form = EstimatorForm(request.POST, given=given)
    if form.is_valid() and form.manifest and action == SEND:
        return _sent(request, upload, form, form.manifest, crumbs)
    return _page(request, upload, form, crumbs)


def circumstances(upload: Any, asked: QueryDict) -> Circumstances | None:
    """What a form's choices depend on, as far as it is filled in; None while no dataset has a version."""
    tags = tuple(queries.tags_with_versions())
    chosen = tuple(tag for tag in tags if tag in asked.getlist("tags")) or tags[:1]
    dataset = queries.newest_description(chosen[0]) if chosen else None
    if dataset is None:
        return None
    wanted, task = asked.get("target", ""), asked.get("task", "")
    target = wanted if estimators.dtype_of(dataset, wanted) else dataset.target
    return Circumstances(
        file=FittedFile.of(upload.name, upload.sha256, upload.size_bytes),
        created=upload.touched,
        tags=tags,
        chosen=chosen,
        dataset=dataset,
        target=target,
        task=Task(task) if task in set(Task) else estimators.task_of(dataset, target),
    )


def _initial(request: HttpRequest, given: Circumstances) -> dict[str, Any]:
    """What the form begins with; once it is filled in, only what follows from dataset, target and task changes."""
    person: Any = request.user
    entered = {name: request.POST[name] for name in EstimatorForm.base_fields if name in request.POST}
    author = {"author_name": person.get_full_name() or person.get_username(), "author_email": person.email}
    return given.guesses() | author | entered | given.following()


def _sent(request: HttpRequest, upload: Any, form: EstimatorForm, manifest: Manifest, crumbs: Crumbs) -> HttpResponse:
    try:
        arrived = uploads.finish_described(store(), upload, manifest)
    except DigestError as error:
        messages.error(request, f"{error} It is forgotten.")
        return redirect("upload")
    except (BundleError, ObjectStoreError) as error:
        form.add_error("name" if isinstance(error, BundleError) else None, trouble.reason(error))
        return _page(request, upload, form, crumbs)
    noted(arrived, str(request.user), Via.PAGE)
    return redirect("upload-file", upload.pk)


def _page(request: HttpRequest, upload: Any, form: EstimatorForm, crumbs: Crumbs) -> HttpResponse:
    manifest = None if form.errors else form.manifest
    context = {
        "upload": upload,
        "form": form,
        "crumbs": crumbs,
        "has_outputs": "outputs" in form.fields,
        "dataset": form.given.dataset,
        "use_cases": queries.use_cases(),
        "manifest": manifest,
        "says": _says(manifest) if manifest else [],
        "document": manifest.model_dump_json(indent=2) if manifest else "",
        "versions": queries.number_of_versions(manifest.tags) if manifest else 0,
    }
    return render(request, "pages/describe.html", context, status=422 if form.errors else 200)


def _says(manifest: Manifest) -> list[tuple[str, str]]:
    """What a manifest says, as terms and values."""
    return [
        ("Name", manifest.name),
        ("Use case", manifest.use_case),
        ("Author", f"{manifest.author.name}, {manifest.author.email}"),
        ("Predicts", f"{manifest.target} ({manifest.task})"),
        ("From", ", ".join(column.name for column in manifest.input_schema)),
        ("Classes", ", ".join(map(str, manifest.classes)) or "none"),
        ("On", ", ".join(manifest.tags)),
        ("Metrics", ", ".join(map(words.metric_title, manifest.metrics))),
        ("Ranked by", words.metric_title(manifest.primary_metric)),
        ("Format", manifest.model.format),
        ("Made with", words.made_with(manifest)),
    ]
