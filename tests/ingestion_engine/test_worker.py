"""Who decodes a recording, and what becomes of it when decoding breaks off."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from atlas.errors import ObjectStoreError
from ingestion_engine import confined, worker
from ingestion_engine.confined import CrashedError, Limits, StoppedError
from ingestion_engine.models import Recording, RecordingState
from ingestion_engine.receiving import receive
from ingestion_engine.worker import LEASE, MAX_ATTEMPTS, work_once
from storage.objects import DirectoryStore

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "store")


@pytest.fixture
def waiting(store: DirectoryStore, tmp_path: Path) -> Recording:
    path = tmp_path / "ride.csv"
    path.write_text("label\ndent\n")
    return receive(store, path, name="ride", now=NOW)


def test_a_recording_whose_worker_died_is_decoded_by_another_when_its_lease_is_over(
    store: DirectoryStore, waiting: Recording
) -> None:
    Recording.objects.update(state=RecordingState.DECODING, attempts=1, leased_until=NOW + LEASE)
    assert not work_once(store, NOW)
    assert work_once(store, NOW + LEASE + timedelta(seconds=1))
    waiting.refresh_from_db()
    assert (waiting.state, waiting.events_count, waiting.attempts) == ("ready", 1, 2)


def test_a_recording_whose_decoding_broke_off_too_often_fails(store: DirectoryStore, waiting: Recording) -> None:
    Recording.objects.update(attempts=MAX_ATTEMPTS)
    work_once(store, NOW)
    waiting.refresh_from_db()
    assert (waiting.state, "3 times" in waiting.problem) == ("failed", True)


def test_a_process_that_crashes_is_tried_again_and_then_fails(
    store: DirectoryStore, waiting: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise CrashedError("the process ended with status -11")

    monkeypatch.setattr(confined, "run", crash)
    for _ in range(MAX_ATTEMPTS):
        assert work_once(store, NOW)
    assert not work_once(store, NOW)
    waiting.refresh_from_db()
    assert (waiting.state, "status -11" in waiting.problem) == ("failed", True)


def test_what_hangs_is_ended_and_fails(store: DirectoryStore, waiting: Recording) -> None:
    assert work_once(store, NOW, limits=Limits(seconds=0.0))
    waiting.refresh_from_db()
    assert (waiting.state, "longer than 0 seconds" in waiting.problem) == ("failed", True)


def test_an_engine_that_ends_leaves_the_recording_to_the_next(store: DirectoryStore, waiting: Recording) -> None:
    def stop() -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        work_once(store, NOW, meanwhile=stop)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts) == ("waiting", 0)


def test_a_store_that_does_not_answer_costs_no_attempt(
    store: DirectoryStore, waiting: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ObjectStoreError

    with monkeypatch.context() as patch:
        patch.setattr(store, "put", refuse)
        with pytest.raises(ObjectStoreError):
            work_once(store, NOW)
    assert work_once(store, NOW)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts) == ("ready", 1)


def test_a_worker_that_lost_its_recording_changes_nothing(
    store: DirectoryStore, waiting: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = worker._settle

    def settle_late(*arguments: object) -> None:
        Recording.objects.update(attempts=7)
        settle(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(worker, "_settle", settle_late)
    assert work_once(store, NOW)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.events_count) == ("decoding", 0)
