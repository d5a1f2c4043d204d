"""The browser's libraries, out of installed packages."""

from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import override_settings

from ui.finders import VENDOR, VendorFinder


@pytest.mark.parametrize("name", VENDOR)
def test_each_library_is_found_under_vendor(name: str) -> None:
    found = finders.find(f"vendor/{name}")
    assert isinstance(found, str)
    assert Path(found).stat().st_size > 10_000


@pytest.mark.parametrize("path", ["vendor/package.json", "bootstrap.min.css", "vendor/../vendor/plotly.min.js"])
def test_nothing_else_is_found(path: str) -> None:
    assert VendorFinder().find(path) == []
    assert VendorFinder().find(path, find_all=True) == []


def test_an_installation_that_brings_every_library_passes_the_check() -> None:
    assert VendorFinder().check() == []


def test_a_missing_library_is_named_with_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VENDOR, "plotly.min.js", ("plotly", "plotly/gone.js"))
    monkeypatch.setitem(VENDOR, "bootstrap.min.css", ("no-such-package", "bootstrap.css"))
    messages = [(error.msg, error.hint) for error in VendorFinder().check()]
    assert messages == [
        ("bootstrap.min.css is missing: no-such-package does not bring bootstrap.css.",
         "Install the version of no-such-package that requirements.txt names."),
        ("plotly.min.js is missing: plotly does not bring plotly/gone.js.",
         "Install the version of plotly that requirements.txt names."),
    ]  # fmt: skip


def test_libraries_are_collected_but_for_those_ignored(tmp_path: Path) -> None:
    with override_settings(STATIC_ROOT=tmp_path):
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["*.map"])
    collected = {path.name for path in (tmp_path / "vendor").iterdir()}
    assert collected == {name for name in VENDOR if not name.endswith(".map")}


@override_settings(
    STORAGES={
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
)
def test_a_style_sheet_that_names_its_map_can_be_collected_under_a_hashed_name(tmp_path: Path) -> None:
    with override_settings(STATIC_ROOT=tmp_path):
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["admin", "plotly*"])
    assert list((tmp_path / "vendor").glob("bootstrap.min.*.css"))
