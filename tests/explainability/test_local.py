"""LIME beside functions whose slopes are known."""

import time

import numpy as np
import pytest

from explainability.attribution import Answer
from explainability.local import local_opinions

SLOPES = np.array([[1.0, -2.0], [0.5, 0.0], [0.0, 3.0]])
"""(features, outputs)."""


def linear(rows: np.ndarray) -> np.ndarray:
    return np.asarray(5 + np.nan_to_num(rows) @ SLOPES)


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(40, 3)) * [1, 10, 0.1] + [0, 5, 2]


@pytest.fixture
def background() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(100, 3)) * [1, 10, 0.1] + [0, 5, 2]


def opinions(
    rows: np.ndarray,
    background: np.ndarray,
    answer: Answer = linear,
    *,
    events: int = 40,
    seconds: float = 1_000,
    seed: int = 0,
) -> np.ndarray:
    found = local_opinions(answer, rows, background, events=events, deadline=time.monotonic() + seconds, seed=seed)
    assert found is not None
    return found


def test_of_a_linear_model_they_are_its_shap_values(rows: np.ndarray, background: np.ndarray) -> None:
    exact = (rows - background.mean(axis=0))[:, :, None] * SLOPES
    found = opinions(rows, background)
    assert found.shape == (40, 3, 2)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, exact, rtol=0.02, atol=0.02 * np.abs(exact).max(axis=0).max())


def test_strong_effects_have_the_right_sign(rows: np.ndarray, background: np.ndarray) -> None:
    def answer(rows: np.ndarray) -> np.ndarray:
        return np.asarray(np.tanh(3 * rows[:, :1] - 0.2 * (rows[:, 1:2] - 5)))

    found = opinions(rows, background, answer)[:, :, 0]
    apart = rows - background.mean(axis=0)
    strong = np.abs(apart[:, 0]) > 0.3
    assert (np.sign(found[strong, 0]) == np.sign(apart[strong, 0])).all()
    assert (np.sign(found[:, 1]) == -np.sign(apart[:, 1])).all()


def test_slopes_are_those_round_the_event_not_those_of_the_whole(background: np.ndarray) -> None:
    events = np.array([[-4.0, 5, 2], [4.0, 5, 2]])
    found = opinions(events, background, lambda rows: np.abs(rows[:, :1]))
    assert found[0, 0, 0] == pytest.approx(4, rel=0.1)  # -1 times -4
    assert found[1, 0, 0] == pytest.approx(4, rel=0.1)


def test_features_that_tell_nothing_have_no_opinion(rows: np.ndarray, background: np.ndarray) -> None:
    background[:, 0] = 1
    rows[0, 1] = np.nan
    found = opinions(rows, background)
    assert (found[:, 0] == 0).all()
    assert (found[0, 1] == 0).all()
    assert (found[1:, 1, 0] != 0).all()


def test_missing_values_of_the_background_do_not_count(rows: np.ndarray, background: np.ndarray) -> None:
    holed = np.vstack([background, np.full((50, 3), np.nan)])
    np.testing.assert_array_equal(opinions(rows, holed), opinions(rows, background))


def test_a_seed_chooses_the_samples(rows: np.ndarray, background: np.ndarray) -> None:
    def answer(rows: np.ndarray) -> np.ndarray:
        return np.asarray(np.sin(rows))

    one = opinions(rows, background, answer)
    np.testing.assert_array_equal(one, opinions(rows, background, answer))
    assert not np.array_equal(one, opinions(rows, background, answer, seed=1))


def test_an_event_has_the_same_opinion_whatever_events_stand_beside_it(
    rows: np.ndarray, background: np.ndarray
) -> None:
    np.testing.assert_allclose(opinions(rows[:1], background), opinions(rows, background)[:1], rtol=1e-6)


def test_no_more_events_than_asked_several_to_a_call(rows: np.ndarray, background: np.ndarray) -> None:
    sizes = []

    def answer(rows: np.ndarray) -> np.ndarray:
        sizes.append(len(rows))
        return linear(rows)

    assert len(opinions(rows, background, answer, events=10)) == 10
    assert sum(sizes) == 10_000
    assert max(sizes) == 4_000


def test_what_there_was_time_for_is_returned(
    rows: np.ndarray, background: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = {"now": 0.0}
    monkeypatch.setattr(time, "monotonic", lambda: clock["now"])

    def slow(rows: np.ndarray) -> np.ndarray:
        clock["now"] += len(rows) / 1_000
        return linear(rows)

    found = local_opinions(slow, rows, background, events=40, deadline=9)
    assert found is not None
    assert len(found) == 9
    assert local_opinions(slow, rows, background, events=40, deadline=clock["now"]) is None


def test_an_answer_that_is_no_number_ends_them(rows: np.ndarray, background: np.ndarray) -> None:
    def answer(rows: np.ndarray) -> np.ndarray:
        return np.where(rows[:, :1] > 50, np.nan, rows[:, :1])

    rows[5, 0] = 100
    assert len(opinions(rows, background, answer)) == 5
    rows[0, 0] = 100
    assert local_opinions(answer, rows, background, events=40, deadline=time.monotonic() + 1_000) is None


def test_more_features_than_samples_have_none() -> None:
    wide = np.zeros((3, 11))
    deadline = time.monotonic() + 1_000
    assert local_opinions(lambda rows: rows, wide, wide, events=3, deadline=deadline, samples=10) is None
    assert local_opinions(lambda rows: rows, wide, wide, events=3, deadline=deadline, samples=12) is not None


def test_no_events_have_no_opinions(background: np.ndarray) -> None:
    assert local_opinions(linear, background[:0], background, events=3, deadline=time.monotonic() + 1_000) is None
