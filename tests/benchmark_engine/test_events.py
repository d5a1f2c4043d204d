"""What the engine does with news, and that it goes on listening."""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from atlas.errors import SettingsError
from atlas.webhooks import PATH, SIGNATURE_HEADER, signature
from benchmark_engine.events import Events, Inbox, News
from benchmark_engine.settings import EngineSettings
from storage.objects import DirectoryStore, NoEventsError, ObjectStore, open_store
from tests import servers

SILENT = EngineSettings()


def keys(*names: str) -> News:
    return News(keys=frozenset(names))


class Desk:
    """Where news is handed on to; `seen` is all of it, `times_missed` how often something may have been missed."""

    def __init__(self, objects: ObjectStore, settings: EngineSettings = SILENT) -> None:
        self.seen = News()
        self.times_missed = 0
        self._events = Events(objects, settings, self._handle)

    def __enter__(self) -> "Desk":
        self._events.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._events.stop()

    def wait_for(self, condition: Callable[["Desk"], object]) -> None:
        """Wait until a condition holds of this desk."""
        deadline = time.monotonic() + 15
        while not condition(self):
            assert time.monotonic() < deadline, (self.seen, self.times_missed)
            time.sleep(0.01)

    def wait_for_looks(self, times: int) -> None:
        """Wait until so many times something may have been missed."""
        self.wait_for(lambda desk: desk.times_missed == times)

    def wait_for_keys(self, number: int) -> None:
        """Wait until so many objects are news."""
        self.wait_for(lambda desk: len(desk.seen.keys) == number)

    def _handle(self, news: News) -> None:
        self.seen |= news
        self.times_missed += news.missed


class CountingStore(DirectoryStore):
    """A folder that offers no events, and counts who asks for them."""

    asked = 0

    @contextmanager
    def changes(self, prefix: str, stop: threading.Event) -> Iterator[Iterator[str]]:
        self.asked += 1
        raise NoEventsError("there are no events here")
        yield iter(())


@pytest.mark.parametrize("kind", ["directory", "s3"])
def test_a_model_that_arrives_is_news_and_so_is_what_came_before_anybody_listened(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    objects = open_store(str(tmp_path) if kind == "directory" else request.getfixturevalue("s3_url"))
    with Desk(objects) as desk:
        desk.wait_for_looks(1)
        objects.put("models/a.atlas", b"x")
        objects.put("predictions/1.parquet", b"x")
        objects.put("models/b.atlas", b"x")
        desk.wait_for_keys(2)
    assert desk.seen.keys == {"models/a.atlas", "models/b.atlas"}


def test_after_each_lost_connection_everything_is_looked_at(objects: DirectoryStore, tmp_path: Path) -> None:
    with Desk(objects) as desk:
        for times in (1, 2, 3):
            desk.wait_for_looks(times)
            shutil.rmtree(tmp_path / "objects" / "models")
        desk.wait_for_looks(4)
        objects.put("models/a.atlas", b"x")
        desk.wait_for_keys(1)


def test_a_server_that_comes_back_is_listened_to_again(tmp_path: Path) -> None:
    port = servers.free_port()
    with servers.juicefs_gateway(port) as url:
        objects = open_store(url)
    with Desk(objects) as desk:
        time.sleep(1)  # in vain
        assert desk.times_missed == 0
        for times in (1, 2):
            with servers.juicefs_gateway(port) as url:
                restarted = open_store(url)
                desk.wait_for_looks(times)
                restarted.put(f"models/{times}.atlas", b"x")
                desk.wait_for_keys(times)


def test_a_store_without_events_is_asked_once_and_said_to_be_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    objects = CountingStore(tmp_path)
    with caplog.at_level(logging.INFO), Desk(objects):
        time.sleep(0.5)
    assert objects.asked == 1
    assert [record.message for record in caplog.records] == [
        "there are no events here: new models are found by listing."
    ]


def test_an_announced_tag_is_news(objects: DirectoryStore) -> None:
    port = servers.free_port()
    settings = EngineSettings(webhook_address=f"127.0.0.1:{port}", webhook_secret="hush")
    body = b'{"tag": "impacts"}'
    with Desk(objects, settings) as desk:
        headers = {SIGNATURE_HEADER: signature(body, "hush")}
        assert httpx.post(f"http://127.0.0.1:{port}{PATH}", content=body, headers=headers).is_success
        desk.wait_for(lambda desk: desk.seen.tags)
    assert desk.seen.tags == {"impacts"}
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}")


def test_an_address_that_is_taken_is_said_before_anything_starts(objects: DirectoryStore) -> None:
    port = servers.free_port()
    settings = EngineSettings(webhook_address=f"127.0.0.1:{port}", webhook_secret="hush")
    with Desk(objects, settings), pytest.raises(SettingsError, match="cannot listen"):
        Desk(objects, settings)


def test_what_is_told_while_nobody_looks_is_taken_together() -> None:
    inbox = Inbox()
    for news in (keys("models/a"), keys("models/b"), keys("models/a"), News(tags=frozenset({"t"})), News(missed=True)):
        inbox.tell(news)
    everything = News(keys=frozenset({"models/a", "models/b"}), tags=frozenset({"t"}), missed=True)
    assert inbox.take() == everything
    inbox.tell(keys("models/c"))
    assert inbox.take() == keys("models/c")


def test_who_waits_for_news_is_woken_by_it_and_by_the_end() -> None:
    inbox = Inbox()
    taken: list[News | None] = []
    reader = threading.Thread(target=lambda: taken.extend(iter(inbox.take, None)))
    reader.start()
    inbox.tell(keys("models/a"))
    while not taken:
        time.sleep(0.01)
    inbox.close()
    reader.join(10)
    assert not reader.is_alive()
    assert taken == [keys("models/a")]
