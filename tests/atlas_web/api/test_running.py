"""Queue, components, counters, log and people over the API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from atlas.access import Right, Role, Verb, Via
from atlas.api import (
    ActionEntry,
    ComponentStatus,
    Counters,
    Identity,
    LogLine,
    OrphanObject,
    Page,
    Queue,
    TokenSummary,
)
from atlas.states import ComponentState, Level, State
from storage import queries, records
from storage.records import FoundOrphan
from tests import stage
from tests.atlas_web.api.conftest import Script, Scripts
from tests.samples import NOON

pytestmark = pytest.mark.django_db


def test_the_queue_tells_who_is_next(reading: Script) -> None:
    model = stage.add_model()
    again = stage.finish(model, stage.add_version(1))
    first, second = (stage.queue(model, stage.add_version(number)) for number in (2, 3))
    records.run_again(again, now=NOON)
    found = Queue.model_validate(reading.get("queue"))
    assert [(place.position, place.id) for place in found.items] == [(1, first), (2, second), (3, again)]
    assert found.pause is None
    last = Queue.model_validate(reading.get("queue?page=3&page_size=1"))
    assert [(place.position, place.id) for place in last.items] == [(3, again)]


def test_the_queue_is_paused_and_resumed(administering: Script) -> None:
    answer = administering("POST", "queue/pause", {"reason": " The disk is full. "})
    assert (answer.status, answer.document["reason"]) == (200, "The disk is full.")
    assert administering.get("queue")["pause"]["by"] == "administrator"
    assert administering("POST", "queue/pause", {}).status == 409
    assert administering("POST", "queue/pause", {"reason": "a\0b"}).document["errors"][0]["field"] == "reason"
    assert administering("POST", "queue/resume").status == 204
    assert administering("POST", "queue/resume").status == 409
    assert [action.verb for action in queries.actions()] == [Verb.RESUMED, Verb.PAUSED]
    assert {action.via for action in queries.actions()} == {Via.API}


def test_components_tell_how_they_are(reading: Script) -> None:
    records.report_status("engine", ComponentState.HEALTHY, "4 workers", now=timezone.now())
    page = Page[ComponentStatus].model_validate(reading.get("components"))
    assert {each.name: each.state for each in page.items} == {
        "ingestion": None, "training": None, "storage": None, "engine": ComponentState.HEALTHY,
    }  # fmt: skip


def test_counters_tell_how_much_there_is(reading: Script) -> None:
    stage.finish(stage.add_model(), stage.add_version())
    found = Counters.model_validate(reading.get("counters"))
    assert (found.models, found.versions, found.authors, found.benchmarks[State.DONE]) == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("query", "messages"),
    [
        ("", ["third", "second", "first"]),
        ("level=error", ["second"]),
        ("component=ingestion", ["third"]),
        ("q=FIRST", ["first"]),
        ("q=traceback", ["second"]),
        ("model=1", ["first"]),
        ("benchmark=7", []),
        ("since=2026-03-02T12:01:00Z", ["third", "second"]),
        ("until=2026-03-02T13:00:30%2B01:00", ["first"]),
        ("since=9999-12-31T23:59:59-12:00", []),
        ("since=0001-01-01T00:00:00%2B12:00", ["third", "second", "first"]),
    ],
)
def test_the_log_is_narrowed(reading: Script, query: str, messages: list[str]) -> None:
    model = stage.add_model()
    records.log("engine", "first", now=NOON, model=model)
    records.log("engine", "second", now=NOON + timedelta(minutes=1), level=Level.ERROR, detail="Traceback")
    records.log("ingestion", "third", now=NOON + timedelta(minutes=2))
    query = query.replace("model=1", f"model={model}")
    page = Page[LogLine].model_validate(reading.get(f"logs?{query}"))
    assert [line.message for line in page.items] == messages


@pytest.mark.parametrize("since", ["yesterday", "2026-03-02T12:00:00", "1772452800"])
def test_a_time_is_written_with_its_offset(reading: Script, since: str) -> None:
    answer = reading("GET", f"logs?since={since}")
    assert answer.status == 422
    assert [each["field"] for each in answer.document["errors"]] == ["since"]


def test_one_learns_who_one_is(script: Scripts) -> None:
    found = Identity.model_validate(script(Role.DATA_SCIENTIST, Right.READ).get("whoami"))
    assert (found.name, found.role, found.rights, found.token) == (
        "data-scientist", Role.DATA_SCIENTIST, (Right.READ,), "script",
    )  # fmt: skip


def test_one_sees_and_revokes_one_s_own_tokens_alone(script: Scripts) -> None:
    mine, theirs = script(name="ilse"), script(name="jan")
    shown = Page[TokenSummary].model_validate(mine.get("tokens")).items
    assert [(each.name, each.scopes) for each in shown] == [("script", tuple(Right))]
    assert mine.secret not in str(mine.get("tokens"))
    assert mine("DELETE", f"tokens/{theirs.get('tokens')['items'][0]['id']}").status == 404
    assert mine("DELETE", f"tokens/{shown[0].id}").status == 204
    assert mine("GET", "tokens").status == 401
    told = queries.actions().get()
    assert (told.person, told.verb, told.kind, told.thing) == ("ilse", Verb.REVOKED, "token", "script")


@pytest.mark.parametrize(
    ("query", "things"),
    [
        ("", ["b", "a"]),
        ("person=ilse", ["a"]),
        ("verb=deleted", ["b"]),
        ("kind=model&until=2026-03-02T12:00:00Z", ["a"]),
        ("since=2026-03-02T12:00:01Z", ["b"]),
    ],
)
def test_administrators_read_what_people_did(administering: Script, query: str, things: list[str]) -> None:
    records.record_action("ilse", Verb.UPLOADED, "model", "a", now=NOON)
    records.record_action("jan", Verb.DELETED, "model", "b", now=NOON + timedelta(hours=1))
    page = Page[ActionEntry].model_validate(administering.get(f"audit?{query}"))
    assert [each.thing for each in page.items] == things


def test_orphans_are_listed_and_cleaned_up(administering: Script) -> None:
    keys = ["explanations/a.arrow", "predictions/b.parquet", "predictions/c.parquet"]
    found = [FoundOrphan(key=key, etag="1", size_bytes=1024, modified=NOON, why="Nobody's.") for key in keys]
    records.report_orphans(found, objects_seen=3, bytes_seen=3072, now=NOON)
    page = Page[OrphanObject].model_validate(administering.get("orphans?page_size=2"))
    assert ([orphan.key for orphan in page.items], page.total) == (keys[:2], 3)
    assert (page.items[0].size_bytes, page.items[0].found, page.items[0].why) == (1024, NOON, "Nobody's.")
    some = administering("POST", "orphans/clean-up", {"keys": [keys[0], "models/used.atlas"]})
    assert (some.status, some.document) == (200, {"objects": 1})
    assert administering("POST", "orphans/clean-up", {"keys": []}).document["errors"][0]["field"] == "keys"
    assert administering("POST", "orphans/clean-up", {}).document == {"objects": 2}
    assert administering.get("orphans")["items"] == []
    kept = [(action.verb, action.via, action.thing) for action in queries.actions()]
    assert sorted(kept) == [(Verb.CLEANED_UP, Via.API, key) for key in keys]
