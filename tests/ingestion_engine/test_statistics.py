from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from atlas.datasets import ColumnStatistics, Lengths, read_arrow, write_arrow
from ingestion_engine.statistics import MOST_FREQUENT, summarise


def table(**columns: object) -> pa.Table:
    rows = len(columns["label"])  # type: ignore[arg-type]
    missing = pa.nulls(rows, pa.string())
    return pa.table({"id": [str(row) for row in range(rows)], "car": missing, "environment": missing} | columns)


def columns(**given: object) -> dict[str, ColumnStatistics]:
    """The summaries of a table's columns by name."""
    return {column.name: column for column in summarise(table(**given)).columns}


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
    assert found.columns[-1].mean == 1.0


def test_numbers_are_summarised_as_numpy_does() -> None:
    numbers = np.random.default_rng(1).normal(size=200)
    column = columns(label=["a"] * 201, x=[*numbers, None])["x"]
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
    column = columns(label=["a"] * len(texts), note=texts)["note"]
    assert column.values is not None
    assert next(iter(column.values.items())) == ("t29", 30)
    assert len(column.values) == MOST_FREQUENT


def test_truth_values_are_counted() -> None:
    assert columns(label=["a", "a"], wet=[True, None])["wet"].values == {"True": 1}


def test_of_signals_the_missing_ones_and_the_lengths_are_told() -> None:
    column = columns(label=["a"] * 4, sound=[[1.0], None, [], [1.0, None, 3.0, 4.0, 5.0]])["sound"]
    assert (column.dtype, column.missing, column.mean) == ("list<item: double>", 1, None)
    assert column.lengths == Lengths(minimum=0, mean=2.0, maximum=5)


def test_missing_values_are_counted_in_every_column_but_the_id() -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    found = columns(label=["a", "b", None], car=["x", None, None], time=[noon, None, None], x=[1, 2, 3])
    assert {name: column.missing for name, column in found.items()} == {
        "label": 1,
        "car": 2,
        "environment": 3,
        "time": 2,
        "x": 0,
    }


@pytest.mark.parametrize("dtype", [pa.float64(), pa.list_(pa.float32()), pa.string(), pa.bool_()])
def test_a_column_without_values_is_only_missing(dtype: pa.DataType) -> None:
    column = columns(label=["a"], x=pa.nulls(1, dtype))["x"]
    assert (column.missing, column.mean, column.histogram, column.lengths) == (1, None, None, None)
    assert not column.values


@pytest.mark.parametrize(
    ("given", "counted"),
    [
        ({"label": ["dent", "none", "dent", None]}, {"damage": 2, "no damage": 1}),
        ({"label": ["Dent", "NONE", "Normal"]}, {"damage": 1, "no damage": 2}),
        ({"label": [["dent", "none"], ["none"], [], ["dent", "scratch"], None]}, {"damage": 2, "no damage": 2}),
        ({"label": ["none"], "damage": [True]}, {"damage": 1, "no damage": 0}),
        ({"label": ["none"] * 3, "damage": [True, None, False]}, {"damage": 1, "no damage": 1}),
        ({"label": ["dent", "none"], "damage": ["a", "b"]}, {"damage": 1, "no damage": 1}),
        ({"label": ["dent", "scratch"]}, None),
        ({"label": [0.5, 1.5]}, None),
        ({"label": [0, 1]}, None),
        ({"label": []}, None),
    ],
)
def test_events_with_damage_are_told_from_those_without(
    given: dict[str, object], counted: dict[str, int] | None
) -> None:
    assert summarise(table(**given), harmless=("none", "normal")).damage == counted


def test_damage_is_counted_over_all_batches() -> None:
    batches = [table(label=pa.array(labels, pa.list_(pa.string()))) for labels in ([["none"]], [["dent"], ["none"]])]
    assert summarise(pa.concat_tables(batches), harmless=("none",)).damage == {"damage": 1, "no damage": 2}


def test_signals_of_a_mapped_file_are_not_read(tmp_path: Path) -> None:
    rows = table(label=["a"] * 64, sound=[np.zeros(1 << 15)] * 64)
    write_arrow(rows, tmp_path / "data.arrow")
    mapped = read_arrow(tmp_path / "data.arrow")
    pool, usual = pa.proxy_memory_pool(pa.default_memory_pool()), pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        summarise(mapped, harmless=("none",))
    finally:
        pa.set_memory_pool(usual)
    assert 0 < pool.max_memory() < 1 << 16


@pytest.mark.parametrize("numbers", [[1e308, -1e308], [1.0, np.nextafter(1.0, 2)]])
def test_numbers_that_no_bins_fit_have_no_histogram(numbers: list[float]) -> None:
    column = columns(label=["a", "b"], x=numbers)["x"]
    assert column.histogram is None
    assert column.minimum == min(numbers)
