"""Decoding a file into what the tables and the object store keep of it. It runs in a process without either."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import AwareDatetime, BaseModel, Field

import bags
from atlas.ingestion import ChannelDescription, LabelledSpan, RecordingSettings
from bags import Signals, UnreadableError, archive
from bags.archive import ArchivedChannel
from bags.signals import NANOSECONDS
from ingestion_engine import feature_files, windows
from ingestion_engine.errors import RecordingError, RefusedError
from ingestion_engine.parsing import TIME, ParsedRecording, parse
from ingestion_engine.placing import UNDATED, Extent, Placed, extent_of, known_columns, placed

LABEL = "label"
PARQUET = b"PAR1"
HEADING_BYTES = 1 << 16
MAX_CHANNEL = 190
MAX_CHANNELS = 1000
INDEX = pa.schema(
    {
        "id": pa.string(),
        "time": TIME,
        "duration_seconds": pa.float64(),
        "label": pa.string(),
        "label_type": pa.string(),
        "car": pa.string(),
        "environment": pa.string(),
    }
)
"""Of the file of a recording's events: `label` is written as JSON, `label_type` is its Arrow type."""


@dataclass(frozen=True, kw_only=True)
class Labels:
    """A file of labels that waits for the recording; `key` is that of its row."""

    key: int
    labels: tuple[LabelledSpan, ...]


@dataclass(frozen=True, kw_only=True)
class Job:
    """A file to decode. All paths lie in `folder`, which is empty but for the file at `path`."""

    path: Path
    folder: Path
    filename: str
    settings: RecordingSettings
    label_files: tuple[Labels, ...] = ()

    @property
    def outcome(self) -> Path:
        """What became of the file: an `Outcome` as JSON; the last file to be written."""
        return self.folder / "outcome.json"

    @property
    def index(self) -> Path:
        """The events, a Parquet file with the columns of `INDEX`."""
        return self.folder / "index.parquet"

    @property
    def features(self) -> Path:
        """Their feature columns, a file of features, row by row."""
        return self.folder / "features.arrow"

    @property
    def signals(self) -> Path:
        """The folder of the archive; empty if the file is a table of events."""
        return self.folder / "signals"


class Outcome(BaseModel):
    """What became of a file. It has a `problem` if nothing can be used.

    `archive` names the files of the archive in the order in which they are to be stored; `refused` says of files of
    labels, by their keys, why they cannot be applied.
    """

    problem: str = ""
    start: AwareDatetime | None = None
    duration_seconds: float | None = None
    channels: tuple[ChannelDescription, ...] = ()
    losses: tuple[str, ...] = ()
    archive: tuple[str, ...] = ()
    refused: dict[int, str] = Field(default_factory=dict)


def decode(job: Job) -> None:
    """Read a file and write what becomes of it."""
    job.signals.mkdir()
    try:
        outcome = _of_table(job) if _is_table_of_events(job.path) else _of_signals(job)
    except (RefusedError, UnreadableError) as error:
        outcome = Outcome(problem=_line(str(error)))
    job.outcome.write_text(outcome.model_dump_json())


def index_of(events: Sequence[Placed], extent: Extent) -> pa.Table:
    """The index of events of signals."""
    rows = [event.row(extent) | {"label": json.dumps(event.label)} for event in events]
    return pa.Table.from_pylist(rows, INDEX)


def _is_table_of_events(path: Path) -> bool:
    """Whether it is a table in Parquet or CSV that has a column `label`."""
    with path.open("rb") as file:
        start = file.read(HEADING_BYTES)
    if not start.startswith(PARQUET):
        heading = start.partition(b"\n")[0].decode(errors="replace")
        return LABEL in (name.strip(' "\r\ufeff') for name in heading.split(","))
    try:
        return LABEL in map(str.strip, pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise RecordingError(f"the Parquet file cannot be read: {error}") from error


def _of_table(job: Job) -> Outcome:
    parsed = parse(job.path)
    pq.write_table(_index_of_table(parsed), job.index)
    feature_files.write(job.features, parsed.features.schema, [parsed.features])
    problem = "the recording is a table of events without signals: send its events again under another name"
    return Outcome(refused=dict.fromkeys((each.key for each in job.label_files), problem))


def _index_of_table(parsed: ParsedRecording) -> pa.Table:
    rows, labels = parsed.index.num_rows, parsed.index["label"]
    columns = {name: parsed.index[name] for name in ("id", "time", "car", "environment")} | {
        "duration_seconds": pa.nulls(rows, pa.float64()),
        "label": pa.array([json.dumps(label) for label in labels.to_pylist()], pa.string()),
        "label_type": pa.repeat(str(labels.type), rows),
    }
    return pa.table([columns[name] for name in INDEX.names], schema=INDEX)


def _of_signals(job: Job) -> Outcome:
    signals = _usable(_read(job))
    archive.write(signals, job.signals)
    found = archive.in_folder(job.signals)
    start = _start(signals, job.settings)
    extent = extent_of(start, signals.duration_seconds)
    events, refused = _placed(job, extent)
    pq.write_table(index_of(events, extent), job.index)
    windows.write(job.features, found, [event.span for event in events], known_columns(events))
    return Outcome(
        start=start,
        duration_seconds=signals.duration_seconds,
        channels=tuple(_described(channel, signals.start_ns) for channel in found.channels),
        losses=tuple(map(_line, signals.losses)),
        archive=(archive.SAMPLES_FILE, archive.INDEX_FILE),
        refused=refused,
    )


def _read(job: Job) -> Signals:
    raw = job.folder / "raw"
    raw.mkdir()
    try:
        return bags.read(job.path, raw, filename=job.filename)
    except UnreadableError as error:
        if _looks_like_a_table(job.path):
            raise RecordingError(f"there is no column 'label', as in a table of events, and {error}") from error
        raise


def _looks_like_a_table(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(HEADING_BYTES)
    return start.startswith(PARQUET) or b"\0" not in start


def _usable(signals: Signals) -> Signals:
    """The channels whose names can be those of columns.

    Raises:
        RecordingError: there is none, or they are too many.
    """
    fit = tuple(each for each in signals.channels if 0 < len(each.name) <= MAX_CHANNEL and each.name.isprintable())
    if not fit:
        raise RecordingError(" ".join(["the file has no signals.", *signals.losses]))
    if len(fit) > MAX_CHANNELS:
        raise RecordingError(f"the file has {len(fit)} channels; {MAX_CHANNELS} are allowed")
    unfit = [each.name for each in signals.channels if each not in fit]
    left = tuple(f"The channel {name!r:.100} is left out: its name is not one line of text." for name in unfit)
    return replace(signals, channels=fit, losses=(*signals.losses, *left))


def _start(signals: Signals, settings: RecordingSettings) -> datetime | None:
    """When the signals begin; None if nobody says."""
    if signals.is_dated:
        return UNDATED + timedelta(microseconds=signals.start_ns // 1000)
    start = settings.start
    return start.replace(tzinfo=start.tzinfo or UTC) if start else None


def _placed(job: Job, extent: Extent) -> tuple[list[Placed], dict[int, str]]:
    """The events, and why files of labels are refused; of two labels with one id, the later file's counts."""
    labels: dict[str, LabelledSpan] = {}
    refused: dict[int, str] = {}
    for file in job.label_files:
        try:
            placed(file.labels, job.settings, extent)
            labels |= {label.id or f"{extent.seconds(label.start):.3f}": label for label in file.labels}
        except RefusedError as error:
            refused[file.key] = str(error)
    return placed(list(labels.values()), job.settings, extent), refused


def _described(channel: ArchivedChannel, start_ns: int) -> ChannelDescription:
    return ChannelDescription(
        name=channel.name,
        unit=_line(channel.unit),
        rate_hz=channel.rate_hz,
        samples=channel.samples,
        dtype=np.dtype(channel.dtype).name,
        gaps=tuple(((first - start_ns) / NANOSECONDS, (last - start_ns) / NANOSECONDS) for first, last in channel.gaps),
    )


def _line(text: str) -> str:
    """The text without characters that databases and pages do not hold."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
