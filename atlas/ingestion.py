"""Client of the data ingestion engine. Its methods are the contract that any ingestion engine keeps."""

import hashlib
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from atlas.connection import Connection, Progress, whole_or_nothing
from atlas.datasets import DatasetDescription, Split, TagDescription
from atlas.errors import DatasetError, IngestionError, IngestionUnavailableError
from atlas.settings import Settings
from atlas.vocabulary import Digest, Document, Name, Text

ARROW_MEDIA_TYPE = "application/vnd.apache.arrow.file"


class IngestionSettings(Settings):
    """Settings of a process that speaks to the ingestion engine."""

    ingestion_url: str = Field("http://127.0.0.1:8100", description="Where the data ingestion engine answers")


class RecordingState(StrEnum):
    """How far a recording is. Nothing of it is selected by queries before it is ready."""

    WAITING = "waiting"
    DECODING = "decoding"
    READY = "ready"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether it stays so if nobody does anything."""
        return self in (RecordingState.READY, RecordingState.FAILED)


class RecordingSettings(Document):
    """How a recording of signals becomes events. Tables of events need none of it.

    Without `window_seconds` each label becomes one event: the signals from `before_seconds` before its start until
    `after_seconds` after its end. With it the recording is cut into windows of that length, `step_seconds` apart (as
    long as a window, if not given); each has the label that covers most of it, if one covers at least half.
    """

    start: datetime | None = Field(None, description="When it began, where the file does not say")
    car: Text | None = Field(None, description="Of all events whose label names none")
    environment: Text | None = Field(None, description="Of all events whose label names none")
    before_seconds: float = Field(0.0, ge=0, le=3600, allow_inf_nan=False)
    after_seconds: float = Field(0.0, ge=0, le=3600, allow_inf_nan=False)
    window_seconds: float | None = Field(None, ge=0.01, le=3600, allow_inf_nan=False)
    step_seconds: float | None = Field(None, ge=0.01, le=3600, allow_inf_nan=False)


class ChannelDescription(Document):
    """One signal of a recording. `rate_hz` is null where samples come at times of their own."""

    name: Text
    unit: str = ""
    rate_hz: float | None = None
    samples: int
    dtype: Text
    gaps: tuple[tuple[float, float], ...] = Field((), description="From, to: seconds since the recording's start")


class RecordingDescription(Document):
    """What is known of a recording."""

    name: Name
    filename: str
    sha256: Digest
    size_bytes: int
    received: datetime
    settings: RecordingSettings
    state: RecordingState
    problem: str = Field("", description="Why it failed, and what to do")
    losses: tuple[str, ...] = Field((), description="What of a damaged file could not be saved")
    start: datetime | None = None
    duration_seconds: float | None = None
    channels: tuple[ChannelDescription, ...] = ()
    events: int = 0


class NewUpload(Document):
    """The announcement of a recording that is sent in parts."""

    name: Name
    filename: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    size_bytes: int = Field(ge=1)
    sha256: Digest
    settings: RecordingSettings = RecordingSettings()


class UploadProgress(Document):
    """How much of an upload has arrived; the recording once all of it has."""

    id: UUID
    received_bytes: int
    size_bytes: int
    recording: RecordingDescription | None = None


LabelValue = bool | int | float | str | list[str]
"""A label: one class, a number, or several classes."""


class LabelledSpan(Document):
    """What was heard or felt from `start` to `end`: moments, or seconds since the recording's start.

    `columns` holds whatever else is known, each one scalar column of the event.
    """

    id: Text | None = Field(None, description="Within the recording; made from the start if not given")
    start: AwareDatetime | float
    end: AwareDatetime | float | None = Field(None, description="The start if not given")
    label: LabelValue
    car: Text | None = None
    environment: Text | None = None
    columns: dict[Text, bool | int | float | str] = Field(default_factory=dict)


class LabelReceipt(Document):
    """What labels did: they made events, changed some, or wait for their recording."""

    recording: Name
    sha256: Digest
    labels: int
    added: int
    changed: int
    waiting: bool


class ChangeVerb(StrEnum):
    """What was done to the events of a recording."""

    RECEIVED = "received"
    LABELLED = "labelled"
    ADDED = "added"
    MOVED = "moved"
    RELABELLED = "relabelled"
    DELETED = "deleted"


class EventDescription(Document):
    """An event as it is now. `id` is unique in the whole engine."""

    id: str
    time: datetime | None
    duration_seconds: float | None
    label: LabelValue | None
    car: str | None
    environment: str | None
    columns: dict[str, bool | int | float | str] = Field(default_factory=dict)


class NewTag(Document):
    """The request for a tag: its name and the query that it stands for."""

    name: Name
    query: str = ""
    every_seconds: int | None = Field(
        None, ge=60, le=366 * 86_400, description="How often to look for a new version; null: whenever the data change"
    )


class QueryPreview(Document):
    """What a query would select now."""

    rows: int
    labels: dict[str, int]


class QueryColumn(Document):
    """A column that queries can use, and some of its values, most frequent first."""

    name: str
    kind: str
    values: tuple[str, ...] = ()


class IngestionClient:
    """Speaks to the ingestion engine at `url`, such as `http://127.0.0.1:8100`.

    A request that fails because the engine is not reachable is tried again, at most `attempts` times in all.
    """

    def __init__(self, url: str, *, timeout_seconds: float = 30.0, attempts: int = 3) -> None:
        self._connection = Connection(
            url,
            name="The ingestion engine",
            refused=lambda message, _: IngestionError(message),
            unavailable=IngestionUnavailableError,
            timeout_seconds=timeout_seconds,
            attempts=attempts,
        )

    def tag(self, name: str) -> TagDescription:
        """The tag and all its versions, oldest first."""
        return self._connection.ask(TagDescription, "GET", f"tags/{name}")

    def create_tag(self, name: str, query: str = "") -> TagDescription:
        """Name a query; the same name with the same query again changes nothing."""
        body = NewTag(name=name, query=query).model_dump()
        return self._connection.ask(TagDescription, "POST", "tags", json=body)

    def dataset(self, query_id: str) -> DatasetDescription:
        """What is known of one dataset version."""
        return self._connection.ask(DatasetDescription, "GET", f"datasets/{query_id}")

    def upload_recording(self, path: Path, *, name: str | None = None) -> RecordingDescription:
        """Send a CSV or Parquet file with one labelled event per row. Sending it twice changes nothing."""
        with path.open("rb") as file:
            files = {"file": (path.name, file, "application/octet-stream")}
            fields = {"name": name or path.stem}
            return self._connection.ask(RecordingDescription, "POST", "recordings", data=fields, files=files)

    def download(
        self,
        dataset: DatasetDescription,
        split: Split,
        destination: Path,
        *,
        progress: Progress = lambda done, size: None,  # noqa: ARG005 - what it is called with
    ) -> None:
        """Fetch the Arrow file of a split to `destination`, which exists only if it is complete and right.

        A download that breaks off goes on where it stopped.

        Raises:
            DatasetError: what arrived is not what the description promises.
        """
        path, params = f"datasets/{dataset.query_id}/data", {"split": split.value}
        with whole_or_nothing(destination) as file:
            self._connection.fetch(path, file, params=params, headers={"Accept": ARROW_MEDIA_TYPE}, progress=progress)
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if sha256 != dataset.splits[split].sha256:
                raise DatasetError(
                    f"The {split} data of {dataset.query_id} has sha256 {sha256}, not {dataset.splits[split].sha256}."
                )

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()
