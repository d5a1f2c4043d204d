"""What stands in the place of a page whose objects cannot be read."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from atlas.errors import AtlasError, ObjectNotFoundError, ObjectStoreError
from atlas_web import words
from storage.queries import BenchmarkPage

GONE = "The file is no longer in the object store. Run the benchmark again to have it made anew."
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


def _status(error: AtlasError) -> int:
    if isinstance(error, ObjectNotFoundError):
        return 404
    return 503 if isinstance(error, ObjectStoreError) else 200


def crumbs(page: BenchmarkPage) -> list[tuple[str, str]]:
    """The trail to a page that belongs to a benchmark."""
    shown = page.benchmark
    name = f"{words.short_name(shown.model.name)} on {shown.dataset_version}"
    return [("Benchmarks", reverse("benchmarks")), (name, reverse("benchmark", args=[shown.pk]))]
