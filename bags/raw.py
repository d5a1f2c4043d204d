"""Samples on their way from a file into memory-mapped arrays, with flat memory."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bags.signals import Channel

_PIECE = 1 << 16  # rows that are copied at once
_numbers = itertools.count()


def new_file(folder: Path) -> Path:
    """A file in the folder that no other has the name of."""
    return folder / f"samples-{next(_numbers)}"


def mapped(path: Path, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """A file's content as an array; an empty file cannot be mapped."""
    return np.memmap(path, dtype, "r", shape=shape) if shape[0] else np.empty(shape, dtype)


def by_channel(path: Path, dtype: npt.DTypeLike, shape: tuple[int, int]) -> npt.NDArray[Any]:
    """The samples of a file of (frames, channels), now as (channels, frames): each channel lies in one piece.

    The file is replaced. What reads a channel then reads no other's samples with it.
    """
    frames, ordered = mapped(path, dtype, shape), new_file(path.parent)
    with ordered.open("wb") as stream:
        for first in range(0, len(frames), _PIECE):
            for number, samples in enumerate(np.ascontiguousarray(frames[first : first + _PIECE].T)):
                stream.seek((number * len(frames) + first) * frames.itemsize)
                stream.write(samples.data)
    path.unlink()
    return np.memmap(ordered, dtype, "r", shape=shape[::-1]) if frames.size else np.empty(shape[::-1], dtype)


class Rows:
    """Rows of numbers with a time each, such as the messages of a topic: written to files as they come.

    Args:
        folder: where the files are made.
        dtype: of one row: a field for each column, or an array of columns in one field.
    """

    def __init__(self, folder: Path, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._times, self._rows = new_file(folder), new_file(folder)
        self._folder = folder
        self._count = 0
        self._is_sorted = True
        self._last = -(1 << 63)

    def append(self, times: npt.NDArray[np.int64], rows: npt.NDArray[Any]) -> None:
        """Adds (n,) times in nanoseconds and (n,) rows."""
        if not len(times):
            return
        self._is_sorted &= bool(times[0] >= self._last and (np.diff(times) >= 0).all())
        self._last = int(times[-1])
        self._count += len(times)
        with self._times.open("ab") as stream:
            stream.write(times.astype("<i8").tobytes())
        with self._rows.open("ab") as stream:
            stream.write(rows.tobytes())

    def read(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
        """All times, ascending, and the rows in their order, mapped from the files."""
        times, rows = mapped(self._times, "<i8", (self._count,)), mapped(self._rows, self._dtype, (self._count,))
        if self._is_sorted:
            return times, rows
        order = np.argsort(times, kind="stable")
        return self._ordered(times, order), self._ordered(rows, order)

    def _ordered(self, values: npt.NDArray[Any], order: npt.NDArray[np.intp]) -> npt.NDArray[Any]:
        path = new_file(self._folder)
        with path.open("wb") as stream:
            for first in range(0, len(order), _PIECE):
                stream.write(values[order[first : first + _PIECE]].tobytes())
        return mapped(path, values.dtype, values.shape)

    def channels(self, columns: Sequence["Column"]) -> Iterator[Channel]:
        """Its columns as channels that share their times; none if there are no rows."""
        times, rows = self.read()
        for column in columns if len(times) else ():
            values = rows[column.field]
            yield Channel(
                name=column.name,
                unit=column.unit,
                values=values if column.index is None else values[:, column.index],
                times=times,
            )


class Column:
    """Where one channel's values are in rows.

    Args:
        name, unit: of the channel.
        field: of the rows.
        index: within the field, if it is an array.
    """

    def __init__(self, name: str, field: str, *, index: int | None = None, unit: str = "") -> None:
        self.name, self.field, self.index, self.unit = name, field, index, unit
