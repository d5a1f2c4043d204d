"""Where an ingestion engine announces new dataset versions: a small WSGI application."""

import json
from collections.abc import Callable
from http import HTTPMethod, HTTPStatus
from typing import NamedTuple
from wsgiref.types import StartResponse, WSGIEnvironment

from pydantic import ValidationError

from atlas import webhooks
from benchmark_engine.serving import Server

MAX_BYTES = 1 << 16
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


class WebhookServer(Server):
    """Serves a webhook at `host:port`, which it takes at once; port 0 stands for a free one.

    Raises:
        SettingsError: the address cannot be had.
    """

    def __init__(self, address: str, webhook: Webhook) -> None:
        super().__init__(address, webhook, variable="ATLAS_WEBHOOK_ADDRESS")
