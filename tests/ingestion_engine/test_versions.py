from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import pytest

from atlas.errors import ObjectStoreError
from ingestion_engine import versions
from ingestion_engine.errors import ConflictError
from ingestion_engine.models import Event, Ledger, Recording, RecordingState, Tag, Version
from storage.objects import DirectoryStore
from tests.ingestion_engine.engine import received

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class UnreachableStore(DirectoryStore):
    """Refuses the files of versions."""

    def take(self, key: str, source: Path) -> None:
        if key.startswith("splits/"):
            raise ObjectStoreError("no space left")
        super().take(key, source)


class CrowdedStore(DirectoryStore):
    """Lets another request be faster whenever the list of a version's events is written."""

    def put(self, key: str, source: Path | bytes | BinaryIO) -> None:
        super().put(key, source)
        if key.startswith("events/"):
            versions.refresh_all(DirectoryStore(self._root), now=NOW)


@pytest.fixture
def recording(db: None, tmp_path: Path) -> Recording:
    """A recording that no tag has seen yet, in the store at tmp_path / "store"."""
    path = tmp_path / "monday.csv"
    path.write_text("label,x\ndent,1\nnone,2\n")
    received(DirectoryStore(tmp_path / "store"), path, name="monday", now=NOW)
    return Recording.objects.get()


@pytest.fixture
def tag(recording: Recording) -> Tag:
    return versions.create_tag("all", "", now=NOW)


def test_a_version_that_could_not_be_made_is_made_the_next_time(tag: Tag, tmp_path: Path) -> None:
    with pytest.raises(ObjectStoreError):
        versions.refresh(tag, UnreachableStore(tmp_path / "store"), now=NOW)
    assert not Version.objects.exists()
    versions.refresh_all(DirectoryStore(tmp_path / "store"), now=NOW)
    assert Version.objects.get().number == 1


@pytest.mark.any_database
def test_whoever_waited_for_another_to_make_the_version_has_nothing_left_to_make(tag: Tag, tmp_path: Path) -> None:
    seen_before = Tag.objects.get()
    versions.refresh_in_turn(tag, DirectoryStore(tmp_path / "store"), now=NOW)
    versions.refresh_in_turn(seen_before, UnreachableStore(tmp_path / "store"), now=NOW)
    assert Version.objects.get().number == 1


def test_a_crash_while_a_version_is_published_leaves_none_of_it(
    tag: Tag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DirectoryStore(tmp_path / "store")
    with monkeypatch.context() as patch:
        patch.setattr(Version, "save", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            versions.refresh(tag, store, now=NOW)
    assert Tag.objects.get().evaluated_revision == 0
    versions.refresh(Tag.objects.get(), store, now=NOW)
    assert Version.objects.get().number == 1


def test_two_requests_at_once_make_one_version(tag: Tag, tmp_path: Path) -> None:
    versions.refresh(tag, CrowdedStore(tmp_path / "store"), now=NOW)
    assert [version.number for version in Version.objects.all()] == [1]


def test_a_tag_that_is_up_to_date_is_left_alone(tag: Tag, tmp_path: Path) -> None:
    versions.refresh(tag, DirectoryStore(tmp_path / "store"), now=NOW)
    versions.refresh(tag, UnreachableStore(tmp_path / "store"), now=NOW)
    assert Version.objects.count() == 1


def test_a_version_of_the_same_content_is_not_made_again(tag: Tag, tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    versions.refresh(tag, store, now=NOW)
    Tag.objects.update(evaluated_revision=0)
    versions.refresh(Tag.objects.get(), store, now=NOW)
    assert Version.objects.count() == 1
    assert Tag.objects.get().evaluated_revision == 1


def test_nothing_of_a_recording_is_entered_when_its_events_cannot_be(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tuesday.csv"
    path.write_text("label\ndent\n")
    with monkeypatch.context() as patch:
        patch.setattr(Event.objects, "bulk_create", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            received(DirectoryStore(tmp_path / "store"), path, name="tuesday", now=NOW)
    assert not Event.objects.filter(recording__name="tuesday").exists()
    assert Recording.objects.get(name="tuesday").state == RecordingState.WAITING
    assert received(DirectoryStore(tmp_path / "store"), path, name="tuesday", now=NOW).events_count == 1


@pytest.mark.django_db
def test_a_tag_keeps_its_schedule() -> None:
    made = versions.create_tag("daily", "", every_seconds=86_400, now=NOW)
    assert versions.create_tag("daily", "", now=NOW) == made
    assert versions.describe_tag(made).every_seconds == 86_400
    with pytest.raises(ConflictError, match="already looked at every 86400 seconds"):
        versions.create_tag("daily", "", every_seconds=3600, now=NOW)


def test_a_tag_whose_version_cannot_be_made_says_why_and_stops_no_other(tag: Tag, tmp_path: Path) -> None:
    Tag.objects.create(name="aaa", query="label = ", created=NOW)
    store = DirectoryStore(tmp_path / "store")
    versions.refresh_all(store, now=NOW)
    broken = Tag.objects.get(name="aaa")
    assert "query, line 1" in broken.problem
    assert Version.objects.get().tag == tag
    assert versions.due(NOW) == []
    assert versions.due(NOW + timedelta(seconds=61)) == [broken]
    Tag.objects.filter(pk=broken.pk).update(query="")
    versions.refresh_all(store, now=NOW + timedelta(seconds=61))
    broken.refresh_from_db()
    assert (broken.problem, broken.versions.count()) == ("", 1)


def test_a_tag_with_a_period_is_looked_at_when_it_is_over(tag: Tag, tmp_path: Path) -> None:
    Tag.objects.update(every_seconds=3600)
    store = DirectoryStore(tmp_path / "store")
    versions.refresh_all(store, now=NOW)
    Event.objects.update(label="other", since=2)
    Ledger.objects.update(revision=2)
    for minutes, number in ((59, 1), (60, 2)):
        versions.refresh_all(store, now=NOW + timedelta(minutes=minutes))
        assert Version.objects.count() == number
    assert Tag.objects.get().evaluated == NOW + timedelta(minutes=60)


def test_time_alone_makes_a_version_where_the_query_looks_at_it(recording: Recording, tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    Event.objects.filter(event_id="monday/1").update(time=NOW)
    Event.objects.filter(event_id="monday/2").update(time=NOW - timedelta(days=2))
    tag = versions.create_tag("recent", "since 3 days ago", now=NOW)
    Tag.objects.update(every_seconds=86_400)
    for days in (0, 2):
        versions.refresh_all(store, now=NOW + timedelta(days=days))
    assert [version.rows for version in tag.versions.order_by("number")] == [2, 1]
