"""Distances of distributions: beside scipy, beside sums over pairs, and what must hold of any samples."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from monitoring import drift

P, Q = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.3, 0.6])
numbers = st.lists(st.integers(-50, 50).map(float), min_size=3, max_size=40).map(sorted).map(np.array)
counts = st.lists(st.integers(0, 1000), min_size=2, max_size=12)


@st.composite
def pairs_of_shares(draw: st.DrawFn) -> tuple[drift.Array, drift.Array]:
    first = draw(counts)
    return drift.shares(first), drift.shares(draw(st.permutations(first)))


def test_divergences_agree_with_scipy() -> None:
    assert drift.kullback_leibler(P, Q) == pytest.approx(stats.entropy(P, Q))
    assert drift.jensen_shannon(P, Q) == pytest.approx(distance.jensenshannon(P, Q, base=2))
    assert drift.population_stability(P, Q) == pytest.approx(stats.entropy(P, Q) + stats.entropy(Q, P))


def test_hellinger_and_unlike_pairs_agree_with_sums_by_hand() -> None:
    overlap = np.sqrt(0.05) + 0.3 + np.sqrt(0.12)
    assert drift.hellinger(P, Q) == pytest.approx(np.sqrt(1 - overlap))
    assert drift.unlike_pairs(P, Q) == pytest.approx(1 - (0.05 + 0.09 + 0.12))


def test_what_the_reference_never_had_is_infinitely_far() -> None:
    assert drift.kullback_leibler(np.array([0.5, 0.5]), np.array([1.0, 0.0])) == np.inf
    assert np.isfinite(drift.kullback_leibler(drift.shares([5, 5]), drift.shares([10, 0])))


@settings(deadline=None)
@given(pairs_of_shares())
def test_distances_of_shares_are_bounded_symmetric_and_zero_for_equal_ones(
    both: tuple[drift.Array, drift.Array],
) -> None:
    p, q = both
    for measure in (drift.hellinger, drift.jensen_shannon, drift.population_stability):
        assert measure(p, p) == pytest.approx(0, abs=1e-7)
        assert measure(p, q) == pytest.approx(measure(q, p), abs=1e-12)
    assert 0 <= drift.hellinger(p, q) <= 1
    assert 0 <= drift.jensen_shannon(p, q) <= 1
    assert drift.kullback_leibler(p, q) >= 0


@settings(deadline=None)
@given(numbers, numbers)
def test_distances_of_samples_agree_with_scipy_and_with_all_pairs(x: drift.Array, y: drift.Array) -> None:
    steps = drift.Steps(x, y)
    across = np.mean([abs(a - b) for a, b in product(x, y)])
    within = [np.mean([abs(a - b) for a, b in product(of, of)]) for of in (x, y)]
    assert steps.kolmogorov_smirnov == pytest.approx(stats.ks_2samp(x, y, method="asymp").statistic)
    assert steps.wasserstein == pytest.approx(stats.wasserstein_distance(x, y))
    assert steps.average_pairwise_distance == pytest.approx(across)
    assert steps.excess_pairwise_distance == pytest.approx((2 * across - sum(within)) / (2 * across or 1), abs=1e-9)
    assert 2 * (steps.excess_pairwise_distance * across) == pytest.approx(stats.energy_distance(x, y) ** 2, abs=1e-9)


@settings(deadline=None)
@given(numbers, numbers)
def test_distances_of_samples_are_symmetric_bounded_and_zero_for_equal_ones(x: drift.Array, y: drift.Array) -> None:
    one, other, same = drift.Steps(x, y), drift.Steps(y, x), drift.Steps(x, x)
    for name in ("kolmogorov_smirnov", "wasserstein", "average_pairwise_distance", "excess_pairwise_distance"):
        assert getattr(one, name) == pytest.approx(getattr(other, name))
    assert same.kolmogorov_smirnov == same.wasserstein == same.excess_pairwise_distance == 0
    assert 0 <= one.excess_pairwise_distance <= 1 + 1e-12
    assert 0 <= one.kolmogorov_smirnov <= 1


def test_chance_agrees_with_scipy() -> None:
    random = np.random.default_rng(0)
    x, y = np.sort(random.normal(size=900)), np.sort(random.normal(0.1, size=700))
    assert drift.Steps(x, y).p_value == pytest.approx(stats.ks_2samp(x, y, method="asymp").pvalue, rel=0.1)
    table = [[50, 30, 20], [70, 20, 25]]
    assert drift.chance_of_counts(*table) == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)


def test_chance_explains_what_is_too_little_to_tell() -> None:
    assert drift.chance_of_counts([5, 0], [4, 0]) == 1.0
    assert drift.chance_of_counts([100, 0], [0, 0]) == 1.0
    rare_as_one = drift.chance_of_counts([1000, 2, 2, 2], [1000, 1, 3, 1])
    assert rare_as_one == pytest.approx(drift.chance_of_counts([1000, 6], [1000, 5]))


def test_what_is_too_rare_for_chi_square_is_tested_exactly() -> None:
    """Beside a large reference, four in 500 are no wonder where one in a thousand is usual; χ² takes them for one."""
    rare = stats.fisher_exact([[99_900, 100], [496, 4]]).pvalue
    assert drift.chance_of_counts([99_900, 100], [496, 4]) == pytest.approx(rare)
    assert rare > 100 * stats.chi2_contingency([[99_900, 100], [496, 4]], correction=False).pvalue
    with_others = drift.chance_of_counts([50_000, 49_900, 60, 40], [250, 246, 4, 0])
    assert with_others == pytest.approx(min(1.0, 2 * rare))
    common = stats.chi2_contingency([[50_000, 49_900], [150, 346]], correction=False).pvalue
    assert drift.chance_of_counts([50_000, 49_900, 100], [150, 346, 4]) == pytest.approx(2 * common)
