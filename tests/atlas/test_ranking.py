"""Places, ties, noise and scales."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.ranking import STEPS, Score, best_of, is_worse, ranked, scale_of, unlike, within_noise

ANY = st.none() | st.floats() | st.sampled_from([0.25, 0.5, 0.75])
SCORES = st.dictionaries(st.integers(), st.builds(Score, ANY))
FINITE = st.lists(st.floats(-1e6, 1e6), min_size=1)


def places(values: dict[str, float], *, greater_is_better: bool = True) -> list[tuple[str, int, bool]]:
    found = ranked({key: Score(value) for key, value in values.items()}, greater_is_better=greater_is_better)
    return [(place.key, place.rank, place.tied) for place in found]


def test_the_best_is_first_in_the_metric_s_own_direction() -> None:
    values = {"a": 0.5, "b": 0.9, "c": 0.7}
    assert places(values) == [("b", 1, False), ("c", 2, False), ("a", 3, False)]
    assert places(values, greater_is_better=False) == [("a", 1, False), ("c", 2, False), ("b", 3, False)]


def test_those_that_are_tied_share_a_rank_and_the_next_one_counts_them_all() -> None:
    values = {"a": 0.5, "b": 0.1 + 0.2, "c": 0.3, "d": 0.1}
    assert places(values) == [("a", 1, False), ("b", 2, True), ("c", 2, True), ("d", 4, False)]


@given(SCORES, st.booleans())
def test_exactly_the_finite_scores_are_ranked(scores: dict[int, Score], greater_is_better: bool) -> None:
    found = ranked(scores, greater_is_better=greater_is_better)
    finite = {key for key, score in scores.items() if score.value is not None and math.isfinite(score.value)}
    assert sorted(place.key for place in found) == sorted(finite)


@given(SCORES, st.booleans())
def test_a_rank_is_one_more_than_the_number_of_better_ones(scores: dict[int, Score], greater_is_better: bool) -> None:
    found = ranked(scores, greater_is_better=greater_is_better)
    for index, place in enumerate(found):
        assert place.rank == 1 + sum(other.rank < place.rank for other in found)
        assert place.rank <= index + 1
        assert place.tied == (sum(other.rank == place.rank for other in found) > 1)


@given(SCORES)
def test_turning_all_scores_round_turns_the_direction_round(scores: dict[int, Score]) -> None:
    turned = {key: Score(None if score.value is None else -score.value) for key, score in scores.items()}
    assert ranked(scores, greater_is_better=True) == ranked(turned, greater_is_better=False)


@given(SCORES, st.booleans())
def test_none_is_better_than_the_first_and_each_is_further_behind(
    scores: dict[int, Score], greater_is_better: bool
) -> None:
    behind = [place.behind for place in ranked(scores, greater_is_better=greater_is_better)]
    assert behind == sorted(behind)
    assert behind[:1] in ([], [0])


def test_what_does_not_differ_from_the_best_by_more_than_noise_is_marked() -> None:
    scores = {
        "best": Score(0.9, 0.85, 0.95),
        "near": Score(0.88, 0.8, 0.86),
        "far": Score(0.7, 0.6, 0.8),
        "unsure": Score(0.6),
    }
    found = ranked(scores, greater_is_better=True)
    assert [place.within_noise for place in found] == [True, True, False, None]
    assert found[1].behind == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("interval", "other", "differs"),
    [
        ((0.8, 0.9), (0.6, 0.7), True),
        ((0.6, 0.7), (0.8, 0.9), True),
        ((0.6, 0.8), (0.8, 0.9), False),
        ((0.5, 1.0), (0.6, 0.7), False),
        ((None, None), (0.6, 0.7), False),
        ((0.8, 0.9), (None, None), False),
    ],
)
def test_intervals_are_unlike_if_they_have_no_value_in_common(
    interval: tuple[float, float], other: tuple[float, float], differs: bool
) -> None:
    assert unlike(*interval, *other) is differs


def test_noise_is_not_known_without_an_interval() -> None:
    assert within_noise(Score(0.9, 0.8, 0.95), Score(0.9)) is None


@given(FINITE, st.booleans())
def test_the_best_has_the_last_step_of_a_scale_and_no_better_one_a_lower_step(
    values: list[float], greater_is_better: bool
) -> None:
    scale = scale_of(values, greater_is_better=greater_is_better)
    best = best_of(values, greater_is_better=greater_is_better)
    assert scale is not None
    assert best is not None
    steps = [scale.step(value) for value in sorted(values, reverse=not greater_is_better)]
    assert steps == sorted(steps)
    assert set(steps) <= set(range(1, STEPS + 1))
    if scale.worst != scale.best:
        assert scale.step(best) == STEPS


def test_one_score_that_is_far_off_does_not_take_the_colours_from_all_others() -> None:
    values = [0.0, *(0.8 + step / 1000 for step in range(100))]
    scale = scale_of(values, greater_is_better=True)
    assert scale is not None
    assert (scale.step(0.0), scale.step(0.806), scale.step(0.85), scale.step(0.899)) == (1, 1, 4, 7)


def test_there_is_no_scale_and_no_best_without_a_finite_score() -> None:
    assert scale_of([math.nan], greater_is_better=True) is None
    assert best_of([math.inf], greater_is_better=True) is None


def test_equal_scores_lie_in_the_middle_of_their_scale() -> None:
    scale = scale_of([0.5, 0.5], greater_is_better=True)
    assert scale is not None
    assert scale.step(0.5) == 4


def test_worse_is_lower_or_higher_as_the_metric_says() -> None:
    assert is_worse(0.7, 0.8, greater_is_better=True)
    assert not is_worse(0.7, 0.8, greater_is_better=False)
