"""Who is told of new versions, when, and what becomes of an announcement that cannot be delivered."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from atlas.errors import SettingsError
from atlas.ingestion import IngestionClient
from atlas.webhooks import SIGNATURE_HEADER, is_signed
from ingestion_engine.settings import IngestionEnvironment
from ingestion_engine.webhooks import Receiver
from tests.ingestion_engine.engine import COMPONENTS_TOKEN
from tests.ingestion_engine.server import prepared, serving
from tests.servers import free_port

SECRET = "hush"


class Listener:
    """A server that keeps what it is told, and answers with the statuses that it was given, the last one for ever."""

    def __init__(self, *statuses: int, port: int = 0) -> None:
        self.bodies: list[bytes] = []
        self.signed: list[bool] = []
        self._statuses = list(statuses or (202,))
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(listener.keep(body, self.headers[SIGNATURE_HEADER]))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's word
                """Nothing is printed."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/events/dataset-version"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def keep(self, body: bytes, claimed: str) -> int:
        """Keep an announcement; the status of the answer."""
        self.bodies.append(body)
        self.signed.append(is_signed(body, SECRET, claimed))
        return self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def listening(*statuses: int, port: int = 0) -> Iterator[Listener]:
    listener = Listener(*statuses, port=port)
    try:
        yield listener
    finally:
        listener.close()


def send(client: IngestionClient, path: Path, *, label: str) -> None:
    path.write_text(f"label\n{label}\n")
    client.upload_recording(path)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def test_an_announcement_is_signed_and_names_the_tag() -> None:
    with listening() as listener:
        Receiver(listener.url, SECRET).announce("impacts")
        wait_for(lambda: listener.bodies)
    assert (listener.bodies, listener.signed) == ([b'{"tag":"impacts"}'], [True])


def test_a_receiver_that_is_not_there_yet_is_told_later(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    receiver = Receiver(f"http://127.0.0.1:{port}/events/dataset-version", SECRET)
    for _ in range(3):
        receiver.announce("impacts")
    receiver.announce("winter")
    time.sleep(0.3)
    with listening(port=port) as listener:
        wait_for(lambda: b'{"tag":"winter"}' in listener.bodies)
    assert set(listener.bodies) == {b'{"tag":"impacts"}', b'{"tag":"winter"}'}
    assert len(listener.bodies) <= 3, "what is announced again before it could be sent is sent once"
    assert not caplog.records


def test_a_receiver_with_a_fault_that_passes_is_told_again() -> None:
    with listening(503, 429, 202) as listener:
        Receiver(listener.url, SECRET).announce("impacts")
        wait_for(lambda: len(listener.bodies) == 3)


def test_a_receiver_that_refuses_is_told_once_and_the_next_announcement_is_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with listening(401, 202) as listener, caplog.at_level(logging.WARNING):
        receiver = Receiver(listener.url, SECRET)
        receiver.announce("impacts")
        wait_for(lambda: caplog.records)
        receiver.announce("winter")
        wait_for(lambda: len(listener.bodies) == 2)
    assert listener.bodies == [b'{"tag":"impacts"}', b'{"tag":"winter"}']
    assert "refused an announcement" in caplog.text


def test_a_receiver_that_never_answers_is_given_up_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Receiver(f"http://127.0.0.1:{free_port()}/", SECRET, attempts=2).announce("impacts")
        wait_for(lambda: caplog.records)
    assert "was not told that impacts has a new version" in caplog.text


@pytest.mark.system
@pytest.mark.database
def test_the_engine_tells_each_address_of_the_tags_that_have_a_new_version(tmp_path: Path) -> None:
    with listening() as one, listening() as two, prepared(tmp_path) as environment:
        nobody = f"http://127.0.0.1:{free_port()}/"
        told = {"ATLAS_WEBHOOKS": f"{nobody}, {one.url},{two.url}", "ATLAS_WEBHOOK_SECRET": SECRET}
        with serving({**environment, **told}) as url:
            client = IngestionClient(url, token=COMPONENTS_TOKEN)
            client.create_tag("all")
            client.create_tag("dents", 'label = "dent"')
            send(client, tmp_path / "monday.csv", label="dent")
            wait_for(lambda: len(one.bodies) == len(two.bodies) == 2)
            send(client, tmp_path / "tuesday.csv", label="none")
            send(client, tmp_path / "tuesday.csv", label="none")
            wait_for(lambda: len(one.bodies) == len(two.bodies) == 3)
            client.close()
    assert one.bodies == two.bodies == [b'{"tag":"all"}', b'{"tag":"dents"}', b'{"tag":"all"}']
    assert all(one.signed + two.signed)


def test_addresses_need_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_WEBHOOKS", "http://127.0.0.1:8002/events/dataset-version")
    with pytest.raises(SettingsError, match="ATLAS_WEBHOOK_SECRET"):
        IngestionEnvironment.from_environment()


@pytest.mark.parametrize("addresses", ["127.0.0.1:8002", "ftp://example.org", "http://one http://two"])
def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, addresses: str) -> None:
    monkeypatch.setenv("ATLAS_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("ATLAS_WEBHOOKS", addresses)
    with pytest.raises(SettingsError, match="ATLAS_WEBHOOKS"):
        IngestionEnvironment.from_environment()
