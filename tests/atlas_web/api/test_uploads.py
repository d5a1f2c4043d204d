"""Sending a model over the API, part by part."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from atlas.access import Role, Verb, Via
from atlas.api import UploadState
from storage import queries, records, uploads
from storage.objects import open_store
from tests.atlas_web.api.conftest import Answer, Script, Scripts
from tests.bundles import packed

pytestmark = pytest.mark.django_db


@pytest.fixture
def bundle(tmp_path: Path) -> bytes:
    return packed(tmp_path).read_bytes()


def begin(script: Script, content: bytes, **changes: Any) -> UploadState:
    answer = script("POST", "uploads", wish(content, **changes))
    assert answer.status == 201, answer.content
    return UploadState.model_validate(answer.document)


def wish(content: bytes, **changes: Any) -> dict[str, Any]:
    known = {"name": "detector.atlas", "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return known | changes


def send(script: Script, upload: UploadState, begins: int, content: bytes) -> Answer:
    return script("PUT", f"uploads/{upload.id}", content, Upload_Offset=str(begins))


def test_a_model_is_sent_in_parts(writing: Script, bundle: bytes) -> None:
    upload = begin(writing, bundle)
    assert (upload.received_bytes, upload.size_bytes, upload.result) == (0, len(bundle), None)
    half = UploadState.model_validate(send(writing, upload, 0, bundle[:700]).document)
    assert (half.received_bytes, half.result) == (700, None)
    assert UploadState.model_validate(writing.get(f"uploads/{upload.id}")) == half
    whole = UploadState.model_validate(send(writing, upload, 700, bundle[700:]).document)
    assert whole.result is not None
    assert (whole.result.key, whole.result.known) == (f"models/{whole.result.model}.atlas", False)
    assert UploadState.model_validate(writing.get(f"uploads/{upload.id}")).result == whole.result
    with open_store(settings.ATLAS_OBJECT_STORE).open(whole.result.key) as stream:
        assert stream.read() == bundle
    told = queries.actions().get()
    assert (told.person, told.verb, told.thing, told.via) == (
        writing.person.username, Verb.UPLOADED, whole.result.model, Via.API,
    )  # fmt: skip


def test_the_last_part_once_more_gives_the_same_answer(writing: Script, bundle: bytes) -> None:
    upload = begin(writing, bundle)
    first = send(writing, upload, 0, bundle)
    again = send(writing, upload, len(bundle), b"")
    assert (again.status, again.document["result"]) == (200, first.document["result"])


def test_a_file_that_is_no_bundle_waits_for_its_description(writing: Script) -> None:
    upload = begin(writing, b"a fitted model", name="model.joblib")
    answer = writing("PUT", f"uploads/{upload.id}?plain=true", b"a fitted model", Upload_Offset="0")
    assert (answer.status, answer.document["received_bytes"], answer.document["result"]) == (200, 14, None)
    assert queries.actions().count() == 0


def test_what_a_page_sends_over_the_api_was_done_on_a_page(bundle: bytes, client: Client) -> None:
    user = User.objects.create_user("ilse")
    records.set_role(user.pk, Role.DATA_SCIENTIST)
    client.force_login(user)
    kind = "application/json"
    upload = client.post("/api/v1/uploads", json.dumps(wish(bundle)), content_type=kind).json()
    address, raw = f"/api/v1/uploads/{upload['id']}", "application/octet-stream"
    client.put(address, bundle, content_type=raw, headers={"Upload-Offset": "0"})
    assert [(told.person, told.via) for told in queries.actions()] == [("ilse", Via.PAGE)]


def test_an_upload_that_broke_off_is_found_by_its_file(writing: Script, bundle: bytes) -> None:
    upload = begin(writing, bundle)
    send(writing, upload, 0, bundle[:700])
    again = writing("POST", "uploads", wish(bundle, name="renamed.atlas"))
    assert (again.status, again.document["id"], again.document["received_bytes"]) == (200, str(upload.id), 700)
    assert send(writing, upload, 700, bundle[700:]).document["result"]


def test_a_content_range_says_where_a_part_begins_as_well(writing: Script, bundle: bytes) -> None:
    upload = begin(writing, bundle)
    told = f"bytes 0-699/{len(bundle)}"
    answer = writing("PUT", f"uploads/{upload.id}", bundle[:700], Content_Range=told)
    assert (answer.status, answer.document["received_bytes"]) == (200, 700)
    wrong = writing("PUT", f"uploads/{upload.id}", bundle[700:800], Content_Range="bytes 700-701/9999")
    assert wrong.status == 422
    assert wrong.document["errors"] == [
        {"field": "Content-Range", "message": "It tells of 2 bytes, but the body has 100."}
    ]


@pytest.mark.parametrize("headers", [{}, {"Content_Range": "lines 1-2"}, {"Upload_Offset": "-1"}])
def test_a_part_has_to_say_where_it_begins(writing: Script, bundle: bytes, headers: dict[str, str]) -> None:
    answer = writing("PUT", f"uploads/{begin(writing, bundle).id}", b"abc", **headers)
    assert answer.status == 422
    assert answer.document["errors"][0]["field"] == "Upload-Offset"


def test_a_part_at_another_place_is_told_where_it_has_to_begin(writing: Script, bundle: bytes) -> None:
    upload = begin(writing, bundle)
    send(writing, upload, 0, bundle[:700])
    answer = send(writing, upload, 800, bundle[800:])
    assert (answer.status, answer.document["received_bytes"]) == (409, 700)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_what_is_too_large_is_refused(writing: Script, bundle: bytes, settings: Settings) -> None:
    settings.ATLAS_MAX_UPLOAD_BYTES = len(bundle) - 1
    assert writing("POST", "uploads", wish(bundle)).status == 413
    settings.ATLAS_MAX_UPLOAD_BYTES = 1 << 30
    upload = begin(writing, bundle, size_bytes=1 << 30)
    assert send(writing, upload, 0, bytes(uploads.PART_BYTES + 1)).status == 413
    assert send(writing, upload, 0, bytes(uploads.PART_BYTES)).status == 200


def test_the_same_model_again_needs_nothing_sent(writing: Script, bundle: bytes) -> None:
    first = send(writing, begin(writing, bundle), 0, bundle).document["result"]
    again = send(writing, begin(writing, bundle), 0, bundle).document["result"]
    assert again == first | {"known": True}
    assert queries.actions().count() == 1


def test_another_model_of_the_name_is_a_conflict(writing: Script, bundle: bytes, tmp_path: Path) -> None:
    send(writing, begin(writing, bundle), 0, bundle)
    other = packed(tmp_path / "other", tags=["other"]).read_bytes()
    upload = begin(writing, other)
    answer = send(writing, upload, 0, other)
    assert answer.status == 409
    assert "models/Detector-1.0.0-" in answer.document["detail"]
    assert writing("GET", f"uploads/{upload.id}").status == 404


@pytest.mark.parametrize(
    ("content", "changes", "told"),
    [
        (b"no zip file", {}, "zip"),
        (b"abc", {"sha256": "0" * 64}, "sha256"),
    ],
    ids=["no bundle", "another digest"],
)
def test_what_is_no_sound_bundle_is_refused_and_forgotten(
    writing: Script, content: bytes, changes: dict[str, str], told: str
) -> None:
    upload = begin(writing, content, **changes)
    answer = send(writing, upload, 0, content)
    assert answer.status == 422
    assert told in answer.document["detail"]
    assert writing("GET", f"uploads/{upload.id}").status == 404


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("name", "a\0b"), ("size_bytes", 0), ("sha256", "abc"), ("extra", 1)]
)
def test_a_wrong_field_is_named(writing: Script, field: str, value: object) -> None:
    answer = writing("POST", "uploads", wish(b"abc", **{field: value}))
    assert answer.status == 422
    assert [each["field"] for each in answer.document["errors"]] == [field]


def test_an_upload_is_given_up(writing: Script, bundle: bytes) -> None:
    upload = begin(writing, bundle)
    assert writing("DELETE", f"uploads/{upload.id}").status == 204
    assert writing("GET", f"uploads/{upload.id}").status == 404


def test_an_upload_is_its_owner_s_alone(writing: Script, script: Scripts, bundle: bytes) -> None:
    upload = begin(writing, bundle)
    other = script(Role.ADMINISTRATOR)
    for answer in (other("GET", f"uploads/{upload.id}"), send(other, upload, 0, bundle)):
        assert answer.status == 404
