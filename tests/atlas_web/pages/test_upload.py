"""Sending a model from a page, without scripts."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pytest
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from atlas.access import Verb, Via
from atlas.errors import ObjectStoreError
from atlas.states import ModelState
from storage import queries, records
from storage.models import Upload
from storage.objects import open_store
from tests import bundles, stage
from tests.atlas_web.conftest import Shown
from tests.samples import NOON

pytestmark = pytest.mark.django_db
Send = Callable[..., Shown]


@pytest.fixture
def send(writer: Client) -> Send:
    """Sends a form and follows where it leads."""

    def sent(address: str, **fields: Any) -> Shown:
        answer = writer.post(address, fields, follow=True)
        return Shown(answer.status_code, answer.content.decode())

    return sent


def file(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


@pytest.fixture
def estimator(tmp_path: Path) -> bytes:
    joblib.dump(bundles.classifier(), tmp_path / "model.joblib")
    return (tmp_path / "model.joblib").read_bytes()


FIELDS: dict[str, Any] = {
    "name": "DamageDetector",
    "version": "1.0.0",
    "use_case": "damage detector",
    "author_name": "Ines Prado",
    "author_email": "ines@example.org",
    "tags": ["impacts"],
    "target": "label",
    "task": "binary",
    "columns": "peak\nrms",
    "classes": "damaged\nintact",
    "metrics": ["f1", "accuracy"],
    "primary_metric": "f1",
}


@pytest.fixture
def waiting(send: Send, estimator: bytes) -> str:
    """The address of a plain file that waits to be described."""
    stage.add_version()
    send("/upload/", file=file("my model.joblib", estimator))
    return f"/upload/{Upload.objects.get().pk}/"


def errors(shown: Shown) -> dict[str, str]:
    """What is said of each field."""
    return dict(re.findall(r'class="invalid-feedback[^"]*" id="(?:id_)?(\w+?)[-_]?error">([^<]*)<', shown.html))


def stored() -> list[str]:
    return [found.key for found in open_store(configured.ATLAS_OBJECT_STORE).list()]


def test_a_bundle_is_taken_in(send: Send, tmp_path: Path) -> None:
    bundle = bundles.packed(tmp_path)
    shown = send("/upload/", file=file("x.atlas", bundle.read_bytes()))
    assert stored() == [f"models/{bundle.name}"]
    assert f"{bundle.stem} lies in the object store." in shown.text
    told = queries.actions().get()
    assert (told.person, told.verb, told.thing, told.via) == ("ilse", Verb.UPLOADED, bundle.stem, Via.PAGE)


def test_a_bundle_that_is_there_already_is_nobody_s_doing(send: Send, tmp_path: Path) -> None:
    bundle = bundles.packed(tmp_path)
    for _ in range(2):
        send("/upload/", file=file("x.atlas", bundle.read_bytes()))
    assert queries.actions().count() == 1
    assert stored() == [f"models/{bundle.name}"]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("x.atlas", b"no zip file", "is not a bundle, or a damaged one"),
        ("x.docx", b"abc", "x.docx: a file that ends in .atlas or .cbm"),
        ("x.joblib", b"", "The file is empty."),
    ],
    ids=["no bundle", "another suffix", "empty"],
)
def test_what_cannot_be_a_model_is_refused_in_place(send: Send, name: str, content: bytes, complaint: str) -> None:
    shown = send("/upload/", file=file(name, content))
    assert shown.status == 422
    assert complaint in errors(shown)["file"]
    assert (stored(), Upload.objects.count()) == ([], 0)


def test_no_file_at_all_is_said_in_place(send: Send) -> None:
    assert errors(send("/upload/")) == {"file": "Choose a file."}


def test_a_file_that_is_too_large_is_told_how_large_it_may_be(send: Send, settings: Settings) -> None:
    settings.ATLAS_MAX_UPLOAD_BYTES = 2048
    shown = send("/upload/", file=file("x.joblib", bytes(4096)))
    assert re.match(r"The file has 4\.\d KiB; 2\.0 KiB are allowed\.", errors(shown)["file"])
    assert stored() == []


def test_the_page_says_the_limit_and_where_a_script_may_send(writer: Client, settings: Settings) -> None:
    settings.ATLAS_MAX_UPLOAD_BYTES = 500 << 20
    html = writer.get("/upload/").content.decode()
    assert "up to 500 MiB each" in html
    told = json.loads(re.findall(r'id="upload-config"[^>]*>(.*?)<', html)[0])
    assert (told["uploads"], told["most_bytes"]) == ("/api/v1/uploads", 500 << 20)


def test_an_away_store_is_said_in_place(send: Send, monkeypatch: pytest.MonkeyPatch, estimator: bytes) -> None:
    def away(*_: object, **__: object) -> None:
        raise ObjectStoreError("no answer")

    monkeypatch.setattr("storage.objects.DirectoryStore.put", away)
    assert errors(send("/upload/", file=file("a.joblib", estimator)))["file"].startswith("The object store does not")


def test_unfinished_files_can_be_gone_on_with_or_forgotten(writer: Client, send: Send) -> None:
    owner = User.objects.get(username="ilse").pk
    pk = records.start_upload(owner, "half.atlas", 2048, "0" * 64, received=1024, now=NOON)
    shown = Shown(200, writer.get("/upload/").content.decode())
    assert "half.atlas" in shown.text
    assert "1.0 KiB of 2.0 KiB are here. Choose the same file again" in shown.text
    assert "half.atlas is not whole yet." in send(f"/upload/{pk}/").text
    assert "half.atlas is forgotten." in send(f"/upload/{pk}/give-up/").text
    assert Upload.objects.count() == 0


def test_files_of_others_are_not_found(writer: Client) -> None:
    pk = records.start_upload(User.objects.create_user("jan").pk, "a.atlas", 9, "0" * 64, now=NOON)
    assert writer.get(f"/upload/{pk}/").status_code == 404
    assert writer.post(f"/upload/{pk}/give-up/").status_code == 404
    assert "a.atlas" not in writer.get("/upload/").content.decode()


def test_the_form_begins_with_what_file_dataset_and_account_say(waiting: str, writer: Client) -> None:
    html = writer.get(waiting).content.decode()
    assert 'value="my-model"' in html
    assert 'value="Ilse"' in html
    assert re.search(r'name="columns"[^>]*>\s*peak\s+rms<', html)
    assert re.search(r'name="classes"[^>]*>\s*damaged\s+intact<', html)
    assert re.search(r'value="binary" selected', html)
    assert "torch" not in html
    assert 'name="outputs"' not in html


def test_another_task_fills_in_its_own_metrics_and_keeps_what_was_typed(waiting: str, send: Send) -> None:
    shown = send(waiting, **FIELDS | {"action": "fill", "task": "regression", "name": "Wear"})
    assert shown.status == 200
    assert 'value="Wear"' in shown.html
    assert re.search(r'value="r2"[^>]*checked', shown.html)
    assert 'value="f1"' not in shown.html
    assert re.search(r'name="classes"[^>]*>\s*</textarea>', shown.html)


def test_the_preview_says_what_the_manifest_will_and_sends_nothing(waiting: str, send: Send) -> None:
    shown = send(waiting, **FIELDS, action="preview")
    assert "What the manifest will say" in shown.text
    assert "Predicts label (binary) From peak, rms Classes damaged, intact On impacts" in shown.text
    assert "1 benchmark would be queued." in shown.text
    assert [key for key in stored() if key.startswith("models/")] == []


def test_a_described_file_is_sent_as_a_bundle(waiting: str, send: Send, estimator: bytes) -> None:
    more = {"framework": "scikit-learn 1.7.2", "hyperparameters": "C = 1.0"}
    shown = send(waiting, **FIELDS | more, action="send")
    [key] = stored()
    assert re.fullmatch(r"models/DamageDetector-1\.0\.0-\d+\.atlas", key)
    with open_store(configured.ATLAS_OBJECT_STORE).open(key) as stream:
        archive = zipfile.ZipFile(io.BytesIO(stream.read()))
    assert archive.read("model.joblib") == estimator
    told = json.loads(archive.read("manifest.json"))
    assert (told["classes"], told["hyperparameters"]) == (["damaged", "intact"], {"C": 1.0})
    assert told["framework"] == {"name": "scikit-learn", "version": "1.7.2"}
    assert "lies in the object store. The engine takes it in within seconds" in shown.text
    assert queries.actions().get().via == Via.PAGE


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("name", "a b", "Letters, digits"),
        ("version", "1 0", "Letters, digits"),
        ("use_case", "", "This field is required."),
        ("author_email", "ines", "Enter a valid email address."),
        ("tags", [], "Choose at least one."),
        ("target", "nothing", "Select a valid choice."),
        ("task", "guess", "Select a valid choice."),
        ("columns", "peek", "impacts v1 has no column peek. Did you mean peak?"),
        ("columns", "peak\npeak", "Peak is named twice."),
        ("classes", "one", "A binary model needs at least two"),
        ("classes", "a\nb\nc", "A binary model has two, not 3"),
        ("metrics", ["r2"], "Select a valid choice."),
        ("primary_metric", "recall", "'recall' is not one of metrics"),
        ("framework", "sklearn", "Write the library and its version"),
        ("hyperparameters", "depth", "write name = value"),
    ],
)
def test_a_wrong_field_is_answered_in_place(
    waiting: str, send: Send, field: str, value: object, complaint: str
) -> None:
    shown = send(waiting, **FIELDS | {field: value}, action="send")
    assert shown.status == 422
    found = errors(shown)
    assert list(found) == [field]
    assert complaint in found[field].replace("&#x27;", "'")
    assert [key for key in stored() if key.startswith("models/")] == []


def test_a_name_that_is_taken_is_answered_at_the_name(waiting: str, send: Send) -> None:
    moment = int(Upload.objects.get().touched.timestamp())
    stage.add_model(f"DamageDetector-1.0.0-{moment}")
    shown = send(waiting, **FIELDS, action="send")
    assert "is taken by another model" in errors(shown)["name"]
    assert "What happens next" in send(waiting, **FIELDS | {"version": "1.0.1"}, action="send").text


def test_a_network_has_to_say_what_its_numbers_are(send: Send) -> None:
    stage.add_version()
    send("/upload/", file=file("net.pt", b"a network"))
    address = f"/upload/{Upload.objects.get().pk}/"
    assert errors(send(address, **FIELDS, action="send")) == {
        "outputs": "A torch file does not say it: choose what its numbers are."
    }
    assert "What happens next" in send(address, **FIELDS, outputs="logits", action="send").text


def test_without_a_dataset_version_the_page_says_what_to_do(send: Send, estimator: bytes) -> None:
    shown = send("/upload/", file=file("model.joblib", estimator))
    assert "No dataset version yet" in shown.text
    assert "Send a bundle first" in shown.text


def test_the_page_of_a_file_says_once_the_engine_has_it(waiting: str, send: Send, writer: Client) -> None:
    assert 'hx-trigger="every' in send(waiting, **FIELDS, action="send").html
    name = Upload.objects.get().name.removesuffix(".atlas")
    model = stage.add_model(name)
    shown = Shown(200, writer.get(waiting).content.decode())
    assert f'href="/models/{model}/"' in shown.html
    assert "is taken in." in shown.text
    assert 'hx-trigger="every' not in shown.html


def test_the_page_of_a_file_says_why_the_engine_refused_it(waiting: str, send: Send, writer: Client) -> None:
    send(waiting, **FIELDS, action="send")
    records.record_unused_file(
        stage.file(Upload.objects.get().name), ModelState.INVALID, name="x", reason="It is a wreck."
    )
    assert "Invalid It is a wreck." in Shown(200, writer.get(waiting).content.decode()).text


def test_the_list_of_models_leads_here_those_who_may(client: Client, writer: Client) -> None:
    html = writer.get("/models/").content.decode()
    assert html.count('href="/upload/"') == 2
    assert "Here is how to send one" in html
    client.force_login(User.objects.create_user("jan"))
    assert 'href="/upload/"' not in client.get("/models/").content.decode()


def test_the_page_costs_the_same_however_much_is_unfinished(writer: Client, queries_of: Callable[[str], int]) -> None:
    owner = User.objects.get(username="ilse").pk
    records.start_upload(owner, "a.atlas", 9, "0" * 64, now=NOON)
    before = queries_of("/upload/")
    for number in range(5):
        records.start_upload(owner, f"{number}.atlas", 9, "0" * 64, now=NOON)
    assert queries_of("/upload/") == before


def test_the_form_costs_the_same_however_many_datasets_there_are(
    waiting: str, queries_of: Callable[[str], int]
) -> None:
    before = queries_of(waiting)
    for tag in ("winter", "rain", "night"):
        stage.add_version(tag=tag)
    assert queries_of(waiting) == before
