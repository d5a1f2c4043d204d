"""The users of the components in a real S3 server: what they may do, and what not."""

import threading
from collections.abc import Iterator

import pytest

from atlas.errors import ObjectStoreError, SettingsError
from atlas_web.preparing.stores import address_in, addresses, set_up_users
from storage.grants import Component
from storage.objects import NoEventsError, ObjectStore, S3Address, open_store
from storage.policies import USERS

FOLDERS = ("models/", "uploads/", "inferences/rows/", "predictions/", "explanations/", "inferences/", "datasets/")
SENT = {"models/", "uploads/", "inferences/rows/"}
BUCKETS = {Component.INGESTION: "least-ingestion"}


def url_of(component: Component, admin: str) -> str:
    """How a component signs in, where the administrator does with this URL."""
    signed_in = admin.replace("atlas:atlas-secret@", f"atlas-{component}:a secret of the {component}@")
    return signed_in.replace("/least?", f"/{BUCKETS.get(component, 'least')}?").replace(" ", "%20")


@pytest.fixture(scope="module")
def admin(s3_url: str) -> str:
    """How the administrator of the store signs in, whose users and buckets are set up."""
    admin = s3_url.replace("/atlas?", "/least?")
    wanted = addresses({each: url_of(each, admin) for each in USERS})
    first = list(set_up_users(S3Address.parse(admin), wanted))
    assert "Object store user of the engine: atlas-engine has its policy." in first
    assert list(set_up_users(S3Address.parse(admin), wanted)) == first
    return admin


def store_of(component: Component, admin: str, bucket: str = "least") -> ObjectStore:
    return open_store(url_of(component, admin).replace("/least?", f"/{bucket}?"))


def writable(store: ObjectStore) -> Iterator[str]:
    for folder in FOLDERS:
        try:
            store.put(f"{folder}written", b"by a component")
        except ObjectStoreError as error:
            assert "AccessDenied" in str(error)
        else:
            yield folder


def deletable(store: ObjectStore, admin: str) -> Iterator[str]:
    for folder in FOLDERS:
        open_store(admin).put(f"{folder}kept", b"by the administrator")
        assert store.stat(f"{folder}kept").size_bytes == 20
        try:
            store.delete(f"{folder}kept")
        except ObjectStoreError as error:
            assert "AccessDenied" in str(error)
        else:
            yield folder


def test_the_dashboard_reads_all_and_writes_only_what_people_send(admin: str) -> None:
    store = store_of(Component.DASHBOARD, admin)
    assert set(writable(store)) == SENT
    assert list(deletable(store, admin)) == ["uploads/"]


def test_the_engine_writes_results_but_no_models_and_deletes_what_goes(admin: str) -> None:
    store = store_of(Component.ENGINE, admin)
    assert set(writable(store)) == set(FOLDERS) - {"models/", "uploads/"}
    assert list(deletable(store, admin)) == list(FOLDERS)


def test_the_engine_hears_of_new_models_and_the_dashboard_does_not(admin: str) -> None:
    stop = threading.Event()
    with store_of(Component.ENGINE, admin).changes("models/", stop) as keys:
        open_store(admin).put("models/new", b"model")
        assert next(keys) == "models/new"
        stop.set()
    with pytest.raises(NoEventsError), store_of(Component.DASHBOARD, admin).changes("models/", stop):
        pass


def test_a_backup_reads_both_buckets_and_writes_neither(admin: str) -> None:
    for bucket in ("least", "least-ingestion"):
        owner = open_store(admin.replace("/least?", f"/{bucket}?"))
        owner.put("models/kept", b"content")
        store = store_of(Component.BACKUP, admin, bucket)
        assert "models/kept" in {each.key for each in store.list()}
        assert store.read("models/kept", 0, 7) == b"content"
        assert not list(writable(store))


def test_the_ingestion_engine_has_its_bucket_and_no_other(admin: str) -> None:
    store = store_of(Component.INGESTION, admin)
    assert list(writable(store)) == list(FOLDERS)
    store.delete("models/written")
    with pytest.raises(ObjectStoreError, match="AccessDenied"):
        open_store(url_of(Component.INGESTION, admin).replace("/least-ingestion?", "/least?"))


def test_a_store_that_adds_no_users_is_told_with_what_to_do(rclone_url: str) -> None:
    wanted = addresses({Component.ENGINE: rclone_url.replace("atlas:", "atlas-engine:")})
    with pytest.raises(SettingsError, match=r"(?s)^ATLAS_OBJECT_STORE_ADMIN: .* adds no users: .* make them there"):
        list(set_up_users(address_in("ATLAS_OBJECT_STORE_ADMIN", rclone_url), wanted))


def test_each_component_is_a_user_of_its_own(s3_url: str) -> None:
    with pytest.raises(SettingsError, match=r"^ATLAS_OBJECT_STORE_BACKUP: another component is the user atlas"):
        addresses({Component.ENGINE: s3_url, Component.BACKUP: s3_url})
    with pytest.raises(SettingsError, match=r"^ATLAS_OBJECT_STORE_ENGINE: the object store's URL is wrong"):
        addresses({Component.ENGINE: "s3://minio"})
