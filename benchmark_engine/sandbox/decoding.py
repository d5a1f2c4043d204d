"""The child's work on rows that a person sent: a file of any content becomes the columns that a model needs."""

import csv
import json
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from atlas.vocabulary import ColumnSchema
from benchmark_engine.known_values import out_of_range
from benchmark_engine.sandbox.protocol import DecodeAnswer, DecodeRequest, RowsForm

ID = "id"
MOST_ID = 200
"""So many characters an id has at most; what is longer is cut."""
BLOCK_BYTES = 64 << 20
"""The longest line of a CSV file."""
MOST_SHOWN_BYTES = 8 << 20
"""Of rows with large signals only so many bytes are kept to be shown."""
NEEDED: Mapping[str, str] = {"string": "a text is needed", "bool": "true or false is needed"}

Convert = Callable[[int, int], pa.Array]
"""Some consecutive rows of a column, as the model's type."""


class RowsError(Exception):
    """The file does not hold what the model needs; in the words of whoever sent it."""


class Sent:
    """A file of rows: its columns by name, each as values of whatever type the file has."""

    def __init__(self, columns: Mapping[str, pa.ChunkedArray | list[Any]], rows: int, *, is_text: bool = False) -> None:
        self.columns = columns
        self.rows = rows
        self.is_text = is_text


def decoded(request: DecodeRequest, source: Path, write: Callable[[pa.Table], None]) -> DecodeAnswer:
    """Decode a file.

    Args:
        request: what is in it, and what is needed.
        source: the file.
        write: keeps the columns that the model needs.
    """
    try:
        sent = READERS[request.form](source, request)
        _check_number(sent.rows, request.most_rows)
        table = _table(sent, request.columns)
    except RowsError as error:
        return DecodeAnswer(problem=str(error)[:2_000])
    write(table)
    ids = _ids(sent, request.columns)
    return DecodeAnswer(
        rows=sent.rows,
        ids=ids,
        shown=_shown(table, request.shown_rows),
        out_of_range=out_of_range(table, ids, request.known),
    )


def _check_number(rows: int, most: int) -> None:
    if not rows:
        raise RowsError("The file has no rows.")
    if rows > most:
        raise RowsError(f"The file has {rows:,} rows; at most {most:,} can be sent at a time.")


# Reading ------------------------------------------------------------------------------------------------------------


def _from_csv(source: Path, _request: DecodeRequest) -> Sent:
    from pyarrow import csv as arrow_csv

    names, delimiter = _header(source)
    wrong: list[arrow_csv.InvalidRow] = []

    def remember(row: arrow_csv.InvalidRow) -> str:
        wrong.append(row)
        return "error"

    try:
        table = arrow_csv.read_csv(
            source,
            read_options=arrow_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=remember
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
            ),
        )
    except pa.ArrowInvalid as error:
        raise RowsError(_csv_problem(wrong, error)) from error
    return Sent(_once_each(table), table.num_rows, is_text=True)


def _header(source: Path) -> tuple[list[str], str]:
    """The names of the columns, and what stands between them."""
    with source.open(encoding="utf-8-sig", newline="", errors="replace") as file:
        first = file.readline(1 << 20)
    delimiter = max(",;\t", key=first.count)
    return next(csv.reader([first], delimiter=delimiter), []), delimiter


def _csv_problem(wrong: list[Any], error: pa.ArrowInvalid) -> str:
    if wrong and wrong[0].number is not None:
        row = wrong[0]
        return (
            f"Row {row.number - 1} has {row.actual_columns} values, and the first line names "
            f"{row.expected_columns} columns. A list stands in quotes."
        )
    if "UTF8" in str(error):
        return "The CSV file is not UTF-8 text; save it as UTF-8."
    return f"The CSV file cannot be read: {error}"


def _from_parquet(source: Path, request: DecodeRequest) -> Sent:
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(source) as file:
            _check_number(file.metadata.num_rows, request.most_rows)
            names = set(file.schema_arrow.names)
            wanted = [name for name in (*(column.name for column in request.columns), ID) if name in names]
            table = file.read(columns=list(dict.fromkeys(wanted)), use_threads=False)
            return Sent(_once_each(table), file.metadata.num_rows)
    except (pa.ArrowException, OSError) as error:
        raise RowsError(f"The Parquet file cannot be read: {error}") from error


def _once_each(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    for name in table.column_names:
        if table.column_names.count(name) > 1:
            raise RowsError(f"Column {name} is there more than once.")
    return {name: table[name] for name in table.column_names}


def _from_json(source: Path, _request: DecodeRequest) -> Sent:
    try:
        rows = json.loads(source.read_bytes())
    except (ValueError, RecursionError) as error:
        raise RowsError(f"The rows are not JSON: {error}") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RowsError("The rows are not a list of objects, one for each row.")
    names = dict.fromkeys(name for row in rows for name in row)
    return Sent({name: [row.get(name) for row in rows] for name in names}, len(rows))


READERS: Mapping[RowsForm, Callable[[Path, DecodeRequest], Sent]] = {
    RowsForm.CSV: _from_csv,
    RowsForm.PARQUET: _from_parquet,
    RowsForm.JSON: _from_json,
}


# Converting ---------------------------------------------------------------------------------------------------------


def _table(sent: Sent, wanted: Iterable[ColumnSchema]) -> pa.Table:
    columns = tuple(wanted)
    missing = [column.name for column in columns if column.name not in sent.columns]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise RowsError(f"Column {', '.join(missing[:20])} {verb} missing. The model needs it.")
    return pa.table({column.name: _column(sent, column) for column in columns})


def _column(sent: Sent, column: ColumnSchema) -> pa.Array:
    kind, convert = arrow_type(column), _conversion(sent.columns[column.name], arrow_type(column), sent.is_text)
    try:
        return convert(0, sent.rows)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        row = _first_wrong(convert, sent.rows)
        raise RowsError(f"Row {row + 1}: {_said(sent, column.name, row)}, {_needed(kind)}.") from None


def _first_wrong(convert: Convert, rows: int) -> int:
    """The first row that cannot be converted, found by halving."""
    good, bad = 0, rows
    while bad - good > 1:
        middle = (good + bad) // 2
        if _converts(convert, good, middle):
            good = middle
        else:
            bad = middle
    return good


def _converts(convert: Convert, start: int, stop: int) -> bool:
    try:
        convert(start, stop)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        return False
    return True


def _conversion(values: pa.ChunkedArray | list[Any], kind: pa.DataType, is_text: bool) -> Convert:
    if isinstance(values, list):
        return lambda start, stop: pa.array(values[start:stop], kind)
    if is_text and _is_list(kind):
        return lambda start, stop: pa.array(
            [None if text is None else json.loads(text) for text in values.slice(start, stop - start).to_pylist()], kind
        )
    if is_text and not pa.types.is_string(kind):
        return lambda start, stop: _trimmed(values.slice(start, stop - start)).cast(kind)
    return lambda start, stop: values.slice(start, stop - start).cast(kind)


def _trimmed(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts without blanks around them; those of nothing else are missing."""
    trimmed = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def _said(sent: Sent, name: str, row: int) -> str:
    column = sent.columns[name]
    value = column[row] if isinstance(column, list) else column[row].as_py()
    text = repr(value)
    return f"{name} holds {text if len(text) <= 80 else text[:79] + '…'}"


def _needed(kind: pa.DataType) -> str:
    if pa.types.is_temporal(kind):
        return "a time such as 2026-03-02T12:00:00 is needed"
    if _is_list(kind):
        return f"a list such as [1, 2] is needed ({kind})"
    for name, needed in NEEDED.items():
        if name in str(kind):
            return needed
    return "a whole number is needed" if pa.types.is_integer(kind) else "a number is needed"


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def arrow_type(column: ColumnSchema) -> pa.DataType:
    """The type that a column's `dtype` names.

    Raises:
        RowsError: it is none that rows can be sent for.
    """
    try:
        return _type_named(column.dtype)
    except ValueError as error:
        raise RowsError(f"Column {column.name} holds {column.dtype}: rows cannot be sent for this model.") from error


def _type_named(name: str) -> pa.DataType:
    """Raises ValueError where there is no such type."""
    head, _, rest = name.partition("<")
    if rest and head in {"list", "large_list"}:
        value = _type_named(rest.removesuffix(">").partition(": ")[2])
        return pa.list_(value) if head == "list" else pa.large_list(value)
    if head == "dictionary":
        return pa.string()
    if head.startswith("timestamp["):
        unit, _, zone = head.removeprefix("timestamp[").removesuffix("]").partition(", tz=")
        return pa.timestamp(unit, zone or None)
    return pa.type_for_alias(name)


# What is said of the rows -------------------------------------------------------------------------------------------


def _ids(sent: Sent, columns: Iterable[ColumnSchema]) -> tuple[str, ...]:
    """The file's own ids, where they tell all rows apart and are no column of the model's; else the rows' numbers."""
    numbers = tuple(str(number) for number in range(1, sent.rows + 1))
    if ID not in sent.columns or ID in {column.name for column in columns}:
        return numbers
    column = sent.columns[ID]
    given = column if isinstance(column, list) else column.to_pylist()
    ids = tuple(number if value is None else str(value)[:MOST_ID] for number, value in zip(numbers, given, strict=True))
    return ids if len(set(ids)) == len(ids) else numbers


def _shown(table: pa.Table, most: int) -> dict[str, tuple[Any, ...]]:
    """The first rows by column, as JSON knows them."""
    first = table.slice(0, most)
    fitting = max(1, int(len(first) * min(1.0, MOST_SHOWN_BYTES / max(first.nbytes, 1))))
    return {
        name: tuple(_plain(value) for value in islice(first[name].to_pylist(), fitting)) for name in first.column_names
    }


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, bool | int | float | str | None) else str(value)
