"""Rows in the form that a model gets them, and as numbers."""

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from explainability.tables import Table


def table(rows: Any) -> Table:
    return Table(rows, tuple(map(str, range(rows.shape[1]))))


COLUMNS: dict[str, tuple[Any, bool]] = {
    "floats": ([1.5, np.nan], True),
    "whole numbers": ([1, 2], True),
    "truths": ([True, False], True),
    "nullable": (pd.array([1, None], dtype="Int64"), True),
    "objects that are numbers": (pd.Series([1, 2.5], dtype=object), True),
    "decimals": (pd.Series([Decimal("1.5"), Decimal(2)], dtype=object), True),
    "texts": (["1", "2"], False),
    "lists": ([[1.0], [2.0]], False),
    "categories": (pd.Categorical([1, 2]), False),
    "dates": (pd.to_datetime(["2024-01-01", "2024-01-02"]), False),
}


@pytest.mark.parametrize(("column", "is_numeric"), COLUMNS.values(), ids=COLUMNS)
def test_columns_of_data_frames_are_numbers_by_their_type(column: Any, is_numeric: bool) -> None:
    found = table(pd.DataFrame({"column": column}))
    assert found.is_numeric is is_numeric
    assert np.isfinite(found.numbers()[0, 0]) == is_numeric


@pytest.mark.parametrize(
    ("rows", "is_numeric"),
    [
        (np.eye(2), True),
        (np.eye(2, dtype=bool), True),
        (np.array([[1, 2.5]], dtype=object), True),
        (np.array([["1", "2"]]), False),
        (np.array([["a", 2.5]], dtype=object), False),
        (sparse.csr_array(np.eye(2)), True),
    ],
)
def test_arrays_are_numbers_by_their_content(rows: Any, is_numeric: bool) -> None:
    assert table(rows).is_numeric is is_numeric


def test_numbers_beside_other_things_are_numbers() -> None:
    np.testing.assert_array_equal(table(np.array([["a", 2.5]], dtype=object)).numbers(), [[np.nan, 2.5]])


@pytest.mark.parametrize(
    "rows",
    [
        np.eye(3, dtype="f4"),
        np.eye(3, dtype=int),
        sparse.csr_array(np.eye(3)),
        sparse.csc_matrix(np.eye(3)),
        pd.DataFrame(np.eye(3), columns=list("abc")),
        pd.DataFrame({"a": [1, 2], "b": [True, False], "c": pd.array([1, 2], dtype="Int64"), "d": [0.5, 1]}),
    ],
    ids=["single", "whole", "sparse", "sparse columns", "frame", "frame of all types"],
)
def test_numbers_are_given_in_the_form_that_they_came_in(rows: Any) -> None:
    given = table(rows).given(table(rows).numbers())
    assert type(given) is type(rows)
    if isinstance(rows, pd.DataFrame):
        pd.testing.assert_frame_equal(given, rows)
    else:
        assert given.dtype == rows.dtype
        assert abs(given - rows).sum() == 0


def test_what_whole_numbers_cannot_hold_is_given_as_it_is() -> None:
    given = table(np.eye(2, dtype=int)).given(np.array([[np.nan, 1.0]]))
    np.testing.assert_array_equal(given, [[np.nan, 1]])
    np.testing.assert_array_equal(table(np.eye(2, dtype=int)).given(np.array([[0.6, 1.0]])), [[1, 1]])


def test_only_rows_and_named_columns_are_a_table() -> None:
    assert table(np.eye(2)).is_table
    assert not Table(np.eye(2), ("only one",)).is_table
    assert not Table(np.zeros((2, 3, 4)), ("a", "b", "c")).is_table
    assert not Table([[1, 2]], ("a", "b")).is_table
    assert not table(np.empty((3, 0))).is_table


def test_a_sample_is_of_some_rows_in_their_order() -> None:
    rows = np.arange(20.0)[:, None]
    sample = table(rows).sample(5, seed=0).rows[:, 0]
    assert len(sample) == 5
    assert (np.diff(sample) > 0).all()
    assert table(rows).sample(50, seed=0).rows is rows


def test_means_are_of_columns() -> None:
    rows = np.array([[1.0, 0], [3, 4]])
    for form in (rows, sparse.csr_matrix(rows), pd.DataFrame(rows)):
        np.testing.assert_array_equal(table(form).mean(), [2, 2])
