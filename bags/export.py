"""Parts of a decoded recording as files for other programs: tables in Parquet or CSV, sound in WAV.

Channels whose samples are taken together, such as those of a topic, become one file: a table with a column `time` and
one for each channel, or sound with all of its channels. However long the recording is, only some rows are in memory.
"""

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import soundfile

from atlas.errors import AtlasError
from bags.archive import Archive, ArchivedChannel
from bags.filenames import FileNames
from bags.signals import NANOSECONDS
from bags.tables import TIME

Progress = Callable[[int, int], None]
"""Is called with how many samples are written, and how many there are."""

_ROWS = 1 << 16  # in memory at once
_LONGEST_WAV = (1 << 32) - (1 << 16)  # bytes: what the sizes in its header can say
_WAV_SUBTYPES = {"i2": "PCM_16", "i4": "PCM_32", "f4": "FLOAT", "f8": "DOUBLE"}


class ExportError(AtlasError):
    """What is asked for cannot be exported so."""


class Format(StrEnum):
    """Of exported files; also their endings."""

    PARQUET = "parquet"
    CSV = "csv"
    WAV = "wav"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Channels whose samples were taken at the same times, and which of their samples are asked for."""

    name: str
    channels: tuple[ArchivedChannel, ...]
    span: range


def export(
    archive: Archive,
    channels: Sequence[str] | None,
    start_seconds: float,
    end_seconds: float,
    file_format: Format,
    target: Path | BinaryIO,
    *,
    progress: Progress = lambda done, total: None,  # noqa: ARG005 - what it is called with
) -> list[str]:
    """Writes channels of a window, a file for each group of them; the names of the files.

    Args:
        archive: the recording.
        channels: their names; None for all that the format can hold.
        start_seconds, end_seconds: of the window, since the recording began; samples at its end are not in it.
        file_format: WAV holds channels at a rate only.
        target: a folder, made if there is none; or a stream, which gets the one file, or a ZIP of several.
        progress: is told how far it is.

    Raises:
        ArchiveError: the recording has no such channel.
        ExportError: there is nothing to export, the format cannot hold it, or a file exists already.
    """
    groups = groups_of(archive, channels, start_seconds, end_seconds, file_format)
    if isinstance(target, Path):
        return _write_files(archive, groups, file_format, target, progress)
    with tempfile.TemporaryDirectory(prefix="atlas-export-") as name:
        _pack([Path(name) / file for file in _write_files(archive, groups, file_format, Path(name), progress)], target)
    return filenames(groups, file_format)


def groups_of(
    archive: Archive,
    channels: Sequence[str] | None,
    start_seconds: float,
    end_seconds: float,
    file_format: Format,
) -> list[Group]:
    """The files that `export` makes.

    Raises:
        ArchiveError: the recording has no such channel.
        ExportError: there is nothing to export, or the format cannot hold it.
    """
    if not start_seconds < end_seconds:
        raise ExportError(f"the window ends at {end_seconds:g} s, which is not after its start at {start_seconds:g} s")
    found = _chosen(archive, channels)
    if file_format is Format.WAV:
        found = _sounds(found, are_asked_for=channels is not None)
    if not found:
        raise ExportError("no channel is left to export; `atlas bag info` lists what the recording holds")
    groups: dict[object, list[ArchivedChannel]] = {}
    for channel in found:
        groups.setdefault(_clock(channel), []).append(channel)
    return [
        Group(
            name=_topic(each[0].name), channels=tuple(each), span=archive.span(each[0].name, start_seconds, end_seconds)
        )
        for each in groups.values()
    ]


def filenames(groups: Sequence[Group], file_format: Format) -> list[str]:
    """What the files are called: by their topics, whose slashes become underlines."""
    names = FileNames()
    return [names.of(group.name, f".{file_format}") for group in groups]


def _chosen(archive: Archive, names: Sequence[str] | None) -> list[ArchivedChannel]:
    if names is None:
        return list(archive.channels)
    known = {channel.name: channel for channel in archive.channels}
    if unknown := [name for name in names if name not in known]:
        raise ExportError(f"the recording has no channel {unknown[0]!r}; it has {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)]


def _sounds(channels: list[ArchivedChannel], *, are_asked_for: bool) -> list[ArchivedChannel]:
    others = [channel.name for channel in channels if channel.rate_hz is None]
    if others and (are_asked_for or len(others) == len(channels)):
        raise ExportError(f"WAV holds sound only, and {others[0]} has no fixed rate: choose parquet or csv for it")
    return [channel for channel in channels if channel.rate_hz is not None]


def _clock(channel: ArchivedChannel) -> object:
    """What channels have in common that belong into one file."""
    if channel.times_offset is not None:
        return channel.times_offset
    return _topic(channel.name), channel.rate_hz, channel.start_ns, channel.samples, channel.dtype


def _topic(name: str) -> str:
    """`air` of `air/temperature`, `microphones` of `microphones.3`; `samples` of a table's column."""
    head, slash, _ = name.rpartition("/")
    stem, dot, number = name.rpartition(".")
    if dot and number.isdigit():
        return stem
    return head if slash else "samples"


def _write_files(
    archive: Archive,
    groups: Sequence[Group],
    file_format: Format,
    folder: Path,
    progress: Progress,
) -> list[str]:
    names = filenames(groups, file_format)
    folder.mkdir(parents=True, exist_ok=True)
    if existing := [name for name in names if (folder / name).exists()]:
        raise ExportError(f"{folder / existing[0]} exists already; choose another folder, or move it away")
    write = {Format.PARQUET: _write_parquet, Format.CSV: _write_csv, Format.WAV: _write_wav}[file_format]
    done, total = 0, sum(len(group.span) for group in groups)
    for name, group in zip(names, groups, strict=True):
        for rows in write(archive, group, folder / name):
            done += rows
            progress(done, total)
    return names


def _write_parquet(archive: Archive, group: Group, path: Path) -> Iterator[int]:
    with pq.ParquetWriter(path, _table(archive, group, range(0)).schema, compression="zstd") as writer:
        for rows in _pieces(group.span):
            writer.write_table(_table(archive, group, rows))
            yield len(rows)


def _write_csv(archive: Archive, group: Group, path: Path) -> Iterator[int]:
    with pa_csv.CSVWriter(path, _table(archive, group, range(0)).schema) as writer:
        for rows in _pieces(group.span):
            writer.write_table(_table(archive, group, rows))
            yield len(rows)


def _write_wav(archive: Archive, group: Group, path: Path) -> Iterator[int]:
    first = group.channels[0]
    dtype = np.dtype(first.dtype)
    subtype = _WAV_SUBTYPES.get(dtype.str[1:])
    if subtype is None:
        raise ExportError(f"WAV cannot hold samples such as those of {first.name}; choose parquet or csv")
    size = len(group.span) * len(group.channels) * dtype.itemsize
    container = "WAV" if size < _LONGEST_WAV else "RF64"
    rate = round(first.rate_hz or 1.0)
    with soundfile.SoundFile(path, "x", rate, len(group.channels), subtype, format=container) as sound:
        for rows in _pieces(group.span):
            sound.write(np.stack([archive.samples(each.name, rows).values for each in group.channels], axis=1))
            yield len(rows)


def _pieces(span: range) -> Iterator[range]:
    for first in range(span.start, span.stop, _ROWS):
        yield range(first, min(first + _ROWS, span.stop))


def _table(archive: Archive, group: Group, rows: range) -> pa.Table:
    columns: dict[str, pa.Array] = {TIME: _times(archive, group, rows)}
    for channel in group.channels:
        columns[channel.name] = pa.array(archive.samples(channel.name, rows).values)
    return pa.table(columns)


def _times(archive: Archive, group: Group, rows: range) -> pa.Array:
    """Dates in nanoseconds; seconds since the recording began if it does not tell its date."""
    first = group.channels[0]
    if first.times_offset is None:
        steps = np.arange(rows.start, rows.stop, dtype=np.float64) * (NANOSECONDS / (first.rate_hz or 1.0))
        times: npt.NDArray[np.int64] = first.start_ns + np.rint(steps).astype(np.int64)
    else:
        found = archive.samples(first.name, rows).times
        times = np.empty(0, np.int64) if found is None else found
    if archive.is_dated:
        return pa.array(times.astype("datetime64[ns]"), pa.timestamp("ns", tz="UTC"))
    return pa.array((times - archive.start_ns) / NANOSECONDS)


def _pack(paths: Sequence[Path], stream: BinaryIO) -> None:
    if len(paths) == 1:
        with paths[0].open("rb") as file:
            shutil.copyfileobj(file, stream, 1 << 20)
        return
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=True) as packed:
        for path in paths:
            packed.write(path, path.name)
