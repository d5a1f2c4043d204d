"""Files of old dataset versions go, and come back in the same bytes as soon as somebody asks for them."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings
from typer.testing import CliRunner

from ingestion_engine import retention
from ingestion_engine.places import object_store
from ingestion_engine.retention_command import app
from storage.models import Action
from storage.retention import RetentionSettings
from tests.ingestion_engine.engine import Api

KEPT = RetentionSettings(version_files_days=30, versions=1)


def later(days: int) -> datetime:
    return timezone.now() + timedelta(days=days)


def files() -> set[str]:
    return {found.key for found in object_store().list("splits/")}


def events(first: int) -> str:
    return "id,label,peak\n" + "".join(f"{row},none,{row}.5\n" for row in range(first, first + 20))


@pytest.fixture
def two_versions(api: Api) -> list[str]:
    """The query ids of two versions of a tag."""
    api.send("monday", events(0))
    api.tag("all")
    api.send("tuesday", events(20))
    versions = [version["query_id"] for version in api.get("tags/all")["versions"]]
    assert len(versions) == 2
    return versions


def test_old_versions_lose_their_files_and_the_newest_keep_theirs(api: Api, two_versions: list[str]) -> None:
    store, before = object_store(), files()
    newest = {
        each["sha256"]
        for form in ("splits", "parquet")
        for each in api.get(f"datasets/{two_versions[1]}")[form].values()
    }
    assert retention.remove_old(store, KEPT, later(29)) == 0
    found = retention.look(store, KEPT, later(31))
    assert (found.count, files()) == (len(before) - len(newest), before)
    assert retention.remove_old(store, KEPT, later(31)) == found.count > 0
    assert {key.partition("/")[2].partition(".")[0] for key in files()} == newest


@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_a_file_that_was_removed_is_made_again_in_the_same_bytes(api: Api, two_versions: list[str], form: str) -> None:
    def asked() -> tuple[int, str, bytes]:
        asked = {"split": "evaluation", "format": form}
        answer = api.client.get(f"/api/v1/datasets/{two_versions[0]}/data", asked)
        return answer.status_code, answer.headers["ETag"], answer.getvalue()

    before = asked()
    assert retention.remove_old(object_store(), KEPT, later(31)) == 4
    assert asked() == before
    assert before[0] == 200


def test_nothing_goes_that_no_setting_names(api: Api, two_versions: list[str]) -> None:
    before = files()
    assert retention.remove_old(object_store(), RetentionSettings(), later(10_000)) == 0
    assert files() == before


def test_the_command_shows_then_removes(
    api: Api, two_versions: list[str], monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "atlas_web.settings")
    monkeypatch.setenv("ATLAS_KEEP_VERSION_FILES_DAYS", "30")
    monkeypatch.setenv("ATLAS_KEEP_VERSIONS", "1")
    monkeypatch.setattr("ingestion_engine.retention_command._now", lambda: later(31))
    before = files()
    shown = CliRunner().invoke(app, ["--dry-run"])
    assert "files of dataset versions   30 days" in shown.output
    assert files() == before
    done = CliRunner().invoke(app, [])
    assert "Removed: 4 files of dataset versions." in done.output
    assert files() < before
    assert Action.objects.get(kind="retention").thing == "Old, and removed: 4 files of dataset versions."
