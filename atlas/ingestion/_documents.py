"""The documents that an ingestion engine takes and gives."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from atlas.kept_secret import shared_token
from atlas.settings import Settings
from atlas.vocabulary import ColumnSchema, Digest, Document, Name, Text

ARROW_MEDIA_TYPE = "application/vnd.apache.arrow.file"
PARQUET_MEDIA_TYPE = "application/vnd.apache.parquet"


class IngestionSettings(Settings):
    """Settings of a process that speaks to the ingestion engine."""

    ingestion_url: str = Field("http://127.0.0.1:8100", description="Where the data ingestion engine answers")
    ingestion_token: str = Field(
        "", repr=False, description="What a process signs in with there: the token of its components, or a person's"
    )

    def kept_token(self, data_dir: Path) -> str:
        """The token of a component: if none is set, the one that all components on this machine share.

        Args:
            data_dir: the folder of everything that Atlas keeps on this machine.
        """
        return self.ingestion_token or shared_token(data_dir)


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
    size_bytes: int = Field(ge=1, le=1 << 50)
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
    """An event as it is now, or as it was. `id` is unique in the whole engine.

    Whoever changes it says which `since` they saw, so that nobody's change is overwritten unseen.
    """

    id: str
    since: int = Field(description="The revision of the data with which it became so")
    time: datetime | None
    duration_seconds: float | None
    label: LabelValue | None
    car: str | None
    environment: str | None
    columns: dict[str, bool | int | float | str] = Field(default_factory=dict)


class EventState(EventDescription):
    """What an event was for a while: until the revision `until`, if it is so no more. A person's change has a name."""

    until: int | None = None
    verb: ChangeVerb = Field(description="What made it so")
    who: str = ""
    made: datetime
    ended_by: ChangeVerb | None = Field(None, description="What made it otherwise")


class EventChange(Document):
    """What shall change of an event. Fields that are not given stay as they are; null takes a value away.

    `columns` changes those that it names.
    """

    since: int = Field(description="Of the event as the sender saw it")
    start: AwareDatetime | float | None = Field(None, description="With `end`: where the event shall lie")
    end: AwareDatetime | float | None = None
    label: LabelValue | None = None
    car: Text | None = None
    environment: Text | None = None
    columns: dict[Text, bool | int | float | str | None] = Field(default_factory=dict)


class RecordingChange(Document):
    """One change of a recording's events: how many it concerned, and the first of them by id."""

    revision: int
    verb: ChangeVerb
    who: str
    made: datetime
    events: int
    first_event: str | None = None


class EventAspect(StrEnum):
    """What of an event can be otherwise in another version."""

    LABEL = "label"
    CAR = "car"
    ENVIRONMENT = "environment"
    SPAN = "span"
    COLUMNS = "columns"


class ChangedEvent(Document):
    """An event that two versions hold otherwise."""

    before: EventDescription
    after: EventDescription
    aspects: tuple[EventAspect, ...]


class RetypedColumn(Document):
    """A column that two versions hold in different Arrow types."""

    name: Text
    before: Text
    after: Text


class VersionDifference(Document):
    """What one version of a tag has otherwise than another; `older` and `newer` are query ids.

    `aspects` counts the changed events by what changed of them. `labels_before` and `labels_after` count events per
    label. The events are the first hundred of each kind, by id.
    """

    older: Name
    newer: Name
    added: int
    removed: int
    changed: int
    aspects: dict[EventAspect, int]
    labels_before: dict[str, int]
    labels_after: dict[str, int]
    columns_added: tuple[ColumnSchema, ...]
    columns_removed: tuple[ColumnSchema, ...]
    columns_retyped: tuple[RetypedColumn, ...]
    added_events: tuple[EventDescription, ...]
    removed_events: tuple[EventDescription, ...]
    changed_events: tuple[ChangedEvent, ...]


class NewTag(Document):
    """The request for a tag: its name and the query that it stands for."""

    name: Name
    query: str = ""
    every_seconds: int | None = Field(
        None, ge=60, le=366 * 86_400, description="How often to look for a new version; null: whenever the data change"
    )


class QueryText(Document):
    """A query, to look at before a tag is made of it."""

    query: str = ""


class QueryPreview(Document):
    """What a query would select now."""

    rows: int
    labels: dict[str, int]


class QueryColumn(Document):
    """A column that queries can use, and some of its values, most frequent first."""

    name: str
    kind: str
    values: tuple[str, ...] = ()


class QueryPosition(Document):
    """A place in a query that is being written: `position` characters are before it."""

    query: str
    position: int = Field(ge=0)


class QuerySuggestions(Document):
    """What may be written in place of the text from `start` to the position that was asked about."""

    start: int
    items: tuple[str, ...] = ()
