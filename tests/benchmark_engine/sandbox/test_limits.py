"""What a model may use: the settings, less where its bundle asks for less, more where an administrator grants it."""

import os

import pytest

from atlas.limits import ModelLimits
from benchmark_engine.sandbox.limits import SPARE_SECONDS, Limits, cpu_bound_seconds, limits_for

USUAL = Limits(wall_seconds=600, cpu_seconds=0, memory_bytes=4 << 30, threads=64, scratch_bytes=1 << 30)
NOTHING = ModelLimits()


def test_a_model_of_which_nothing_is_said_may_use_what_is_usual() -> None:
    assert limits_for(USUAL, None, NOTHING) == USUAL
    assert limits_for(USUAL, NOTHING, NOTHING) == USUAL


@pytest.mark.parametrize(
    ("wish", "field", "value"),
    [
        (ModelLimits(wall_seconds=5), "wall_seconds", 5),
        (ModelLimits(cpu_seconds=7), "cpu_seconds", 7),
        (ModelLimits(memory_mb=512), "memory_bytes", 512 << 20),
        (ModelLimits(threads=2), "threads", 2),
        (ModelLimits(scratch_mb=3), "scratch_bytes", 3 << 20),
        (ModelLimits(output_mb=1), "output_bytes", 1 << 20),
    ],
)
def test_a_bundle_may_ask_for_less(wish: ModelLimits, field: str, value: float) -> None:
    found = limits_for(USUAL, wish, NOTHING)
    assert found == USUAL.model_copy(update={field: value, "asked_for": frozenset({field})})


def test_a_bundle_that_asks_for_more_gets_what_is_usual() -> None:
    assert limits_for(USUAL, ModelLimits(wall_seconds=601, memory_mb=5_000, threads=64), NOTHING) == USUAL


def test_what_is_granted_takes_the_place_of_the_settings_and_of_the_bundle_s_wish() -> None:
    wish = ModelLimits(wall_seconds=5, threads=2)
    found = limits_for(USUAL, wish, ModelLimits(wall_seconds=7_200, memory_mb=16_384))
    assert (found.wall_seconds, found.memory_bytes) == (7_200, 16 << 30)
    assert (found.threads, found.asked_for) == (2, frozenset({"threads"}))


def test_a_grant_may_be_less_than_is_usual_too() -> None:
    assert limits_for(USUAL, None, ModelLimits(scratch_mb=1)).scratch_bytes == 1 << 20


def test_cpu_time_is_bound_by_wall_time_and_threads_where_nothing_else_is_said() -> None:
    cores = os.cpu_count() or 1
    assert cpu_bound_seconds(USUAL) == 600 * min(cores, 64) + SPARE_SECONDS
    assert cpu_bound_seconds(USUAL.model_copy(update={"threads": 1})) == 600 + SPARE_SECONDS
    assert cpu_bound_seconds(USUAL.model_copy(update={"cpu_seconds": 1.5})) == 2
