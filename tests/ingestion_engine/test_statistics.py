import numpy as np
import pyarrow as pa
import pytest

from ingestion_engine.statistics import MOST_FREQUENT, summarise


def table(**columns: object) -> pa.Table:
    rows = len(columns["label"])  # type: ignore[arg-type]
    missing = pa.nulls(rows, pa.string())
    return pa.table({"id": [str(row) for row in range(rows)], "car": missing, "environment": missing} | columns)


def test_labels_cars_and_environments_are_counted_where_they_are_known() -> None:
    found = summarise(table(label=["b", "a", "b"], car=["x", None, "x"], environment=[None, "rain", ""]))
    assert found.rows == 3
    assert list(found.labels.items()) == [("b", 2), ("a", 1)]
    assert found.cars == {"x": 2}
    assert found.environments == {"rain": 1, "": 1}


def test_each_of_several_labels_is_counted() -> None:
    assert summarise(table(label=[["a", "b"], ["b"], []])).labels == {"b": 2, "a": 1}


def test_a_continuous_label_is_summarised_instead_of_counted() -> None:
    found = summarise(table(label=[0.5, 1.5]))
    assert found.labels == {}
    assert [(column.name, column.mean) for column in found.columns] == [("label", 1.0)]


def test_numbers_are_summarised_as_numpy_does() -> None:
    numbers = np.random.default_rng(1).normal(size=200)
    (column,) = summarise(table(label=["a"] * 201, x=[*numbers, None])).columns
    counts, edges = np.histogram(numbers, bins=20)
    assert column.histogram is not None
    assert (column.missing, column.dtype) == (1, "double")
    assert (column.minimum, column.maximum) == (numbers.min(), numbers.max())
    assert column.mean == pytest.approx(numbers.mean())
    assert column.standard_deviation == pytest.approx(numbers.std())
    assert column.histogram.counts == tuple(counts)
    assert column.histogram.edges == pytest.approx(tuple(edges))


def test_the_most_frequent_texts_are_counted() -> None:
    texts = [f"t{number:02}" for number in range(30) for _ in range(number + 1)]
    (column,) = summarise(table(label=["a"] * len(texts), note=texts)).columns
    assert column.values is not None
    assert next(iter(column.values.items())) == ("t29", 30)
    assert len(column.values) == MOST_FREQUENT


def test_truth_values_are_counted_and_signals_left_out() -> None:
    found = summarise(table(label=["a", "a"], wet=[True, None], sound=[[1.0], None]))
    assert [(column.name, column.values) for column in found.columns] == [("wet", {"True": 1})]


def test_a_column_without_values_is_only_missing() -> None:
    (column,) = summarise(table(label=["a"], x=pa.nulls(1, pa.float64()))).columns
    assert (column.missing, column.mean, column.histogram) == (1, None, None)


@pytest.mark.parametrize("numbers", [[1e308, -1e308], [1.0, np.nextafter(1.0, 2)]])
def test_numbers_that_no_bins_fit_have_no_histogram(numbers: list[float]) -> None:
    (column,) = summarise(table(label=["a", "b"], x=numbers)).columns
    assert column.histogram is None
    assert column.minimum == min(numbers)
