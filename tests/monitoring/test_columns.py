"""Columns of every type that a table can hold, and samples that are hardly any."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring import columns
from monitoring.columns import FEW_VALUES, Drift

START = datetime.datetime(2026, 11, 27, 10, 15, tzinfo=datetime.UTC)
RANDOM = np.random.default_rng(3)
Make = Callable[[int], Any]


def drift_of(reference: pa.Array, current: pa.Array) -> Drift:
    return columns.reference(pa.chunked_array([reference])).drift(pa.chunked_array([current]))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda i: START.replace(tzinfo=None) + datetime.timedelta(minutes=i), id="moments"),
        pytest.param(lambda i: START + datetime.timedelta(minutes=i), id="with a zone"),
        pytest.param(lambda i: START.date() + datetime.timedelta(days=i), id="days"),
        pytest.param(lambda i: datetime.time(i // 60, i % 60), id="times of day"),
        pytest.param(lambda i: datetime.timedelta(seconds=i), id="durations"),
        pytest.param(lambda i: Decimal(i) / 8, id="decimals"),
        pytest.param(lambda i: 2**53 + 2 * i, id="large whole numbers"),
    ],
)
def test_what_has_an_order_is_compared_as_numbers(make: Make) -> None:
    reference, later = (pa.array([make(i) for i in range(*ends)]) for ends in ((0, 600), (300, 900)))
    drift = drift_of(reference, later)
    assert drift.kolmogorov_smirnov == pytest.approx(0.5)
    assert drift.wasserstein == pytest.approx(300 / np.std(np.arange(600)))
    assert drift.counts[-2] > 300
    assert drift_of(reference, reference.take(pa.array(RANDOM.permutation(600)))).p_value == 1.0


def test_moments_are_told_as_such() -> None:
    moments = pa.chunked_array([pa.array([START, START + datetime.timedelta(days=1)] * 3)])
    first, second = "2026-11-27 10:15:00", "2026-11-28 10:15:00"
    bins = columns.reference(moments).bins
    assert bins == [f"below {first}", first, f"{first} to {second}", second, f"above {second}", "missing"]


def test_neighbours_are_told_apart_in_names_of_bins() -> None:
    few = columns.reference(pa.chunked_array([[20261127.2, 20261127.4]]))
    assert few.bins[1:4] == ["20261127.2", "20261127.2 to 20261127.4", "20261127.4"]
    assert few.own_counts.tolist() == [0, 1, 0, 1, 0, 0]


def test_a_dictionary_changes_nothing() -> None:
    names = pa.array(["city", None, "motorway", "city"] * 50)
    plain = drift_of(names, names[:100])
    for encoded in (names.dictionary_encode(), names.dictionary_encode(null_encoding="encode")):
        assert drift_of(encoded, names[:100]) == drift_of(names, encoded[:100]) == plain
    assert drift_of(pa.array([1.0, 2.0]).dictionary_encode(), pa.array([1.0])).kolmogorov_smirnov == 0.5


def test_yes_and_no_are_categories() -> None:
    drift = drift_of(pa.array([True, False] * 500), pa.array([True] * 900 + [False] * 100))
    assert drift.kolmogorov_smirnov is None
    assert drift.hellinger == pytest.approx(np.sqrt(1 - np.sqrt(0.45) - np.sqrt(0.05)), abs=2e-3)
    assert drift.p_value < 1e-9


@pytest.mark.parametrize("none", [pa.nulls(50), pa.nulls(50, pa.float64()), pa.array([np.nan] * 50)])
def test_columns_without_any_value_are_alike_and_far_from_others(none: pa.Array) -> None:
    assert drift_of(none, none[:20]).p_value == 1.0
    assert drift_of(none, pa.array([1.0] * 50)).p_value < 1e-9
    gone = drift_of(pa.array([1.0] * 50), none)
    assert (gone.missing, gone.kolmogorov_smirnov, gone.wasserstein) == (1.0, None, None)
    assert gone.p_value < 1e-9


def test_a_column_that_holds_names_now_has_lost_its_numbers() -> None:
    assert drift_of(pa.array([1.0, 2.0] * 50), pa.array(["1.0", "two"] * 50)).missing == 1.0


@pytest.mark.parametrize("reference", [pa.array(np.arange(1000.0)), pa.array(["city", "motorway"] * 500)])
def test_one_row_tells_nothing_and_none_is_refused(reference: pa.Array) -> None:
    assert drift_of(reference, reference[:1]).p_value > 0.05
    with pytest.raises(ValueError, match="have rows"):
        drift_of(reference, reference[:0])
    with pytest.raises(ValueError, match="have rows"):
        drift_of(reference[:0], reference)


def test_identifiers_and_rare_names_do_not_move_by_themselves() -> None:
    """Those that are commonest in one sample are rarer in the next: this must not look like drift."""
    identifiers = [pa.array([f"{prefix}{i}" for i in range(2000)]) for prefix in "ab"]
    assert drift_of(*identifiers).p_value == 1.0
    tails = [pa.array(RANDOM.zipf(1.5, 2000).astype(str)) for _ in range(40)]
    p_values = [drift_of(one, other).p_value for one, other in zip(tails[::2], tails[1::2], strict=True)]
    assert min(p_values) > 0.001


def test_a_new_name_is_seen_however_large_the_reference_is() -> None:
    reference = pa.array(["city"] * 100_000)
    assert drift_of(reference, pa.array(["city"] * 480 + ["tram"] * 20)).p_value < 1e-9
    assert drift_of(reference, pa.array(["city"] * 480 + [None] * 20)).p_value < 1e-9


def test_rounding_is_no_spread_and_no_number_is_too_large() -> None:
    assert drift_of(pa.array([0.1] * 3), pa.array([0.6] * 3)).wasserstein == pytest.approx(0.5)
    largest = drift_of(pa.array([1e308, -1e308] * 50), pa.array([1e308] * 100))
    assert largest.wasserstein == pytest.approx(1.0)
    assert largest.pairwise_distance == pytest.approx(0.5)


def test_each_of_few_values_has_a_bin_and_many_share_ten() -> None:
    few, many = (columns.reference(pa.chunked_array([np.arange(k)])) for k in (FEW_VALUES, FEW_VALUES + 1))
    assert len(few.bins) == len(few.own_counts) == 2 * FEW_VALUES + 2
    assert len(many.bins) == len(many.own_counts) == columns.BINS + 1
