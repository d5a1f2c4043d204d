"""Asking for predictions on the page, and what it shows of them."""

import csv
import io
import json

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from atlas.access import Via
from atlas.results import Failure
from atlas.states import FailureClass, State
from storage import records
from storage.models import Inference
from storage.objects import open_store
from tests import stage
from tests.atlas_web.conftest import Count, Read
from tests.atlas_web.explaining import events
from tests.atlas_web.predicting import MORE, WARNING, ask, claim, predict
from tests.samples import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
MODEL = "Forest-1.0.0-1"


@pytest.fixture(autouse=True)
def model(db: None) -> int:
    return stage.add_model(MODEL)


def post(client: Client, **given: object) -> tuple[int, str]:
    answer = client.post("/predict/", {"model": MODEL, "explains": "on", **given})
    return answer.status_code, answer.content.decode()


def test_events_of_a_version_are_asked_for_by_id_or_as_the_first_ones(writer: Client) -> None:
    version = stage.add_version()
    assert post(writer, source="dataset", dataset="impacts:1", events="a\n b \n\na", most="5")[0] == 302
    assert post(writer, source="dataset", dataset="impacts", most="5")[0] == 302
    first, named = Inference.objects.order_by("-pk")
    assert (named.dataset_version_id, named.events, named.most, named.by) == (version, ["a", "b"], None, "ilse")
    assert (first.dataset_version_id, first.events, first.most, first.explains) == (version, [], 5, True)


def test_a_file_that_is_sent_lies_in_the_object_store(writer: Client) -> None:
    assert post(writer, source="file", file=SimpleUploadedFile("mine.CSV", b"peak,rms\n1,2\n"))[0] == 302
    asked = Inference.objects.get()
    assert asked.rows_name == "mine.CSV"
    with open_store(settings.ATLAS_OBJECT_STORE).open(asked.rows_key) as kept:
        assert kept.read() == b"peak,rms\n1,2\n"


def test_a_recording_is_asked_for_by_its_name(writer: Client) -> None:
    assert post(writer, source="recording", recording="drive-1")[0] == 302
    assert Inference.objects.get().recording == "drive-1"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"model": "Nobody", "source": "recording", "recording": "x"}, "There is no model named Nobody."),
        ({"source": "dataset"}, "Choose a dataset version."),
        ({"source": "dataset", "dataset": "gone:7"}, "There is no dataset version gone:7."),
        ({"source": "file"}, "Choose a file."),
        ({"source": "file", "file": SimpleUploadedFile("a.xlsx", b"x")}, "a file that ends in .csv"),
        ({"source": "recording"}, "Name a recording."),
        ({"source": "dataset", "dataset": "impacts", "most": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(given: dict[str, object], problem: str, writer: Client) -> None:
    status, page = post(writer, **given)
    assert status == 422
    assert problem in page
    assert 'aria-invalid="true"' in page
    assert not Inference.objects.exists()


def test_another_page_may_choose_beforehand(writer: Client) -> None:
    page = writer.get("/predict/", {"model": MODEL, "source": "recording", "recording": "drive"}).content.decode()
    assert f'value="{MODEL}"' in page
    assert 'value="recording" id="id_source_2" checked' in page


def test_a_page_polls_until_there_are_predictions(read: Read) -> None:
    asked = ask(recording="drive")
    assert "It waits for an engine" in read(f"/predict/{asked}/").text
    records.pause(by="rita", reason="", now=NOON)
    assert "The queue is paused by rita" in read(f"/predict/{asked}/").text
    records.resume()
    held = claim(asked)
    page = read(f"/predict/{asked}/")
    assert "every 1s" in page.html
    failure = Failure(failure_class=FailureClass.SCHEMA_MISMATCH, reason="Column rms is missing.", output="last words")
    records.fail_inference(held, failure, now=NOON)
    page = read(f"/predict/{asked}/")
    assert "every 1s" not in page.html
    assert "Schema mismatch. Column rms is missing." in page.text
    assert "last words" in page.text


def test_rows_are_shown_with_their_confidence_and_what_is_new_to_the_model(read: Read) -> None:
    of = events(20)
    asked = predict(of)
    page = read(f"/predict/{asked}/")
    assert WARNING in page.text
    assert "speed in 1 row, such as 900; known: 10 to 60" in page.text
    second = page.rows()[1]
    assert str(of.ids[1]) in second
    assert "speed" in second
    assert "%" in second
    assert second.endswith("training")
    assert f"1-50 of {20 + MORE} rows" in page.text
    assert "other-59" in read(f"/predict/{asked}/?page=2").text


def test_a_row_says_why_it_was_predicted_so(read: Read) -> None:
    of = events(20)
    asked = predict(of)
    page = read(f"/predict/{asked}/rows/2/")
    assert f"Predicted as {of.predicted[1]}, with a confidence of" in page.text
    assert "speed (known: 10 to 60)" in page.text
    assert "This event is in the training split" in page.text
    assert f"What speaks for {of.predicted[1]}" in page.text
    assert "car-7" in read(f"/predict/{asked}/rows/2/values/").text
    assert "This row was not explained: the first 20 are." in read(f"/predict/{asked}/rows/21/").text


@pytest.mark.parametrize("address", ["rows/0/", f"rows/{21 + MORE}/", "rows.xlsx"])
def test_there_are_no_other_rows_and_files(address: str, reader: Client) -> None:
    assert reader.get(f"/predict/{predict()}/{address}").status_code == 404
    assert reader.get("/predict/4711/").status_code == 404


def test_predictions_are_files_too(reader: Client) -> None:
    of = events(20)
    asked = predict(of)
    read = {kind: b"".join(_parts(reader.get(f"/predict/{asked}/rows.{kind}"))) for kind in ("csv", "json", "parquet")}
    rows = list(csv.DictReader(io.StringIO(read["csv"].decode())))
    assert (rows[1]["id"], rows[1]["out_of_range"], rows[0]["out_of_range"]) == (of.ids[1], "speed", "")
    assert json.loads(read["json"])[1]["prediction"] == of.predicted[1]
    assert read["parquet"].startswith(b"PAR1")


def _parts(answer: object) -> list[bytes]:
    return list(answer)  # type: ignore[call-overload,no-any-return]


def test_what_waits_can_be_cancelled_once(writer: Client) -> None:
    asked = ask(recording="drive")
    assert "Cancelled." in writer.post(f"/predict/{asked}/cancel/", follow=True).content.decode()
    assert Inference.objects.get().state == State.CANCELLED
    assert "It had ended already." in writer.post(f"/predict/{asked}/cancel/", follow=True).content.decode()


def test_the_history_is_narrowed_and_takes_as_many_queries_however_long_it_is(read: Read, queries_of: Count) -> None:
    ask(recording="drive-0", model=stage.add_model())
    few = queries_of("/predict/history/")
    for number in (1, 2):
        ask(recording=f"drive-{number}", model=stage.add_model(f"Other-1.0.0-{number}"))
    records.cancel_inference(ask(rows_key="k", rows_name="mine.csv"), by="ilse", via=Via.PAGE, now=NOON)
    assert queries_of("/predict/history/") == few
    assert len(read("/predict/history/").rows()) == 4
    assert len(read("/predict/history/?q=drive-1").rows()) == 1
    (cancelled,) = read("/predict/history/?state=cancelled").rows()
    assert "mine.csv" in cancelled
