"""Predictions on demand over the API."""

import json

import pytest
from django.conf import settings

from atlas.states import State
from storage.models import Action, Inference
from storage.objects import open_store
from tests import stage
from tests.atlas_web.api.conftest import Script
from tests.atlas_web.explaining import events
from tests.atlas_web.predicting import MORE, ask, predict

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
MODEL = "Forest-1.0.0-1"
ADDRESS = f"models/{MODEL}/predictions"


@pytest.fixture(autouse=True)
def model(db: None) -> int:
    return stage.add_model(MODEL)


def kept() -> bytes:
    with open_store(settings.ATLAS_OBJECT_STORE).open(Inference.objects.get().rows_key) as file:
        return file.read()


def test_rows_are_sent_inline(writing: Script) -> None:
    answer = writing("POST", ADDRESS, {"rows": [{"peak": 1, "rms": 2.5}], "explains": False})
    assert (answer.status, answer.document["state"], answer.document["file"]) == (201, "queued", "rows.json")
    assert json.loads(kept()) == [{"peak": 1, "rms": 2.5}]
    assert not Inference.objects.get().explains
    assert Action.objects.get().via == "API"


def test_rows_are_sent_as_a_file(writing: Script) -> None:
    answer = writing("POST", f"{ADDRESS}/file?filename=mine.csv", b"peak,rms\n1,2\n")
    assert (answer.status, answer.document["file"]) == (201, "mine.csv")
    assert kept() == b"peak,rms\n1,2\n"


def test_events_of_a_version_and_recordings_are_asked_for(writing: Script) -> None:
    stage.add_version(3)
    answer = writing("POST", ADDRESS, {"dataset": "impacts:3", "events": ["a", "b"]})
    assert (answer.status, answer.document["dataset"]) == (201, {"tag": "impacts", "number": 3})
    assert writing("POST", ADDRESS, {"recording": "drive"}).document["recording"] == "drive"


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, ""),
        ({"dataset": "impacts", "recording": "drive"}, ""),
        ({"dataset": "gone:1"}, "dataset"),
        ({"rows": []}, "rows"),
    ],
)
def test_what_is_wrong_is_named(document: dict[str, object], field: str, writing: Script) -> None:
    answer = writing("POST", ADDRESS, document)
    assert answer.status == 422
    assert any(each["field"].endswith(field) for each in answer.document["errors"])
    assert not Inference.objects.exists()


@pytest.mark.parametrize(("name", "content"), [("mine.xlsx", b"x"), ("mine.csv", b"")])
def test_a_file_that_can_hold_no_rows_is_refused(name: str, content: bytes, writing: Script) -> None:
    assert writing("POST", f"{ADDRESS}/file?filename={name}", content).status == 422


def test_rows_are_read_a_page_at_a_time_with_their_explanation(reading: Script) -> None:
    of = events(20)
    asked = predict(of)
    detail = reading.get(f"predictions/{asked}")
    assert (detail["state"], detail["rows"], detail["explained_rows"]) == ("done", 20 + MORE, 20)
    assert detail["out_of_range"][0]["column"] == "speed"
    page = reading.get(f"predictions/{asked}/rows?page_size=25")
    assert (page["total"], len(page["items"])) == (20 + MORE, 25)
    second, last = page["items"][1], page["items"][24]
    assert (second["id"], second["prediction"], second["out_of_range"]) == (of.ids[1], of.predicted[1], ["speed"])
    assert sum(second["probabilities"].values()) == pytest.approx(1)
    told = second["explanation"]
    added = [sum(each["effects"][0] for each in told["effects"]) + told["base_values"][0]]
    assert added[0] == pytest.approx(of.findings.answers[1][0], rel=1e-4)
    assert last["explanation"] is None
    assert reading("GET", f"predictions/{asked}/file").content.startswith(b"PAR1")


def test_there_are_no_rows_before_the_model_has_predicted(reading: Script) -> None:
    assert reading("GET", f"predictions/{ask(recording='drive')}/rows").status == 409
    assert reading("GET", "predictions/4711/rows").status == 404


def test_the_list_is_narrowed_and_what_waits_is_cancelled(writing: Script) -> None:
    first, second = ask(recording="drive"), ask(recording="other")
    assert writing("POST", f"predictions/{first}/cancel").document["state"] == State.CANCELLED
    assert writing("POST", f"predictions/{first}/cancel").status == 409
    assert [each["id"] for each in writing.get("predictions")["items"]] == [second, first]
    assert [each["id"] for each in writing.get("predictions?state=cancelled")["items"]] == [first]
    assert [each["id"] for each in writing.get("predictions?q=other")["items"]] == [second]
