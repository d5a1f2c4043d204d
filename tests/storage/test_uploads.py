"""Models that come in part by part."""

import hashlib
import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User

from atlas.access import Via
from atlas.errors import BundleError, NameTakenError
from atlas.manifest import Manifest
from atlas.wrapping import FittedFile
from storage import queries, records, uploads
from storage.models import Model, Upload
from storage.objects import DirectoryStore
from storage.parts import DigestError, TooLargeError, WrongPlaceError
from tests import stage
from tests.bundles import packed
from tests.samples import NOON, manifest

pytestmark = pytest.mark.django_db
MOST = 1 << 30
PART = 1000


@pytest.fixture
def owner() -> int:
    return User.objects.create_user("ilse").pk


@pytest.fixture
def objects(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "objects")


@pytest.fixture
def bundle(tmp_path: Path) -> bytes:
    return packed(tmp_path).read_bytes()


def begin(owner: int, content: bytes, **changes: Any) -> Upload:
    sha256 = changes.pop("sha256", hashlib.sha256(content).hexdigest())
    return uploads.start(owner, "m.atlas", changes.pop("size", len(content)), sha256, most_bytes=MOST, now=NOON)


def send(objects: DirectoryStore, upload: Upload, content: bytes) -> Upload:
    for begins in range(0, len(content), PART):
        upload = uploads.receive(objects, upload, begins, content[begins : begins + PART], now=NOON)
    return upload


def kept(objects: DirectoryStore) -> set[str]:
    return {found.key for found in objects.list()}


def test_a_bundle_that_came_in_parts_lies_where_the_engine_finds_it(
    objects: DirectoryStore, owner: int, bundle: bytes
) -> None:
    upload = send(objects, begin(owner, bundle), bundle)
    assert uploads.result(objects, upload) is None
    arrived = uploads.finish(objects, upload)
    assert (arrived.key, arrived.known) == (f"models/{arrived.model}.atlas", False)
    assert arrived.model.startswith("Detector-1.0.0-")
    assert kept(objects) == {arrived.key}
    with objects.open(arrived.key) as stream:
        assert stream.read() == bundle
    again = queries.upload_of(owner, upload.pk)
    assert again is not None
    assert uploads.result(objects, again) == arrived


def test_a_part_that_comes_twice_changes_nothing(objects: DirectoryStore, owner: int, bundle: bytes) -> None:
    upload = begin(owner, bundle)
    for _ in range(2):
        state = uploads.receive(objects, upload, 0, bundle[:PART], now=NOON)
        assert state.received_bytes == PART
        upload = state


@pytest.mark.parametrize("begins", [1, PART - 1, PART + 1, 2 * PART])
def test_a_part_at_another_place_is_refused_with_the_right_one(
    objects: DirectoryStore, owner: int, bundle: bytes, begins: int
) -> None:
    upload = uploads.receive(objects, begin(owner, bundle), 0, bundle[:PART], now=NOON)
    with pytest.raises(WrongPlaceError) as refused:
        uploads.receive(objects, upload, begins, b"abc", now=NOON)
    assert refused.value.received_bytes == PART


def test_of_two_parts_that_come_at_once_one_counts(objects: DirectoryStore, owner: int, bundle: bytes) -> None:
    both = begin(owner, bundle)
    uploads.receive(objects, both, 0, bundle[:PART], now=NOON)
    assert uploads.receive(objects, both, 0, bundle[:PART], now=NOON).received_bytes == PART


def test_more_than_was_said_is_refused(objects: DirectoryStore, owner: int) -> None:
    with pytest.raises(TooLargeError, match="was to have 3 bytes; this part would go beyond"):
        uploads.receive(objects, begin(owner, b"abc"), 0, b"abcd", now=NOON)
    with pytest.raises(TooLargeError, match="A part has"):
        uploads.receive(objects, begin(owner, b"", size=MOST), 0, bytes(uploads.PART_BYTES + 1), now=NOON)
    with pytest.raises(TooLargeError, match="are allowed"):
        begin(owner, b"", size=MOST + 1)


def test_a_file_that_is_not_the_one_announced_is_refused_and_forgotten(
    objects: DirectoryStore, owner: int, bundle: bytes
) -> None:
    upload = send(objects, begin(owner, bundle, sha256="0" * 64), bundle)
    with pytest.raises(DigestError, match="Send the file again"):
        uploads.finish(objects, upload)
    assert kept(objects) == set()
    assert queries.upload_of(owner, upload.pk) is None


def test_a_file_that_is_no_bundle_is_refused_and_forgotten(objects: DirectoryStore, owner: int) -> None:
    upload = send(objects, begin(owner, b"not a zip file"), b"not a zip file")
    with pytest.raises(BundleError):
        uploads.finish(objects, upload)
    assert kept(objects) == set()
    assert queries.upload_of(owner, upload.pk) is None


def test_a_known_model_is_complete_before_it_is_sent(objects: DirectoryStore, owner: int, bundle: bytes) -> None:
    pk = stage.add_model()
    Model.objects.filter(pk=pk).update(digest=hashlib.sha256(bundle).hexdigest(), size_bytes=len(bundle))
    arrived = uploads.result(objects, begin(owner, bundle))
    assert arrived is not None
    assert (arrived.model, arrived.known, arrived.pk) == ("Forest-1.0.0-1", True, pk)


def test_the_same_file_once_more_is_known(objects: DirectoryStore, owner: int, bundle: bytes) -> None:
    first = uploads.finish(objects, send(objects, begin(owner, bundle), bundle))
    second = uploads.finish(objects, send(objects, begin(owner, bundle), bundle))
    assert (second.key, second.known) == (first.key, True)


def test_another_file_of_the_same_name_is_refused(
    objects: DirectoryStore, owner: int, bundle: bytes, tmp_path: Path
) -> None:
    uploads.finish(objects, send(objects, begin(owner, bundle), bundle))
    other = packed(tmp_path / "other", tags=["other"]).read_bytes()
    with pytest.raises(NameTakenError, match="Another file lies under models/Detector"):
        uploads.finish(objects, send(objects, begin(owner, other), other))


def test_the_name_of_a_model_that_the_engine_knows_is_taken(objects: DirectoryStore, owner: int, bundle: bytes) -> None:
    upload = send(objects, begin(owner, bundle), bundle)
    stage.add_model("Detector-1.0.0-1767323045")
    with pytest.raises(NameTakenError, match="is taken by another model"):
        uploads.finish(objects, upload)


def test_a_model_that_was_deleted_is_sent_again_only_once_it_is_gone(
    objects: DirectoryStore, owner: int, bundle: bytes
) -> None:
    name = "Detector-1.0.0-1767323045"
    records.delete_models([stage.add_model(name)], "ilse", Via.PAGE, NOON)
    upload = send(objects, begin(owner, bundle), bundle)
    with pytest.raises(NameTakenError, match="on its way out"):
        uploads.finish(objects, upload)


def test_an_upload_is_its_owner_s_alone(owner: int, bundle: bytes) -> None:
    upload = begin(owner, bundle)
    assert queries.upload_of(owner, upload.pk) is not None
    assert queries.upload_of(User.objects.create_user("jan").pk, upload.pk) is None


def test_what_is_given_up_is_gone(objects: DirectoryStore, owner: int, bundle: bytes) -> None:
    upload = uploads.receive(objects, begin(owner, bundle), 0, bundle[:PART], now=NOON)
    uploads.give_up(objects, upload.pk)
    assert kept(objects) == set()
    assert not Upload.objects.exists()


def test_abandoned_uploads_and_parts_of_none_are_removed_and_others_stay(
    objects: DirectoryStore, owner: int, bundle: bytes
) -> None:
    old, new = begin(owner, bundle), begin(owner, bundle + b"more")
    uploads.receive(objects, old, 0, bundle[:PART], now=NOON)
    later = NOON + uploads.KEPT + timedelta(seconds=1)
    uploads.receive(objects, new, 0, bundle[:PART], now=later)
    objects.put(f"uploads/{UUID(int=7)}/{0:016d}", b"lost")
    objects.put("models/other.atlas", b"whole")
    assert uploads.remove_abandoned(objects, now=later) == 1
    assert kept(objects) == {f"uploads/{new.pk}/{0:016d}", "models/other.atlas"}
    assert [upload.pk for upload in Upload.objects.all()] == [new.pk]


def described(upload: Upload, **changes: Any) -> Manifest:
    file = FittedFile.of("model.joblib", upload.sha256, upload.size_bytes)
    return manifest(model={"member": file.member, "format": "joblib"}, members={file.member: file.content}, **changes)


def test_a_plain_file_becomes_a_bundle_under_the_name_of_its_description(objects: DirectoryStore, owner: int) -> None:
    content = b"bytes that nobody loads"
    upload = send(objects, begin(owner, content), content)
    arrived = uploads.finish_described(objects, upload, described(upload))
    assert (arrived.key, arrived.known) == ("models/DamageDetector-1.0.0-1625660010.atlas", False)
    assert kept(objects) == {arrived.key}
    with objects.open(arrived.key) as stream, zipfile.ZipFile(io.BytesIO(stream.read())) as archive:
        assert archive.read("model.joblib") == content
    again = uploads.finish_described(objects, Upload.objects.get(), described(upload, name="Another-1.0.0-1"))
    assert again == arrived


def test_a_plain_file_stays_where_the_name_of_its_description_is_taken(objects: DirectoryStore, owner: int) -> None:
    stage.add_model("Forest-1.0.0-1")
    upload = send(objects, begin(owner, b"abc"), b"abc")
    with pytest.raises(NameTakenError, match=r"The name Forest-1\.0\.0-1 is taken"):
        uploads.finish_described(objects, upload, described(upload, name="Forest-1.0.0-1"))
    assert uploads.finish_described(objects, upload, described(upload)).model == "DamageDetector-1.0.0-1625660010"


def test_a_plain_file_that_is_not_the_one_that_was_announced_is_forgotten(objects: DirectoryStore, owner: int) -> None:
    upload = send(objects, begin(owner, b"abc", sha256="0" * 64), b"abc")
    with pytest.raises(DigestError):
        uploads.finish_described(objects, upload, described(upload))
    assert kept(objects) == set()
    assert not Upload.objects.exists()


def test_what_a_person_can_go_on_with_misses_bytes_or_a_description(
    objects: DirectoryStore, owner: int, bundle: bytes
) -> None:
    uploads.finish(objects, send(objects, begin(owner, bundle), bundle))
    half = begin(owner, b"abc")
    plain = uploads.start(owner, "m.joblib", 3, "1" * 64, most_bytes=MOST, now=NOON)
    send(objects, plain, b"abc")
    uploads.start(User.objects.create_user("jan").pk, "m.joblib", 3, "1" * 64, most_bytes=MOST, now=NOON)
    assert {each.pk for each in queries.uploads_to_go_on_with(owner)} == {half.pk, plain.pk}


def test_an_upload_that_broke_off_goes_on(objects: DirectoryStore, owner: int, bundle: bytes) -> None:
    first = uploads.receive(objects, begin(owner, bundle), 0, bundle[:PART], now=NOON)
    again = begin(owner, bundle)
    assert (again.pk, again.received_bytes) == (first.pk, PART)
    send(objects, again, bundle)
    assert begin(owner, bundle).pk != first.pk, "one that has arrived is over"


def test_another_person_s_another_file_and_a_forgotten_upload_are_not_gone_on_with(
    objects: DirectoryStore, owner: int, bundle: bytes
) -> None:
    first = uploads.receive(objects, begin(owner, bundle), 0, bundle[:PART], now=NOON)
    stranger = User.objects.create_user("stranger").pk
    assert begin(stranger, bundle).pk != first.pk
    assert begin(owner, bundle, sha256="0" * 64).pk != first.pk
    later = NOON + uploads.KEPT + timedelta(seconds=1)
    sha256 = hashlib.sha256(bundle).hexdigest()
    assert uploads.start(owner, "m.atlas", len(bundle), sha256, most_bytes=MOST, now=later).pk != first.pk


def test_an_upload_that_goes_on_is_not_forgotten_meanwhile(objects: DirectoryStore, owner: int, bundle: bytes) -> None:
    upload = uploads.receive(objects, begin(owner, bundle), 0, bundle[:PART], now=NOON)
    sha256, nearly = hashlib.sha256(bundle).hexdigest(), NOON + uploads.KEPT
    uploads.start(owner, "m.atlas", len(bundle), sha256, most_bytes=MOST, now=nearly)
    assert uploads.remove_abandoned(objects, now=nearly + timedelta(hours=1)) == 0
    assert kept(objects) == {f"uploads/{upload.pk}/{0:016d}"}
