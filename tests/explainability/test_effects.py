"""Effects of functions that are known: what is drawn is what the function does."""

import time

import numpy as np
import pytest

from explainability.attribution import Answer
from explainability.effects import effects
from explainability.explained import Effect

NAMES = ("a", "b", "c")


def answer(rows: np.ndarray) -> np.ndarray:
    """Two outputs: a parabola of a beside b, and c alone, whose absence is 7."""
    return np.column_stack([rows[:, 0] ** 2 + rows[:, 1], np.where(np.isnan(rows[:, 2]), 7, rows[:, 2])])


def found(
    rows: np.ndarray, *, strengths: tuple[float, ...] = (3, 2, 1), of: Answer = answer, most: int = 6
) -> tuple[Effect, ...]:
    deadline = time.monotonic() + 1_000
    return effects(of, rows, names=NAMES, strengths=np.array(strengths), deadline=deadline, most=most)


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(200, 3))


def test_lines_are_what_the_model_answers_on_the_grid(rows: np.ndarray) -> None:
    first, *_ = found(rows)
    assert (first.feature, first.grid.shape, first.lines.shape) == ("a", (20,), (50, 20, 2))
    np.testing.assert_allclose(first.lines[:, :, 0], first.grid[None] ** 2 + rows[:50, 1:2], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(first.lines[:, :, 1], np.repeat(rows[:50, 2:], 20, axis=1), rtol=1e-6)


def test_the_most_important_features_come_first_and_no_more_than_asked(rows: np.ndarray) -> None:
    assert [each.feature for each in found(rows, strengths=(1, 3, 2))] == ["b", "c", "a"]
    assert [each.feature for each in found(rows, strengths=(1, 3, 2), most=2)] == ["b", "c"]


def test_a_grid_lies_between_outer_quantiles(rows: np.ndarray) -> None:
    rows[0, 0], rows[1, 0] = -1e6, 1e6
    first, *_ = found(rows)
    np.testing.assert_allclose(first.grid, np.quantile(rows[:, 0], np.linspace(0.025, 0.975, 20)), rtol=1e-6)


def test_a_feature_with_few_values_has_them_for_a_grid(rows: np.ndarray) -> None:
    rows[:, 0] = np.arange(200) == 17  # one in two hundred is rarer than the outer quantiles
    first, *_ = found(rows)
    assert first.grid.tolist() == [0, 1]


def test_a_feature_that_is_nearly_always_zero_has_a_grid_of_its_other_values() -> None:
    rows = np.zeros((2_000, 3))
    rows[-30:, 0] = np.arange(1, 31)
    first, *_ = found(rows)
    assert len(first.grid) == 20
    assert first.grid[0] > 0


def test_a_feature_that_never_varies_is_left_out_for_the_next(rows: np.ndarray) -> None:
    rows[:, 0], rows[:, 2] = 5, np.nan
    assert [each.feature for each in found(rows, most=1)] == ["b"]
    assert [each.feature for each in found(rows)] == ["b"]


def test_a_feature_without_strength_is_left_out(rows: np.ndarray) -> None:
    assert [each.feature for each in found(rows, strengths=(0, 2, 1))] == ["b", "c"]


def test_missing_values_stay_missing_and_are_no_point_of_the_grid(rows: np.ndarray) -> None:
    rows[::2, 2] = np.nan
    first, *others = found(rows)
    assert np.isfinite(first.grid).all()
    np.testing.assert_array_equal(first.lines[::2, :, 1], np.full((25, 20), 7))
    assert np.isfinite(others[-1].grid).all()


def test_a_feature_on_which_the_model_answers_no_number_is_left_out(rows: np.ndarray) -> None:
    def answer(rows: np.ndarray) -> np.ndarray:
        return np.asarray(rows[:, :1] + np.where(rows[:, 1:2] == 3, np.nan, 0))

    rows[:, 1] = np.arange(200) % 2 * 3
    rows[:50, 1] = 0
    assert [each.feature for each in found(rows, of=answer)] == ["a", "c"]


def test_what_there_was_time_for_is_returned(rows: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = {"now": 0.0}
    monkeypatch.setattr(time, "monotonic", lambda: clock["now"])

    def slow(rows: np.ndarray) -> np.ndarray:
        clock["now"] += len(rows) / 1_000
        return answer(rows)

    drawn = effects(slow, rows, names=NAMES, strengths=np.array([3, 2, 1]), deadline=2.5)
    assert [each.feature for each in drawn] == ["a", "b"]
    assert effects(slow, rows, names=NAMES, strengths=np.array([3, 2, 1]), deadline=2.5) == ()


def test_fewer_events_than_lines_have_a_line_each(rows: np.ndarray) -> None:
    assert found(rows[:7])[0].lines.shape == (7, 7, 2)


def test_the_rows_stay_as_they_are(rows: np.ndarray) -> None:
    before = rows.copy()
    found(rows)
    np.testing.assert_array_equal(rows, before)
