"""Reading a recording: a CSV or Parquet file with one labelled event a row, checked and brought into one form."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from ingestion_engine.errors import RecordingError

TIME = pa.timestamp("us", tz="UTC")
INDEX_COLUMNS = ("id", "time", "label", "car", "environment")
READ_AS_TEXT = ("id", "time", "car", "environment")
RESERVED = ("recording",)
MAX_LENGTH = 200
CONTROL_CHARACTERS = r"[\x00-\x1f\x7f]"
UNFIT = f"it is not one line of 1 to {MAX_LENGTH} characters"


@dataclass(frozen=True, kw_only=True)
class ParsedRecording:
    """The events of a recording, in the file's order.

    `index` has the columns id, time, label, car and environment; ids are unique and within the recording. `features`
    has all others: scalars as bool, int64, double or string, without NaN, and lists.
    """

    index: pa.Table
    features: pa.Table


def parse(path: Path) -> ParsedRecording:
    """Read a recording. Rows in messages are counted from 1, without the heading.

    Raises:
        RecordingError: what is wrong with the file, in which column and row.
    """
    table = _named(_read_parquet(path) if _is_parquet(path) else read_csv(path))
    if "label" not in table.column_names:
        raise RecordingError(f"there is no column 'label'; the columns are {', '.join(table.column_names)}")
    if table.num_rows == 0:
        raise RecordingError("the file has no events")
    columns = {name: _normal(name, table[name]) for name in table.column_names}
    return ParsedRecording(index=_index(columns, table.num_rows), features=_features(columns))


def checked_values(values: Mapping[str, object]) -> dict[str, pa.Array]:
    """What is known of one event, by column, each as an array of one row in the form that recordings have.

    Raises:
        RecordingError: a column's name or its value cannot be used.
    """
    table = _named(pa.table({name: _single(name, value) for name, value in values.items()}))
    columns = {name: _normal(name, table[name]) for name in table.column_names}
    if "label" in columns:
        columns["label"] = _labels(columns["label"])
    return columns | {name: _texts(name, columns[name], 1) for name in ("car", "environment") if name in columns}


def _single(name: str, value: object) -> pa.Array:
    try:
        return pa.array([value])
    except (pa.ArrowException, OverflowError) as error:
        raise RecordingError(f"column {name!r}: the value {value!r:.100} cannot be stored: {error}") from error


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _read_parquet(path: Path) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:
            return file.read()
    except (pa.ArrowException, OSError) as error:
        raise RecordingError(f"the Parquet file cannot be read: {error}") from error


def read_csv(path: Path) -> pa.Table:
    """The table, with numbers and truth values where a column has nothing else, and texts elsewhere.

    Raises:
        RecordingError: it is none.
    """
    try:
        table = _read_csv_as(path, {})
        texts = {field.name: pa.string() for field in table.schema if _must_be_text(field)}
        return _read_csv_as(path, texts) if texts else table
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise RecordingError(f"the file is neither Parquet nor a CSV file in UTF-8: {error}") from error


def _read_csv_as(path: Path, types: Mapping[str, pa.DataType]) -> pa.Table:
    options = pa.csv.ConvertOptions(column_types=dict(types), null_values=[""], strings_can_be_null=True)
    return pa.csv.read_csv(path, convert_options=options, parse_options=pa.csv.ParseOptions(newlines_in_values=True))


def _must_be_text(field: pa.Field) -> bool:
    """Whether the values would change if they were taken for what they look like; bytes are texts not in UTF-8."""
    is_text = pa.types.is_string(field.type) or pa.types.is_null(field.type)
    looks_otherwise = pa.types.is_temporal(field.type) or pa.types.is_binary(field.type)
    return looks_otherwise or (field.name.strip() in READ_AS_TEXT and not is_text)


def _named(table: pa.Table) -> pa.Table:
    """The table with trimmed column names, if they are fit to be names."""
    names = [name.strip() for name in table.column_names]
    for number, name in enumerate(names, start=1):
        if not name:
            raise RecordingError(f"column {number} has no name")
        if len(name) > MAX_LENGTH or re.search(CONTROL_CHARACTERS, name):
            raise RecordingError(f"the name of column {number}: {UNFIT}")
        if name in RESERVED:
            raise RecordingError(f"the column {name!r} has a name that queries use for something else; rename it")
        if names.index(name) != number - 1:
            raise RecordingError(f"there are two columns {name!r}")
    return table.rename_columns(names)


def _normal(name: str, column: pa.ChunkedArray) -> pa.Array:
    """The column as one array of the type that all recordings use for such values."""
    is_time = name == "time" and pa.types.is_temporal(column.type)
    normal = TIME if is_time else _normal_type(column.type)
    if normal is None:
        raise RecordingError(f"column {name!r}: values of type {column.type} cannot be used")
    try:
        cast = column.cast(options=pc.CastOptions(normal, allow_time_truncate=True))
    except pa.ArrowException as error:
        raise RecordingError(f"column {name!r}: values of type {column.type} do not fit {normal}: {error}") from error
    array = pa.concat_arrays(cast.chunks or [pa.array([], normal)])
    if pa.types.is_floating(normal):
        return _without_nan(name, array)
    if pa.types.is_string(normal):
        _refuse_where(name, pc.match_substring(array, "\0"), "the text has a NUL character")
    return array


def _normal_type(dtype: pa.DataType) -> pa.DataType | None:
    """The type that stands for `dtype` as a column of its own; None if there is none."""
    if pa.types.is_list(dtype) or pa.types.is_large_list(dtype) or pa.types.is_fixed_size_list(dtype):
        inner = _normal_element_type(dtype.value_type)
        return None if inner is None else pa.list_(inner)
    if pa.types.is_integer(dtype):
        return pa.int64()
    if pa.types.is_floating(dtype) or pa.types.is_decimal(dtype):
        return pa.float64()
    if pa.types.is_dictionary(dtype):
        return _normal_type(dtype.value_type)
    return _plain_type(dtype)


def _plain_type(dtype: pa.DataType) -> pa.DataType | None:
    if pa.types.is_boolean(dtype) or pa.types.is_null(dtype):
        return dtype
    if pa.types.is_string(dtype) or pa.types.is_large_string(dtype) or pa.types.is_string_view(dtype):
        return pa.string()
    return pa.string() if pa.types.is_temporal(dtype) else None


def _normal_element_type(dtype: pa.DataType) -> pa.DataType | None:
    """Signals keep the width of their numbers: an hour of sound is long enough as it is."""
    if pa.types.is_null(dtype):
        return pa.float64()
    if pa.types.is_float16(dtype):
        return pa.float32()
    is_number = pa.types.is_integer(dtype) or pa.types.is_floating(dtype)
    return dtype if is_number else _normal_type(dtype)


def _without_nan(name: str, array: pa.Array) -> pa.Array:
    """Not-a-number is a missing value; infinity is refused, since nothing could be computed with it."""
    _refuse_where(name, pc.is_inf(array), "the number is infinite")
    return pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)


def _refuse_where(column: str, wrong: pa.Array, problem: str) -> None:
    """Raises RecordingError with the first row in which `wrong` is true."""
    row = pc.index(wrong, pa.scalar(True)).as_py()
    if row >= 0:
        raise RecordingError(f"column {column!r}, row {row + 1}: {problem}")


def _index(columns: Mapping[str, pa.Array], rows: int) -> pa.Table:
    arrays = {
        "id": _ids(columns.get("id"), rows),
        "time": _times(columns.get("time"), rows),
        "label": _labels(columns["label"]),
        "car": _texts("car", columns.get("car"), rows),
        "environment": _texts("environment", columns.get("environment"), rows),
    }
    return pa.table(arrays)


def _ids(column: pa.Array | None, rows: int) -> pa.Array:
    """The events' ids within the recording: as given, else their row numbers."""
    if column is None:
        return pa.array([str(row) for row in range(1, rows + 1)])
    if not (pa.types.is_string(column.type) or pa.types.is_integer(column.type) or pa.types.is_null(column.type)):
        raise RecordingError(f"column 'id': values of type {column.type}; ids are texts or whole numbers")
    ids = column.cast(pa.string())
    _refuse_where("id", ids.is_null(), "the id is missing")
    _refuse_where("id", _unfit(ids), UNFIT)
    _refuse_where("id", pa.array(pd.Series(ids.to_pylist()).duplicated()), "an earlier row has the same id")
    return ids


def _unfit(texts: pa.Array) -> pa.Array:
    """Where a text cannot be an id or a label."""
    length = pc.utf8_length(texts)
    wrong_length = pc.or_(pc.equal(length, 0), pc.greater(length, MAX_LENGTH))
    return pc.or_(wrong_length, pc.match_substring_regex(texts, CONTROL_CHARACTERS))


def _times(column: pa.Array | None, rows: int) -> pa.Array:
    """UTC; a time without a zone is taken as UTC."""
    if column is None or pa.types.is_null(column.type):
        return pa.nulls(rows, TIME)
    times = column if column.type == TIME else _times_in(column)
    first, last = (
        pa.scalar(limit, TIME) for limit in (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
    )
    _refuse_where("time", pc.or_(pc.less(times, first), pc.greater(times, last)), "the year is not between 1 and 9999")
    return times


def _times_in(column: pa.Array) -> pa.Array:
    if not pa.types.is_string(column.type):
        raise RecordingError(f"column 'time': values of type {column.type}; write times as texts in ISO 8601")
    texts = pd.Series(column.to_pylist(), dtype="str")
    times = pd.to_datetime(texts, utc=True, format="ISO8601", errors="coerce")
    _refuse_where("time", pa.array(times.isna() & texts.notna()), "the time is not in the form of ISO 8601")
    return pa.Array.from_pandas(times).cast(TIME)


def _texts(name: str, column: pa.Array | None, rows: int) -> pa.Array:
    if column is None:
        return pa.nulls(rows, pa.string())
    if pa.types.is_list(column.type):
        raise RecordingError(f"column {name!r}: lists cannot be used here; it needs one text a row")
    texts = column.cast(pa.string())
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _labels(column: pa.Array) -> pa.Array:
    """One bool, number or text an event, or a list of texts."""
    _refuse_where("label", column.is_null(), "the label is missing")
    if pa.types.is_list(column.type):
        return _several_labels(column)
    if pa.types.is_string(column.type):
        _refuse_where("label", _unfit(column), UNFIT)
    return column


def _several_labels(column: pa.Array) -> pa.Array:
    if pa.types.is_list(column.type.value_type):
        raise RecordingError("column 'label': lists of lists; several labels are one list of texts")
    labels = column.cast(pa.list_(pa.string()))
    texts, rows = pc.list_flatten(labels), pc.list_parent_indices(labels)
    wrong = rows.filter(pc.or_kleene(texts.is_null(), _unfit(texts)))
    _refuse_where("label", pc.is_in(pa.array(range(len(labels))), wrong.cast(pa.int64())), UNFIT)
    return labels


def _features(columns: Mapping[str, pa.Array]) -> pa.Table:
    """All other columns; those without any value and type are left out."""
    features = {name: array for name, array in columns.items() if name not in INDEX_COLUMNS}
    return pa.table({name: array for name, array in features.items() if not pa.types.is_null(array.type)})
