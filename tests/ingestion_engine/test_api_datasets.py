import hashlib
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion_engine.models import Recording
from ingestion_engine.places import object_store
from tests.ingestion_engine.engine import Api, Json
from tests.ingestion_engine.signals import NOW
from tests.ingestion_engine.tables import entered

pytestmark = pytest.mark.any_database
JSON = "application/json"


@pytest.fixture
def monday(api: Api) -> Recording:
    columns = {"id": [str(number) for number in range(20)], "label": ["dent", "none"] * 10, "speed": list(range(20))}
    recording = entered(object_store(), "monday", columns, now=NOW)
    api.tag("all")
    return recording


def data(api: Api, query_id: str, **asked: str) -> bytes:
    response = api.client.get(f"/api/v1/datasets/{query_id}/data", {"split": "training", **asked})
    content = response.getvalue()
    assert response.status_code == 200, content
    assert response.headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    return bytes(content)


def change(api: Api, method: str, path: str, body: Any = None, *, status: int = 200) -> Json:
    response = getattr(api.client, method)(f"/api/v1/{path}", body, content_type=JSON)
    assert response.status_code == status, response.content
    return response.json() if response.content else None


@pytest.mark.parametrize("columns", ["", "speed,id", "label"])
def test_files_in_both_formats_have_the_columns_that_are_asked_for(api: Api, monday: Recording, columns: str) -> None:
    query_id = api.newest("all")["query_id"]
    arrow = pa.ipc.open_file(data(api, query_id, columns=columns)).read_all()
    parquet = pq.read_table(BytesIO(data(api, query_id, columns=columns, format="parquet")))
    whole = pa.ipc.open_file(data(api, query_id)).read_all()
    assert arrow.equals(
        whole.select([name for name in whole.column_names if not columns or name in columns.split(",")])
    )
    assert parquet.equals(arrow)
    assert data(api, query_id, columns=columns) == data(api, query_id, columns=columns)


def test_a_column_that_is_not_there_is_refused_by_name(api: Api, monday: Recording) -> None:
    query_id = api.newest("all")["query_id"]
    fault = api.get(f"datasets/{query_id}/data?split=training&columns=id,sped", status=422)
    assert "'sped'" in fault["detail"]
    assert "speed" in fault["detail"]


def test_a_version_lists_its_events(api: Api, monday: Recording) -> None:
    response = api.client.get(f"/api/v1/datasets/{api.newest('all')['query_id']}/events")
    table = pa.ipc.open_file(response.getvalue()).read_all()
    assert (table["id"][0].as_py(), set(table["since"].to_pylist())) == ("monday/0", {1})
    api.get("datasets/none/events", status=404)


def test_versions_differ_by_what_became_of_the_events(api: Api, monday: Recording) -> None:
    change(api, "patch", "recordings/monday/events/3", {"since": 1, "label": "dent", "columns": {"side": "left"}})
    change(api, "delete", "recordings/monday/events/4?since=1", status=204)
    entered(object_store(), "tuesday", {"id": ["1"], "label": ["hail"], "speed": [0.5]}, now=NOW)
    api.tag("all")
    told = api.get("tags/all/difference?older=1&newer=2")
    assert (told["added"], told["removed"], told["changed"]) == (1, 1, 1)
    assert told["aspects"] == {"columns": 1, "label": 1}
    assert [each["id"] for each in told["added_events"] + told["removed_events"]] == ["tuesday/1", "monday/4"]
    (changed,) = told["changed_events"]
    assert (changed["before"]["label"], changed["after"]["label"]) == ("none", "dent")
    assert (told["labels_before"]["none"], told["labels_after"]["none"]) == (10, 9)
    assert [column["name"] for column in told["columns_added"]] == ["side"]
    assert told["columns_retyped"] == [{"name": "speed", "before": "int64", "after": "double"}]
    back = api.get("tags/all/difference?older=2&newer=1")
    assert [column["name"] for column in back["columns_removed"]] == ["side"]
    assert "no version 3" in api.get("tags/all/difference?older=1&newer=3", status=404)["detail"]


def test_events_are_told_and_changed_over_http(api: Api, monday: Recording) -> None:
    assert [event["id"] for event in api.get("recordings/monday/events?limit=2&offset=1")] == ["monday/1", "monday/10"]
    changed = change(api, "patch", "recordings/monday/events/3", {"since": 1, "label": None, "car": "Polo"})
    assert (changed["label"], changed["car"], changed["columns"]) == (None, "Polo", {"speed": 3})
    late = change(api, "patch", "recordings/monday/events/3", {"since": 1, "label": "x"}, status=409)
    assert "relabelled by data-scientist" in late["detail"]
    history = api.get("recordings/monday/events/3/history")
    told = [(state["verb"], state["who"]) for state in history]
    assert told == [("relabelled", "data-scientist-0"), ("received", "")]
    changes = api.get("recordings/monday/changes")
    assert [(each["verb"], each["events"]) for each in changes] == [("relabelled", 1), ("received", 20)]
    change(api, "post", "recordings/monday/events", {"start": 1, "label": "x"}, status=422)
    change(api, "patch", "recordings/monday/events/3", {"since": 2, "end": 1}, status=422)
    change(api, "patch", "recordings/monday/events/99", {"since": 2}, status=404)
    api.get("recordings/friday/events", status=404)
