"""What every object store promises, checked on a folder and on two S3 servers; then what is particular to one."""

import hashlib
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from minio.datatypes import Object

from atlas.errors import ObjectNotFoundError, ObjectStoreError, SettingsError
from storage.objects import (
    DirectoryStore,
    MinioStore,
    NoEventsError,
    ObjectKeyError,
    ObjectStore,
    S3Address,
    open_store,
)
from tests import servers

MEBIBYTE = 1 << 20
OLD = b"old content"
LARGE = os.urandom(MEBIBYTE) * 33  # three parts of an S3 upload

STORES = ["directory", "juicefs", "rclone"]
TELLING_STORES = ["directory", "juicefs"]
ATOMIC_STORES = ["directory", "juicefs"]  # rclone, unlike S3, shows a file while it is being written


@pytest.fixture(params=STORES)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store of each kind."""
    if request.param == "directory":
        return str(tmp_path / "store")
    return with_new_bucket(request.getfixturevalue({"juicefs": "s3_url", "rclone": "rclone_url"}[request.param]))


@pytest.fixture
def store(store_url: str) -> ObjectStore:
    return open_store(store_url)


@pytest.fixture
def folder_store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "store")


@pytest.fixture
def s3_store(s3_url: str) -> MinioStore:
    return MinioStore(S3Address.parse(with_new_bucket(s3_url)))


class PausedStream(io.BytesIO):
    """A stream of LARGE that calls `at_pause` once most of it has been read."""

    def __init__(self, at_pause: Callable[[], object]) -> None:
        super().__init__(LARGE)
        self._at_pause = at_pause

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() >= len(LARGE) - MEBIBYTE:
            self._at_pause()
        return super().read(MEBIBYTE)


def with_new_bucket(s3_url: str) -> str:
    return s3_url.replace("/atlas?", f"/test-{uuid.uuid4().hex}?")


def content(store: ObjectStore, key: str) -> bytes:
    with store.open(key) as stream:
        return stream.read()


def keys(store: ObjectStore, prefix: str = "") -> list[str]:
    return sorted(stored.key for stored in store.list(prefix))


@pytest.mark.parametrize(
    "key", ["a", "models/DamageDetector-1.0.0-1625660010.atlas", "ä/日本 語/ö+%&=?#.x", "a b~'(!)*.txt"]
)
def test_what_was_put_is_read_back(store: ObjectStore, key: str) -> None:
    store.put(key, b"content")
    assert content(store, key) == b"content"
    assert keys(store) == [key]


def test_files_bytes_and_streams_can_be_put(store: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"same")
    store.put("file", source)
    store.put("bytes", b"same")
    store.put("stream", io.BytesIO(b"same"))
    assert {content(store, key) for key in keys(store)} == {b"same"}


def test_an_object_of_no_bytes_is_an_object(store: ObjectStore, tmp_path: Path) -> None:
    store.put("empty", b"")
    assert store.get("empty", tmp_path / "empty").size_bytes == 0
    assert (tmp_path / "empty").read_bytes() == b""
    assert keys(store) == ["empty"]


def test_an_object_of_several_parts_comes_back_whole(store: ObjectStore, tmp_path: Path) -> None:
    store.put("large", io.BytesIO(LARGE))
    stored = store.get("large", tmp_path / "large")
    assert hashlib.sha256((tmp_path / "large").read_bytes()).digest() == hashlib.sha256(LARGE).digest()
    assert stored.size_bytes == len(LARGE)


def test_a_stream_is_read_in_pieces(store: ObjectStore) -> None:
    store.put("a", b"one\ntwo")
    with store.open("a") as stream:
        assert [stream.read(2), stream.readline(), stream.read(), stream.read()] == [b"on", b"e\n", b"two", b""]


@pytest.mark.parametrize(
    ("first", "stop", "expected"),
    [(0, 3, b"012"), (4, 7, b"456"), (8, 99, b"89"), (10, 12, b""), (50, 60, b""), (3, 3, b""), (5, 2, b"")],
)
def test_a_part_of_an_object_is_read(store: ObjectStore, first: int, stop: int, expected: bytes) -> None:
    store.put("a/b", b"0123456789")
    assert store.read("a/b", first, stop) == expected


def test_no_part_of_a_missing_object_is_read(store: ObjectStore) -> None:
    for first, stop in ((0, 5), (3, 3)):
        with pytest.raises(ObjectNotFoundError, match="missing"):
            store.read("missing", first, stop)


def test_list_stat_and_get_say_the_same(store: ObjectStore, tmp_path: Path) -> None:
    store.put("a/b", b"12345")
    [listed] = store.list()
    for said in (store.stat("a/b"), store.get("a/b", tmp_path / "copy")):
        assert (said.key, said.etag, said.size_bytes) == (listed.key, listed.etag, listed.size_bytes)
        assert abs(said.modified - listed.modified) <= timedelta(seconds=1)  # servers round in two ways
    assert listed.size_bytes == 5
    assert listed.modified.tzinfo is UTC
    assert abs(datetime.now(UTC) - listed.modified) < timedelta(minutes=5)


def test_listing_keeps_to_the_prefix(store: ObjectStore) -> None:
    for key in ("models/a", "models/sub/b", "models2/c", "other"):
        store.put(key, key.encode())
    assert keys(store) == ["models/a", "models/sub/b", "models2/c", "other"]
    assert keys(store, "models/") == ["models/a", "models/sub/b"]
    assert keys(store, "models") == ["models/a", "models/sub/b", "models2/c"]
    assert keys(store, "models/s") == ["models/sub/b"]
    assert keys(store, "nothing/here") == []


def test_replaced_content_changes_the_etag(store: ObjectStore) -> None:
    store.put("a", b"one")
    first = store.stat("a")
    store.put("a", b"two")
    assert store.stat("a").etag != first.etag
    assert content(store, "a") == b"two"
    assert keys(store) == ["a"]


def test_a_file_that_is_taken_is_an_object_and_no_longer_where_it_was(store: ObjectStore) -> None:
    store.put("a/b", b"before")
    with store.scratch() as folder:
        (folder / "file").write_bytes(LARGE)
        (folder / "left").write_bytes(b"left")
        store.take("a/b", folder / "file")
        assert [path.name for path in folder.iterdir()] == ["left"]
        assert keys(store) == ["a/b"]
    assert not folder.exists()
    assert content(store, "a/b") == LARGE


def test_a_folder_copies_nothing_that_it_takes(folder_store: DirectoryStore, tmp_path: Path) -> None:
    with folder_store.scratch() as folder:
        (folder / "file").write_bytes(OLD)
        written = (folder / "file").stat().st_ino
        folder_store.take("a", folder / "file")
    assert (tmp_path / "store" / "a").stat().st_ino == written


def test_a_deleted_object_is_gone_and_may_be_deleted_again(store: ObjectStore) -> None:
    store.put("a/b", b"x")
    store.delete("a/b")
    store.delete("a/b")
    store.delete("never/there")
    assert keys(store) == []


def test_a_missing_object_is_said_to_be_missing(store: ObjectStore, tmp_path: Path) -> None:
    store.put("folder/a", b"x")
    for key in ("missing", "folder", "folder/a/below", "other/missing"):
        with pytest.raises(ObjectNotFoundError, match=key) as stat_error:
            store.stat(key)
        with pytest.raises(ObjectNotFoundError, match=key):
            store.get(key, tmp_path / "copy")
        with pytest.raises(ObjectNotFoundError, match=key), store.open(key):
            pass
        assert stat_error.value.__cause__ is not None
    assert not (tmp_path / "copy").exists()


def test_a_download_takes_the_place_of_the_file_that_was_there(store: ObjectStore, tmp_path: Path) -> None:
    destination = tmp_path / "downloads" / "copy"
    destination.parent.mkdir()
    destination.write_bytes(b"before")
    store.put("a", b"after")
    store.get("a", destination)
    assert destination.read_bytes() == b"after"
    assert list(destination.parent.iterdir()) == [destination]


@pytest.mark.parametrize(
    "key",
    [
        *("", " ", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/./b", ".hidden", "a/.incoming/b"),
        *("a\\b", "a\0b", "a\nb", "\ud800", "é" * 128, "/".join(["part"] * 300)),
    ],
)
def test_a_bad_key_is_refused_by_every_verb(store: ObjectStore, tmp_path: Path, key: str) -> None:
    verbs: list[Callable[[], object]] = [
        lambda: store.stat(key),
        lambda: store.get(key, tmp_path / "copy"),
        lambda: store.open(key).__enter__(),
        lambda: store.read(key, 0, 1),
        lambda: store.put(key, b""),
        lambda: store.take(key, tmp_path / "file"),
        lambda: store.delete(key),
    ]
    for verb in verbs:
        with pytest.raises(ObjectKeyError, match="the object key"):
            verb()
    assert keys(store) == []


def test_a_bad_prefix_is_refused(store: ObjectStore) -> None:
    for prefix in ("../", "a/../b", "/a", "a//"):
        with pytest.raises(ObjectKeyError):
            store.list(prefix)


@pytest.mark.parametrize("store_url", ATOMIC_STORES, indirect=True)
def test_no_reader_sees_an_object_that_is_still_being_written(store: ObjectStore) -> None:
    store.put("replaced", OLD)
    before = list(store.list())
    reached, go_on = threading.Event(), threading.Event()

    def pause() -> None:
        reached.set()
        go_on.wait(60)

    writers = [threading.Thread(target=store.put, args=(key, PausedStream(pause))) for key in ("replaced", "new")]
    for writer in writers:
        reached.clear()
        writer.start()
        assert reached.wait(60)
        assert list(store.list()) == before
        assert content(store, "replaced") == OLD
    with pytest.raises(ObjectNotFoundError):
        store.stat("new")

    go_on.set()
    for writer in writers:
        writer.join()
    assert content(store, "replaced") == content(store, "new") == LARGE


def test_a_reader_keeps_the_object_that_it_opened(folder_store: DirectoryStore) -> None:
    folder_store.put("a", LARGE)
    with folder_store.open("a") as stream:
        head = stream.read(10)
        folder_store.put("a", OLD)
        assert head + stream.read() == LARGE


WRITER = """
import sys, time
from storage.objects import open_store
from tests.storage.test_objects import PausedStream
def pause():
    print("paused", flush=True)
    time.sleep(600)
open_store(sys.argv[1]).put(sys.argv[2], PausedStream(pause))
"""


@pytest.mark.parametrize("store_url", ATOMIC_STORES, indirect=True)
@pytest.mark.parametrize("key", ["replaced", "new"])
def test_a_writer_that_is_killed_midway_leaves_nothing_to_see(store_url: str, key: str) -> None:
    store = open_store(store_url)
    store.put("replaced", OLD)
    before = list(store.list())
    with subprocess.Popen([sys.executable, "-c", WRITER, store_url, key], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "paused\n"
        writer.send_signal(signal.SIGKILL)
    assert list(open_store(store_url).list()) == before
    assert content(store, "replaced") == OLD


@pytest.mark.parametrize("store_url", ATOMIC_STORES, indirect=True)
def test_a_source_that_fails_midway_leaves_nothing_to_see(store: ObjectStore) -> None:
    def fail() -> None:
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        store.put("new", PausedStream(fail))
    assert keys(store) == []


def test_a_source_that_is_missing_is_the_callers_error(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.put("a", tmp_path / "missing")
    assert keys(store) == []


# News


class Listener:
    """Listens to a store in a thread while a block runs; `heard` are the keys so far."""

    def __init__(self, store: ObjectStore, prefix: str) -> None:
        self.heard: list[str] = []
        self.error: ObjectStoreError | None = None
        self._listening, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._listen, args=(store, prefix))

    def __enter__(self) -> "Listener":
        self._thread.start()
        assert self._listening.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def wait_for(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, (self.heard, self.error)
            time.sleep(0.01)

    def wait_for_keys(self, number: int) -> None:
        self.wait_for(lambda: len(self.heard) == number)

    def _listen(self, store: ObjectStore, prefix: str) -> None:
        try:
            with store.changes(prefix, self._stop) as keys:
                self._listening.set()
                for key in keys:
                    self.heard.append(key)
        except ObjectStoreError as error:
            self.error = error


@pytest.mark.parametrize("store_url", TELLING_STORES, indirect=True)
def test_each_object_that_is_written_below_the_prefix_is_told(store: ObjectStore) -> None:
    store.put("models/before", b"x")
    expected = {"models/a", "models/sub/folder/ä b+c%&.atlas", "models/large"}
    with Listener(store, "models/") as listener:
        store.put("other/key", b"x")
        store.put("models2/key", b"x")
        for key in expected:
            store.put(key, LARGE if key == "models/large" else b"x")
        listener.wait_for(lambda: expected <= set(listener.heard))
    assert set(listener.heard) == expected
    assert listener.error is None


@pytest.mark.parametrize("store_url", TELLING_STORES, indirect=True)
def test_an_object_that_is_told_can_be_read_whole_and_one_that_is_replaced_is_told_again(store: ObjectStore) -> None:
    with Listener(store, "models/") as listener:
        for number in range(1, 4):
            store.put("models/a", LARGE[:number])
            listener.wait_for_keys(number)
            assert content(store, "models/a") == LARGE[:number]


@pytest.mark.parametrize("store_url", TELLING_STORES, indirect=True)
def test_deleting_is_no_news(store: ObjectStore) -> None:
    store.put("models/a", b"x")
    with Listener(store, "models/") as listener:
        store.delete("models/a")
        store.put("models/b", b"x")
        listener.wait_for(lambda: listener.heard)
    assert listener.heard == ["models/b"]


@pytest.mark.parametrize("store_url", TELLING_STORES, indirect=True)
def test_listening_ends_soon_after_it_is_told_to(store: ObjectStore) -> None:
    with Listener(store, "models/") as listener:
        pass
    assert listener.error is None


def test_a_server_that_tells_of_nothing_says_so_at_once(rclone_url: str) -> None:
    store = open_store(with_new_bucket(rclone_url))
    with pytest.raises(NoEventsError, match="tells of no new objects"), store.changes("models/", threading.Event()):
        pass


def test_who_listens_to_a_server_that_goes_away_is_told() -> None:
    with servers.juicefs_gateway() as url:
        listener = Listener(open_store(url), "models/").__enter__()
    listener.wait_for(lambda: listener.error)
    assert listener.error is not None
    assert listener.error.retry_helps


def test_listening_to_a_server_that_is_not_there_is_an_error_that_a_retry_may_help() -> None:
    with servers.juicefs_gateway() as url:
        store = open_store(url)
    with pytest.raises(ObjectStoreError, match="no answer") as error, store.changes("", threading.Event()):
        pass
    assert error.value.retry_helps


def test_a_folder_that_is_removed_while_somebody_listens_is_an_error(
    folder_store: DirectoryStore, tmp_path: Path
) -> None:
    with Listener(folder_store, "models/") as listener:
        (tmp_path / "store" / "models").rmdir()
        listener.wait_for(lambda: listener.error)
    assert "was removed" in str(listener.error)


def test_a_file_that_is_written_in_place_is_told_again_when_it_is_complete(
    folder_store: DirectoryStore, tmp_path: Path
) -> None:
    with Listener(folder_store, "models/") as listener:
        with (tmp_path / "store" / "models" / "slow").open("wb", buffering=0) as file:
            for _ in range(8):
                file.write(b"x")
                time.sleep(0.1)
            told_before = len(listener.heard)
            file.write(b"x")
        listener.wait_for(lambda: len(listener.heard) > told_before)
    assert set(listener.heard) == {"models/slow"}


def test_a_link_that_is_made_is_not_told(folder_store: DirectoryStore, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    with Listener(folder_store, "models/") as listener:
        (tmp_path / "store" / "models" / "file").symlink_to(tmp_path / "outside" / "secret")
        (tmp_path / "store" / "models" / "folder").symlink_to(tmp_path / "outside")
        folder_store.put("models/real", b"x")
        listener.wait_for(lambda: listener.heard)
    assert listener.heard == ["models/real"]


# A folder


def test_leftovers_of_killed_writers_are_removed_after_a_day(tmp_path: Path) -> None:
    root = tmp_path / "store"
    DirectoryStore(root)
    names = ("old", "old folder", "young", "young folder")
    old, old_folder, young, young_folder = (root / ".incoming" / f".{name}" for name in names)
    for folder in (old_folder, young_folder):
        folder.mkdir()
    for path in (old, young, old_folder / "file", young_folder / "file"):
        path.write_bytes(b"half")
    two_days_ago = time.time() - 2 * DirectoryStore.LEFTOVER_SECONDS
    for path in (old, old_folder):
        os.utime(path, (two_days_ago, two_days_ago))
    DirectoryStore(root)
    assert [old.exists(), old_folder.exists()] == [False, False]
    assert [young.exists(), (young_folder / "file").exists()] == [True, True]


def test_links_are_neither_followed_nor_listed(folder_store: DirectoryStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (tmp_path / "store" / "folder").symlink_to(outside)
    (tmp_path / "store" / "file").symlink_to(outside / "secret")
    assert keys(folder_store) == []
    for key in ("folder/secret", "file"):
        with pytest.raises(ObjectKeyError, match="link"):
            folder_store.stat(key)
        with pytest.raises(ObjectKeyError, match="link"):
            folder_store.put(key, b"overwritten")
    with pytest.raises(ObjectKeyError, match="link"):
        folder_store.list("folder/")
    assert (outside / "secret").read_bytes() == b"secret"


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "store").symlink_to(tmp_path / "disk")
    DirectoryStore(tmp_path / "store").put("a", b"x")
    assert (tmp_path / "disk" / "a").read_bytes() == b"x"


def test_new_objects_get_the_rights_that_the_umask_leaves(folder_store: DirectoryStore, tmp_path: Path) -> None:
    previous = os.umask(0o027)
    try:
        folder_store.put("a", b"x")
    finally:
        os.umask(previous)
    assert (tmp_path / "store" / "a").stat().st_mode & 0o777 == 0o640


def test_a_key_below_an_object_cannot_be_written_in_a_folder(folder_store: DirectoryStore) -> None:
    folder_store.put("a", b"x")
    with pytest.raises(ObjectStoreError, match="cannot write 'a/b'") as error:
        folder_store.put("a/b", b"y")
    assert isinstance(error.value.__cause__, OSError)


def test_names_that_no_store_could_hold_are_not_listed(folder_store: DirectoryStore, tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path / "store") + b"/latin-\xe4")).write_bytes(b"x")
    (tmp_path / "store" / ".DS_Store").write_bytes(b"x")
    assert keys(folder_store) == []


def test_listing_starts_before_it_has_read_everything(folder_store: DirectoryStore) -> None:
    for number in range(20):
        folder_store.put(f"many/{number}", b"x")
    listing = folder_store.list()
    first = next(listing)
    for number in range(20):
        folder_store.delete(f"many/{number}")
    assert first.key.startswith("many/")
    assert list(listing) == []


def test_a_folder_that_cannot_be_made_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ObjectStoreError, match="cannot use the folder"):
        DirectoryStore(tmp_path / "file" / "store")


# An S3 server


@pytest.fixture
def silent_address() -> Iterator[str]:
    """A port that takes connections from nobody: its queue is full, so that a client waits in vain."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            yield f"127.0.0.1:{port}"


def test_a_server_that_is_not_there_is_an_error_that_a_retry_may_help() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(ObjectStoreError, match=f"127.0.0.1:{port}/atlas: cannot open the bucket") as error:
        open_store(f"s3://key:hush@127.0.0.1:{port}?secure=false&region=us-east-1")
    assert error.value.retry_helps
    assert error.value.__cause__ is not None
    assert "hush" not in str(error.value)


def test_a_server_that_never_answers_is_given_up(silent_address: str) -> None:
    with pytest.raises(ObjectStoreError, match="is the server running"):
        open_store(f"s3://key:secret@{silent_address}?secure=false")


def test_a_wrong_secret_is_an_error_that_does_not_show_it(s3_url: str) -> None:
    with pytest.raises(ObjectStoreError, match="cannot open the bucket") as error:
        open_store(s3_url.replace("atlas-secret", "not-the-secret"))
    assert "not-the-secret" not in str(error.value)


def test_a_server_that_goes_away_becomes_an_error_of_every_verb(rclone_url: str, tmp_path: Path) -> None:
    with servers.rclone_s3() as url:
        store = open_store(url)
    verbs: list[Callable[[], object]] = [
        lambda: list(store.list()),
        lambda: store.stat("a"),
        lambda: store.get("a", tmp_path / "copy"),
        lambda: store.put("a", b"x"),
        lambda: store.delete("a"),
    ]
    for verb in verbs:
        with pytest.raises(ObjectStoreError, match="no answer"):
            verb()
    assert list(tmp_path.iterdir()) == []


def test_an_object_that_is_being_written_or_deleted_is_listed_if_it_is_there(
    s3_store: MinioStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3_store.put("models/there", b"content")
    told = [Object(s3_store._bucket, f"models/{name}", size=None, etag=None) for name in ("there", "gone")]
    monkeypatch.setattr(s3_store._client, "list_objects", lambda *_, **__: iter(told))
    assert list(s3_store.list("models/")) == [s3_store.stat("models/there")]


def test_a_listing_goes_on_after_a_servers_first_thousand(s3_store: MinioStore) -> None:
    expected = [f"many/{number:04}" for number in range(1005)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: s3_store.put(key, b""), expected))
    assert keys(s3_store) == expected


def test_folder_markers_and_hidden_names_of_other_programs_are_not_listed(s3_store: MinioStore) -> None:
    for key in ("folder/", ".hidden", "folder/real"):
        s3_store._client.put_object(s3_store._bucket, key, io.BytesIO(b""), 0)
    assert keys(s3_store) == ["folder/real"]


def test_two_processes_may_make_the_same_bucket_at_once(s3_url: str) -> None:
    url = with_new_bucket(s3_url)
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(open_store, [url] * 8))
    stores[0].put("a", b"x")
    assert keys(stores[-1]) == ["a"]


# Addresses


def test_an_address_is_read_with_all_its_parts() -> None:
    assert S3Address.parse(
        "s3://k%2Fey:s%40%3Acret%2B@minio.example.org:9000/results?secure=false&region=eu-1"
    ) == S3Address(
        endpoint="minio.example.org:9000",
        access_key="k/ey",
        secret_key="s@:cret+",
        bucket="results",
        secure=False,
        region="eu-1",
    )


def test_an_address_defaults_to_https_and_the_bucket_atlas() -> None:
    address = S3Address.parse("s3://key:secret@[::1]")
    assert (address.endpoint, address.bucket, address.secure, address.region) == ("[::1]", "atlas", True, None)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "neither a folder's path nor"),
        ("https://key:secret@host/bucket", "neither a folder's path nor"),
        ("s3://host:9000/bucket", "the key, the secret or the host is missing"),
        ("s3://key@host:9000", "the key, the secret or the host is missing"),
        ("s3://key:secret@host:many/bucket", "Port could not be cast"),
        ("s3://key:secret@host:9000?secure=no", "secure is 'no'"),
        ("s3://key:secret@host:9000?tls=false", "unknown option tls"),
        ("s3://key:secret@host:9000?secure", "bad query field"),
        ("s3://key:secret@host:9000/Two/parts", "the bucket 'Two/parts' is not"),
    ],
)
def test_a_wrong_address_is_a_settings_error_that_shows_the_form(url: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem) as error:
        open_store(url)
    assert "s3://KEY:SECRET@HOST:PORT/BUCKET" in str(error.value)


def test_an_address_does_not_show_its_secret() -> None:
    assert "hush" not in repr(S3Address(endpoint="host", access_key="key", secret_key="hush"))


def test_a_path_opens_a_folder(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "new" / "store"))
    store.put("a", b"x")
    assert keys(open_store(str(tmp_path / "new" / "store"))) == ["a"]
