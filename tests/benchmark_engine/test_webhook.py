"""What an ingestion engine is told that announces a version, over a real socket."""

import json
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from atlas.errors import SettingsError
from atlas.webhooks import PATH, SIGNATURE_HEADER, signature
from benchmark_engine.serving import MAX_UNREAD_BYTES
from benchmark_engine.settings import EngineSettings
from benchmark_engine.webhook import MAX_BYTES, Webhook, WebhookServer

SECRET = "hush"
ANNOUNCEMENT = b'{"tag": "impacts"}'


class Caller:
    """Speaks to a webhook; `announced` are the tags that it took."""

    def __init__(self) -> None:
        self.announced: list[str] = []
        self._stop = threading.Event()
        self._server = WebhookServer("127.0.0.1:0", Webhook(SECRET, self.announced.append))
        self.port = self._server.port
        self._thread = threading.Thread(target=self._server.run, args=(self._stop,))
        self._thread.start()

    def send(
        self, body: bytes = ANNOUNCEMENT, *, method: str = "POST", path: str = PATH, signed: bytes | None = None
    ) -> httpx.Response:
        """Send a body with the signature of `signed`, or of the body itself."""
        headers = {SIGNATURE_HEADER: signature(body if signed is None else signed, SECRET)}
        return httpx.request(method, f"http://127.0.0.1:{self.port}{path}", content=body, headers=headers)

    def close(self) -> None:
        """Stop serving."""
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


@pytest.fixture
def caller() -> Iterator[Caller]:
    speaking = Caller()
    yield speaking
    speaking.close()


def test_a_signed_announcement_is_taken(caller: Caller) -> None:
    response = caller.send()
    assert (response.status_code, response.json()) == (202, {"detail": "Versions of impacts are looked for."})
    assert caller.announced == ["impacts"]


@pytest.mark.parametrize(
    ("request_", "status", "detail"),
    [
        ({"signed": b"other"}, 401, "X-Atlas-Signature is not the signature"),
        ({"body": b"not JSON"}, 400, "must be JSON such as"),
        ({"body": b"{}"}, 400, "Field required"),
        ({"body": json.dumps({"tag": "../x"}).encode()}, 400, "should match pattern"),
        ({"body": b""}, 400, "must be JSON such as"),
        ({"body": b" " * MAX_BYTES + ANNOUNCEMENT}, 413, "at most 65536 bytes"),
        ({"method": "GET"}, 405, "sent with POST"),
        ({"path": "/"}, 404, "to /events/dataset-version"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(
    caller: Caller, request_: dict[str, bytes], status: int, detail: str
) -> None:
    response = caller.send(**request_)  # type: ignore[arg-type]
    assert response.status_code == status
    assert detail in response.json()["detail"]
    assert caller.announced == []


def test_a_wrong_method_is_told_the_right_one(caller: Caller) -> None:
    assert caller.send(method="PUT").headers["Allow"] == "POST"


def test_an_unsigned_announcement_is_refused(caller: Caller) -> None:
    response = httpx.post(f"http://127.0.0.1:{caller.port}{PATH}", content=ANNOUNCEMENT)
    assert response.status_code == 401


def test_a_body_in_pieces_is_read_whole_and_a_huge_one_is_refused(caller: Caller) -> None:
    def pieces(body: bytes) -> Iterator[bytes]:
        yield body[:5]
        yield body[5:]

    def send(body: bytes) -> int:
        headers = {SIGNATURE_HEADER: signature(body, SECRET)}
        return httpx.post(f"http://127.0.0.1:{caller.port}{PATH}", content=pieces(body), headers=headers).status_code

    assert [send(ANNOUNCEMENT), send(b" " * (MAX_UNREAD_BYTES + 1))] == [202, 413]


def test_a_caller_that_says_nothing_keeps_nobody_waiting(caller: Caller) -> None:
    with socket.create_connection(("127.0.0.1", caller.port)) as silent:
        silent.sendall(b"POST /events/dataset-version HTTP/1.1\r\nContent-Length: 100\r\n\r\n")
        assert caller.send().status_code == 202


def test_an_address_that_is_taken_is_an_error_that_names_the_setting(caller: Caller) -> None:
    with pytest.raises(SettingsError, match=f"ATLAS_WEBHOOK_ADDRESS: cannot listen at 127.0.0.1:{caller.port}"):
        WebhookServer(f"127.0.0.1:{caller.port}", Webhook(SECRET, print))


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "no.such.host.invalid:80"])
def test_an_address_that_cannot_be_is_an_error_that_names_the_setting(address: str) -> None:
    with pytest.raises(SettingsError, match="ATLAS_WEBHOOK_ADDRESS"):
        WebhookServer(address, Webhook(SECRET, print))


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1:", "127.0.0.1:http"])
def test_an_address_without_a_port_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("ATLAS_WEBHOOK_ADDRESS", address)
    with pytest.raises(SettingsError, match="ATLAS_WEBHOOK_ADDRESS"):
        EngineSettings.from_environment()


def test_an_address_needs_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_WEBHOOK_ADDRESS", "127.0.0.1:8002")
    with pytest.raises(SettingsError, match=r"ATLAS_WEBHOOK_SECRET: .* needed where ATLAS_WEBHOOK_ADDRESS is set"):
        EngineSettings.from_environment()
    monkeypatch.setenv("ATLAS_WEBHOOK_SECRET", SECRET)
    assert SECRET not in repr(EngineSettings.from_environment())
