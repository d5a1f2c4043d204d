"""The list of recordings, and sending one."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from atlas.access import Role
from ingestion_engine.models import Recording
from tests.ingestion_engine import signals
from tests.ingestion_engine.pages.conftest import Engine

pytestmark = pytest.mark.any_database


def test_who_has_not_signed_in_is_asked_to_and_programs_are_refused(engine: Engine) -> None:
    engine.client.logout()
    assert engine.client.get("/recordings/").headers["Location"] == "/login/?next=/recordings/"
    assert engine.client.get("/api/v1/tags").status_code == 401
    assert engine.client.get("/healthz").status_code == 200


def test_a_fault_is_a_page_for_people_and_a_document_for_programs(engine: Engine) -> None:
    assert "There is no such page" in engine.read("/nothing/", status=404)
    assert engine.client.get("/api/v1/nothing").headers["Content-Type"] == "application/json"


def test_the_way_in_leads_to_the_recordings_and_back_to_the_dashboard(engine: Engine) -> None:
    page = engine.client.get("/", follow=True).content.decode()
    assert "No recordings yet" in page
    assert 'href="http://dashboard.example"' in page


def test_recordings_are_found_by_name_state_and_car(engine: Engine) -> None:
    for number, state in enumerate(("ready", "failed", "waiting")):
        found = signals.recording(f"drive-{number}")
        found.state, found.settings = state, {"car": f"Polo {number}"}
        found.save()
    assert "drive-1" in engine.read("/recordings/?q=drive-1")
    assert "drive-2" not in engine.read("/recordings/?state=failed&q=drive")
    assert 'href="/recordings/drive-2/"' in engine.read("/recordings/?car=Polo+2&order=-received")


def test_the_list_costs_the_same_queries_for_few_and_many(engine: Engine) -> None:
    signals.recording("first")
    counts = []
    for more in (1, 20):
        for number in range(more):
            signals.recording(f"more-{more}-{number}")
        with CaptureQueriesContext(connection) as captured:
            engine.read("/recordings/")
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_file_that_is_sent_waits_to_be_decoded_with_its_settings(engine: Engine) -> None:
    file = SimpleUploadedFile("monday.csv", b"label\ndent\n")
    assert engine.send("/send/", file=file, car="Polo", window_seconds="2") == "/recordings/monday/"
    recording = Recording.objects.get()
    assert (recording.name, recording.filename, recording.settings["window_seconds"]) == ("monday", "monday.csv", 2.0)
    assert "It waits to be decoded" in engine.read("/recordings/monday/")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "Choose a file."),
        ({"name": "../x", "file": "a"}, "A name has 1 to 128 letters"),
        ({"window_seconds": "0", "file": "a"}, "greater than or equal to 0.01"),
        ({"start": "yesterday", "file": "a"}, "Enter a valid date/time."),
    ],
)
def test_what_is_wrong_is_told_at_the_field(engine: Engine, fields: dict[str, object], told: str) -> None:
    if "file" in fields:
        fields = fields | {"file": SimpleUploadedFile("a.csv", b"label\ndent\n")}
    assert told in engine.send("/send/", 422, **fields)
    assert not Recording.objects.exists()


def test_a_viewer_looks_and_sends_nothing(engine: Engine) -> None:
    engine.become(Role.VIEWER)
    assert "Send a recording" not in engine.read("/recordings/")
    engine.read("/send/", status=403)
