"""Many rows for a model, in batches, until time is up."""

import time
from collections.abc import Callable

import numpy as np
import pytest

from explainability.batches import BATCH_ROWS, FIRST_ROWS, Batches, rows_at_once


class Model:
    """Something that doubles rows, and takes some seconds of a clock for each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
        self.now = 0.0
        self.asked: list[int] = []
        self._seconds = seconds
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        self.asked.append(len(rows))
        self.now += self._seconds * len(rows)
        return 2 * rows


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Model]:
    return lambda seconds: Model(monkeypatch, seconds)


def test_all_rows_are_answered_in_their_order(model: Callable[[float], Model]) -> None:
    rows = np.arange(3 * BATCH_ROWS + 3, dtype=float)[:, None]
    found = Batches(model(0), 1).answers(rows)
    assert found is not None
    np.testing.assert_array_equal(found, 2 * rows)


def test_batches_grow_from_few_rows_to_many_and_stay_so(model: Callable[[float], Model]) -> None:
    quick = model(1e-6)
    batches = Batches(quick, 1_000)
    batches.answers(np.zeros((10_000, 1)))
    assert quick.asked == [8, 32, 128, 512, 2_048, 4_000, 3_272]
    batches.answers(np.zeros((5_000, 1)))
    assert quick.asked[7:] == [4_000, 1_000]


def test_a_slow_model_is_asked_about_few_rows_at_a_time(model: Callable[[float], Model]) -> None:
    slow = model(0.1)
    assert Batches(slow, 10).answers(np.zeros((4_000, 1))) is None
    assert slow.asked[0] == FIRST_ROWS
    assert max(slow.asked) * 0.1 <= 10 / 4
    assert slow.now == pytest.approx(10, abs=0.2)


def test_no_batch_begins_when_time_is_up(model: Callable[[float], Model]) -> None:
    late = model(1)
    assert Batches(late, 0).answers(np.zeros((1, 1))) is None
    assert late.asked == []


@pytest.mark.parametrize(("features", "rows"), [(0, 4_000), (1, 4_000), (2_000, 4_000), (8_000, 1_000), (10**8, 1)])
def test_wide_rows_go_in_smaller_batches(features: int, rows: int) -> None:
    assert rows_at_once(features) == rows
