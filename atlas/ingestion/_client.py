"""Client of the data ingestion engine. Its methods are the contract that any ingestion engine keeps."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from atlas.connection import Connection, Progress, whole_or_nothing
from atlas.datasets import DatasetDescription, Format, Split, TagDescription
from atlas.errors import DatasetError, IngestionError, IngestionUnavailableError
from atlas.ingestion._documents import (
    ARROW_MEDIA_TYPE,
    Examples,
    IngestionSettings,
    NewTag,
    NewUpload,
    QueryColumn,
    QueryPreview,
    RecordingDescription,
    RecordingSettings,
    RecordingState,
    UploadProgress,
)

Item = TypeVar("Item", bound=BaseModel)

PART_BYTES = 8 << 20
"""The most that engines take as one part."""
PAGE_SIZE = 200
POLL_SECONDS = 0.5
VERIFY_SECONDS = 600.0
"""How long the engine may take over a part: with the last one it reads and verifies the whole file."""
MEDIA_TYPES = {Format.ARROW: ARROW_MEDIA_TYPE, Format.PARQUET: "application/vnd.apache.parquet"}


def _silent(_done: int, _size: int) -> None:
    """Tell nobody."""


class PlaceError(IngestionError):
    """The engine waits for another part than the one that it was sent."""


class IngestionClient:
    """Speaks to the ingestion engine at `url`, such as `http://127.0.0.1:8100`.

    Every method raises IngestionError when the engine refuses, with its words, and IngestionUnavailableError when it
    cannot be reached; that is tried again first, at most `attempts` times in all.
    """

    def __init__(self, url: str, *, timeout_seconds: float = 30.0, attempts: int = 3) -> None:
        self._connection = Connection(
            url,
            name="The ingestion engine",
            refused=_refusal,
            unavailable=IngestionUnavailableError,
            timeout_seconds=timeout_seconds,
            attempts=attempts,
        )

    @classmethod
    def from_environment(cls) -> Self:
        """The client of the engine that `ATLAS_INGESTION_URL` names."""
        return cls(IngestionSettings.from_environment().ingestion_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    # Recordings -----------------------------------------------------------------------------------------------------

    def recordings(self, state: RecordingState | None = None) -> Iterator[RecordingDescription]:
        """All recordings, newest first, or those in one state."""
        params = {"limit": str(PAGE_SIZE), **({"state": state.value} if state else {})}
        while page := self._list(RecordingDescription, "recordings", **params):
            yield from page
            if len(page) < PAGE_SIZE:
                return
            params["after"] = page[-1].name

    def recording(self, name: str) -> RecordingDescription:
        """What is known of a recording, and how far it is."""
        return self._connection.ask(RecordingDescription, "GET", _path("recordings", name))

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
        progress: Progress = _silent,
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

    # Queries and tags -----------------------------------------------------------------------------------------------

    def preview(self, query: str) -> QueryPreview:
        """What a query would select now."""
        return self._connection.ask(QueryPreview, "POST", "queries/preview", json={"query": query})

    def columns(self) -> list[QueryColumn]:
        """The columns that queries can use."""
        return self._list(QueryColumn, "queries/columns")

    def tags(self) -> list[TagDescription]:
        """All tags by name."""
        return self._list(TagDescription, "tags")

    def tag(self, name: str) -> TagDescription:
        """The tag and all its versions, oldest first."""
        return self._connection.ask(TagDescription, "GET", _path("tags", name))

    def create_tag(self, name: str, query: str = "", *, every_seconds: int | None = None) -> TagDescription:
        """Name a query; the same name with the same query again changes nothing.

        `every_seconds` is how often the engine looks for a new version; without it, whenever the data change.
        """
        body = NewTag(name=name, query=query, every_seconds=every_seconds).model_dump(exclude_none=True)
        return self._connection.ask(TagDescription, "POST", "tags", json=body)

    # Dataset versions -----------------------------------------------------------------------------------------------

    def dataset(self, query_id: str) -> DatasetDescription:
        """What is known of one dataset version."""
        return self._connection.ask(DatasetDescription, "GET", _path("datasets", query_id))

    def examples(self, query_id: str) -> Examples:
        """A few events of each label of a version."""
        return self._connection.ask(Examples, "GET", _path("datasets", query_id, "examples"))

    def download(
        self,
        dataset: DatasetDescription,
        split: Split,
        destination: Path,
        *,
        form: Format = Format.ARROW,
        columns: Sequence[str] = (),
        progress: Progress = _silent,
    ) -> None:
        """Fetch the file of a split to `destination`, which exists only if it is complete and right.

        A download that breaks off goes on where it stopped.

        Args:
            dataset: the version.
            split: which part of it.
            destination: where the file shall be.
            form: what it is written in.
            columns: only these, if any are given; then nothing but the length is checked.
            progress: is told how much of it has arrived.

        Raises:
            DatasetError: what arrived is not what the description promises, or it promises no such file.
        """
        params = {"split": split.value}
        if form is not Format.ARROW:
            params["format"] = form.value
        if columns:
            params["columns"] = ",".join(columns)
        files = dataset.splits if form is Format.ARROW else dataset.parquet
        if split not in files:
            raise DatasetError(f"{dataset.query_id} has no {form} file of its {split} data.")
        path, headers = _path("datasets", dataset.query_id, "data"), {"Accept": MEDIA_TYPES[form]}
        with whole_or_nothing(destination) as file:
            self._connection.fetch(path, file, params=params, headers=headers, progress=progress)
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if not columns and sha256 != files[split].sha256:
                raise DatasetError(
                    f"The {split} data of {dataset.query_id} has sha256 {sha256}, not {files[split].sha256}."
                )

    def _list(self, document: type[Item], path: str, **params: str) -> list[Item]:
        response = self._connection.request("GET", path, params=params)
        try:
            return TypeAdapter(list[document]).validate_json(response.content)  # type: ignore[valid-type]
        except ValidationError as error:
            raise IngestionError(f"{response.url} answered otherwise than the ingestion engine does.") from error


def _path(*parts: str) -> str:
    """The address of something below the API's; its names may hold any characters."""
    return "/".join(quote(part, safe="") for part in parts)


def _refusal(message: str, response: httpx.Response) -> IngestionError:
    is_elsewhere = response.request.method == "PUT" and response.status_code == httpx.codes.CONFLICT
    return PlaceError(message) if is_elsewhere else IngestionError(message)
