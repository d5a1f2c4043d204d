"""Rows to predict: events of a dataset version, or rows that a person sent, which a sandboxed child decodes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atlas.datasets import DatasetDescription, Split, read_arrow, write_arrow
from atlas.errors import DatasetError
from atlas.inference import OutOfRange
from atlas.manifest import Manifest
from atlas.states import FailureClass
from benchmark_engine.answers import take_file
from benchmark_engine.evaluation import EVENT_ID
from benchmark_engine.failures import BenchmarkError
from benchmark_engine.known_values import out_of_range
from benchmark_engine.predicting import INTERRUPTED, Children, failed
from benchmark_engine.sandbox import launcher
from benchmark_engine.sandbox.launcher import Outcome
from benchmark_engine.sandbox.limits import Limits
from benchmark_engine.sandbox.protocol import (
    ANSWER,
    FEATURES,
    SENT,
    AnswerError,
    DecodeAnswer,
    DecodeRequest,
    RowsForm,
    Stage,
    read_document,
)

MOST_ROWS = 100_000
"""So many rows are predicted at a time."""
MOST_TOLD_BYTES = 128 << 20
"""The longest document that a child may write of rows that were sent."""
MOST_NAMED = 5
EVENT_TIME = "time"
SOURCE = "source.arrow"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRows:
    """Events of a dataset version, of both splits.

    Attributes:
        dataset: the version.
        events: their ids; all if empty.
        most: only so many of the first ones, by their ids.
        unseen_since: of the training split only events of later times: the model may have been trained on all others.
    """

    dataset: DatasetDescription
    events: tuple[str, ...] = ()
    most: int | None = None
    unseen_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentRows:
    """Rows that a person sent: the object's key, which ends with what they are written in."""

    key: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """Rows to predict, as they were found.

    Attributes:
        features: the Arrow file that the model is given.
        ids: of the rows.
        shown: gives some of the rows with all their columns, by their numbers.
        columns: what the predictions' file says of each row besides: its split, its label.
        out_of_range: columns with values that the known data do not have.
        warnings: lines for people.
        output: what the child printed that decoded them.
    """

    features: Path
    ids: Sequence[str]
    shown: Callable[[np.ndarray], pa.Table]
    columns: dict[str, pa.ChunkedArray] = field(default_factory=dict)
    out_of_range: tuple[OutOfRange, ...] = ()
    warnings: tuple[str, ...] = ()
    output: str = ""


# Rows that were sent ----------------------------------------------------------------------------------------------


def decoded(
    sent: SentRows,
    path: Path,
    manifest: Manifest,
    known: DatasetDescription | None,
    children: Children,
    shown_rows: int,
) -> Rows:
    """Have a child decode rows that a person sent.

    Args:
        sent: the object that they came as.
        path: of its file.
        manifest: of the model.
        known: the data that values are compared with.
        children: where it runs; what it wrote is copied into the workspace.
        shown_rows: of so many rows, the first ones, all values are told.

    Raises:
        BenchmarkError: it could not.
    """
    children.folders.give(SENT, path)
    request = DecodeRequest(
        form=RowsForm(PurePosixPath(sent.key).suffix.removeprefix(".")),
        columns=manifest.input_schema,
        known=known.statistics if known else None,
        most_rows=MOST_ROWS,
        shown_rows=shown_rows,
    )
    outcome = children.run(Stage.DECODE, request)
    answer = _answer(outcome, manifest, children.limits)
    features = children.folders.folder / SOURCE
    try:
        take_file(outcome.scratch / FEATURES, features)
    except OSError as error:
        raise failed(FailureClass.SCHEMA_MISMATCH, f"The rows cannot be used: {error}", outcome) from error
    return Rows(
        features=features,
        ids=answer.ids,
        shown=_told(answer),
        out_of_range=answer.out_of_range,
        output=outcome.output,
    )


def _answer(outcome: Outcome, manifest: Manifest, limits: Limits) -> DecodeAnswer:
    """What a child says of rows that were sent.

    Raises:
        BenchmarkError: they are of no use, or it said nothing sound.
    """
    if outcome.ending in INTERRUPTED or not (outcome.scratch / ANSWER).exists():
        raise BenchmarkError(launcher.failure(outcome, limits))
    try:
        answer = read_document(DecodeAnswer, outcome.scratch / ANSWER, max_bytes=MOST_TOLD_BYTES)
    except AnswerError as error:
        raise failed(FailureClass.SCHEMA_MISMATCH, f"The rows cannot be used: {error}", outcome) from error
    if answer.problem:
        raise failed(FailureClass.SCHEMA_MISMATCH, answer.problem, outcome)
    named = {column.name for column in manifest.input_schema}
    told = {*answer.shown, *(each.column for each in answer.out_of_range)}
    if not 0 < answer.rows <= MOST_ROWS or len(answer.ids) != answer.rows or told - named:
        raise failed(FailureClass.SCHEMA_MISMATCH, "The rows cannot be used: the answer is wrong.", outcome)
    return answer


def _told(answer: DecodeAnswer) -> Callable[[np.ndarray], pa.Table]:
    """Rows that a child told the values of, as far as it did."""
    number = min((len(values) for values in answer.shown.values()), default=0)

    def shown(numbers: np.ndarray) -> pa.Table:
        places = [place for place in numbers.tolist() if place < number]
        return pa.table({name: _as_array([values[place] for place in places]) for name, values in answer.shown.items()})

    return shown


def _as_array(values: list[object]) -> pa.Array:
    """Values of one column; as text where they are of several types, which a child that went wrong may have written."""
    try:
        return pa.array(values)
    except pa.ArrowException:
        return pa.array([None if value is None else str(value) for value in values])


# Events of a version ------------------------------------------------------------------------------------------------


def of_version(
    wanted: VersionRows,
    files: tuple[Path, ...],
    manifest: Manifest,
    known: DatasetDescription | None,
    folder: Path,
) -> Rows:
    """The events of a dataset version that are wanted, by their ids.

    Args:
        wanted: which.
        files: of the training split and of the evaluation split.
        manifest: of the model.
        known: the data that values are compared with.
        folder: where the features are written.

    Raises:
        DatasetError: an event, or a column that the model needs, is not there.
    """
    table, split = _selected(wanted, files)
    names = [column.name for column in manifest.input_schema]
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise DatasetError(f"{title(wanted.dataset)} has no column {', '.join(missing[:MOST_NAMED])}.")
    write_arrow(table.select(names), folder / SOURCE)
    ids = [str(event) for event in table[EVENT_ID].to_pylist()]
    columns = {"split": split}
    columns |= {"truth": table[manifest.target]} if manifest.target in table.column_names else {}
    is_all = wanted.most is None and not wanted.events and wanted.unseen_since is None
    left_out = wanted.dataset.rows - len(ids) if is_all else 0
    warnings = (f"Only the first {len(ids):,} of {wanted.dataset.rows:,} events were predicted.",) if left_out else ()
    return Rows(
        features=folder / SOURCE,
        ids=ids,
        shown=lambda numbers: table.take(pa.array(numbers)),
        columns=columns,
        out_of_range=out_of_range(table.select(names), ids, known.statistics if known else None),
        warnings=warnings,
    )


def _selected(wanted: VersionRows, files: tuple[Path, ...]) -> tuple[pa.Table, pa.ChunkedArray]:
    """The wanted events of both splits by their ids, and the split of each."""
    parts = []
    for split, path in zip((Split.TRAINING, Split.EVALUATION), files, strict=True):
        table = read_arrow(path)
        if EVENT_ID not in table.column_names:
            raise DatasetError(f"{title(wanted.dataset)} has no column {EVENT_ID}.")
        part = _chosen(_unseen(table, split, wanted), wanted)
        parts.append(part.append_column("\0split", pa.array([split.value] * len(part), pa.string())))
    joined = pa.concat_tables(parts).sort_by(EVENT_ID).slice(0, wanted.most or MOST_ROWS)
    _check_all_there(joined, wanted)
    return joined.drop_columns("\0split"), joined["\0split"]


def _unseen(table: pa.Table, split: Split, wanted: VersionRows) -> pa.Table:
    """Those of a split that the model was not trained on, if only these are wanted."""
    if wanted.unseen_since is None or split is Split.EVALUATION:
        return table
    if EVENT_TIME not in table.column_names or not pa.types.is_timestamp(table.schema.field(EVENT_TIME).type):
        return table.slice(0, 0)
    times = table[EVENT_TIME].cast(pa.timestamp("us", tz="UTC"))
    return table.filter(pc.greater(times, pa.scalar(wanted.unseen_since, times.type)))


def _chosen(table: pa.Table, wanted: VersionRows) -> pa.Table:
    """The wanted events of one split, whose rows stand by their ids."""
    if wanted.events:
        return table.filter(pc.is_in(table[EVENT_ID], pa.array(wanted.events, table[EVENT_ID].type)))
    return table.slice(0, wanted.most or MOST_ROWS)


def _check_all_there(found: pa.Table, wanted: VersionRows) -> None:
    absent = sorted(set(wanted.events) - set(found[EVENT_ID].to_pylist()))
    if absent:
        more = f" and {len(absent) - MOST_NAMED:,} more" if len(absent) > MOST_NAMED else ""
        raise DatasetError(f"{title(wanted.dataset)} has no event {', '.join(absent[:MOST_NAMED])}{more}.")
    if not len(found):
        unseen = "" if wanted.unseen_since is None else " that the model was not trained on"
        raise DatasetError(f"{title(wanted.dataset)} has no events{unseen}.")


def title(dataset: DatasetDescription) -> str:
    """What people call a version."""
    return f"{dataset.tag} v{dataset.number}"
