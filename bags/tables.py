"""Tables of samples: CSV and Parquet with a column `time`; every other column of numbers is a channel."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bags import dates
from bags.losses import Losses
from bags.raw import Column, Rows
from bags.signals import Signals, UnreadableError

PARQUET_MAGIC = b"PAR1"
TIME = "time"
_ROWS = 1 << 16
_HEADER_BYTES = 1 << 20
_MOST_COLUMNS = 4096


def read_csv(path: Path, folder: Path) -> Signals:
    """The columns of a CSV table, whose cells are parted by commas, semicolons or tabs.

    Raises:
        UnreadableError: it is no such table, or has no column `time`.
    """
    losses = Losses()
    _check_names(names := _csv_names(path))
    separator = _separator(_first_line(path))
    try:
        return _signals(_csv_pieces(path, separator, names, losses), folder, losses)
    except (pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        raise UnreadableError(f"the table cannot be read: {error}") from error


def read_parquet(path: Path, folder: Path) -> Signals:
    """The columns of a Parquet table.

    Raises:
        UnreadableError: it was cut off, is damaged where it says what it holds, or has no column `time`.
    """
    losses = Losses()
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            _check_names(file.schema_arrow.names)
            return _signals(_parquet_pieces(file, losses), folder, losses)
    except (OSError, pa.ArrowException) as error:
        raise UnreadableError(
            "the Parquet file is cut off or damaged: what it holds is written at its end, and cannot be read; "
            f"copy it again from where it was recorded ({error})"
        ) from error


def _check_names(names: Sequence[str]) -> None:
    if TIME not in names:
        raise UnreadableError(
            f"the table has no column '{TIME}': name the column of times so (ISO 8601 or seconds); "
            f"its columns are {', '.join(map(repr, names[:20]))}"
        )
    if len(set(names)) < len(names):
        raise UnreadableError("two columns of the table have the same name; rename one")
    if len(names) > _MOST_COLUMNS:
        raise UnreadableError(f"the table has {len(names)} columns; at most {_MOST_COLUMNS} are read")


def _first_line(path: Path) -> str:
    with path.open("rb") as stream:
        line = stream.readline(_HEADER_BYTES)
    if not line.endswith(b"\n") or b"\0" in line:
        raise UnreadableError("this is no recording that Atlas reads: neither a bag, sound, Parquet nor a table in CSV")
    return line.decode("utf-8-sig", errors="replace").strip("\r\n")


def _separator(line: str) -> str:
    return max(",;\t", key=line.count)


def _csv_names(path: Path) -> list[str]:
    line = _first_line(path)
    return [name.strip().strip('"') for name in line.split(_separator(line))]


def _csv_pieces(path: Path, separator: str, names: list[str], losses: Losses) -> Iterator[pd.DataFrame]:
    """Pieces of rows as texts."""
    with pd.read_csv(
        path,
        sep=separator,
        names=names,
        header=None,
        skiprows=1,
        dtype=str,
        keep_default_na=False,
        na_values=[""],
        index_col=False,
        encoding_errors="replace",
        chunksize=_ROWS,
        on_bad_lines="skip",
    ) as pieces:
        try:
            yield from _without_cut_row(pieces, losses) if _ends_early(path, separator, len(names)) else pieces
        except pd.errors.ParserError as error:
            losses.add(f"The table is damaged behind what was read: {error}.")


def _ends_early(path: Path, separator: str, columns: int) -> bool:
    """Whether the last line was cut off: it has too few cells and no end."""
    with path.open("rb") as stream:
        stream.seek(max(path.stat().st_size - _HEADER_BYTES, 0))
        last = stream.read().rpartition(b"\n")[2]
    return bool(last) and last.count(separator.encode()) < columns - 1


def _without_cut_row(pieces: Iterable[pd.DataFrame], losses: Losses) -> Iterator[pd.DataFrame]:
    losses.add("The last line of the table was not written to its end and was left out.")
    before = None
    for piece in pieces:
        if before is not None:
            yield before
        before = piece
    if before is not None:
        yield before.iloc[:-1]


def _parquet_pieces(file: pq.ParquetFile, losses: Losses) -> Iterator[pd.DataFrame]:
    try:
        for batch in file.iter_batches(batch_size=_ROWS):
            yield batch.to_pandas(timestamp_as_object=False)
    except (OSError, pa.ArrowException) as error:
        losses.add(f"The table is damaged behind what was read: {error}.")


def _signals(pieces: Iterator[pd.DataFrame], folder: Path, losses: Losses) -> Signals:
    rows: Rows | None = None
    names: list[str] = []
    first_times = np.empty(0, np.int64)
    for piece in pieces:
        if rows is None:  # kinds of columns are as in the first piece
            names = [name for name in piece.columns if name != TIME and _is_numeric(piece[name])]
            rows = Rows(folder, _dtype(names))
        times = _times(piece[TIME])
        known = times != dates.MISSING
        losses.count("rows have no time that can be read and were left out", int((~known).sum()))
        first_times = first_times if len(first_times) else times[known][:1]
        rows.append(times[known], _values(piece[known], names, losses))
    if rows is not None and not names:
        raise UnreadableError(f"no column of the table but '{TIME}' holds numbers")
    columns = [Column(name, f"f{number}") for number, name in enumerate(names)]
    channels = tuple(rows.channels(columns)) if rows is not None else ()
    return Signals(channels=channels, is_dated=dates.is_dated(first_times), losses=losses.sentences)


def _dtype(names: Sequence[str]) -> np.dtype[Any]:
    return np.dtype([(f"f{number}", "<f8") for number in range(len(names))])


def _is_numeric(column: "pd.Series[Any]") -> bool:
    """Whether what is in the first piece's column are numbers: a damaged cell is not enough to make it text."""
    if not pd.api.types.is_object_dtype(column) and not pd.api.types.is_string_dtype(column):
        return pd.api.types.is_numeric_dtype(column)
    present = column.dropna()
    numbers = pd.to_numeric(present, errors="coerce")
    return len(present) > 0 and bool(numbers.notna().mean() > 0.5)


def _times(column: "pd.Series[Any]") -> Any:
    if pd.api.types.is_datetime64_any_dtype(column):
        moments = pd.to_datetime(column, utc=True)
        nanoseconds = moments.dt.as_unit("ns").to_numpy("datetime64[ns]").astype(np.int64)
        return np.where(moments.isna(), dates.MISSING, nanoseconds)
    if pd.api.types.is_numeric_dtype(column):
        return dates.from_seconds(column.to_numpy(np.float64, na_value=np.nan))
    return dates.from_texts(column.astype("string").fillna("").astype(object))


def _values(piece: pd.DataFrame, names: Sequence[str], losses: Losses) -> Any:
    values = np.empty(len(piece), _dtype(names))
    for number, name in enumerate(names):
        column = pd.to_numeric(piece[name], errors="coerce")
        losses.count(f"values of column '{name}' are no numbers", int(column.isna().sum() - piece[name].isna().sum()))
        values[f"f{number}"] = column.to_numpy(np.float64, na_value=np.nan)
    return values
