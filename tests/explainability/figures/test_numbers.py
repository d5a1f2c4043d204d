"""Arrays as plain numbers, and which features a figure shows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainability.figures import numbers
from tests.explained import explained


def test_numbers_have_the_digits_of_single_precision_and_no_more() -> None:
    values = np.array([0.1, -1234.5678, 1e-12, 3e20, 0.0], dtype=np.float32)
    assert numbers.plain(values) == [0.1, -1234.568, 1e-12, 3e20, 0.0]


def test_what_is_no_number_stays_none() -> None:
    found = numbers.plain(np.array([np.nan, np.inf, 1.0]))
    assert np.isnan(found[0])
    assert found[1:] == [np.inf, 1.0]


@given(st.floats(allow_nan=False, width=32))
def test_no_number_moves_by_more_than_half_of_its_last_digit(value: float) -> None:
    [found] = numbers.plain(np.array([value]))
    assert found == pytest.approx(value, rel=5e-7, abs=1e-99)


def test_the_fair_sample_leaves_out_what_was_picked() -> None:
    events = explained(events=8)
    assert numbers.fair(events).tolist() == [0, 1, 2, 4, 5, 6]
    events.is_sampled[:] = False
    assert numbers.fair(events).tolist() == list(range(8))


def test_equal_strengths_stay_in_the_order_of_the_columns() -> None:
    assert numbers.strongest(np.array([1.0, 3.0, 1.0, 3.0]), 3).tolist() == [1, 3, 0]


def test_what_is_not_chosen_is_summed_up() -> None:
    values = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]])
    found = numbers.parts(["a", "b", "c", "d"], values, np.array([3, 0]))
    assert (found.names, found.hidden) == (["d", "a", "2 other features"], 2)
    assert found.values.tolist() == [[4.0, 1.0, 5.0], [8.0, 5.0, 13.0]]


def test_if_all_are_chosen_there_is_no_rest() -> None:
    found = numbers.parts(["a", "b"], np.array([[1.0, 2.0]]), np.array([1, 0]))
    assert (found.names, found.hidden, found.values.tolist()) == (["b", "a"], 0, [[2.0, 1.0]])


@pytest.mark.parametrize(
    ("values", "ranks"),
    [
        ([30.0, 10.0, 20.0], [1.0, 0.0, 0.5]),
        ([1.0, 1.0, 5.0], [0.25, 0.25, 1.0]),
        ([7.0, 7.0], [0.5, 0.5]),
        ([np.nan, 2.0], [np.nan, 0.5]),
        ([np.nan], [np.nan]),
        ([], []),
    ],
)
def test_ranks_reach_from_the_lowest_to_the_highest(values: list[float], ranks: list[float]) -> None:
    np.testing.assert_allclose(numbers.ranks(np.array(values)), ranks)
