"""Events that are mixed of two: some features of one, the others of another."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from explainability.tables import Table


class Mixing(ABC):
    """Rows to explain and background rows, to be mixed.

    Attributes:
        features: how many there are.
        row_bytes: what a mixed row takes in memory, roughly.
    """

    features: int
    row_bytes: int

    @abstractmethod
    def differ(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """In which features (n, features) a row and the background row beside it are not the same.

        Args:
            rows: (n,) places of rows.
            others: (n,) places of background rows.
        """

    @abstractmethod
    def mixed(self, rows: np.ndarray, others: np.ndarray, own: np.ndarray) -> Any:
        """For each of n pairs two rows, n of the first kind and then n of the second: with the row's values where `own`
        (n, features) says so and the background's elsewhere, and the other way round."""


def mixing(rows: Table, others: Table) -> Mixing:
    """Of rows and background rows with the same columns, in the form that the model gets them."""
    if sparse.issparse(rows.rows) and sparse.issparse(others.rows):
        return _Sparse(rows, others)
    both_numeric = rows.is_numeric and others.is_numeric
    return _Numbers(rows, others) if both_numeric else _Columns(rows, others)


class _Numbers(Mixing):
    def __init__(self, rows: Table, others: Table) -> None:
        self._form = rows
        self._rows, self._others = rows.numbers(), others.numbers()
        self.features = self._rows.shape[1]
        self.row_bytes = 8 * self.features

    def differ(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        one, other = self._rows[rows], self._others[others]
        return np.asarray((one != other) & ~(np.isnan(one) & np.isnan(other)))

    def mixed(self, rows: np.ndarray, others: np.ndarray, own: np.ndarray) -> Any:
        one, other = self._rows[rows], self._others[others]
        return self._form.given(np.concatenate([np.where(own, one, other), np.where(own, other, one)]))


class _Sparse(Mixing):
    """Numbers of which most are zero, and stay unsaid."""

    def __init__(self, rows: Table, others: Table) -> None:
        self._form = type(rows.rows)
        self._start = len(rows)
        self._both = sparse.csr_array(sparse.vstack([rows.rows, others.rows]))
        self.features = self._both.shape[1]
        self.row_bytes = 8 * self.features  # which are known, and when they become so, is said of all

    def differ(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        return np.asarray((self._both[rows] != self._both[self._start + others]).toarray())

    def mixed(self, rows: np.ndarray, others: np.ndarray, own: np.ndarray) -> Any:
        one, other = self._both[rows].tocoo(), self._both[self._start + others].tocoo()
        there = _kept(one, own) + _kept(other, ~own)
        back = _kept(one, ~own) + _kept(other, own)
        return self._form(sparse.vstack([there, back]).tocsr())


def _kept(rows: Any, where: np.ndarray) -> Any:
    """The numbers of sparse rows where (rows, features) says so."""
    places = rows.row, rows.col
    kept = where[places]
    return sparse.csr_array((rows.data[kept], tuple(place[kept] for place in places)), shape=rows.shape)


class _Columns(Mixing):
    """Values of any type, column by column: texts, lists, dates."""

    def __init__(self, rows: Table, others: Table) -> None:
        self._start = len(rows)
        self._both = pd.concat([_frame(rows), _frame(others)], ignore_index=True)
        self._as_array = not rows.is_frame
        self._codes = np.column_stack([_codes(self._both[name]) for name in self._both])
        self.features = self._codes.shape[1]
        self.row_bytes = int(self._both.memory_usage(deep=True).sum()) // len(self._both) + 1

    def differ(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        return np.asarray(self._codes[rows] != self._codes[self._start + others])

    def mixed(self, rows: np.ndarray, others: np.ndarray, own: np.ndarray) -> Any:
        others = self._start + others
        places = np.concatenate(
            [np.where(own.T, rows, others).T, np.where(own.T, others, rows).T],
        )
        columns = {name: self._both[name].array.take(places[:, number]) for number, name in enumerate(self._both)}
        frame = pd.DataFrame(columns, copy=False)
        return frame.to_numpy() if self._as_array else frame


def _frame(table: Table) -> pd.DataFrame:
    return table.rows if table.is_frame else pd.DataFrame(np.asarray(table.rows))


def _codes(column: pd.Series) -> np.ndarray:
    """Equal numbers for equal values; values that cannot be compared quickly, such as lists, all differ."""
    try:
        return np.asarray(pd.factorize(column, use_na_sentinel=True)[0])
    except TypeError:
        return np.arange(len(column))
