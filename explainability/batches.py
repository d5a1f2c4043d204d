"""A model asked about many rows, a batch at a time, for as long as there is time."""

import time

import numpy as np

from explainability.attribution import Answer

BATCH_ROWS = 4_000
BATCH_NUMBERS = 8_000_000
"""How many rows, and how many numbers in them, are held for one call at most; the numbers need 64 MB."""


def rows_at_once(features: int) -> int:
    """How many rows of so many features are asked about in one call; at least one."""
    return max(1, min(BATCH_ROWS, BATCH_NUMBERS // max(1, features)))


def answers(answer: Answer, rows: np.ndarray, *, deadline: float) -> np.ndarray | None:
    """What a model answers for all rows, (rows, outputs); None if there was no time for all of them.

    Args:
        answer: the model.
        rows: (rows, features), at least one.
        deadline: by `time.monotonic`. A call that has begun is not broken off.
    """
    size = rows_at_once(rows.shape[1])
    found = []
    for start in range(0, len(rows), size):
        if time.monotonic() >= deadline:
            return None
        found.append(answer(rows[start : start + size]))
    return np.concatenate(found)
