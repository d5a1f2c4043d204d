"""The rows that a child predicts: mapped into memory, and copied part by part into what a model takes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from atlas.datasets import read_arrow
from atlas.errors import AtlasError

FORM = b"atlas.form"
"""The key in a file's metadata that says what `restored` makes of it."""
FRAME, ARRAY = b"frame", b"array"
SAMPLED = 2_000
"""How many rows stand for all, where a model's mean input is wanted."""


class NotSharedError(AtlasError):
    """What a pipeline gave can't be written such that other children read the same."""


class Rows:
    """The rows of an Arrow file, as a data frame or an array."""

    def __init__(self, path: Path, columns: Sequence[str] | None = None) -> None:
        """Read these columns in this order, or all that there are."""
        table = read_arrow(path)
        self._table = table if columns is None else table.select(list(columns))
        self._restore = RESTORED[(self._table.schema.metadata or {}).get(FORM, FRAME)]

    def __len__(self) -> int:
        return int(self._table.num_rows)

    @property
    def row_bytes(self) -> int:
        """What one row takes, on average."""
        return int(self._table.nbytes) // max(1, len(self)) + 1

    def part(self, start: int, stop: int) -> Any:
        """A copy of some consecutive rows."""
        return self._restore(self._table.slice(start, stop - start))

    def take(self, numbers: Sequence[int]) -> Any:
        """A copy of some rows, by their numbers."""
        return self._restore(self._table.take(pa.array(numbers, pa.int64())))

    def sample(self, most: int, seed: int = 0) -> Any:
        """A copy of at most so many rows, in random order."""
        chosen = np.random.default_rng(seed).permutation(len(self))[:most]
        return self._restore(self._table.take(pa.array(chosen)))


def _array(table: pa.Table) -> np.ndarray:
    return np.ascontiguousarray(table.to_pandas().to_numpy())


def _frame(table: pa.Table) -> pd.DataFrame:
    return table.to_pandas()  # type: ignore[no-any-return]  # an untyped library


RESTORED: dict[bytes, Callable[[pa.Table], Any]] = {FRAME: _frame, ARRAY: _array}


def as_table(features: Any) -> pa.Table:
    """What a pipeline gave, as a table that `Rows` makes the same of.

    Raises:
        NotSharedError: it is neither a data frame nor an array of numbers.
    """
    if isinstance(features, pd.DataFrame):
        return _with_form(_of_frame(features), FRAME)
    if isinstance(features, np.ndarray) and features.ndim == 2 and features.dtype.kind in "fiub":
        return _with_form(pa.table({str(n): column for n, column in enumerate(features.T)}), ARRAY)
    raise NotSharedError(f"The pipeline gives a {type(features).__name__}.")


def _of_frame(frame: pd.DataFrame) -> pa.Table:
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise NotSharedError(f"The pipeline gives a data frame that can't be written: {error}") from error


def _with_form(table: pa.Table, form: bytes) -> pa.Table:
    return table.replace_schema_metadata({**(table.schema.metadata or {}), FORM: form})
