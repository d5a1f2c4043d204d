"""The plain walks that quicker estimates are measured against, where the Shapley values are known."""

import numpy as np

from benchmarks.walks import shapley_values

random = np.random.default_rng(0)
ROWS, BACKGROUND = random.normal(size=(3, 4)), random.normal(size=(10, 4))


def test_a_linear_function_has_its_values_exactly_when_the_whole_background_was_used() -> None:
    slopes = np.array([[1.0, 0.0], [2.0, -1.0], [0.0, 3.0], [0.5, 0.5]])
    found = shapley_values(lambda rows: rows @ slopes, ROWS, BACKGROUND, pairs=20)
    np.testing.assert_allclose(found, (ROWS - BACKGROUND.mean(axis=0))[:, :, None] * slopes, atol=1e-12)


def test_a_product_is_shared_between_its_factors() -> None:
    def product(rows: np.ndarray) -> np.ndarray:
        return np.asarray(rows[:, :1] * rows[:, 1:2])

    found = shapley_values(product, ROWS, np.zeros((1, 4)), pairs=1)[:, :, 0]
    half = ROWS[:, 0] * ROWS[:, 1] / 2
    np.testing.assert_allclose(found, np.column_stack([half, half, 0 * half, 0 * half]), atol=1e-12)


def test_values_add_up_to_what_a_row_has_more_than_the_background() -> None:
    def answer(rows: np.ndarray) -> np.ndarray:
        return np.asarray(np.sin(rows.sum(axis=1, keepdims=True) * rows[:, :1]))

    found = shapley_values(answer, ROWS, BACKGROUND, pairs=30)
    np.testing.assert_allclose(found.sum(axis=1), answer(ROWS) - answer(BACKGROUND).mean(axis=0), atol=1e-12)
