"""Where an ingestion engine announces new dataset versions: a small WSGI application and its server."""

import json
import socket
import threading
from collections.abc import Callable
from http import HTTPMethod, HTTPStatus
from typing import NamedTuple
from wsgiref.types import StartResponse, WSGIEnvironment

from pydantic import ValidationError
from waitress import create_server, wasyncore

from atlas import webhooks
from atlas.errors import SettingsError

MAX_BYTES = 1 << 16
MAX_UNREAD_BYTES = 1 << 20
"""A request that says to be larger is ended by the server before it is received."""
LOOP_SECONDS = 0.5
MAX_PORT = 65535
SIGNATURE = f"HTTP_{webhooks.SIGNATURE_HEADER.upper().replace('-', '_')}"


class Answer(NamedTuple):
    """What a caller is told."""

    status: HTTPStatus
    detail: str


class Webhook:
    """Takes signed announcements, and hands on the tag that each one names. It answers before anyone looks."""

    def __init__(self, secret: str, announce: Callable[[str], None]) -> None:
        self._secret = secret
        self._announce = announce

    def __call__(self, request: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        """The application, as WSGI wants it."""
        answer = self._answer(request)
        body = json.dumps({"detail": answer.detail}).encode() + b"\n"
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        if answer.status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", HTTPMethod.POST))
        start_response(f"{answer.status.value} {answer.status.phrase}", headers)
        return [body]

    def _answer(self, request: WSGIEnvironment) -> Answer:
        if request["PATH_INFO"] != webhooks.PATH:
            return Answer(HTTPStatus.NOT_FOUND, f"There is nothing here; announce new versions to {webhooks.PATH}.")
        if request["REQUEST_METHOD"] != HTTPMethod.POST:
            return Answer(HTTPStatus.METHOD_NOT_ALLOWED, "Announcements are sent with POST.")
        length = int(request.get("CONTENT_LENGTH") or 0)
        if length > MAX_BYTES:
            return Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"An announcement has at most {MAX_BYTES} bytes.")
        return self._received(request["wsgi.input"].read(length), request.get(SIGNATURE, ""))

    def _received(self, body: bytes, claimed: str) -> Answer:
        if not webhooks.is_signed(body, self._secret, claimed):
            problem = f"{webhooks.SIGNATURE_HEADER} is not the signature of this body with this engine's secret."
            return Answer(HTTPStatus.UNAUTHORIZED, problem)
        try:
            tag = webhooks.NewVersion.model_validate_json(body).tag
        except ValidationError as error:
            problem = error.errors()[0]["msg"]
            return Answer(HTTPStatus.BAD_REQUEST, f'The body must be JSON such as {{"tag": "impacts"}}: {problem}.')
        self._announce(tag)
        return Answer(HTTPStatus.ACCEPTED, f"Versions of {tag} are looked for.")


class WebhookServer:
    """Serves a webhook at `host:port`, which it takes at once; port 0 stands for a free one.

    Raises:
        SettingsError: the address cannot be had.
    """

    def __init__(self, address: str, webhook: Webhook) -> None:
        try:
            listener = _listener(address)
        except (OSError, ValueError) as error:
            raise SettingsError(f"ATLAS_WEBHOOK_ADDRESS: cannot listen at {address}: {error}") from error
        self.port: int = listener.getsockname()[1]
        self._sockets: dict[int, wasyncore.dispatcher] = {}
        self._server = create_server(
            webhook,
            map=self._sockets,
            sockets=[listener],
            threads=1,
            max_request_body_size=MAX_UNREAD_BYTES,
            ident="Atlas",
        )

    def run(self, stop: threading.Event) -> None:
        """Serve; it ends about half a second after `stop` is set."""
        while not stop.is_set():
            wasyncore.loop(timeout=LOOP_SECONDS, use_poll=True, map=self._sockets, count=1)
        self.close()

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._sockets)


def _listener(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    if int(port) > MAX_PORT:
        raise ValueError(f"a port is at most {MAX_PORT}")
    host = host.strip("[]")
    return socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
