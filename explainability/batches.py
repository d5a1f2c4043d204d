"""A model asked about many rows, a batch at a time, for as long as there is time."""

import time
from dataclasses import dataclass

import numpy as np

from explainability.attribution import Answer

BATCH_ROWS = 4_000
BATCH_NUMBERS = 8_000_000
"""How many rows, and how many numbers in them, are held for one call at most; the numbers need 64 MB."""
FIRST_ROWS = 8
"""So many rows are in the first batch: nobody knows yet how slow the model is."""
GROWTH = 4
"""By so much a batch may be larger than the one before."""
CHECKS = 4
"""A batch may take this part of the time that is left, so that it is noticed when time is over."""


def rows_at_once(features: int) -> int:
    """How many rows of so many features are held for one call; at least one."""
    return max(1, min(BATCH_ROWS, BATCH_NUMBERS // max(1, features)))


@dataclass(slots=True)
class Batches:
    """A model that is asked until time is over, about as many rows at once as its speed allows.

    Attributes:
        answer: the model.
        deadline: by `time.monotonic`. A call that has begun is not broken off.
        size: of the next batch, in rows.
    """

    answer: Answer
    deadline: float
    size: int = FIRST_ROWS

    def answers(self, rows: np.ndarray) -> np.ndarray | None:
        """What the model answers for all rows, (rows, outputs); None if there was no time for all of them.

        Args:
            rows: (rows, features), at least one.
        """
        found, start = [], 0
        while start < len(rows):
            began = time.monotonic()
            if began >= self.deadline:
                return None
            part = rows[start : start + min(self.size, rows_at_once(rows.shape[1]))]
            found.append(self.answer(part))
            start += len(part)
            self._learn(len(part), time.monotonic() - began)
        return np.concatenate(found)

    def _learn(self, rows: int, seconds: float) -> None:
        """Choose the size of the next batch by how long these rows took."""
        left = max(0.0, self.deadline - time.monotonic())
        affordable = rows * left / CHECKS / seconds if seconds else BATCH_ROWS
        self.size = int(max(1, min(GROWTH * self.size, affordable, BATCH_ROWS)))
