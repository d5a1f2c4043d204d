import hashlib
import json
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from pytest_django import Settings

from atlas.datasets import content_digest, split_of
from ingestion_engine import versions
from ingestion_engine.models import Change, Event, Features, Recording, Tag, Version
from tests.ingestion_engine.engine import Api
from ui import faults

TWO_EVENTS = "id,label,car,speed\na,dent,A1,3\nb,none,,4.5\n"


def test_a_recording_is_received_once(api: Api) -> None:
    first = api.send("monday", TWO_EVENTS)
    again = api.send("monday", TWO_EVENTS)
    assert (first["name"], first["events"], first["state"]) == ("monday", 2, "ready")
    assert first["sha256"] == hashlib.sha256(TWO_EVENTS.encode()).hexdigest()
    assert again == first
    assert Event.objects.count() == 2


def test_a_recording_takes_the_name_of_its_file_unless_it_has_one(api: Api) -> None:
    assert api.send("", TWO_EVENTS)["name"] == "upload"


def test_other_content_under_a_known_name_is_refused(api: Api) -> None:
    api.send("monday", TWO_EVENTS)
    fault = api.send("monday", TWO_EVENTS + "c,dent,,1\n", status=409)
    assert "monday" in fault["detail"]
    assert Event.objects.count() == 2


@pytest.mark.parametrize("name", ["../etc", "a/b", ".hidden", "a b", "x" * 129, "nul\0"])
def test_a_name_that_is_no_name_is_refused(api: Api, name: str) -> None:
    assert "name" in api.send(name, TWO_EVENTS, status=422)["detail"]


def test_a_column_keeps_its_kind_in_all_recordings(api: Api) -> None:
    api.send("monday", TWO_EVENTS)
    failed = api.send("tuesday", "label,speed\ndent,fast\n", state="failed")
    assert "'speed'" in failed["problem"]
    assert "number" in failed["problem"]
    assert not Event.objects.filter(recording__name="tuesday").exists()


def test_a_tag_made_before_its_data_gets_its_first_version_when_they_arrive(api: Api) -> None:
    assert api.tag("dents", 'label = "dent"')["versions"] == []
    api.send("monday", TWO_EVENTS)
    (version,) = api.get("tags/dents")["versions"]
    assert (version["number"], version["rows"]) == (1, 1)
    assert version["query_id"] == f"dents-v1-{version['digest'][:8]}"


def test_new_data_make_a_new_version_only_of_tags_that_select_them(api: Api) -> None:
    api.send("monday", TWO_EVENTS)
    api.tag("dents", 'label = "dent"')
    api.tag("slow", "speed < 4")
    api.send("tuesday", "label,speed\ndent,9\n")
    assert [version["rows"] for version in api.get("tags/dents")["versions"]] == [1, 2]
    assert [version["rows"] for version in api.get("tags/slow")["versions"]] == [1]


def test_a_tag_is_made_once_and_keeps_its_query(api: Api) -> None:
    api.send("monday", TWO_EVENTS)
    assert api.tag("all") == api.tag("all")
    assert "all" in api.tag("all", "speed > 3", status=409)["detail"]
    assert [tag["name"] for tag in api.get("tags")] == ["all"]


def test_a_query_that_can_never_hold_is_refused_with_its_place(api: Api) -> None:
    api.send("monday", TWO_EVENTS)
    assert "line 1, column 9" in api.tag("x", 'speed = "fast"', status=422)["detail"]
    assert "line 2, column 5" in api.tag("x", "speed > 1 or\ncar ! 3", status=422)["detail"]
    assert not Tag.objects.exists()


def test_a_version_describes_its_files_and_content(api: Api) -> None:
    api.send("monday", TWO_EVENTS)
    api.tag("all")
    dataset = api.newest("all")
    assert [(column["name"], column["dtype"]) for column in dataset["columns"]] == [
        ("id", "string"),
        ("time", "timestamp[us, tz=UTC]"),
        ("label", "string"),
        ("car", "string"),
        ("environment", "string"),
        ("speed", "double"),
    ]
    table = api.table(dataset["query_id"])
    assert dataset["target"] == "label"
    assert dataset["digest"] == content_digest(table)
    assert dataset["rows"] == table.num_rows == 2
    for split, file in dataset["splits"].items():
        content = api.data(dataset["query_id"], split).content
        assert (file["sha256"], file["size_bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
        assert all(split_of(each) == split for each in pa.ipc.open_file(content).read_all()["id"].to_pylist())


def test_a_version_counts_events_without_damage_by_the_labels_that_the_settings_name(
    api: Api, settings: Settings
) -> None:
    api.send("monday", "label\ndent\nNone\nclean\n")
    api.tag("usual")
    assert api.newest("usual")["statistics"]["damage"] == {"damage": 2, "no damage": 1}
    settings.ATLAS_HARMLESS_LABELS = ("none", "clean")
    api.tag("ours")
    assert api.newest("ours")["statistics"]["damage"] == {"damage": 1, "no damage": 2}


def test_signals_and_several_labels_come_back_as_they_were_sent(api: Api, parquet: Callable[..., bytes]) -> None:
    sound = [np.array([0.5, -0.25], "f4"), None]
    api.send("monday", parquet(label=[["dent", "scratch"], []], sound=sound, note=["a", None], gear=[1, 2]))
    api.send("tuesday", "label,gear\nnone,2.5\n")
    api.tag("all")
    table = api.table(api.newest("all")["query_id"])
    assert table.schema.names == ["id", "time", "label", "car", "environment", "gear", "note", "sound"]
    assert table["label"].to_pylist() == [["dent", "scratch"], [], ["none"]]
    assert table["sound"].to_pylist() == [[0.5, -0.25], None, None]
    assert table.schema.field("sound").type == pa.list_(pa.float32())
    assert table["gear"].to_pylist() == [1.0, 2.0, 2.5]
    assert table["note"].to_pylist() == ["a", None, None]


def test_rows_are_ordered_by_event_id_across_recordings(api: Api) -> None:
    for name in ("a", "a-b", "a.b", "B", "a0"):
        api.send(name, "id,label\n" + "".join(f"{number},x\n" for number in (10, 9, 2)))
    api.tag("all")
    dataset = api.newest("all")
    parts = [pa.ipc.open_file(api.data(dataset["query_id"], split).content).read_all() for split in dataset["splits"]]
    assert all(part["id"].to_pylist() == sorted(part["id"].to_pylist()) for part in parts)
    assert dataset["digest"] == content_digest(pa.concat_tables(parts).sort_by("id"))


def test_the_digest_does_not_depend_on_the_order_in_which_recordings_arrive(api: Api) -> None:
    files = {"one": "id,label,x\n1,a,1\n", "two": "id,label,y,x\n1,b,2,2.5\n"}
    for name in files:
        api.send(name, files[name])
    api.tag("all")
    digest = api.newest("all")["digest"]
    for table in (Version, Tag, Event, Features, Change, Recording):
        table.objects.all().delete()
    for name in reversed(files):
        api.send(name, files[name])
    api.tag("all")
    assert api.newest("all")["digest"] == digest


def test_a_versions_bytes_and_the_split_of_its_events_never_change(api: Api) -> None:
    api.send("monday", "label,x\n" + "a,1\n" * 20)
    api.tag("all")
    first = api.newest("all")
    before = {split: api.data(first["query_id"], split).content for split in first["splits"]}
    api.send("tuesday", "label,x\n" + "b,2.5\n" * 20)
    assert api.get(f"datasets/{first['query_id']}") == first
    assert {split: api.data(first["query_id"], split).content for split in first["splits"]} == before
    second = api.newest("all")
    for split, content in before.items():
        earlier = pa.ipc.open_file(content).read_all()["id"].to_pylist()
        later = pa.ipc.open_file(api.data(second["query_id"], split).content).read_all()["id"].to_pylist()
        assert set(earlier) <= set(later)


@pytest.mark.parametrize(
    ("header", "status", "expected"),
    [
        ("bytes=0-5", 206, slice(0, 6)),
        ("bytes=6-", 206, slice(6, None)),
        ("bytes=-4", 206, slice(-4, None)),
        ("bytes=0-999999", 206, slice(None)),
        ("bytes=5-4", 200, slice(None)),
        ("bytes=0-1,3-4", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
    ],
)
def test_a_range_of_a_file_can_be_asked_for(api: Api, header: str, status: int, expected: slice) -> None:
    api.send("monday", TWO_EVENTS)
    api.tag("all")
    query_id = api.newest("all")["query_id"]
    whole = api.data(query_id, "training").content
    response = api.data(query_id, "training", Range=header)
    assert (response.status, response.content) == (status, whole[expected])
    assert response.headers["Content-Length"] == str(len(response.content))
    assert (response.headers.get("Content-Range") is not None) == (status == 206)


def test_a_range_of_a_file_that_changed_gives_the_whole_file(api: Api) -> None:
    api.send("monday", TWO_EVENTS)
    api.tag("all")
    query_id = api.newest("all")["query_id"]
    etag = api.data(query_id, "training").headers["ETag"]
    assert api.data(query_id, "training", Range="bytes=1-2", **{"If-Range": etag}).status == 206
    assert api.data(query_id, "training", Range="bytes=1-2", **{"If-Range": '"other"'}).status == 200


@pytest.mark.parametrize("header", ["bytes=999999-", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(api: Api, header: str) -> None:
    api.send("monday", TWO_EVENTS)
    api.tag("all")
    dataset = api.newest("all")
    response = api.data(dataset["query_id"], "training", Range=header)
    assert response.status == 416
    assert response.headers["Content-Range"] == f"bytes */{dataset['splits']['training']['size_bytes']}"
    assert "range" in json.loads(response.content)["detail"]


def test_every_fault_is_json_that_says_what_was_wrong(api: Api) -> None:
    api.send("monday", TWO_EVENTS)
    api.tag("all")
    query_id = api.newest("all")["query_id"]
    assert "'none'" in api.get("tags/none", status=404)["detail"]
    assert "'none'" in api.get("datasets/none", status=404)["detail"]
    assert "split" in api.get(f"datasets/{query_id}/data", status=422)["detail"]
    assert "split" in api.get(f"datasets/{query_id}/data?split=test", status=422)["detail"]
    assert "name" in api.tag("a b", status=422)["detail"]
    assert "100" in api.tag("x" * 101, status=422)["detail"]
    assert "nowhere" in api.get("nowhere", status=404)["detail"]
    response = api.client.delete("/api/v1/tags")
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"GET", "POST"}
    assert "Method Not Allowed" in response.json()["detail"]
    assert "file" in api.client.post("/api/v1/recordings", {"name": "x"}).json()["detail"]


def test_a_fault_of_the_engine_itself_is_json_without_its_inner_life(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "tags", lambda: 1 / 0)
    fault = api.get("tags", status=500)
    assert fault == {"detail": faults.OURS.said}


def test_a_body_that_is_not_json_is_refused(api: Api) -> None:
    response = api.client.post("/api/v1/tags", "name=x", content_type="application/json")
    assert response.status_code == 400
    assert "body" in response.json()["detail"]


def test_a_query_with_half_a_character_is_refused(api: Api) -> None:
    body = '{"name": "x", "query": "car = \\"\\ud800\\""}'
    response = api.client.post("/api/v1/tags", body, content_type="application/json")
    assert response.status_code == 422
    assert "detail" in response.json()


def test_a_lost_file_is_a_fault_of_the_store(api: Api, settings: Settings) -> None:
    api.send("monday", TWO_EVENTS)
    api.tag("all")
    query_id = api.newest("all")["query_id"]
    settings.ATLAS_INGESTION_STORE += "-moved"
    response = api.data(query_id, "training")
    assert response.status == 503
    assert "there is no object 'events/" in json.loads(response.content)["detail"]  # of which it is made again


def test_the_engine_says_that_it_is_well(api: Api) -> None:
    assert api.client.get("/healthz").json() == {"status": "ok"}


def test_a_recording_that_cannot_be_decoded_says_why_and_has_no_events(api: Api) -> None:
    api.tag("all")
    failed = api.send("monday", "id,label\n1,a\n1,b\n", state="failed")
    assert failed["problem"] == "column 'id', row 2: an earlier row has the same id"
    assert not Event.objects.exists()
    assert not Version.objects.exists()
