from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from atlas.ingestion import ChangeVerb
from ingestion_engine import features, labelling
from ingestion_engine.errors import ConflictError, RefusedError, UnknownError
from ingestion_engine.histories import changes, describe_changes, describe_events, history, present_events
from ingestion_engine.models import Change, Event, Ledger, Recording
from storage.objects import DirectoryStore, ObjectStore
from tests.ingestion_engine import signals
from tests.ingestion_engine.engine import received
from tests.ingestion_engine.signals import NOW

pytestmark = pytest.mark.any_database
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return DirectoryStore(tmp_path / "store")


@pytest.fixture
def drive(db: None) -> Recording:
    return signals.recording()


@pytest.fixture
def table(db: None, store: ObjectStore, tmp_path: Path) -> Recording:
    """A table of three events without signals."""
    path = tmp_path / "monday.csv"
    path.write_text("id,label,car,speed\na,dent,Polo,1\nb,none,Polo,2\nc,none,,3\n")
    received(store, path, name="monday", now=NOW)
    return Recording.objects.get()


def add(store: ObjectStore, drive: Recording, **given: Any) -> Event:
    facts = {"start": 1.0, "end": 1.5, "label": "dent", "who": "Anna", "now": NOW, **given}
    return labelling.add_event(drive, store=store, cut=signals.cut, **facts)


def now_known(event_id: str) -> dict[str, Any]:
    """What is known of the event as it is now."""
    (event,) = describe_events(Event.objects.filter(event_id=event_id, until=None))
    return event.model_dump(exclude={"id", "since", "time"})


def row(store: ObjectStore, event_id: str) -> dict[str, Any]:
    """The event's features as they lie in the store."""
    (found,) = features.read(store, [Event.objects.get(event_id=event_id, until=None)]).to_pylist()
    return dict(found)


def test_an_event_is_added_where_it_was_heard_with_features_cut_there(store: ObjectStore, drive: Recording) -> None:
    event = add(store, drive, car="Polo", columns={"severity": 3})
    assert (event.event_id, event.time, event.duration_seconds) == ("drive/1.000", NOW + timedelta(seconds=1), 0.5)
    assert now_known("drive/1.000") == {
        "duration_seconds": 0.5,
        "label": "dent",
        "car": "Polo",
        "environment": None,
        "columns": {"duration_seconds": 0.5, "sound.peak": 149.0, "severity": 3},
    }
    assert row(store, "drive/1.000")["sound"] == list(range(100, 150))
    assert Recording.objects.get().events_count == 1


def test_a_start_may_be_a_moment(store: ObjectStore, drive: Recording) -> None:
    event = add(store, drive, start=datetime(2026, 1, 1, 0, 0, 2, tzinfo=UTC), end=None)
    assert (event.event_id, event.duration_seconds) == ("drive/2.000", 0.0)


def test_events_at_one_place_have_ids_of_their_own_for_ever(store: ObjectStore, drive: Recording) -> None:
    first, second = add(store, drive), add(store, drive)
    labelling.delete_event(drive, second.event_id, seen=second.since, who="Anna", now=LATER)
    assert [first.event_id, second.event_id, add(store, drive).event_id] == [
        "drive/1.000",
        "drive/1.000-2",
        "drive/1.000-3",
    ]


def test_an_id_is_given_once(store: ObjectStore, drive: Recording) -> None:
    add(store, drive, event_id="tap")
    with pytest.raises(ConflictError, match=r"'drive/tap'.*added by Anna"):
        add(store, drive, event_id="tap", start=3.0, end=4.0)
    assert Ledger.objects.get().revision == Change.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"start": 9.0, "end": 11.0}, "lasts from 0 s to 10 s"),
        ({"start": 2.0, "end": 1.0}, "2 s to 1 s is no part"),
        ({"start": float("nan")}, "nan"),
        ({"start": NOW - timedelta(seconds=1)}, "-1 s"),
        ({"event_id": "a\nb"}, "id:"),
        ({"label": ""}, "'label'"),
        ({"car": "nul\0"}, "'car'"),
        ({"columns": {"severity": float("inf")}}, "'severity'"),
        ({"columns": {"severity": 2**70}}, "'severity'"),
        ({"columns": {"sound.peak": 1.0}}, "'sound.peak' is made by the engine"),
        ({"columns": {"label": "none"}}, "'label' is made by the engine"),
        ({"columns": {"recording": "x"}}, "'recording'"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    store: ObjectStore, drive: Recording, given: dict[str, Any], problem: str
) -> None:
    with pytest.raises(RefusedError, match=problem):
        add(store, drive, **given)
    assert not Event.objects.exists()
    assert not Change.objects.exists()


def test_a_moved_event_has_its_features_cut_anew_and_keeps_what_people_said(
    store: ObjectStore, drive: Recording
) -> None:
    event = add(store, drive, columns={"severity": 3, "note": "loud"})
    place: Any = {"start": 4.0, "end": 4.25}
    moved = labelling.move_event(
        drive, event.event_id, seen=event.since, store=store, cut=signals.cut, who="Ben", now=LATER, **place
    )
    assert (moved.time, moved.label, moved.since) == (NOW + timedelta(seconds=4), "dent", 2)
    assert now_known("drive/1.000")["columns"] == {
        "duration_seconds": 0.25,
        "sound.peak": 424.0,
        "severity": 3,
        "note": "loud",
    }
    assert row(store, "drive/1.000")["sound"] == list(range(400, 425))


def test_moving_an_event_to_where_it_lies_is_no_change(store: ObjectStore, drive: Recording) -> None:
    event = add(store, drive)
    place: Any = {"start": 1.0, "end": 1.5}
    labelling.move_event(drive, event.event_id, seen=1, store=store, cut=signals.cut, who="", now=LATER, **place)
    assert Change.objects.count() == 1


def test_a_label_is_corrected_and_the_earlier_one_is_not_forgotten(store: ObjectStore, table: Recording) -> None:
    labelling.relabel_event(table, "monday/a", seen=1, label="scratch", store=store, who="Anna", now=LATER)
    newest, oldest = history("monday/a")
    assert (newest.label, newest.who, newest.verb, newest.until) == ("scratch", "Anna", ChangeVerb.RELABELLED, None)
    assert (oldest.label, oldest.who, oldest.verb, oldest.until) == ("dent", "", ChangeVerb.RECEIVED, 2)
    assert oldest.ended_by is ChangeVerb.RELABELLED
    assert (newest.car, newest.columns) == (oldest.car, oldest.columns) == ("Polo", {"speed": 1})


def test_several_events_are_relabelled_in_one_change(store: ObjectStore, table: Recording) -> None:
    seen = {"monday/b": 1, "monday/c": 1, "monday/a": 1}
    events = labelling.relabel_events(
        table, seen, label="dent", columns={"side": "left"}, store=store, who="Anna", now=LATER
    )
    assert [event.event_id for event in events] == list(seen)
    assert {event.label for event in present_events(table)} == {"dent"}
    assert [row(store, f"monday/{each}") for each in "abc"] == [{"speed": n, "side": "left"} for n in (1, 2, 3)]
    assert [(each.verb, each.who, each.events, each.first_event) for each in describe_changes(changes(table))] == [
        (ChangeVerb.RELABELLED, "Anna", 3, "monday/a"),
        (ChangeVerb.RECEIVED, "", 3, "monday/a"),
    ]


def test_only_events_that_become_other_are_changed(store: ObjectStore, table: Recording) -> None:
    seen = {f"monday/{each}": 1 for each in "abc"}
    labelling.relabel_events(table, seen, label="none", columns={"speed": 3}, store=store, who="Anna", now=LATER)
    assert [event.since for event in Event.objects.filter(until=None).order_by("event_id")] == [2, 2, 1]
    seen = {f"monday/{each}": since for each, since in zip("abc", (2, 2, 1), strict=True)}
    labelling.relabel_events(table, seen, label="none", columns={"speed": 3}, store=store, who="Anna", now=LATER)
    labelling.relabel_events(table, {}, label="none", store=store, who="Anna", now=LATER)
    assert Change.objects.count() == 2


def test_what_is_known_of_an_event_can_be_taken_away(store: ObjectStore, table: Recording) -> None:
    nothing: Any = {"label": None, "car": None, "columns": {"speed": None}}
    labelling.relabel_event(table, "monday/a", seen=1, store=store, who="Anna", now=LATER, **nothing)
    known = now_known("monday/a")
    assert (known["label"], known["car"], known["columns"]) == (None, None, {})


def test_a_column_keeps_its_kind_when_people_give_its_values(store: ObjectStore, table: Recording) -> None:
    with pytest.raises(ConflictError, match="'speed'"):
        labelling.relabel_event(
            table, "monday/a", seen=1, columns={"speed": "fast"}, store=store, who="Anna", now=LATER
        )
    assert now_known("monday/a")["columns"] == {"speed": 1}


def test_who_saw_an_event_as_it_is_no_more_is_told_who_changed_it(store: ObjectStore, table: Recording) -> None:
    labelling.relabel_event(table, "monday/a", seen=1, label="none", store=store, who="Anna", now=LATER)
    with pytest.raises(ConflictError, match=r"relabelled by Anna at 2026-01-01 01:00:00 UTC"):
        labelling.relabel_events(table, {"monday/b": 1, "monday/a": 1}, label="x", store=store, who="Ben", now=LATER)
    with pytest.raises(ConflictError, match="Anna"):
        labelling.delete_event(table, "monday/a", seen=1, who="Ben", now=LATER)
    labelling.delete_event(table, "monday/b", seen=1, who="Cleo", now=LATER)
    with pytest.raises(ConflictError, match="deleted by Cleo"):
        labelling.relabel_event(table, "monday/b", seen=1, label="x", store=store, who="Ben", now=LATER)
    with pytest.raises(UnknownError, match="'monday/z'"):
        labelling.delete_event(table, "monday/z", seen=1, who="Ben", now=LATER)
    assert Ledger.objects.get().revision == 3


def test_a_change_of_somebody_else_while_features_are_cut_is_not_overwritten(
    store: ObjectStore, drive: Recording
) -> None:
    event = add(store, drive)

    def cut(recording: Recording, spans: Any) -> pa.Table:
        labelling.relabel_event(drive, event.event_id, seen=1, label="none", store=store, who="Anna", now=LATER)
        return signals.cut(recording, spans)

    with pytest.raises(ConflictError, match="Anna"):
        labelling.move_event(drive, event.event_id, seen=1, start=2.0, store=store, cut=cut, who="Ben", now=LATER)
    assert [(state.label, state.duration_seconds) for state in history(event.event_id)] == [
        ("none", 0.5),
        ("dent", 0.5),
    ]


def test_a_deleted_event_is_no_longer_there_but_remembered(table: Recording) -> None:
    labelling.delete_events(table, {"monday/a": 1, "monday/b": 1}, who="Anna", now=LATER)
    assert [event.event_id for event in present_events(table)] == ["monday/c"]
    (state,) = history("monday/a")
    assert (state.until, state.ended_by) == (2, ChangeVerb.DELETED)
    assert Recording.objects.get().events_count == 1


def test_events_of_a_table_have_no_place_to_move_to(store: ObjectStore, table: Recording) -> None:
    with pytest.raises(RefusedError, match="without signals"):
        add(store, table)
    with pytest.raises(RefusedError, match="without signals"):
        labelling.move_event(table, "monday/a", seen=1, start=1.0, store=store, cut=signals.cut, who="Anna", now=LATER)


def test_equal_features_of_two_events_are_kept_once(store: ObjectStore, drive: Recording) -> None:
    one, other = add(store, drive), add(store, drive)
    assert one.features == other.features
    assert row(store, one.event_id) == row(store, other.event_id)
