"""How much memory a benchmark is expected to take, and which of those that wait may start."""

from typing import Any

import pytest

from atlas.limits import ModelLimits
from benchmark_engine.admission import LIBRARIES_BYTES, admitted, estimate
from storage.catalog import Measured, Need, Peer

MIB = 1 << 20
GIB = 1 << 30
LIMIT = 8 * GIB


def need(**changes: Any) -> Need:
    fields: dict[str, Any] = {
        "benchmark": 1,
        "format": "skops",
        "bundle_bytes": 10 * MIB,
        "rows": 1_000,
        "data_bytes": 50 * MIB,
        "asked": ModelLimits(),
        "granted": ModelLimits(),
        "earlier": None,
    }
    return Need(**(fields | changes))


def peer(peak: int, **changes: Any) -> Peer:
    fields: dict[str, Any] = {
        "format": "skops",
        "bundle_bytes": 10 * MIB,
        "measured": Measured(rows=1_000, peak_bytes=peak),
    }
    return Peer(**(fields | changes))


def test_what_a_model_took_before_it_takes_again() -> None:
    assert estimate(need(earlier=Measured(rows=1_000, peak_bytes=GIB)), [], limit=LIMIT) == GIB


def test_on_more_rows_a_model_takes_more_but_the_libraries_do_not() -> None:
    twice = estimate(need(rows=2_000, earlier=Measured(rows=1_000, peak_bytes=GIB)), [], limit=LIMIT)
    assert twice == LIBRARIES_BYTES + 2 * (GIB - LIBRARIES_BYTES)


def test_on_fewer_rows_a_model_is_not_thought_to_take_less() -> None:
    assert estimate(need(rows=10, earlier=Measured(rows=1_000, peak_bytes=GIB)), [], limit=LIMIT) == GIB


def test_a_few_rows_do_not_tell_what_a_thousand_times_as_many_take() -> None:
    small = Measured(rows=30, peak_bytes=300 * MIB)
    assert estimate(need(rows=100_000, earlier=small), [], limit=LIMIT) == estimate(need(rows=100_000), [], limit=LIMIT)
    assert estimate(need(rows=100_000, earlier=Measured(rows=30, peak_bytes=GIB)), [], limit=LIMIT) == GIB


def test_a_model_without_a_past_takes_what_the_most_wasteful_of_similar_ones_took() -> None:
    peers = [peer(GIB), peer(2 * GIB), peer(3 * GIB, format="onnx"), peer(4 * GIB, bundle_bytes=21 * MIB)]
    assert estimate(need(), peers, limit=LIMIT) == 2 * GIB


def test_its_own_past_tells_more_than_that_of_others() -> None:
    assert estimate(need(earlier=Measured(rows=1_000, peak_bytes=GIB)), [peer(3 * GIB)], limit=LIMIT) == GIB


def test_without_any_past_the_files_tell_and_larger_ones_take_more() -> None:
    small = estimate(need(), [], limit=LIMIT)
    assert LIBRARIES_BYTES < small < GIB
    assert estimate(need(bundle_bytes=200 * MIB), [], limit=LIMIT) > small
    assert estimate(need(data_bytes=200 * MIB), [], limit=LIMIT) > small


def test_nothing_takes_more_than_it_may() -> None:
    assert estimate(need(data_bytes=100 * GIB), [], limit=LIMIT) == LIMIT
    assert estimate(need(earlier=Measured(rows=1_000, peak_bytes=9 * GIB)), [], limit=LIMIT) == LIMIT


def test_an_earlier_benchmark_of_no_rows_is_no_obstacle() -> None:
    assert estimate(need(rows=0, earlier=Measured(rows=0, peak_bytes=GIB)), [], limit=LIMIT) == GIB


@pytest.mark.parametrize(
    ("estimates", "room", "alone", "number"),
    [
        ([], 10, True, 0),
        ([4, 4], 10, False, 2),
        ([4, 6], 10, False, 2),
        ([4, 4, 4], 10, False, 2),
        ([20], 10, False, 0),
        ([20], 10, True, 1),
        ([20, 1], 10, True, 1),
        ([20, 1], 10, False, 0),
        ([4, 20, 1], 10, True, 1),
        ([1], -5, False, 0),
    ],
)
def test_benchmarks_start_in_order_as_long_as_they_fit(
    estimates: list[int], room: int, alone: bool, number: int
) -> None:
    assert admitted(estimates, room=room, alone=alone) == number


def test_however_large_everything_starts_in_the_end() -> None:
    waiting, started = [9, 30, 1, 10, 11, 2], 0
    running: list[int] = []
    while waiting or running:
        number = admitted(waiting, room=10 - sum(running), alone=not running)
        assert number or running, "nothing runs and nothing starts"
        running += waiting[:number]
        del waiting[:number]
        started += number
        running.pop(0)
    assert started == 6
