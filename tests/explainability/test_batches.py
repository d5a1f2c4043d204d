"""Many rows for a model, in batches, until time is up."""

import time

import numpy as np
import pytest

from explainability.batches import BATCH_ROWS, answers, rows_at_once


def test_all_rows_are_answered_in_their_order_a_batch_at_a_time() -> None:
    sizes = []

    def doubled(rows: np.ndarray) -> np.ndarray:
        sizes.append(len(rows))
        return 2 * rows

    rows = np.arange(2 * BATCH_ROWS + 3, dtype=float)[:, None]
    found = answers(doubled, rows, deadline=time.monotonic() + 1_000)
    assert found is not None
    np.testing.assert_array_equal(found, 2 * rows)
    assert sizes == [BATCH_ROWS, BATCH_ROWS, 3]


def test_no_batch_begins_when_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 5.0, 10.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    asked = []

    def answer(rows: np.ndarray) -> np.ndarray:
        asked.append(len(rows))
        return rows

    assert answers(answer, np.zeros((3 * BATCH_ROWS, 1)), deadline=10.0) is None
    assert asked == [BATCH_ROWS, BATCH_ROWS]


@pytest.mark.parametrize(("features", "rows"), [(0, 4_000), (1, 4_000), (2_000, 4_000), (8_000, 1_000), (10**8, 1)])
def test_wide_rows_go_in_smaller_batches(features: int, rows: int) -> None:
    assert rows_at_once(features) == rows
