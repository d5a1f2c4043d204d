"""Which column of a dataset each of a model's features is made of, found by trying.

The values of a raw column are exchanged between some rows; the features that change are made of it. Columns are
exchanged in groups, not one by one: each column has a number, and for each binary digit those are exchanged whose digit
is 0, and then those whose digit is 1. A feature that is made of one column changes in just one of the two, for each
digit, and these digits are the column's number. So 5,000 columns take 26 transformations.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from explainability.tables import Table

ROWS = 32
"""So many rows are tried at least, and beside them some with each of a column's values."""
MOST_ROWS = 256
TOLERANCE = 1e-9
"""Numbers that differ by less than this share may do so by the order in which they were added up."""
VALUES = 20
"""A feature may stand for one value of a column: rows with so many of them are tried."""


def sources(transform: Callable[[Any], Table], raw: pd.DataFrame) -> tuple[str, ...]:
    """For each feature the name of the raw column that it is made of; empty if of several, of none, or unknown.

    Args:
        transform: gives the features of raw rows.
        raw: rows of the dataset.

    Raises:
        Exception: whatever the transformation raises.
    """
    rows = raw.iloc[_telling(raw)].reset_index(drop=True)
    before = transform(rows)
    numbers = np.arange(rows.shape[1])
    places = np.zeros(len(before.names), dtype=int)
    is_single, is_varied = np.ones(len(places), dtype=bool), np.zeros(len(places), dtype=bool)
    for digit in range(max(1, int(numbers[-1]).bit_length())):
        ones = (numbers >> digit & 1).astype(bool)
        by_ones, by_zeros = (_changed(before, transform(_exchanged(rows, group))) for group in (ones, ~ones))
        is_single &= by_ones ^ by_zeros
        is_varied |= by_ones | by_zeros
        places |= by_ones.astype(int) << digit
    is_single &= places < len(numbers)
    columns = [str(name) for name in raw.columns]
    found = [columns[place] if single else "" for place, single in zip(places, is_single, strict=True)]
    return tuple(
        name if name in columns and not varied else source
        for name, varied, source in zip(before.names, is_varied, found, strict=True)
    )


def _telling(raw: pd.DataFrame) -> np.ndarray:
    """Places of rows in which columns have many different values."""
    chosen = set(range(min(ROWS, len(raw))))
    for column in raw.columns:
        chosen.update(_first_of_each_value(raw[column]))
        if len(chosen) >= MOST_ROWS:
            break
    return np.array(sorted(chosen)[:MOST_ROWS])


def _first_of_each_value(column: pd.Series) -> list[int]:
    try:
        places = np.flatnonzero(~column.duplicated().to_numpy())
    except TypeError:  # values that cannot be compared, such as lists
        return []
    return [int(place) for place in places[:VALUES]]


def _exchanged(rows: pd.DataFrame, chosen: np.ndarray) -> pd.DataFrame:
    """The rows with the values of some columns moved on by one row."""
    moved = np.roll(np.arange(len(rows)), 1)
    columns = {
        number: rows.iloc[:, number].array.take(moved) if is_chosen else rows.iloc[:, number].array
        for number, is_chosen in enumerate(chosen)
    }
    return pd.DataFrame(columns).set_axis(rows.columns, axis=1)


def _changed(before: Table, after: Table) -> np.ndarray:
    """(features,) whether any row has another value now."""
    one, other = before.rows, after.rows
    if getattr(one, "shape", None) != getattr(other, "shape", None):
        return np.ones(len(before.names), dtype=bool)
    if sparse.issparse(one):
        return np.asarray((one != other).sum(axis=0)).ravel() > 0
    if before.is_numeric and after.is_numeric:
        same = np.isclose(before.numbers(), after.numbers(), rtol=TOLERANCE, atol=0, equal_nan=True)
        return np.asarray(~same.all(axis=0))
    pairs = zip(_columns(one), _columns(other), strict=True)
    return np.array([not all(map(_is_same, *pair)) for pair in pairs])


def _columns(rows: Any) -> list[list[Any]]:
    if isinstance(rows, pd.DataFrame):
        return [rows.iloc[:, number].tolist() for number in range(rows.shape[1])]
    return [list(column) for column in np.moveaxis(np.asarray(rows), 1, 0)]


def _is_same(one: Any, other: Any) -> bool:
    return one is other or repr(one) == repr(other)
