"""Rows as numbers, and numbers as rows again."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from explainability.tables import Table

FRAMES: dict[str, Any] = {
    "numbers of one type": pd.DataFrame({"a": [1.5, 2.5], "b": [3.0, np.nan]}),
    "numbers of several types": pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5], "c": [True, False]}),
    "words": pd.DataFrame({"a": [1.5, 2.5], "b": ["x", "y"]}),
    "categories": pd.DataFrame({"a": pd.Categorical(["x", "y"]), "b": [1, 2]}),
    "times": pd.DataFrame({"a": pd.to_datetime(["2026-01-01", "2026-01-02"])}),
    "windows": pd.DataFrame({"a": [[1.0, 2.0], [3.0, 4.0]], "b": [1.0, 2.0]}),
}
ARRAYS: dict[str, Any] = {
    "floats": np.array([[1.5, 2.5], [3.5, 4.5]], dtype=np.float32),
    "whole numbers": np.array([[1, 2], [3, 4]]),
    "objects": np.array([[1.5, "x"], [2.5, "y"]], dtype=object),
    "sparse": sparse.csr_array(np.array([[0.0, 1.0], [2.0, 0.0]])),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_a_frame_is_made_again_of_the_numbers_that_stand_for_it(kind: str) -> None:
    table = Table(FRAMES[kind], tuple(FRAMES[kind].columns))
    turned = table.given(table.asked()[::-1])
    pd.testing.assert_frame_equal(turned, FRAMES[kind].iloc[::-1].reset_index(drop=True))


@pytest.mark.parametrize("kind", ARRAYS)
def test_an_array_is_made_again_of_the_numbers_that_stand_for_it(kind: str) -> None:
    table = Table(ARRAYS[kind], ("a", "b"))
    made = table.given(table.asked()[::-1])
    assert type(made) is type(ARRAYS[kind])
    assert made.dtype == ARRAYS[kind].dtype
    dense = (rows.toarray() if sparse.issparse(rows) else rows for rows in (made, ARRAYS[kind]))
    assert next(dense).tolist() == next(dense)[::-1].tolist()


def test_columns_that_are_no_numbers_are_known() -> None:
    assert Table(FRAMES["words"], ("a", "b")).are_numbers.tolist() == [True, False]
    assert Table(ARRAYS["objects"], ("a", "b")).are_numbers.tolist() == [True, False]
    assert Table(ARRAYS["sparse"], ("a", "b")).are_numbers.tolist() == [True, True]


def test_numbers_stay_as_they_are() -> None:
    table = Table(FRAMES["words"], ("a", "b"))
    before = table.numbers()
    table.asked()
    np.testing.assert_array_equal(table.numbers(), before)
