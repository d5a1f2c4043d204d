"""Lasting changes in a series: by hand, beside sums over all places, and how often chance makes one."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import f

from monitoring.steps import DRAWS, FEWEST_VALUES, Array, Step, find_step

errors = st.lists(st.floats(0.5, 2), min_size=8, max_size=8)
series = st.lists(st.integers(-20, 20).map(float), min_size=8, max_size=8).filter(lambda values: len(set(values)) > 1)


def step(values: object, variances: object) -> Step:
    found = find_step(list(np.asarray(values, dtype=float)), np.diag(np.asarray(variances, dtype=float)))
    assert found is not None
    return found


def by_hand(values: Array, variances: Array, place: int) -> tuple[float, float]:
    """Size of a step and its standard error, from the weighted means of both sides."""
    weights = 1 / variances
    before, after = (slice(None, place), slice(place, None))
    means = [np.average(values[side], weights=weights[side]) for side in (before, after)]
    return means[1] - means[0], sqrt(1 / weights[before].sum() + 1 / weights[after].sum())


def test_a_step_is_the_difference_of_both_means() -> None:
    found = step([2, 2, 2, 2, 3, 3, 3, 3], [0.01] * 8)
    assert found.place == 4
    assert found.size == pytest.approx(1)
    assert (found.low, found.high) == pytest.approx((1 - 1.96 * sqrt(0.005), 1 + 1.96 * sqrt(0.005)), abs=1e-4)
    assert found.p == 1 / (DRAWS + 1)


def test_values_that_lie_close_together_make_no_step_if_they_are_less_sure_than_that() -> None:
    assert step([2, 2, 2, 2, 3, 3, 3, 3], [4] * 8).p > 0.5


def test_errors_that_were_told_too_small_make_no_step_of_scatter() -> None:
    assert step([5, 2, 8, 3, 6, 9, 5, 7], [1e-6] * 8).p > 0.3


def test_an_interval_is_as_wide_as_the_scatter_about_the_step_asks() -> None:
    values = np.array([1, 3, 1, 3, 11, 13, 11, 13], dtype=float)
    found = step(values, [0.01] * 8)
    scatter = 8 / 6 / 0.01  # eight values, each one off its side's mean
    assert found.high - found.size == pytest.approx(1.96 * sqrt(0.005 * scatter), rel=1e-3)


@given(series, errors)
@settings(max_examples=20, deadline=None)
def test_the_likeliest_step_is_that_of_weighted_means_at_the_clearest_place(
    values: list[float], errors: list[float]
) -> None:
    given_values, variances = np.array(values), np.square(errors)
    steps = [by_hand(given_values, variances, place) for place in range(1, 8)]
    clear = [abs(size / error) for size, error in steps]
    found = find_step(values, np.diag(variances), draws=99)
    if found is None:
        assert max(clear[0], clear[-1]) == pytest.approx(max(clear), rel=1e-5)
    else:
        assert found.size == pytest.approx(steps[found.place - 1][0], rel=1e-5, abs=1e-6)
        assert clear[found.place - 1] == pytest.approx(max(clear), rel=1e-5)


@given(series, st.sampled_from([0.01, 3.0, 1000.0]), st.integers(-100, 100))
@settings(max_examples=20, deadline=None)
def test_scale_sign_and_level_of_the_values_do_not_matter(values: list[float], scale: float, level: int) -> None:
    plain = find_step(values, np.eye(8), draws=999)
    moved = find_step([level - scale * value for value in values], scale**2 * np.eye(8), draws=999)
    assume(plain and moved and plain.place == moved.place)  # else two places are equally clear, or none lasts
    assert plain is not None
    assert moved is not None
    assert moved.size == pytest.approx(-scale * plain.size, rel=1e-6)
    assert moved.p == pytest.approx(plain.p, abs=0.002)


def test_what_is_surer_weighs_more() -> None:
    found = step([0, 0, 0, 0, 0, 10, 6, 10], [1, 1, 1, 1, 1, 0.01, 1e6, 0.01])
    assert found.place == 5
    assert found.size == pytest.approx(10, abs=1e-3)


def test_one_value_that_lies_apart_is_no_step() -> None:
    quiet = np.random.default_rng(5).normal(0, 1, 12)
    for values in ([*quiet[:-1], 12], [-12, *quiet[1:]]):
        assert find_step(values, np.eye(12)) is None


def test_correlated_values_wander_and_that_is_no_step() -> None:
    place = np.arange(30)
    wandering = np.exp(-np.abs(place[:, None] - place) / 6)
    random = np.random.default_rng(1).standard_normal((40, 30)) @ np.linalg.cholesky(wandering).T
    known = {"told": wandering, "ignored": np.eye(30)}
    found = {name: [find_step(list(each), matrix, draws=199) for each in random] for name, matrix in known.items()}
    alerts = {name: sum(each is not None and each.p <= 0.05 for each in some) for name, some in found.items()}
    assert alerts["told"] <= 5
    assert alerts["ignored"] > 10


def test_correlated_values_have_the_step_of_generalised_least_squares() -> None:
    place = np.arange(10)
    together = 0.7 ** np.abs(place[:, None] - place) * np.outer(1 + place % 3, 1 + place % 3)
    values = np.array([0.1, 0.4, -0.3, 0.2, 30.1, 31.2, 29.0, 30.5, 30.9, 29.4])
    found = find_step(list(values), together)
    assert found is not None
    assert found.place == 4
    design = np.column_stack([np.ones(10), place >= 4])
    inverse = np.linalg.inv(together)
    spread = np.linalg.inv(design.T @ inverse @ design)
    assert found.size == pytest.approx((spread @ design.T @ inverse @ values)[1], rel=1e-6)
    assert found.high - found.size == pytest.approx(1.96 * sqrt(spread[1, 1]), rel=1e-4)


@pytest.mark.parametrize("sizes", [(4, 4), (3, 17), (15, 5)], ids=str)
def test_a_known_step_is_found_where_it_happened(sizes: tuple[int, int]) -> None:
    random = np.random.default_rng(3)
    values = np.concatenate([random.normal(0.9, 0.01, sizes[0]), random.normal(0.8, 0.01, sizes[1])])
    found = step(values, [1e-4] * len(values))
    assert found.place == sizes[0]
    assert found.low < -0.1 < found.high
    assert found.p <= 0.0025


def test_p_lies_between_that_of_one_place_and_that_times_all_places() -> None:
    values = np.array([0.3, -0.2, 0.1, 0.4, 1.2, 0.6, 1.1, 0.9])
    size, error = by_hand(values, np.full(8, 1.0), 4)
    residual = ((values - np.repeat([0.15, 0.95], 4)) ** 2).sum() / 6
    alone = f.sf((size / error) ** 2 / residual, 1, 6)
    found = step(values, [1e-8] * 8)
    assert found.place == 4
    assert alone < found.p < 7 * alone


def test_of_two_hundred_series_without_a_step_at_most_one_in_twenty_has_one_at_five_per_cent() -> None:
    random = np.random.default_rng(11)
    spread = random.uniform(0.5, 2, 12)
    series = random.standard_normal((200, 12)) * spread
    found = [find_step(list(values), np.diag(spread**2), draws=199) for values in series]
    p = [each.p for each in found if each]
    assert sum(each <= 0.05 for each in p) <= 10
    assert sum(each <= 0.5 for each in p) > 30


def test_few_values_and_values_that_are_exact_have_no_step() -> None:
    few = FEWEST_VALUES - 1
    assert find_step([0.0] * few, np.eye(few)) is None
    assert find_step([0.0] * 8, np.zeros((8, 8))) is None


def test_values_that_are_all_the_same_are_no_step() -> None:
    assert find_step([0.5] * 8, 0.01 * np.eye(8)) is None
