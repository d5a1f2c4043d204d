"""What pages read of the object store: whole objects, not too large, the latest kept at hand."""

from pathlib import Path

import pytest
from pytest_django import Settings

from atlas.errors import ObjectNotFoundError
from atlas_web import objects
from atlas_web.objects import LatestObjects, ObjectTooLargeError, content
from storage.objects import ObjectStore, open_store

KEY = "explanations/a.arrow"


@pytest.fixture
def store(settings: Settings, tmp_path: Path) -> ObjectStore:
    settings.ATLAS_OBJECT_STORE = str(tmp_path)
    return open_store(str(tmp_path))


def test_an_object_is_read_once_and_then_at_hand(store: ObjectStore) -> None:
    store.put(KEY, b"content")
    assert content(KEY) == b"content"
    store.delete(KEY)
    assert content(KEY) == b"content"


def test_an_object_that_is_gone_is_not_found(store: ObjectStore) -> None:
    with pytest.raises(ObjectNotFoundError):
        content(KEY)


def test_an_object_that_is_too_large_is_refused(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "MOST_BYTES", 1024)
    store.put(KEY, bytes(1024))
    assert len(content(KEY)) == 1024
    store.put("explanations/b.arrow", bytes(1025))
    with pytest.raises(ObjectTooLargeError, match=r"larger than 1\.0 KiB"):
        content("explanations/b.arrow")


def test_another_store_s_object_of_the_same_key_is_another_object(
    store: ObjectStore, settings: Settings, tmp_path: Path
) -> None:
    store.put(KEY, b"one")
    assert content(KEY) == b"one"
    settings.ATLAS_OBJECT_STORE = str(tmp_path / "other")
    open_store(settings.ATLAS_OBJECT_STORE).put(KEY, b"other")
    assert content(KEY) == b"other"


def test_what_nobody_used_for_longest_is_forgotten_first() -> None:
    latest = LatestObjects(most_bytes=10)
    for name in "ab":
        latest.add(("", name), bytes(4))
    assert latest.get(("", "a")) == bytes(4)
    latest.add(("", "c"), bytes(4))
    assert [latest.get(("", name)) is None for name in "abc"] == [False, True, False]
