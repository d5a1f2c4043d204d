"""The client's calls about recordings and their events."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from atlas.connection import Progress
from atlas.errors import IngestionError
from atlas.ingestion import _connected
from atlas.ingestion._connected import Connected, PlaceError, address, silent
from atlas.ingestion._documents import (
    EventChange,
    EventDescription,
    LabelledSpan,
    LabelReceipt,
    NewUpload,
    RecordingDescription,
    RecordingSettings,
    RecordingState,
    UploadProgress,
)

PART_BYTES = 8 << 20
"""The most that engines take as one part."""
POLL_SECONDS = 0.5
VERIFY_SECONDS = 600.0
"""How long the engine may take over a part: with the last one it reads and verifies the whole file."""


class RecordingCalls(Connected):
    """What can be asked about recordings."""

    def recordings(self, state: RecordingState | None = None) -> Iterator[RecordingDescription]:
        """All recordings, newest first, or those in one state."""
        params = {"limit": str(_connected.PAGE_SIZE), **({"state": state.value} if state else {})}
        while page := self._list(RecordingDescription, "recordings", **params):
            yield from page
            if len(page) < _connected.PAGE_SIZE:
                return
            params["after"] = page[-1].name

    def recording(self, name: str) -> RecordingDescription:
        """What is known of a recording, and how far it is."""
        return self._connection.ask(RecordingDescription, "GET", address("recordings", name))

    def upload_recording(self, path: Path, *, name: str | None = None) -> RecordingDescription:
        """Send a file and wait until its events are there. Sending it twice changes nothing.

        Raises:
            IngestionError: the file is refused, or cannot be decoded; with the problem.
        """
        sent = self.send_recording(path, name=name)
        return sent if sent.state is RecordingState.READY else self.wait(sent.name)

    def send_recording(
        self,
        path: Path,
        *,
        name: str | None = None,
        settings: RecordingSettings | None = None,
        progress: Progress = silent,
    ) -> RecordingDescription:
        """Send a file as a recording. What broke off goes on where it stopped, and the same file is never sent twice.

        Args:
            path: of the file: signals, or a table with one labelled event a row.
            name: of the recording; the file's own, without its ending, if not given.
            settings: how signals are cut into events.
            progress: is told how much of it has been sent.

        Returns:
            The recording, which perhaps waits to be decoded.

        Raises:
            IngestionError: the file is refused, or was changed while it was sent.
        """
        with path.open("rb", buffering=0) as file:
            new = NewUpload(
                name=name or path.stem,
                filename=path.name,
                size_bytes=os.fstat(file.fileno()).st_size,
                sha256=hashlib.file_digest(file, "sha256").hexdigest(),
                settings=settings or RecordingSettings(),
            )
            state = self._connection.ask(UploadProgress, "POST", "uploads", json=new.model_dump(mode="json"))
            while state.recording is None:
                progress(state.received_bytes, new.size_bytes)
                file.seek(state.received_bytes)
                part = file.read(PART_BYTES)
                if not part:
                    raise IngestionError(f"{path} was changed while it was sent. Send it again.")
                state = self._send_part(state, part)
        progress(new.size_bytes, new.size_bytes)
        return state.recording

    def _send_part(self, state: UploadProgress, part: bytes) -> UploadProgress:
        """Send the next part; if the engine has got further, or less far, than was known, say where it stands."""
        headers = {"Content-Type": "application/octet-stream", "Upload-Offset": str(state.received_bytes)}
        path = f"uploads/{state.id}"
        try:
            return self._connection.ask(
                UploadProgress, "PUT", path, content=part, headers=headers, timeout=VERIFY_SECONDS
            )
        except PlaceError:
            found = self._connection.ask(UploadProgress, "GET", path)
            if found.received_bytes == state.received_bytes:
                raise
            return found

    def wait(
        self,
        name: str,
        *,
        timeout_seconds: float = 3600.0,
        progress: Callable[[RecordingDescription], None] = lambda recording: None,  # noqa: ARG005 - called with it
    ) -> RecordingDescription:
        """Wait until a recording is ready.

        Raises:
            IngestionError: it failed, with the problem, or is not ready in time.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            recording = self.recording(name)
            progress(recording)
            if recording.state is RecordingState.READY:
                return recording
            if recording.state is RecordingState.FAILED:
                raise IngestionError(f"The recording {name} could not be decoded: {recording.problem}")
            if time.monotonic() > deadline:
                raise IngestionError(f"The recording {name} is still {recording.state} after {timeout_seconds:g} s.")
            time.sleep(POLL_SECONDS)

    def send_labels(self, name: str, path: Path) -> LabelReceipt:
        """Label a recording's events by a CSV or JSON file. Labels of a recording that is not there yet wait for it."""
        headers = {"Content-Type": "application/octet-stream"}
        return self._connection.ask(
            LabelReceipt, "PUT", address("recordings", name, "labels"), content=path.read_bytes(), headers=headers
        )

    def events(self, recording: str) -> Iterator[EventDescription]:
        """The events of a recording as they are now, by time, then by id."""
        path, offset = address("recordings", recording, "events"), 0
        while True:
            page = self._list(EventDescription, path, limit=str(_connected.PAGE_SIZE), offset=str(offset))
            yield from page
            offset += len(page)
            if len(page) < _connected.PAGE_SIZE:
                return

    def add_event(self, recording: str, event: LabelledSpan) -> EventDescription:
        """Add an event of the recording's signals."""
        path = address("recordings", recording, "events")
        return self._connection.ask(EventDescription, "POST", path, json=event.model_dump(mode="json"))

    def change_event(self, recording: str, event: str, change: EventChange) -> EventDescription:
        """Move an event, or change what is known of it; `event` is its id within the recording.

        Raises:
            IngestionError: somebody else changed it since.
        """
        path = address("recordings", recording, "events", event)
        body = change.model_dump(mode="json", exclude_unset=True)
        return self._connection.ask(EventDescription, "PATCH", path, json=body)

    def delete_event(self, recording: str, event: str, *, since: int) -> None:
        """Delete an event, which was `since` that revision as the caller saw it. Versions that have it keep it."""
        path = address("recordings", recording, "events", event)
        self._connection.request("DELETE", path, params={"since": since})
