"""Models over the API."""

import hashlib
from collections.abc import Callable

import pytest
from django.conf import settings
from django.utils.http import parse_http_date

from atlas.api import HistoryPoint, ModelDetail, ModelSummary, Page
from storage.models import Model
from storage.objects import open_store
from tests import stage
from tests.atlas_web.api.conftest import Script
from tests.samples import result

pytestmark = pytest.mark.django_db
CONTENT = b"PK" + bytes(range(256)) * 5000


@pytest.fixture
def model() -> int:
    """A model that is done on one version and failed on the next, and a file that is no bundle."""
    pk = stage.add_model(tags=("impacts", "winter"))
    stage.finish(pk, stage.add_version(1), result(0.8))
    stage.fail(pk, stage.add_version(2), "It ran out of memory.")
    stage.add_invalid_file("broken.atlas", "It is not a zip file.")
    return pk


@pytest.fixture
def stored(model: int) -> int:
    """The same model, with its file in the object store."""
    row = Model.objects.get(pk=model)
    open_store(settings.ATLAS_OBJECT_STORE).put(row.key, CONTENT)
    Model.objects.filter(pk=model).update(digest=hashlib.sha256(CONTENT).hexdigest(), size_bytes=len(CONTENT))
    return model


def test_models_are_listed_with_how_they_stand(reading: Script, model: int) -> None:
    page = Page[ModelSummary].model_validate(reading.get("models"))
    assert (page.total, page.next) == (2, None)
    shown = next(each for each in page.items if each.id == model)
    assert (shown.name, shown.use_case, shown.tags) == ("Forest-1.0.0-1", "damage detector", ("impacts", "winter"))
    assert shown.author is not None
    assert shown.author.email == "ines@example.org"
    assert (shown.benchmarks.done, shown.benchmarks.failed, shown.benchmarks.possible) == (1, 1, 2)
    assert shown.score is not None
    assert (shown.score.metric, shown.score.value) == ("f1", 0.8)
    assert shown.trouble == "It ran out of memory."
    assert shown.unexplained == "no explainer for this model"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("use_case=damage+detector", ["Forest-1.0.0-1"]),
        ("use_case=other", []),
        ("tag=winter", ["Forest-1.0.0-1"]),
        ("tag=summer", []),
        ("author=Ines+Prado", ["Forest-1.0.0-1"]),
        ("state=invalid", ["broken.atlas"]),
        ("state=failed", ["Forest-1.0.0-1"]),
        ("q=forest+prado", ["Forest-1.0.0-1"]),
        ("q=birch", []),
        ("order=name", ["Forest-1.0.0-1", "broken.atlas"]),
        ("order=-name", ["broken.atlas", "Forest-1.0.0-1"]),
        ("order=-score", ["Forest-1.0.0-1", "broken.atlas"]),
        ("order=score", ["Forest-1.0.0-1", "broken.atlas"]),
    ],
)
def test_models_are_narrowed_and_ordered(reading: Script, model: int, query: str, names: list[str]) -> None:
    assert [each["name"] for each in reading.get(f"models?{query}")["items"]] == names


def test_a_model_is_found_by_its_key_and_by_its_name(reading: Script, model: int) -> None:
    found = ModelDetail.model_validate(reading.get(f"models/{model}"))
    assert found == ModelDetail.model_validate(reading.get("models/Forest-1.0.0-1"))
    assert found.manifest is not None
    assert found.manifest["target"] == "label"


def test_a_file_that_is_no_model_is_found_by_its_name_unless_a_model_has_it(reading: Script, model: int) -> None:
    assert reading.get("models/broken.atlas")["reason"] == "It is not a zip file."
    ready = stage.add_model("broken.atlas")
    assert reading.get("models/broken.atlas")["id"] == ready


@pytest.mark.parametrize("name", ["Birch", "4711", "9" * 40, "%00"])
def test_a_model_that_is_none_is_not_found(reading: Script, model: int, name: str) -> None:
    answer = reading("GET", f"models/{name}")
    assert answer.status == 404
    assert answer.document["detail"].startswith("There is no model with the key or the name")


def test_a_history_tells_all_metrics_or_one(reading: Script, model: int) -> None:
    page = Page[HistoryPoint].model_validate(reading.get(f"models/{model}/history"))
    assert {point.metric for point in page.items} == {"accuracy", "f1"}
    only = reading.get(f"models/{model}/history?metric=f1&tag=impacts")["items"]
    assert [(point["version"], point["value"]) for point in only] == [(1, 0.8)]
    assert reading.get(f"models/{model}/history?tag=winter")["items"] == []


def test_a_file_is_downloaded_and_can_be_verified(reading: Script, stored: int) -> None:
    answer = reading("GET", f"models/{stored}/file")
    assert (answer.status, answer.content) == (200, CONTENT)
    assert answer.headers["ETag"] == f'"{hashlib.sha256(CONTENT).hexdigest()}"'
    assert answer.headers["Content-Disposition"] == 'attachment; filename="Forest-1.0.0-1.atlas"'
    assert parse_http_date(answer.headers["Last-Modified"])


def test_a_download_is_resumed(reading: Script, stored: int) -> None:
    answer = reading("GET", f"models/{stored}/file", Range="bytes=1000-")
    assert (answer.status, answer.content) == (206, CONTENT[1000:])
    assert answer.headers["Content-Range"] == f"bytes 1000-{len(CONTENT) - 1}/{len(CONTENT)}"
    whole = reading("GET", f"models/{stored}/file", Range="bytes=1000-", If_Range='"another"')
    assert (whole.status, whole.content) == (200, CONTENT)


def test_a_range_outside_the_file_is_refused(reading: Script, stored: int) -> None:
    answer = reading("GET", f"models/{stored}/file", Range="bytes=99999999-")
    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(CONTENT)}"
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_file_that_one_has_is_not_sent_again(reading: Script, stored: int) -> None:
    etag = f'"{hashlib.sha256(CONTENT).hexdigest()}"'
    answer = reading("GET", f"models/{stored}/file", If_None_Match=etag)
    assert (answer.status, answer.content) == (304, b"")


def test_a_file_that_is_gone_is_not_found(reading: Script, model: int) -> None:
    assert reading("GET", f"models/{model}/file").status == 404


def test_lists_cost_as_many_queries_however_long_they_are(
    fill: Callable[[int], None], queries_per_call: Callable[[str], int]
) -> None:
    fill(2)
    queries_per_call("models")
    few = queries_per_call("models"), queries_per_call("models/Forest-1.0.0-0/history")
    fill(6)
    assert (queries_per_call("models"), queries_per_call("models/Forest-1.0.0-0/history")) == few


def test_a_report_is_a_pdf_or_on_demand_html(reading: Script, model: int) -> None:
    pdf = reading("GET", f"models/{model}/report")
    assert (pdf.headers["Content-Type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    html = reading("GET", f"models/{model}/report?format=html&tag=impacts")
    assert (html.headers["Content-Type"], html.content[:15]) == ("text/html; charset=utf-8", b"<!DOCTYPE html>")


@pytest.mark.parametrize(("query", "status"), [("tag=summer", 404), ("format=doc", 422), ("kind=pdf", 422)])
def test_a_report_that_there_is_not_is_refused(reading: Script, model: int, query: str, status: int) -> None:
    assert reading("GET", f"models/{model}/report?{query}").status == status
