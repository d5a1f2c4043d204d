"""Reading files of labels: CSV or JSON, checked row by row."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import ValidationError

from atlas.ingestion import LabelledSpan
from ingestion_engine.errors import RecordingError
from ingestion_engine.parsing import INDEX_COLUMNS, MAX_LENGTH, RESERVED, read_csv

OWN = ("id", "start", "end", "label", "car", "environment")
MOST_BYTES = 16 << 20
KINDS: Mapping[type, str] = {bool: "a truth value", int: "a number", float: "a number", str: "a text"}


def read(content: bytes) -> list[LabelledSpan]:
    """The labels in a file: CSV with a heading, or a JSON list of `LabelledSpan`.

    Raises:
        RecordingError: what is wrong, in which row (counted from 1, without a heading) and column.
    """
    if len(content) > MOST_BYTES:
        raise RecordingError(f"the labels have {len(content):,} bytes; {MOST_BYTES:,} are allowed")
    rows = _json_rows(content) if content.lstrip()[:1] in (b"[", b"{") else _csv_rows(content)
    if not rows:
        raise RecordingError("the file has no labels")
    labels = [_label(number, row) for number, row in enumerate(rows, start=1)]
    _check_kinds(labels)
    return labels


def _json_rows(content: bytes) -> list[dict[str, Any]]:
    try:
        rows = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"the labels are not JSON: {error}") from error
    if not isinstance(rows, list):
        raise RecordingError('the labels are not a list of objects, such as [{"start": 1.5, "label": "dent"}]')
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise RecordingError(f'row {number}: it is not an object, such as {{"start": 1.5, "label": "dent"}}')
    return rows


def _csv_rows(content: bytes) -> list[dict[str, Any]]:
    with TemporaryDirectory(prefix="atlas-labels-") as folder:
        path = Path(folder) / "labels.csv"
        path.write_bytes(content)
        table = read_csv(path)
    table = table.rename_columns([name.strip() for name in table.column_names])
    for needed in ("start", "label"):
        if needed not in table.column_names:
            raise RecordingError(f"there is no column {needed!r}; the columns are {', '.join(table.column_names)}")
    return [_nested(row) for row in table.to_pylist()]


def _nested(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a table as a `LabelledSpan` has it: all further columns in one place."""
    given = {name: value for name, value in row.items() if value is not None}
    columns = {name: value for name, value in given.items() if name not in OWN}
    return {name: value for name, value in given.items() if name in OWN} | {"columns": columns}


def _label(number: int, row: dict[str, Any]) -> LabelledSpan:
    if row.get("label") is None:
        raise RecordingError(f"row {number}, column 'label': the label is missing")
    times = {name: _moment(number, name, row[name]) for name in ("start", "end") if row.get(name) is not None}
    try:
        label = LabelledSpan.model_validate({**row, **times})
    except ValidationError as error:
        first = error.errors()[0]
        column = ".".join(map(str, first["loc"][:2])) if first["loc"][0] == "columns" else first["loc"][0]
        raise RecordingError(f"row {number}, column {str(column)!r}: {first['msg']}") from error
    _check_texts(number, label)
    return label


def _moment(number: int, column: str, given: object) -> object:
    """A moment, or seconds since the recording's start; a moment without a zone is taken as UTC."""
    if not isinstance(given, str):
        return given
    try:
        return float(given)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(given.strip())
    except ValueError as error:
        raise RecordingError(
            f"row {number}, column {column!r}: {given!r:.50} is neither a time in ISO 8601 nor a number of seconds"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _check_texts(number: int, label: LabelledSpan) -> None:
    texts = {"id": label.id, "car": label.car, "environment": label.environment, **label.columns}
    several = label.label if isinstance(label.label, list) else [label.label]
    for column, value in [*texts.items(), *(("label", each) for each in several)]:
        if isinstance(value, str) and not (0 < len(value) <= MAX_LENGTH and value.isprintable()):
            raise RecordingError(f"row {number}, column {column!r}: it is not one line of 1 to {MAX_LENGTH} characters")
        if isinstance(value, int | float) and not isfinite(value):
            raise RecordingError(f"row {number}, column {column!r}: the number is infinite or none")
    for name in label.columns:
        if name in (*OWN, *INDEX_COLUMNS, *RESERVED, "duration_seconds") or not name.isprintable():
            raise RecordingError(f"row {number}, column {name!r}: the engine makes this column; give it another name")


def _check_kinds(labels: list[LabelledSpan]) -> None:
    """A column holds one kind of value."""
    kinds: dict[str, str] = {}
    for number, label in enumerate(labels, start=1):
        for name, value in label.columns.items():
            kind = KINDS[type(value)]
            if kinds.setdefault(name, kind) != kind:
                raise RecordingError(
                    f"row {number}, column {name!r}: it is {kind}, but {kinds[name]} in an earlier row"
                )
