"""Shapley values by nothing but many walks: slow, plain, and what quicker estimates are measured against."""

from collections.abc import Callable

import numpy as np

ROWS_AT_ONCE = 8_192


def shapley_values(
    answer: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, background: np.ndarray, *, pairs: int
) -> np.ndarray:
    """The mean change of a model's answer when a feature is taken over from a row, in random order, into a row of the
    background (Štrumbelj and Kononenko, 2014).

    Args:
        answer: gives (n, outputs) for (n, features).
        rows: (rows, features) to explain.
        background: (others, features) what is known of a feature that is unknown.
        pairs: of walks for each row: one takes features over, the other gives them back in the same order.

    Returns:
        (rows, features, outputs).
    """
    random = np.random.default_rng(0)
    at_once = max(1, ROWS_AT_ONCE // (2 * rows.shape[1]))
    values = []
    for row in rows:
        others = background[random.permuted(np.arange(pairs) % len(background))]
        parts = np.array_split(others, -(-pairs // at_once))
        values.append(sum(_changes(answer, row, part, random) for part in parts) / (2 * pairs))
    return np.array(values)


def _changes(
    answer: Callable[[np.ndarray], np.ndarray], row: np.ndarray, others: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """(features, outputs) summed over two walks for each of the others."""
    features = len(row)
    turn = random.permuted(np.tile(np.arange(features), (len(others), 1)), axis=1)
    taken = turn[:, None, :] < np.arange(features + 1)[:, None]  # (walks, steps, features)
    total = np.zeros((features, answer(row[None]).shape[1]))
    for known, sign in ((taken, 1), (~taken, -1)):
        mixed = np.where(known, row, others[:, None, :])
        answers = answer(mixed.reshape(-1, features)).reshape(len(others), features + 1, -1)
        changes = sign * np.diff(answers, axis=1)
        total += np.take_along_axis(changes, turn[:, :, None], axis=1).sum(axis=0)
    return total
