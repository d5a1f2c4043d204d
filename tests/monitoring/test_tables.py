"""Drift of columns of every kind, and which of many is more than chance."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring import columns
from monitoring.columns import MOST_CATEGORIES, Drift
from monitoring.tables import FALSE_DISCOVERIES, TableReference, share_moved

RANDOM = np.random.default_rng(7)
ANYTHING = st.one_of(
    st.lists(st.none() | st.integers(-5, 5), min_size=1),
    st.lists(st.none() | st.floats(width=32), min_size=1),
    st.lists(st.none() | st.sampled_from("abc"), min_size=1),
    st.lists(st.none() | st.booleans(), min_size=1),
)


def drift_of(reference: Any, current: Any, kind: pa.DataType | None = None) -> Drift:
    before, now = (pa.chunked_array([pa.array(values, kind, from_pandas=True)]) for values in (reference, current))
    return columns.reference(before).drift(now)


@settings(deadline=None)
@given(ANYTHING, st.randoms())
def test_a_column_has_not_moved_from_itself_in_any_order(values: list[Any], random: Any) -> None:
    shuffled = random.sample(values, len(values))
    kind = pa.array(values).type if any(value is not None for value in values) else pa.float64()
    drift = drift_of(values, shuffled, kind)
    distances = (drift.kullback_leibler, drift.jensen_shannon, drift.hellinger, drift.population_stability)
    assert distances == pytest.approx((0, 0, 0, 0), abs=1e-7)
    assert drift.pairwise_distance == pytest.approx(0, abs=1e-9)
    assert drift.kolmogorov_smirnov in (None, 0.0)
    assert drift.missing == 0
    assert drift.p_value == 1.0


def test_a_shift_of_numbers_is_seen_by_every_measure() -> None:
    drift = drift_of(RANDOM.normal(size=5000), RANDOM.normal(1, size=5000))
    assert drift.wasserstein == pytest.approx(1, abs=0.1)
    assert drift.kolmogorov_smirnov == pytest.approx(0.383, abs=0.04)
    assert min(drift.kullback_leibler, drift.jensen_shannon, drift.hellinger, drift.pairwise_distance) > 0.1
    assert drift.population_stability > 0.5
    assert drift.p_value < 1e-9


@pytest.mark.parametrize("now", [[4.0], [6.0], [5.0, 9.0]])
def test_a_constant_column_moves_in_either_direction(now: list[float]) -> None:
    drift = drift_of([5.0] * 100, now * 100)
    assert drift.p_value < 1e-9
    assert drift.jensen_shannon > 0.3


def test_what_goes_missing_is_drift_of_its_own() -> None:
    values = list(RANDOM.normal(size=1000))
    drift = drift_of(values, [None if number % 5 == 0 else value for number, value in enumerate(values)])
    assert drift.missing == pytest.approx(0.2)
    assert drift.p_value < 1e-9
    assert drift_of([1.0, 2.0], [None, np.nan, np.inf], pa.float64()).kolmogorov_smirnov is None


def test_new_categories_are_others() -> None:
    reference = pa.chunked_array([[f"car {number}" for number in range(MOST_CATEGORIES + 50)] * 2 + ["car 0"]])
    prepared = columns.reference(reference)
    assert len(prepared.bins) == MOST_CATEGORIES + 2
    counts = prepared.drift(pa.chunked_array([["car 0", "tram", None]])).counts
    assert dict(zip(prepared.bins, counts, strict=True))["others"] == 1
    assert prepared.drift(pa.chunked_array([["tram"] * 100])).p_value < 1e-6


def test_bins_are_named_and_counted() -> None:
    prepared = columns.reference(pa.chunked_array([np.arange(1000.0)]))
    assert prepared.bins[0] == "below 99.9"
    assert prepared.bins[-1] == "missing"
    assert prepared.own_counts.tolist() == [*[100] * 10, 0]
    drift = prepared.drift(pa.chunked_array([[-3.0, 5000.0, None]]))
    assert drift.counts == (1, *[0] * 8, 1, 1)
    assert drift.rows == 3
    assert columns.reference(pa.chunked_array([pa.array([None], pa.float64())])).bins == ["any", "missing"]


def test_lists_are_refused_by_name_and_left_out_of_tables() -> None:
    with pytest.raises(TypeError, match="scalars"):
        columns.reference(pa.chunked_array([[[1.0]]]))
    assert list(TableReference(pa.table({"sound": [[1.0]], "peak": [1.0]})).columns) == ["peak"]


def test_the_column_that_moved_is_found_and_comes_first() -> None:
    before = {f"c{number}": RANDOM.normal(size=3000) for number in range(30)}
    now = {name: RANDOM.normal(size=3000) for name in before} | {"c17": RANDOM.normal(0.5, size=3000)}
    found = TableReference(pa.table(before)).drift(pa.table(now))
    assert [column.name for column in found if column.has_moved] == ["c17"]
    assert found[0].name == "c17"
    assert found[0].adjusted_p < FALSE_DISCOVERIES
    assert share_moved(found) == pytest.approx(1 / 30)


def test_a_sure_but_tiny_shift_is_no_drift() -> None:
    before, now = pa.table({"x": RANDOM.normal(size=200_000)}), pa.table({"x": RANDOM.normal(0.03, size=200_000)})
    [column] = TableReference(before).drift(now)
    assert column.adjusted_p < FALSE_DISCOVERIES
    assert not column.has_moved


def test_columns_that_only_one_has_and_empty_versions_are_left_out() -> None:
    prepared = TableReference(pa.table({"a": [1.0, 2.0], "b": ["x", "y"]}), ["a", "b"])
    assert [column.name for column in prepared.drift(pa.table({"a": [1.0], "z": [1.0]}))] == ["a"]
    assert prepared.drift(pa.table({"a": pa.array([], pa.float64())})) == []
    assert share_moved([]) == 0.0
