"""Which raw column a feature is made of."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.preprocessing import OneHotEncoder

from explainability.sources import sources
from explainability.tables import Table
from tests.explanations import frame


def raw(columns: int = 4, rows: int = 50) -> pd.DataFrame:
    return frame(np.random.default_rng(0).normal(size=(rows, columns)))


def traced(make: Any, rows: pd.DataFrame, names: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The sources of what a function makes of raw rows, whose columns are numbered if they have no names."""

    def transform(given: pd.DataFrame) -> Table:
        made = make(given)
        return Table(made, names or tuple(f"feature {number}" for number in range(made.shape[1])))

    return sources(transform, rows)


def test_features_of_one_column_each_are_traced() -> None:
    found = traced(lambda rows: np.column_stack([rows["x02"] ** 2, rows["x00"], -rows["x02"]]), raw())
    assert found == ("x02", "x00", "x02")


def test_features_of_several_columns_or_of_none_are_of_no_column() -> None:
    found = traced(lambda rows: np.column_stack([rows["x00"] + rows["x03"], np.ones(len(rows)), rows["x01"]]), raw())
    assert found == ("", "", "x01")


def test_a_feature_of_all_columns_is_of_none() -> None:
    rows = raw()
    assert traced(PCA(2).fit(rows).transform, rows) == ("", "")


@pytest.mark.parametrize("columns", [1, 2, 3, 1_000])
def test_any_number_of_columns_is_told_apart(columns: int) -> None:
    rows = raw(columns)
    asked = []

    def reversed_columns(given: pd.DataFrame) -> np.ndarray:
        asked.append(len(given))
        return given.to_numpy()[:, ::-1]

    assert traced(reversed_columns, rows) == tuple(reversed(rows.columns))
    assert len(asked) <= 21


def test_values_that_are_rare_are_tried() -> None:
    roads = ["dry"] * 500 + ["wet", "ice"] + ["dry"] * 500
    rows = raw(1, len(roads)).assign(road=roads)
    columns = ColumnTransformer([("kind", OneHotEncoder(sparse_output=False), ["road"])], remainder="passthrough")
    assert traced(columns.fit(rows).transform, rows) == ("road", "road", "road", "x00")


def test_sparse_features_are_traced() -> None:
    found = traced(lambda rows: sparse.csr_array(rows.to_numpy()[:, [3, 1]].clip(0)), raw())
    assert found == ("x03", "x01")


def test_features_that_are_no_numbers_are_traced() -> None:
    signals: list[Any] = [[number, 2.0] for number in range(50)]
    rows = raw(2).assign(signal=signals, note=[f"n{number % 3}" for number in range(50)])

    def both(given: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"text": given["note"].str.upper(), "wave": given["signal"].map(lambda wave: wave[:1])})

    assert traced(both, rows, ("text", "wave")) == ("note", "signal")


def test_a_column_that_never_varies_is_known_by_its_name() -> None:
    rows = raw(2).assign(car="A1", gain=1.0)
    found = traced(lambda given: given[["gain", "x00"]].to_numpy(), rows, ("gain", "x00"))
    assert found == ("gain", "x00")
    assert traced(lambda given: given[["gain"]].to_numpy(), rows, ("loudness",)) == ("",)


def test_a_transformation_that_gives_something_else_each_time_tells_nothing() -> None:
    random = np.random.default_rng(0)
    assert traced(lambda rows: random.normal(size=(len(rows), 2)), raw()) == ("", "")
    assert traced(lambda rows: random.normal(size=(len(rows), random.integers(2, 9))), raw())[:2] == ("", "")
