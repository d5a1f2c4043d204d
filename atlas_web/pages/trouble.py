"""What stands in the place of a page or a file whose objects cannot be read."""

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from atlas.errors import AtlasError, ObjectNotFoundError, ObjectStoreError
from atlas_web import files, words
from storage.queries import BenchmarkPage, Results
from storage.ranges import RangeError
from ui import faults

GONE = "The file is no longer in the object store. Run the benchmark again to have it made anew."
GONE_FILE = "The file is no longer in the object store."
AWAY = "The object store does not answer. Try again in a moment."


def reason(error: AtlasError) -> str:
    """Why an object cannot be read, and what to do."""
    if isinstance(error, ObjectNotFoundError):
        return GONE
    return AWAY if isinstance(error, ObjectStoreError) else str(error)


def instead(request: HttpRequest, page: BenchmarkPage, title: str, error: AtlasError) -> HttpResponse:
    """The page that says so: 404 for what is gone, 503 if the store is away, 200 for what there never was."""
    context = {"title": title, "benchmark": page.benchmark, "crumbs": crumbs(page), "reason": reason(error)}
    return render(request, "pages/trouble.html", context, status=_status(error))


def or_file(request: HttpRequest, key: str, *, filename: str, media_type: str, sha256: str = "") -> HttpResponseBase:
    """An object as a file, or why it cannot be sent; see `files.download`.

    Raises:
        Http404: it is gone.
    """
    try:
        return files.download(request, key, filename=filename, media_type=media_type, sha256=sha256)
    except ObjectNotFoundError as error:
        raise Http404(GONE_FILE) from error
    except RangeError as error:
        headers = {"Content-Range": f"bytes */{error.size}"}
        return HttpResponse(str(error), status=416, content_type="text/plain", headers=headers)
    except ObjectStoreError as error:
        return faults.told(request, faults.fault_of(error))


def _status(error: AtlasError) -> int:
    if isinstance(error, ObjectNotFoundError):
        return 404
    return 503 if isinstance(error, ObjectStoreError) else 200


def crumbs(page: Results) -> list[tuple[str, str]]:
    """The trail to a page that belongs to a benchmark."""
    shown = page.benchmark
    name = f"{words.short_name(shown.model.name)} on {shown.dataset_version}"
    return [("Benchmarks", reverse("benchmarks")), (name, reverse("benchmark", args=[shown.pk]))]
