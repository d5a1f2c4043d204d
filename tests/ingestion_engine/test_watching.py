"""Files that appear in the inbox: taken in whole, once, with the labels beside them."""

import os
from datetime import datetime
from pathlib import Path

import pytest
from django.utils import timezone

from ingestion_engine.models import LabelFile, Recording
from ingestion_engine.watching import STILL, Inbox, told_by
from storage.objects import DirectoryStore

pytestmark = pytest.mark.django_db


class Place:
    """A folder that is an inbox."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "inbox"
        self.folder.mkdir()
        self.store = DirectoryStore(folder / "store")
        self.inbox = self.fresh()

    def fresh(self) -> Inbox:
        return Inbox(DirectoryStore(self.folder), self.store)

    def put(self, name: str, content: str, *, age_seconds: float = 60.0) -> datetime:
        path = self.folder / name
        path.write_text(content)
        modified = timezone.now().timestamp() - age_seconds
        os.utime(path, (modified, modified))
        return datetime.fromtimestamp(modified, timezone.now().tzinfo)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_file_is_taken_in_with_the_labels_beside_it(place: Place) -> None:
    place.put("monday ride.csv", "label\ndent\n")
    place.put("monday ride.csv.labels.csv", "start,label\n1,dent\n")
    assert not place.inbox.take_in(now=timezone.now())
    assert [each.name for each in Recording.objects.all()] == ["monday-ride"]
    assert [each.recording_name for each in LabelFile.objects.all()] == ["monday-ride"]


def test_a_file_that_is_being_copied_is_left_until_it_is_still(place: Place) -> None:
    modified = place.put("ride.csv", "label\nde", age_seconds=0.0)
    place.put("other.csv.part", "label\ndent\n")
    assert place.inbox.take_in(now=modified)
    assert not Recording.objects.exists()
    assert not place.inbox.take_in(now=modified + STILL)
    assert Recording.objects.get().name == "ride"


def test_a_refused_file_is_told_of_once_and_again_when_it_changes(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.put("ride.csv", "")
    for _ in range(2):
        place.inbox.take_in(now=timezone.now())
    assert [record.getMessage() for record in caplog.records].count(
        "The file ride.csv in the inbox is refused: file: it is empty"
    ) == 1
    place.put("ride.csv", "label\ndent\n")
    place.inbox.take_in(now=timezone.now())
    assert Recording.objects.get().name == "ride"


def test_what_was_taken_in_is_not_read_again_by_the_next_process(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.put("ride.csv", "label\ndent\n")
    place.put("ride.labels.csv", "start,label\n1,dent\n")
    place.inbox.take_in(now=timezone.now())
    monkeypatch.setattr(DirectoryStore, "get", lambda *_: pytest.fail("it was read again"))
    place.fresh().take_in(now=timezone.now())


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("ride.bag", ("ride", False)),
        ("day 1/ride 2.mcap", ("ride-2", False)),
        ("ride.bag.labels.json", ("ride", True)),
        ("a.b.labels.csv", ("a.b", True)),
    ],
)
def test_files_are_named_after_themselves(key: str, told: tuple[str, bool]) -> None:
    assert told_by(key, frozenset({"ride.bag", "day 1/ride 2.mcap"})) == told
