"""Serves the browser's libraries out of installed Python packages, so that the repository holds no copies of them."""

from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage, Storage

VENDOR = {
    "bootstrap.min.css": ("bootstrap-wrapper", "bootstrap/css/bootstrap.min.css"),
    "bootstrap.min.css.map": ("bootstrap-wrapper", "bootstrap/css/bootstrap.min.css.map"),
    "bootstrap.bundle.min.js": ("bootstrap-wrapper", "bootstrap/js/bootstrap.bundle.min.js"),
    "bootstrap.bundle.min.js.map": ("bootstrap-wrapper", "bootstrap/js/bootstrap.bundle.min.js.map"),
    "plotly.min.js": ("plotly", "plotly/package_data/plotly.min.js"),
}
"""What is served under `vendor/`: the distribution that brings each file, and where it lies in there."""


class VendorFinder(BaseFinder):
    """Finds exactly the files of `VENDOR`, for the development server, WhiteNoise and collectstatic alike."""

    def check(self, **_options: Any) -> list[CheckMessage]:
        """One error for each file that its package does not bring."""
        return [
            Error(
                f"{name} is missing: {package} does not bring {location}.",
                hint=f"Install the version of {package} that requirements.txt names.",
                id="ui.E001",
            )
            for name, (package, location) in VENDOR.items()
            if _locate(name) is None
        ]

    def find(self, path: str, find_all: bool = False, **_options: Any) -> Any:
        """The file behind `vendor/<name>`; an empty list if it is not one of ours."""
        folder, _, name = path.rpartition("/")
        found = _locate(name) if folder == "vendor" and name in VENDOR else None
        if found is None:
            return []
        return [str(found)] if find_all else str(found)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        """Every file that is there and not ignored, each with a storage whose prefix is `vendor`."""
        for found in filter(None, map(_locate, VENDOR)):
            if matches_patterns(found.name, ignore_patterns or ()):
                continue
            storage = FileSystemStorage(location=found.parent)
            storage.prefix = "vendor"  # type: ignore[attr-defined]  # the protocol of staticfiles, unknown to its types
            yield found.name, storage


def _locate(name: str) -> Path | None:
    package, location = VENDOR[name]
    try:
        found = Path(str(distribution(package).locate_file(location)))
    except PackageNotFoundError:
        return None
    return found if found.is_file() else None
