"""Rows of features in the form that a model gets them, and as numbers."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype, is_bool_dtype, is_numeric_dtype
from scipy import sparse

NUMBERS = frozenset({"integer", "floating", "mixed-integer-float", "boolean", "decimal", "empty"})
"""What `infer_dtype` calls objects that are all numbers."""


@dataclass(frozen=True)
class Table:
    """Rows on their way into a model, with the names of their columns.

    Attributes:
        rows: a data frame, an array or a sparse matrix; or whatever else a pipeline gives.
        names: of the columns.
    """

    rows: Any
    names: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.rows.shape[0])

    @property
    def is_frame(self) -> bool:
        """Whether the rows are a data frame, whose columns may be of several types."""
        return isinstance(self.rows, pd.DataFrame)

    @property
    def is_table(self) -> bool:
        """Whether there are rows and columns at all."""
        return len(getattr(self.rows, "shape", ())) == 2 and self.rows.shape[1] == len(self.names) > 0

    @cached_property
    def is_numeric(self) -> bool:
        """Whether all columns are numbers, so that the model may be asked about any numbers in their place."""
        if self.is_frame:
            return all(_is_number(self.rows.iloc[:, number]) for number in range(self.rows.shape[1]))
        if sparse.issparse(self.rows):
            return True
        rows = np.asarray(self.rows)
        return rows.dtype.kind in "fiub" or (rows.dtype.kind == "O" and infer_dtype(rows.ravel()) in NUMBERS)

    def take(self, chosen: Any) -> "Table":
        """Some of the rows, by their places or a slice."""
        rows = self.rows.iloc[chosen] if self.is_frame else _indexable(self.rows)[chosen]
        return Table(rows, self.names)

    def sample(self, most: int, seed: int) -> "Table":
        """At most so many rows, chosen at random."""
        if len(self) <= most:
            return self
        return self.take(np.sort(np.random.default_rng(seed).permutation(len(self))[:most]))

    def numbers(self) -> np.ndarray:
        """(rows, columns) numbers; NaN where a value is missing, and in columns that are no numbers."""
        if self.is_frame:
            columns = [_as_numbers(self.rows.iloc[:, number]) for number in range(self.rows.shape[1])]
            return np.column_stack(columns) if columns else np.empty((len(self), 0))
        if not self.is_numeric:
            return _as_numbers_where_possible(np.asarray(self.rows))
        return np.asarray(self.rows.toarray() if sparse.issparse(self.rows) else self.rows, dtype=float)

    def mean(self) -> np.ndarray:
        """(columns,) the mean of each; a sparse matrix stays sparse, for its columns may be many."""
        found = self.rows.mean(axis=0) if sparse.issparse(self.rows) else self.numbers().mean(axis=0)
        return np.asarray(found, dtype=float).ravel()

    @cached_property
    def are_numbers(self) -> np.ndarray:
        """(columns,) whether each column is of numbers."""
        if self.is_numeric:
            return np.ones(len(self.names), dtype=bool)
        frame = self.rows if self.is_frame else pd.DataFrame(np.asarray(self.rows)).infer_objects()
        return np.array([_is_number(frame.iloc[:, number]) for number in range(frame.shape[1])])

    def asked(self) -> np.ndarray:
        """(rows, columns) numbers that `given` makes these rows of: in a column that is none, the place of each row."""
        numbers = self.numbers().copy()
        numbers[:, ~self.are_numbers] = np.arange(len(self))[:, None]
        return numbers

    def given(self, numbers: np.ndarray) -> Any:
        """(rows, columns) numbers in the form and of the types of these rows.

        In a column that is none, a number is the place of the row of this table whose value is meant.
        """
        if self.is_frame:
            return self._frame(numbers)
        dtype = np.dtype(self.rows.dtype)
        if not self.is_numeric:
            return self._array(numbers)
        typed = numbers if dtype.kind == "O" else _typed(numbers, dtype)
        return type(self.rows)(typed) if sparse.issparse(self.rows) else typed

    def _frame(self, numbers: np.ndarray) -> pd.DataFrame:
        kinds = self.rows.dtypes.to_list()
        if len(set(kinds)) == 1 and isinstance(kinds[0], np.dtype) and kinds[0].kind in "fiub":
            return pd.DataFrame(_typed(numbers, kinds[0]), columns=self.rows.columns)
        columns = {
            number: _column(numbers[:, number], kind) if is_number else self._values(number, numbers[:, number])
            for number, (kind, is_number) in enumerate(zip(kinds, self.are_numbers.tolist(), strict=True))
        }
        return pd.DataFrame(columns).set_axis(self.rows.columns, axis=1)

    def _values(self, number: int, places: np.ndarray) -> Any:
        return self.rows.iloc[:, number].array.take(places.astype(int))

    def _array(self, numbers: np.ndarray) -> np.ndarray:
        rows = np.asarray(self.rows)
        columns = [
            numbers[:, number] if is_number else rows[numbers[:, number].astype(int), number]
            for number, is_number in enumerate(self.are_numbers.tolist())
        ]
        return np.column_stack([column.astype(object) for column in columns]).astype(rows.dtype)


def _indexable(rows: Any) -> Any:
    return rows.tocsr() if sparse.issparse(rows) else rows


def _is_number(column: pd.Series) -> bool:
    if column.dtype == object:
        return infer_dtype(column, skipna=True) in NUMBERS
    return bool(is_numeric_dtype(column.dtype) or is_bool_dtype(column.dtype)) and column.dtype != "category"


def _as_numbers(column: pd.Series) -> np.ndarray:
    if not _is_number(column):
        return np.full(len(column), np.nan)
    return np.asarray(column.to_numpy(dtype=float, na_value=np.nan))


def _as_numbers_where_possible(rows: np.ndarray) -> np.ndarray:
    return Table(pd.DataFrame(rows).infer_objects(), ()).numbers()


def _typed(numbers: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Numbers as this type; as they are where it has no place for one that is missing."""
    if dtype.kind == "f":
        return numbers.astype(dtype, copy=False)
    if not np.isfinite(numbers).all():
        return numbers
    return np.asarray(np.rint(numbers), dtype=dtype)


def _column(numbers: np.ndarray, kind: Any) -> Any:
    if isinstance(kind, np.dtype):
        return numbers if kind.kind == "O" else _typed(numbers, kind)
    whole = pd.api.types.is_integer_dtype(kind) or is_bool_dtype(kind)
    return pd.array(np.rint(numbers) if whole else numbers).astype(kind)
