"""Tests of times that are taken in turns."""

import pytest

from benchmarks.rounds import Rounds


def test_a_slow_moment_of_the_machine_leaves_the_ratio() -> None:
    rounds = Rounds()
    for slowness in (1, 10, 1):
        rounds.add({"engine": 3.0 * slowness, "bare": 2.0 * slowness})
    assert rounds.ratio("engine", "bare") == pytest.approx(1.5)


def test_one_strange_round_counts_for_nothing() -> None:
    rounds = Rounds()
    for engine_seconds in (2.0, 50.0, 2.2):
        rounds.add({"the engine": engine_seconds, "bare": 2.0})
    assert rounds.ratio("the engine", "bare") == pytest.approx(1.1)
    assert rounds.medians() == {"the_engine_seconds": 2.2, "bare_seconds": 2.0}
