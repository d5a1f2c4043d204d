"""The page of a model on live data."""

import re

import pytest
from django.test import Client

from atlas.inference import Counted
from atlas.results import Failure, MetricValue
from atlas.states import FailureClass
from storage import queries, records
from tests import living, stage
from tests.atlas_web.conftest import Count, Read, Shown
from tests.living import TAG
from tests.samples import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def model() -> int:
    return stage.add_model()


@pytest.fixture
def address(model: int) -> str:
    return f"/models/{model}/live/"


def send(client: Client, address: str, tag: str) -> Shown:
    answer = client.post(address, {"tag": tag})
    return Shown(answer.status_code, answer.getvalue().decode())


def test_the_newest_version_is_told_beside_the_last_one_with_labels(read: Read, model: int, address: str) -> None:
    living.watch(model)
    living.run(model, 1, living.labelled(0.84))
    living.run(model, 2, living.live())
    text = read(address).text
    assert f"On {TAG} v2 F1 is probably 0.810 [0.790, 0.830], estimated without labels." in text
    assert "It was 0.840 [0.820, 0.860] when labels last came (v1)." in text
    assert "1 of 2 columns has moved from what the model was trained on: peak, by 0.20." in text
    chosen = read(f"{address}?metric=accuracy").text
    assert f"On {TAG} v2 accuracy is probably 0.920" in chosen


def test_what_is_worse_by_more_than_chance_is_said(read: Read, model: int, address: str) -> None:
    living.run(model, 1, living.labelled(0.84))
    living.run(model, 2, living.labelled(0.6))
    text = read(address).text
    assert f"On {TAG} v2 F1 is 0.600 [0.580, 0.620], measured on 500 labelled rows of 500." in text
    assert "on the last version before with labels (v1): it is worse by more than chance." in text


def test_why_nothing_is_known_is_said_above_and_in_the_table(read: Read, model: int, address: str) -> None:
    living.week(model)
    page = read(address)
    assert f"On {TAG} v4 F1 is not known. When labels came the last time, it was otherwise." in page.text
    rows = page.rows()
    assert any(row.startswith("v4 500 0 - When labels came the last time") for row in rows)
    assert any(row.startswith("v3 500 0 0.810 [0.790, 0.830] estimated 0.900 50") for row in rows)
    assert any(row.startswith("v1 500 500 0.840 [0.820, 0.860] measured") for row in rows)


def test_distributions_stand_beside_those_of_the_version_before(read: Read, model: int, address: str) -> None:
    living.run(model, 1, living.live())
    living.run(model, 2, living.live(predictions=Counted(bins=("intact", "damaged"), counts=(100, 400))))
    page = read(address)
    assert "Predictions on v2, compared with v1" in page.text
    assert "Confidence on v2, compared with v1" in page.text
    assert "damaged 100 20.0 % 400 80.0 %" in page.rows()
    charts = re.findall(r'id="([^"]+)" data-chart', page.html)
    assert len(charts) == len(set(charts)) == 5


def test_numbers_have_a_histogram_of_each_version(read: Read, model: int, address: str) -> None:
    numbers = Counted(bins=("0 to 1", "1 to 2"), counts=(3, 7), edges=(0, 1, 2))
    living.run(model, 1, living.live(predictions=numbers, confidence=None, mean_confidence=None, drift=None))
    page = read(address)
    assert "Predictions on v1" in page.text
    assert "1 2 7" in page.rows()
    assert "Mean confidence The probability" not in page.text
    assert "the model brings no sample of what it was trained on" in page.text


def test_a_metric_without_a_value_says_why(read: Read, model: int, address: str) -> None:
    none = MetricValue(name="f1", value=None, greater_is_better=True, reason="No damage was seen.")
    living.run(model, 1, living.live(labelled=40, metrics=(none,), estimated=()))
    assert "F1 is not known. No damage was seen." in read(address).text


def test_what_waits_and_what_failed_after_it_is_said(read: Read, model: int, address: str) -> None:
    living.run(model, 1, living.live())
    asked = records.ask_live(model, stage.add_version(2, tag=TAG), now=NOON)
    assert "v2 is being predicted." in read(address).text
    held = records.claim_inference(asked or 0, engine="one", lease=living.LEASE, now=NOON)
    assert held is not None
    records.fail_inference(held, Failure(failure_class=FailureClass.SCHEMA_MISMATCH, reason="It lacks peak."), now=NOON)
    assert "v2 could not be predicted: It lacks peak." in read(address).text


def test_without_a_watch_or_a_version_the_page_says_what_to_do(read: Read, model: int, address: str) -> None:
    assert "Not watched on live data yet" in read(address).text
    living.watch(model)
    assert "No version yet" in read(address).text
    records.record_tag_problem(TAG, "There is no tag live-week")
    assert f"The ingestion engine gives no versions of {TAG}. There is no tag live-week" in read(address).text
    assert read("/models/999/live/").status == 404


def test_a_model_that_cannot_be_used_cannot_be_watched(writer: Client, read: Read) -> None:
    broken = stage.add_invalid_file("broken.atlas", "It is not a zip file.")
    assert "Atlas cannot use this file" in read(f"/models/{broken}/live/").text
    assert send(writer, f"/models/{broken}/live/watch/", TAG).status == 404


def test_a_person_begins_and_ends_to_watch(writer: Client, read: Read, model: int, address: str) -> None:
    assert send(writer, f"{address}watch/", TAG).status == 302
    page = read(f"{address}?tag={TAG}")
    assert f"The model runs on {TAG} from now on." in page.html
    assert f"{TAG} watched by ilse" in page.text
    living.run(model, 1, living.live())
    assert send(writer, f"{address}stop/", TAG).status == 302
    assert f"{TAG} is no longer watched; what was predicted stays." in read(address).text
    assert [each.since for each in queries.watched_by(model)] == [None]


@pytest.mark.parametrize(("tag", "said"), [("", "Name the tag"), ("a b", "A tag's name has at most 128 letters")])
def test_a_wrong_name_is_said_beside_the_field(writer: Client, model: int, address: str, tag: str, said: str) -> None:
    page = send(writer, f"{address}watch/", tag)
    assert page.status == 422
    assert said in page.text
    assert queries.watched_by(model) == []


def test_a_viewer_has_no_buttons(read: Read, model: int, address: str) -> None:
    living.watch(model)
    text = read(address).text
    assert "Stop watching" not in text
    assert "Watch on live data" not in text


def test_the_cost_does_not_grow_with_versions(queries_of: Count, model: int, address: str) -> None:
    living.week(model)
    few = queries_of(address)
    living.run(model, 5, living.live())
    assert queries_of(address) == few <= 12
