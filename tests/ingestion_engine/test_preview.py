import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from ingestion_engine.models import Event
from ingestion_engine.preview import preview
from tests.ingestion_engine.engine import Api, Json

NOW = datetime(2026, 2, 1, tzinfo=UTC)


def answer(api: Api, query: str) -> Json:
    response = api.client.post("/api/v1/queries/preview", json.dumps({"query": query}), content_type="application/json")
    return response.status_code, response.json()


def test_a_preview_counts_what_is_selected_by_label(api: Api) -> None:
    api.send("r", "label,speed\ndent,1\nscratch,2\ndent,3\ndent,\n")
    assert answer(api, "has speed") == (200, {"rows": 3, "labels": {"dent": 2, "scratch": 1}})
    assert answer(api, "sample 1")[1]["rows"] == 1
    assert list(preview("", now=NOW).labels) == ["dent", "scratch"]


def test_what_was_deleted_is_not_counted(api: Api) -> None:
    api.send("r", "label\ndent\ndent\n")
    Event.objects.filter(event_id="r/1").update(until=2)
    assert preview("", now=NOW).rows == 1


def test_an_event_is_counted_under_each_of_its_labels(api: Api, parquet: Callable[..., bytes]) -> None:
    api.send("r", parquet(label=[["dent", "scratch"], ["scratch"]]))
    assert preview("", now=NOW).model_dump() == {"rows": 2, "labels": {"scratch": 2, "dent": 1}}


def test_labels_that_are_fractional_numbers_are_not_counted(api: Api) -> None:
    api.send("r", "label\n1.5\n2.5\n")
    assert preview("", now=NOW).model_dump() == {"rows": 2, "labels": {}}


def test_events_without_a_label_are_counted_if_they_are_asked_for(api: Api) -> None:
    api.send("r", "label\ndent\ndent\n")
    Event.objects.filter(event_id="r/1").update(label=None, label_text=None)
    assert preview("missing label or label = 'dent'", now=NOW).model_dump() == {"rows": 2, "labels": {"dent": 1}}


@pytest.mark.parametrize(
    ("query", "line", "column", "said"),
    [("speed >\n", 2, 1, "found the end, expected"), ("a = 1\nand speed = 'x'", 2, 13, "kind number")],
)
def test_a_wrong_query_is_answered_with_the_place(api: Api, query: str, line: int, column: int, said: str) -> None:
    api.send("r", "label,speed\ndent,1\n")
    status, fault = answer(api, query)
    assert (status, fault["line"], fault["column"]) == (422, line, column)
    assert said in fault["detail"]


def test_other_faults_have_no_place(api: Api) -> None:
    assert set(api.get("tags/unknown", status=404)) == {"detail"}
