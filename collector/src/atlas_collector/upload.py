"""Sends finished parts to the ingestion engine, the oldest first, and keeps them until it has acknowledged them.

The engine's calls are described in docs/reference/ingestion-api.md. What broke off goes on where it stopped, also after
the car was off; a part that the engine has already is not sent again.
"""

import hashlib
import json
import logging
import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from io import BufferedReader
from pathlib import Path
from typing import Any, Self

import httpx

from atlas_collector import parts
from atlas_collector.settings import Settings, SettingsError

REFUSED = ".refused"
"""What the name of the file ends in that says why the engine refused a part; without it, the part is sent again."""
VERIFY_SECONDS = 600.0
"""How long the engine may take over the last piece: it reads and verifies the whole file then."""
ATTEMPTS = 3
"""How often a part is refused before it is set aside: a broken memory or network may have changed what arrived."""

_REFUSALS = {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, 422}
_LONGEST_NAME = 128

_log = logging.getLogger(__name__)


class UnreachableError(Exception):
    """The engine does not answer, or not as an ingestion engine does; later it may."""


class RefusedPartError(Exception):
    """The engine will not have this part, with its reason."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a part the engine has; the recording once it has all of it."""

    id: str
    received_bytes: int
    recording: Mapping[str, Any] | None

    @classmethod
    def of(cls, answer: object) -> Self:
        """From the engine's answer.

        Raises:
            UnreachableError: no ingestion engine answers like that.
        """
        if isinstance(answer, dict) and isinstance(answer.get("received_bytes"), int) and "id" in answer:
            recording = answer.get("recording")
            return cls(str(answer["id"]), answer["received_bytes"], recording if isinstance(recording, dict) else None)
        raise UnreachableError("what answers there is no ingestion engine; look at upload/url")


class Engine:
    """The calls to an ingestion engine that the uploader needs.

    Each raises UnreachableError or RefusedPartError.
    """

    def __init__(self, url: str, timeout_seconds: float, *, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else None
        self._timeout = timeout_seconds
        self._client = httpx.Client(base_url=f"{url}/api/v1/", timeout=timeout_seconds, headers=headers)

    def announce(self, told: Mapping[str, object]) -> Progress:
        """Begins an upload, or asks how far the one of the same file has come."""
        return Progress.of(self._ask("POST", "uploads", json=told))

    def send(self, upload: Progress, piece: bytes, *, is_last: bool) -> Progress:
        """Sends the next piece; the answer says where to go on, which may be elsewhere."""
        headers = {"Content-Type": "application/octet-stream", "Upload-Offset": str(upload.received_bytes)}
        timeout = max(self._timeout, VERIFY_SECONDS) if is_last else self._timeout
        try:
            answer = self._ask("PUT", f"uploads/{upload.id}", content=piece, headers=headers, timeout=timeout)
        except RefusedPartError:
            stands = Progress.of(self._ask("GET", f"uploads/{upload.id}"))
            if stands.received_bytes == upload.received_bytes:
                raise
            return stands
        return Progress.of(answer)

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _ask(self, method: str, path: str, **request: Any) -> object:
        try:
            response = self._client.request(method, path, **request)
        except httpx.HTTPError as error:
            raise UnreachableError(str(error) or type(error).__name__) from error
        if response.status_code in _REFUSALS:
            raise RefusedPartError(_detail(response))
        if not response.is_success:
            raise UnreachableError(f"{response.url} answered {response.status_code}: {_detail(response)}")
        return _document(response)


class Uploader:
    """Sends the parts of a folder."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings, self._engine = settings, engine
        self._refusals: Counter[Path] = Counter()
        self._progressed = False
        self._is_away = False

    def run(self, stop: threading.Event) -> None:
        """Sends what is finished until it is stopped; pauses grow while nothing gets through."""
        pause = 0.0
        while not stop.wait(pause):
            pause = self._next_pause(pause)

    def send_finished(self) -> None:
        """Sends all parts that are finished and not sent yet; one that is refused lets the next pass.

        Raises:
            UnreachableError: the engine does not answer.
        """
        for part in waiting(self._settings.folder):
            try:
                self._send(part)
            except (RefusedPartError, OSError, ValueError) as error:
                self._note_refusal(part, error)

    def _next_pause(self, pause: float) -> float:
        upload, self._progressed = self._settings.upload, False
        try:
            self.send_finished()
        except UnreachableError as error:
            if not self._is_away:
                _log.warning("Parts are not sent: %s. It is tried again until they are.", error)
            self._is_away = True
            longer = upload.every_seconds if self._progressed else 2 * pause
            return min(max(longer, upload.every_seconds), upload.longest_pause_seconds)
        self._is_away = False
        return upload.every_seconds

    def _send(self, part: Path) -> None:
        with part.open("rb") as file:
            told = self._described(part, file)
            state = self._engine.announce(told)
            while state.recording is None:
                state = self._send_piece(file, state, int(told["size_bytes"]))
        if state.recording.get("sha256") != told["sha256"]:
            raise UnreachableError(f"the engine acknowledged another file than {part.name}; it is sent again")
        mark = part.with_name(part.name + parts.UPLOADED)
        parts.write_durably(mark, json.dumps(state.recording, indent=2) + "\n")
        _log.info("Sent %s: %.1f MB.", part.name, int(told["size_bytes"]) / 1e6)

    def _send_piece(self, file: BufferedReader, state: Progress, size: int) -> Progress:
        file.seek(state.received_bytes)
        piece = file.read(self._settings.upload.piece_bytes)
        if not piece:
            raise RefusedPartError("the engine has all of it and acknowledges it not")
        after = self._engine.send(state, piece, is_last=state.received_bytes + len(piece) >= size)
        self._progressed = True
        return after

    def _described(self, part: Path, file: BufferedReader) -> dict[str, Any]:
        """What the engine is told of a part. Its sha256 is that of the file as it is now: what the disk changed since
        it was finished is said, but what is left of it is sent."""
        manifest = json.loads(part.with_name(part.name + parts.MANIFEST).read_text(encoding="utf-8"))
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != manifest["sha256"]:
            _log.error("%s has changed since it was finished: the disk may be failing. It is sent as it is.", part.name)
        known = {"car": self._settings.car, "environment": self._settings.environment}
        return {
            "name": recording_name(self._settings.car, part),
            "filename": part.name,
            "size_bytes": file.tell(),
            "sha256": digest,
            "settings": {key: value for key, value in known.items() if value},
        }

    def _note_refusal(self, part: Path, error: Exception) -> None:
        self._refusals[part] += 1
        if self._refusals[part] < ATTEMPTS:
            return
        mark = part.with_name(part.name + REFUSED)
        try:
            parts.write_durably(mark, f"{error}\n")
        except OSError as full:
            _log.error("%s cannot be set aside: %s", part.name, full)
            return
        _log.error("%s is set aside: %s. Delete %s to send it again.", part.name, error, mark.name)


def waiting(folder: Path) -> list[Path]:
    """The finished parts that are neither acknowledged nor refused, the oldest first."""
    return [part for part in parts.finished(folder) if not _is_marked(part)]


def token_in(file: str) -> str:
    """The token that a file holds; none if there is no file.

    Raises:
        SettingsError: it cannot be read, or holds no token.
    """
    if not file:
        return ""
    try:
        token = Path(file).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"upload/token_file: {file} cannot be read: {error}") from error
    if not token or not token.isprintable():
        raise SettingsError(f"upload/token_file: {file} has to hold one line, the token")
    return token


def recording_name(car: str, part: Path) -> str:
    """What the engine shall call a part: cars that start at the same second do not get into each other's way."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", car).strip("-._")
    return f"{plain}-{part.stem}"[-_LONGEST_NAME:].lstrip("-._")


def _is_marked(part: Path) -> bool:
    return any(part.with_name(part.name + ending).exists() for ending in (parts.UPLOADED, REFUSED))


def _document(response: httpx.Response) -> object:
    try:
        return response.json()
    except ValueError as error:
        raise UnreachableError(f"{response.url} did not answer with JSON; look at upload/url") from error


def _detail(response: httpx.Response) -> str:
    """What the engine says is wrong."""
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return response.reason_phrase
