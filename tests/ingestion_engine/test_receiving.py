"""Recordings that come part by part, and what becomes of uploads that break off."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from ingestion_engine import receiving
from ingestion_engine.models import Recording, RecordingState, Upload
from ingestion_engine.places import object_store
from storage.parts import KEPT, PART_BYTES
from tests.ingestion_engine.engine import Api, work_all

CONTENT = b"id,label\n" + b"".join(b"%d,dent\n" % number for number in range(50))
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PART = 100


def begin(api: Api, content: bytes = CONTENT, *, name: str = "ride", status: int = 200, **changes: object) -> Any:
    told = {"name": name, "filename": "ride.csv", "size_bytes": len(content), "sha256": SHA256, **changes}
    response = api.client.post("/api/v1/uploads", json.dumps(told), content_type="application/json")
    assert response.status_code == status, response.content
    return response.json()


def put(api: Api, upload: str, begins: int, content: bytes, *, status: int = 200) -> Any:
    response = api.client.put(
        f"/api/v1/uploads/{upload}",
        content,
        content_type="application/octet-stream",
        headers={"Upload-Offset": str(begins)},
    )
    assert response.status_code == status, response.content
    return response.json()


def send_all(api: Api, upload: str, content: bytes = CONTENT, first: int = 0) -> Any:
    for begins in range(first, len(content), PART):
        answer = put(api, upload, begins, content[begins : begins + PART])
    return answer


def test_parts_become_a_recording_once_all_are_there(api: Api) -> None:
    begun = begin(api)
    assert (begun["received_bytes"], begun["recording"]) == (0, None)
    assert put(api, begun["id"], 0, CONTENT[:PART])["received_bytes"] == PART
    done = send_all(api, begun["id"], first=PART)
    assert done["recording"]["state"] == "waiting"
    work_all()
    assert api.get(f"uploads/{begun['id']}")["recording"]["events"] == 50
    assert [found.key for found in object_store().list("uploads/")] == []


def test_an_upload_that_broke_off_goes_on(api: Api) -> None:
    begun = begin(api)
    put(api, begun["id"], 0, CONTENT[:PART])
    again = begin(api)
    assert (again["id"], again["received_bytes"]) == (begun["id"], PART)


def test_a_part_at_another_place_is_refused_with_the_right_one(api: Api) -> None:
    begun = begin(api)
    put(api, begun["id"], 0, CONTENT[:PART])
    assert f"{PART}" in put(api, begun["id"], 2 * PART, b"abc", status=409)["detail"]
    assert put(api, begun["id"], 0, CONTENT[:PART])["received_bytes"] == PART, "the same part again changes nothing"


def test_a_part_or_file_that_is_too_large_is_refused(api: Api) -> None:
    begun = begin(api)
    put(api, begun["id"], 0, bytes(PART_BYTES + 1), status=413)
    put(api, begun["id"], 0, CONTENT + b"x", status=413)


def test_a_file_that_is_not_the_one_announced_is_refused_and_forgotten(api: Api) -> None:
    begun = begin(api, sha256="0" * 64)
    assert "sha256" in put(api, begun["id"], 0, CONTENT, status=422)["detail"]
    assert not Recording.objects.exists()
    assert api.get(f"uploads/{begun['id']}", status=404)


def test_a_known_recording_is_complete_at_once_and_another_file_is_refused(api: Api) -> None:
    api.send("ride", CONTENT)
    assert begin(api)["recording"]["state"] == "ready"
    assert "other content" in begin(api, sha256="0" * 64, status=409)["detail"]


def test_a_recording_that_failed_gives_way_to_another_file(api: Api) -> None:
    api.send("ride", "label\n,\n", state="failed")
    assert api.send("ride", CONTENT)["events"] == 50


def test_a_recording_that_failed_is_tried_again_when_it_is_sent_again(api: Api) -> None:
    api.send("ride", CONTENT)
    Recording.objects.update(state=RecordingState.FAILED, problem="the worker was killed")
    done = send_all(api, begin(api)["id"])
    assert (done["recording"]["state"], done["recording"]["problem"]) == ("waiting", "")


def test_an_upload_can_be_given_up(api: Api) -> None:
    begun = begin(api)
    put(api, begun["id"], 0, CONTENT[:PART])
    assert api.client.delete(f"/api/v1/uploads/{begun['id']}").status_code == 204
    assert list(object_store().list("uploads/")) == []
    put(api, begun["id"], PART, b"abc", status=404)


def test_an_upload_without_a_part_for_a_day_is_forgotten(api: Api) -> None:
    old, new = begin(api), begin(api, name="other")
    for each in (old, new):
        put(api, each["id"], 0, CONTENT[:PART])
    now = timezone.now()
    Upload.objects.filter(pk=old["id"]).update(updated=now - KEPT - timedelta(seconds=1))
    assert receiving.remove_abandoned(object_store(), now=now) == 1
    assert [found.key.split("/")[1] for found in object_store().list("uploads/")] == [new["id"]]


@pytest.mark.parametrize("given", ['{"window_seconds": -1}', '{"car": "a\\u0000b"}', "{", '{"colour": 1}'])
def test_settings_that_cannot_be_used_are_refused(api: Api, given: str) -> None:
    assert "settings" in api.upload("ride", CONTENT, settings=given, status=422)["detail"]


def test_a_file_with_another_sha256_than_was_said_is_refused(api: Api) -> None:
    assert SHA256 in api.upload("ride", CONTENT, sha256="0" * 64, status=422)["detail"]
    assert api.upload("ride", CONTENT, sha256=SHA256)["sha256"] == SHA256


def test_recordings_are_listed_newest_first_page_by_page(api: Api) -> None:
    for name in ("a", "b", "c"):
        api.send(name, CONTENT)
    api.upload("d", CONTENT)
    assert [each["name"] for each in api.get("recordings?limit=2")] == ["d", "c"]
    assert [each["name"] for each in api.get("recordings?limit=2&after=c")] == ["b", "a"]
    assert [each["name"] for each in api.get("recordings?state=waiting")] == ["d"]
    api.get("recordings?after=nothing", status=404)


def test_the_file_comes_back_as_it_was_sent(api: Api) -> None:
    api.send("ride", CONTENT)
    whole = api.client.get("/api/v1/recordings/ride/file")
    assert (whole.getvalue(), whole.headers["ETag"]) == (CONTENT, f'"{SHA256}"')
    part = api.client.get("/api/v1/recordings/ride/file", headers={"Range": "bytes=3-7"})
    assert (part.status_code, part.getvalue()) == (206, CONTENT[3:8])
