"""Decoding a file into what the tables and the object store keep of it. It runs in a process without either."""

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel

from atlas.ingestion import RecordingSettings
from ingestion_engine.errors import RefusedError
from ingestion_engine.parsing import TIME, ParsedRecording, parse

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
class Job:
    """A file to decode. All paths lie in `folder`, which is empty but for the file at `path`."""

    path: Path
    folder: Path
    filename: str
    settings: RecordingSettings

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
        """Their feature columns, a Parquet file, row by row."""
        return self.folder / "features.parquet"


class Outcome(BaseModel):
    """What became of a file. It has a `problem` if nothing can be used."""

    problem: str = ""


def decode(job: Job) -> None:
    """Read a file and write what becomes of it."""
    try:
        outcome = _decoded(job)
    except RefusedError as error:
        outcome = Outcome(problem=str(error))
    job.outcome.write_text(outcome.model_dump_json())


def _decoded(job: Job) -> Outcome:
    parsed = parse(job.path)
    pq.write_table(_index_of_table(parsed), job.index)
    pq.write_table(parsed.features, job.features, compression="zstd")
    return Outcome()


def _index_of_table(parsed: ParsedRecording) -> pa.Table:
    rows, labels = parsed.index.num_rows, parsed.index["label"]
    columns = {name: parsed.index[name] for name in ("id", "time", "car", "environment")} | {
        "duration_seconds": pa.nulls(rows, pa.float64()),
        "label": pa.array([json.dumps(label) for label in labels.to_pylist()], pa.string()),
        "label_type": pa.repeat(str(labels.type), rows),
    }
    return pa.table([columns[name] for name in INDEX.names], schema=INDEX)
