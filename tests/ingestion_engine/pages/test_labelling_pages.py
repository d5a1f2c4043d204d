"""Events on pages: looked at, added, moved, relabelled and deleted."""

import io
from typing import Any

import pytest
import soundfile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from atlas.access import Role
from ingestion_engine import labelling
from ingestion_engine.models import Event, Recording
from ingestion_engine.pages import events
from ingestion_engine.pages.event_forms import read_label
from ingestion_engine.places import object_store
from tests.ingestion_engine.pages.conftest import Engine, add, cut, drive
from tests.ingestion_engine.signals import NOW

pytestmark = pytest.mark.any_database


@pytest.fixture
def recording(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Recording:
    monkeypatch.setattr(events, "cutter", lambda _store: cut)
    return drive()


def present() -> list[tuple[float, object]]:
    """When each event begins, in seconds, and its label."""
    found = Event.objects.filter(until=None).order_by("time")
    return [((each.time - NOW).total_seconds(), each.label) for each in found if each.time]


def test_a_span_and_a_label_make_an_event(engine: Engine, recording: Recording) -> None:
    view: dict[str, Any] = {"channel": "sound", "from": "2", "to": "4"}
    address = engine.send("/recordings/drive/add/", start="3", end="3.5", label="dent", **view)
    assert address == "/recordings/drive/?channel=sound&from=2&to=4"
    assert present() == [(3.0, "dent")]
    page = engine.read(address)
    assert "<strong" in page
    assert "ilse</strong> added" in page


def test_what_does_not_fit_is_told_where_it_was_filled_in(engine: Engine, recording: Recording) -> None:
    page = engine.send("/recordings/drive/add/", 422, start="9", end="12", label="dent")
    assert "which lasts from 0 s to 10 s" in page
    assert 'value="dent"' in page
    assert "This field is required." in engine.send("/recordings/drive/add/", 422, label="dent")
    assert present() == []


def test_an_event_is_moved_and_relabelled_by_one_form(engine: Engine, recording: Recording) -> None:
    event = add(recording)
    engine.send("/recordings/drive/change/1.000/", start="2", end="2.5", label="scratch", car="Polo", seen=event.since)
    assert present() == [(2.0, "scratch")]
    page = engine.read("/recordings/drive/events/1.000/")
    assert page.index("scratch") < page.rindex("dent")
    assert ">jan<" in page


def test_who_was_slower_is_told_so_and_keeps_what_they_wrote(engine: Engine, recording: Recording) -> None:
    event = add(recording)
    store = object_store()
    seen = {"seen": event.since, "store": store, "who": "jan", "now": NOW}
    labelling.relabel_event(recording, event.event_id, label="none", **seen)  # type: ignore[arg-type]
    fields = {"start": "1", "end": "1.5", "label": "crack", "seen": event.since}
    page = engine.send("/recordings/drive/change/1.000/", 409, **fields)
    assert "jan" in page
    assert 'value="crack"' in page
    assert present() == [(1.0, "none")]


def test_a_deleted_event_keeps_its_history(engine: Engine, recording: Recording) -> None:
    event = add(recording)
    engine.send("/recordings/drive/delete/1.000/", seen=event.since)
    assert present() == []
    assert "This event was deleted." in engine.read("/recordings/drive/events/1.000/")
    engine.read("/recordings/drive/events/never/", status=404)


def test_a_viewer_sees_events_and_changes_none(engine: Engine, recording: Recording) -> None:
    event = add(recording)
    engine.become(Role.VIEWER)
    assert "Add the event" not in engine.read("/recordings/drive/")
    assert "Save" not in engine.read("/recordings/drive/events/1.000/")
    for address in ("add/", "change/1.000/", "delete/1.000/"):
        engine.send(f"/recordings/drive/{address}", 403, seen=event.since)


def test_the_page_costs_the_same_queries_for_few_and_many_events(engine: Engine, recording: Recording) -> None:
    counts = []
    for more in range(2):
        for number in range(1 + 9 * more):
            add(recording, 1 + more + number / 100, 5.0)
        with CaptureQueriesContext(connection) as captured:
            engine.read("/recordings/drive/")
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_the_chart_gets_few_points_and_the_events_in_its_part(engine: Engine, recording: Recording) -> None:
    add(recording)
    add(recording, 5.0, 6.0, "none")
    answer = engine.client.get("/recordings/drive/envelope?channel=sound&start=4&end=5.5&points=100").json()
    assert len(answer["times"]) == len(answer["minima"]) == len(answer["maxima"]) <= 100
    assert [(each["id"], each["label"], each["start"], each["end"]) for each in answer["events"]] == [
        ("5.000", "none", 5.0, 6.0)
    ]


@pytest.mark.parametrize(
    "query",
    [
        "channel=nothing&start=0&end=1&points=9",
        "channel=sound&start=2&end=1&points=9",
        "start=0",
        "channel=sound&start=nan&end=1&points=9",
    ],
)
def test_a_part_that_is_none_is_refused(engine: Engine, recording: Recording, query: str) -> None:
    assert engine.client.get(f"/recordings/drive/envelope?{query}").status_code == 422


def test_a_part_can_be_listened_to(engine: Engine, recording: Recording) -> None:
    answer = engine.client.get("/recordings/drive/sound.wav?channel=sound&start=1&end=3")
    samples, rate = soundfile.read(io.BytesIO(answer.getvalue()))
    assert (answer.headers["Content-Type"], rate, len(samples)) == ("audio/wav", 8000, 16000)


@pytest.mark.parametrize(
    ("text", "kind", "label"),
    [
        ("dent", "string", "dent"),
        ("", "string", None),
        ("3", "int64", 3),
        ("3.5", "double", 3.5),
        ("True", "bool", True),
        ("dent, scratch", "list<item: string>", ["dent", "scratch"]),
    ],
)
def test_a_label_is_read_in_the_type_of_the_others(text: str, kind: str, label: object) -> None:
    assert read_label(text, kind) == label
